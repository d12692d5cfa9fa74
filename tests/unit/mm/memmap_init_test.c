/* SPDX-License-Identifier: BSD-2-Clause */
/* Making a memmap and adding pages to it: limits, storage, reserved pages. */
#include "mock_backend.h"
#include "suite.h"

#define FIRST 100

static struct disco_page_user user(uint32_t pmap, uint64_t ppn)
{
    return (struct disco_page_user){.pmap = pmap, .ppn = {ppn}};
}

START_TEST(init_refuses)
{
    struct disco_memmap_config c = {.backend = NULL, .first = {0}, .pages = 8, .nodes = 1};
    struct disco_backend_ops no_ops = {.name = "none"};
    struct disco_backend b = {.ops = &no_ops};
    size_t size = disco_memmap_size(&c);
    void *s = mock_storage(size + 64);
    struct disco_memmap *out;

    ck_assert_uint_ge(size, 8 * 32);
    ck_assert_uint_eq(disco_memmap_size(NULL), 0);
    ck_assert_int_eq(disco_memmap_init(&out, s, size, &c), 0);
    ck_assert_int_eq(disco_memmap_init(NULL, s, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_init(&out, NULL, size, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_init(&out, (char *)s + DISCO_CACHE_LINE / 2, size, &c),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_init(&out, s, size - 1, &c), DISCO_ERR_NO_SPACE);
    c.backend = &b;
    ck_assert_int_eq(disco_memmap_init(&out, s, size, &c), DISCO_ERR_MISSING_OP);
    c.backend = NULL;
    c.nodes = 0;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    ck_assert_int_eq(disco_memmap_init(&out, s, size, &c), DISCO_ERR_BAD_ARG);
    c.nodes = DISCO_MAX_NODES + 1;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    c.nodes = 1;
    c.pages = 0;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    c.pages = UINT64_MAX / 16;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    c.pages = 8;
    c.first.v = UINT64_MAX - 3;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    c.first.v = 0;
    c.user_chunks = UINT64_MAX / 32;
    ck_assert_uint_eq(disco_memmap_size(&c), 0);
    free(s);
}
END_TEST

START_TEST(add_refuses)
{
    struct disco_memmap_config c = {.first = {FIRST}, .pages = 8, .nodes = 2};
    void *s = mock_storage(disco_memmap_size(&c));
    struct disco_memmap *x;
    disco_mpn mpn;

    ck_assert_int_eq(disco_memmap_init(&x, s, disco_memmap_size(&c), &c), 0);
    ck_assert_int_eq(disco_memmap_state(x, (disco_mpn){FIRST}), DISCO_PAGE_ABSENT);
    ck_assert_int_eq(disco_memmap_alloc(x, 0, DISCO_PAGE_PRIVATE, &mpn), DISCO_ERR_NO_MEMORY);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST}, 2, 2, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST - 1}, 2, 0, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST}, 9, 0, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST + 7}, 2, 0, false), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST}, UINT64_MAX, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST + 2}, 2, 0, true), 0);
    ck_assert_int_eq(disco_memmap_state(x, (disco_mpn){FIRST + 2}), DISCO_PAGE_MONITOR);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST}, 4, 0, false), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_state(x, (disco_mpn){FIRST}), DISCO_PAGE_ABSENT);
    ck_assert_int_eq(disco_memmap_add(x, (disco_mpn){FIRST}, 2, 1, false), 0);
    ck_assert_int_eq(disco_memmap_alloc(x, 0, DISCO_PAGE_PRIVATE, &mpn), 0);
    ck_assert_uint_eq(mpn.v, FIRST);
    ck_assert_uint_eq(disco_memmap_node(x, mpn), 1);
    free(s);
}
END_TEST

START_TEST(reserved_pages_are_never_freed)
{
    struct disco_memmap_config c = {.first = {0}, .pages = 2, .nodes = 1, .user_chunks = 1};
    void *s = mock_storage(disco_memmap_size(&c));
    struct disco_memmap *x;
    disco_mpn r = {0};

    ck_assert_int_eq(disco_memmap_init(&x, s, disco_memmap_size(&c), &c), 0);
    ck_assert_int_eq(disco_memmap_add(x, r, 1, 0, true), 0);
    ck_assert_int_eq(disco_memmap_put(x, r), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_get(x, r), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_add_user(x, r, user(1, 1)), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_adopt(x, r, user(1, 1)), DISCO_ERR_STATE);
    ck_assert_int_eq(disco_memmap_del_user(x, r, user(1, 1)), DISCO_ERR_NOT_FOUND);
    ck_assert_int_eq(disco_memmap_state(x, r), DISCO_PAGE_MONITOR);
    free(s);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {init_refuses, add_refuses, reserved_pages_are_never_freed};

    return SUITE_RUN("memmap_init", tests, NULL, NULL);
}
