/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MM_SUITE_H
#define MM_SUITE_H

/* Check's boilerplate: run an array of tests, each between `setup` and `teardown` (or NULL). */

#include <check.h>
#include <stdlib.h>

/* Run what @p c has; the program's exit code. */
static inline int suite_finish(const char *name, TCase *c)
{
    Suite *s = suite_create(name);
    SRunner *r;
    int failed;

    suite_add_tcase(s, c);
    r = srunner_create(s);
    srunner_run_all(r, CK_NORMAL);
    failed = srunner_ntests_failed(r);
    srunner_free(r);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}

static inline int suite_run(const char *name, const TTest **tests, size_t n, void (*setup)(void),
                            void (*teardown)(void))
{
    TCase *c = tcase_create(name);

    for (size_t i = 0; i < n; i++)
        tcase_add_test(c, tests[i]);
    tcase_add_checked_fixture(c, setup, teardown);
    tcase_set_timeout(c, 60);
    return suite_finish(name, c);
}

#define SUITE_RUN(name, tests, setup, teardown)                                                    \
    suite_run(name, tests, sizeof(tests) / sizeof((tests)[0]), setup, teardown)

/* One test, run @p times with _i = 0, 1, ...: for tests that take their seed from it. */
#define SUITE_LOOP(name, test, times) suite_loop(name, test, times)

static inline int suite_loop(const char *name, const TTest *test, int times)
{
    TCase *c = tcase_create(name);

    tcase_add_loop_test(c, test, 0, times);
    tcase_set_timeout(c, 60);
    return suite_finish(name, c);
}

#endif
