/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor calls: what a table refuses, and what is checked before a handler runs. */
#include "calls.h"

static union disco_arg got[DISCO_CALL_ARGS];
static void *got_caller;

static int64_t handler(void *dev, void *caller, const union disco_arg *a)
{
    ran++;
    got_caller = caller;
    memcpy(got, a, sizeof got);
    return *(int64_t *)dev;
}

static int64_t answer = 5;

#define VALUE(min, max)                                                                            \
    {                                                                                              \
        DISCO_ARG_VALUE, min, max                                                                  \
    }
#define IN(max)                                                                                    \
    {                                                                                              \
        DISCO_ARG_BUF_IN, 0, max                                                                   \
    }
#define OUT(max)                                                                                   \
    {                                                                                              \
        DISCO_ARG_BUF_OUT, 0, max                                                                  \
    }
#define NONE                                                                                       \
    {                                                                                              \
        DISCO_ARG_NONE, 0, 0                                                                       \
    }

static int add(uint32_t number, const struct disco_arg_desc arg[DISCO_CALL_ARGS])
{
    struct disco_call c = {.number = number, .name = "test", .fn = handler, .dev = &answer};

    memcpy(c.arg, arg, sizeof c.arg);
    return disco_calls_add(&t, &c);
}

#define ADD(number, ...) add(number, (const struct disco_arg_desc[DISCO_CALL_ARGS]){__VA_ARGS__})

START_TEST(several_until_one_is_refused)
{
    const struct disco_call c[] = {{.number = 1, .name = "one", .fn = handler},
                                   {.number = 2, .name = "two", .fn = handler},
                                   {.number = 1, .name = "one again", .fn = handler},
                                   {.number = 3, .name = "three", .fn = handler}};

    ck_assert_int_eq(disco_calls_add_all(&t, c, 0), 0);
    ck_assert_int_eq(disco_calls_add_all(&t, c, 4), DISCO_ERR_BUSY);
    ck_assert_str_eq(t.call[1].name, "one");
    ck_assert_str_eq(t.call[2].name, "two");
    ck_assert_ptr_null(t.call[3].fn);
}
END_TEST

START_TEST(bad_declarations)
{
    struct disco_call c = {.number = 1, .name = "test", .fn = handler};

    ck_assert_int_eq(disco_calls_add(NULL, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_calls_add(&t, NULL), DISCO_ERR_BAD_ARG);
    c.fn = NULL;
    ck_assert_int_eq(disco_calls_add(&t, &c), DISCO_ERR_BAD_ARG);
    c.fn = handler;
    c.name = NULL;
    ck_assert_int_eq(disco_calls_add(&t, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(DISCO_CALLS_MAX, NONE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, VALUE(2, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, NONE, VALUE(0, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, {(enum disco_arg_kind)9, 0, 0}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, IN(1), OUT(1), IN(1), VALUE(0, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, IN(1), OUT(1), IN(1)), 0);
    ck_assert_int_eq(ADD(0, NONE), DISCO_ERR_BUSY);
    ck_assert_int_eq(ADD(DISCO_CALLS_MAX - 1, NONE), 0);
}
END_TEST

START_TEST(calls_that_do_not_exist)
{
    ck_assert_int_eq(ADD(3, NONE), 0);
    ck_assert_int_eq(call(2, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(DISCO_CALLS_MAX, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(UINT64_C(0x100000003), 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(UINT64_MAX, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_uint_eq(counted(&t).bad, 4);
    ck_assert_int_eq(call(3, 0, 0, 0), 5);
    ck_assert_uint_eq(counted(&t).made[3], 1);
    ck_assert_ptr_eq(got_caller, &ran);
}
END_TEST

/* Each processor counts in lines of its own, and who asks gets the sum. */
START_TEST(counted_by_processor)
{
    ck_assert_int_eq(ADD(3, VALUE(0, 9)), 0);
    for (uint64_t i = 0; i < 5; i++) {
        sim_become(r.m, i % CPUS);
        ck_assert_int_eq(call(3, i, 0, 0), 5);
        ck_assert_int_eq(call(3, 10, 0, 0), DISCO_ERR_BAD_ARG);
    }
    ck_assert_uint_eq(counters[0].n.made[3], 3);
    ck_assert_uint_eq(counters[1].n.made[3], 2);
    ck_assert_uint_eq(counters[1].n.bad, 2);
    ck_assert_uint_eq(counted(&t).made[3], 5);
    ck_assert_uint_eq(counted(&t).bad, 5);
    ck_assert_uint_eq((uintptr_t)counters % DISCO_CACHE_LINE |
                          sizeof counters[0] % DISCO_CACHE_LINE,
                      0);
}
END_TEST

/* Where nobody tells of processors there is one. */
START_TEST(without_a_backend)
{
    struct disco_calls_counters one;

    ck_assert_int_eq(disco_calls_init(&t, NULL, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_calls_init(NULL, &one, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_calls_init(&t, &one, NULL), 0);
    ck_assert_uint_eq(counted(&t).bad, 0);
    ck_assert_int_eq(ADD(3, NONE), 0);
    sim_become(r.m, 1);
    ck_assert_int_eq(call(3, 0, 0, 0), 5);
    ck_assert_uint_eq(one.n.made[3], 1);
    memset(&t, 0, sizeof t);
    ck_assert_uint_eq(counted(&t).made[3], 0);
    ck_assert_int_eq(ADD(4, NONE), DISCO_ERR_BAD_ARG);
}
END_TEST

START_TEST(values_are_checked)
{
    ran = 0;
    ck_assert_int_eq(ADD(1, VALUE(3, 9), VALUE(0, UINT64_MAX)), 0);
    ck_assert_int_eq(call(1, 2, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, 10, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, UINT64_MAX, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(ran, 0);
    ck_assert_int_eq(call(1, 3, UINT64_MAX, 0), 5);
    ck_assert_int_eq(call(1, 9, 1, 0), 5);
    ck_assert_uint_eq(got[0].value, 9);
    ck_assert_uint_eq(got[1].value, 1);
    ck_assert_uint_eq(ran, 2);
    ck_assert_uint_eq(counted(&t).bad, 3);
}
END_TEST

START_TEST(buffers_are_checked)
{
    ran = 0;
    ck_assert_int_eq(ADD(1, IN(8192), VALUE(7, 7)), 0);
    ck_assert_int_eq(call(1, 0, 8193, 7), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, END - 16, 17, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, END, 1, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, UINT64_MAX - 3, 8, 7), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(call(1, UINT64_MAX, 1, 7), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(call(1, UINT64_MAX - 8, 8, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, 0, 16, 8), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(ran, 0);
    ck_assert_int_eq(call(1, END - 16, 16, 7), 5);
    ck_assert_uint_eq(got[0].buf.pa.v, END - 16);
    ck_assert_uint_eq(got[0].buf.len, 16);
    ck_assert_uint_eq(got[0].buf.access, DISCO_READ);
    ck_assert_uint_eq(got[1].value, 7);
}
END_TEST

START_TEST(buffers_have_a_direction_and_an_end)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    struct disco_buf b = {&vm->pmap, {DISCO_PAGE_SIZE - 2}, 4, 0, DISCO_WRITE};

    ck_assert_int_eq(disco_buf_read(&b, 0, bytes, 4), DISCO_ERR_READ_ONLY);
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 5), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 5, bytes, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 2, bytes, UINT64_MAX), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 4, bytes, 0), 0);
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 4), 0); /* across two pages */
    b.access = DISCO_READ;
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 4), DISCO_ERR_READ_ONLY);
    memset(bytes, 0, 4);
    ck_assert_int_eq(disco_buf_read(&b, 1, bytes, 3), 0);
    ck_assert_uint_eq(bytes[0], 2);
    ck_assert_uint_eq(bytes[2], 4);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        bad_declarations,        several_until_one_is_refused,
        calls_that_do_not_exist, counted_by_processor,
        without_a_backend,       values_are_checked,
        buffers_are_checked,     buffers_have_a_direction_and_an_end,
    };

    return SUITE_RUN("calls", tests, setup, teardown);
}
