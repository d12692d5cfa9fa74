/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Handlers in two forms, typed and uniform, in three tables: written by hand in the uniform form; declared with types,
 * both forms given, so that libffi decides; declared with the uniform form alone. The same calls, good and bad, must have
 * the same results in all of them, and the handlers must see the same. Built with libffi and without.
 */
#include "../mips64/rng.h"
#include "calls.h"

#include <disco/ffi.h>

enum color { RED = 1, GREEN, BLUE };

enum { BY_HAND, TYPED, UNIFORM, TABLES };
static const char *const table_name[] = {"by hand", "typed", "uniform"};

/* What a handler saw: values in the order of the parameters, widened. */
struct seen {
    unsigned handler, n;
    uint64_t v[DISCO_FFI_PARAMS];
    struct disco_buf buf[3];
    unsigned bufs;
};
static struct seen seen;

static int device[8]; /* whose addresses are handed over */

static void see(unsigned handler)
{
    memset(&seen, 0, sizeof seen);
    seen.handler = handler;
}

static void note(uint64_t v) { seen.v[seen.n++] = v; }

static void note_buf(const struct disco_buf *b) { seen.buf[seen.bufs++] = *b; }

/* Any value, negative too, that depends on all. */
static int64_t answer(void)
{
    uint64_t h = seen.handler;

    for (unsigned i = 0; i < seen.n; i++)
        h = h * UINT64_C(0x9e3779b97f4a7c15) + seen.v[i];
    return (int64_t)h;
}

/* --- the handlers, typed and uniform --- */

static int64_t widths(uint8_t a, uint16_t b, uint32_t c, uint64_t d, int64_t e, bool f)
{
    see(1);
    note(a), note(b), note(c), note(d), note((uint64_t)e), note(f);
    return answer();
}

static int64_t widths_u(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev;
    (void)caller;
    see(1);
    for (unsigned i = 0; i < 6; i++)
        note(a[i].value);
    return answer();
}

static int64_t pointers(enum color c, void *caller, uint32_t few, int *dev, int64_t near)
{
    see(2);
    note(c), note((uintptr_t)caller), note(few), note((uintptr_t)dev), note((uint64_t)near);
    return answer();
}

/* The table knows no range of numbers of both signs: by hand it is the handler who checks. */
static int64_t pointers_by_hand(void *dev, void *caller, const union disco_arg *a)
{
    if ((int64_t)a[2].value < -5 || (int64_t)a[2].value > 10)
        return DISCO_ERR_BAD_ARG;
    return pointers((enum color)a[0].value, caller, (uint32_t)a[1].value, dev, (int64_t)a[2].value);
}

static int64_t pointers_u(void *dev, void *caller, const union disco_arg *a)
{
    see(2);
    note(a[0].value), note((uintptr_t)caller), note(a[1].value), note((uintptr_t)dev);
    note(a[2].value);
    return answer();
}

/* From one buffer into the other, turned about. */
static int64_t turn(void *caller, const struct disco_buf *in, bool twice,
                    const struct disco_buf *out, uint16_t key)
{
    uint8_t bytes[16] = {0};
    uint64_t n = in->len < out->len ? in->len : out->len;
    int err;

    see(3);
    note((uintptr_t)caller), note(twice), note(key);
    note_buf(in), note_buf(out);
    n = n < sizeof bytes ? n : sizeof bytes;
    err = disco_buf_read(in, 0, bytes, n);
    for (size_t i = 0; i < sizeof bytes; i++)
        bytes[i] = (uint8_t)(bytes[i] * (twice + 1) + key);
    return err ? err : disco_buf_write(out, 0, bytes, n);
}

static int64_t turn_u(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev;
    return turn(caller, &a[0].buf, a[1].value, &a[2].buf, (uint16_t)a[3].value);
}

static int64_t nothing(void)
{
    see(4);
    return answer();
}

static int64_t nothing_u(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev;
    (void)caller;
    (void)a;
    return nothing();
}

static int64_t three(const struct disco_buf *a, const struct disco_buf *b,
                     const struct disco_buf *c, void *dev)
{
    see(5);
    note((uintptr_t)dev);
    note_buf(a), note_buf(b), note_buf(c);
    return answer();
}

static int64_t three_u(void *dev, void *caller, const union disco_arg *a)
{
    (void)caller;
    return three(&a[0].buf, &a[1].buf, &a[2].buf, dev);
}

static int64_t signs(int64_t cold, int64_t warm, void *dev, uint8_t level)
{
    see(6);
    note((uint64_t)cold), note((uint64_t)warm), note((uintptr_t)dev), note(level);
    return answer();
}

static int64_t signs_u(void *dev, void *caller, const union disco_arg *a)
{
    (void)caller;
    return signs((int64_t)a[0].value, (int64_t)a[1].value, dev, (uint8_t)a[2].value);
}

#define V(min, max)                                                                                \
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

static const struct disco_call by_hand[] = {
    {1,
     "widths",
     widths_u,
     NULL,
     {V(0, 255), V(0, 65535), V(0, UINT32_MAX), V(0, UINT64_MAX), V(0, UINT64_MAX), V(0, 1)}},
    {2, "pointers", pointers_by_hand, &device[2], {V(RED, BLUE), V(100, 200), V(0, UINT64_MAX)}},
    {3, "turn", turn_u, NULL, {IN(6000), V(0, 1), OUT(UINT64_MAX), V(0, 65535)}},
    {4, "nothing", nothing_u, NULL, {{DISCO_ARG_NONE, 0, 0}}},
    {5, "three", three_u, &device[5], {IN(64), {DISCO_ARG_BUF_OUT, 8, 64}, IN(5000)}},
    {6, "signs", signs_u, &device[6], {V((uint64_t)-9, (uint64_t)-3), V(5, 7), V(0, 7)}},
};

static const struct disco_ffi_decl declared[] = {
    {1,
     "widths",
     NULL,
     DISCO_FFI_FN(widths),
     widths_u,
     {{DISCO_FFI_U8},
      {DISCO_FFI_U16},
      {DISCO_FFI_U32},
      {DISCO_FFI_U64},
      {DISCO_FFI_I64},
      {DISCO_FFI_BOOL}}},
    {2,
     "pointers",
     &device[2],
     DISCO_FFI_FN(pointers),
     pointers_u,
     {{DISCO_FFI_ENUM, RED, BLUE},
      {DISCO_FFI_CALLER},
      {DISCO_FFI_U32, 100, 200},
      {DISCO_FFI_DEV},
      {DISCO_FFI_I64, (uint64_t)-5, 10}}},
    {3,
     "turn",
     NULL,
     DISCO_FFI_FN(turn),
     turn_u,
     {{DISCO_FFI_CALLER},
      {DISCO_FFI_BUF_IN, 0, 6000},
      {DISCO_FFI_BOOL},
      {DISCO_FFI_BUF_OUT},
      {DISCO_FFI_U16}}},
    {4, "nothing", NULL, DISCO_FFI_FN(nothing), nothing_u, {{DISCO_FFI_NONE}}},
    {5,
     "three",
     &device[5],
     DISCO_FFI_FN(three),
     three_u,
     {{DISCO_FFI_BUF_IN, 0, 64},
      {DISCO_FFI_BUF_OUT, 8, 64},
      {DISCO_FFI_BUF_IN, 0, 5000},
      {DISCO_FFI_DEV}}},
    {6,
     "signs",
     &device[6],
     DISCO_FFI_FN(signs),
     signs_u,
     {{DISCO_FFI_I64, (uint64_t)-9, (uint64_t)-3},
      {DISCO_FFI_I64, 5, 7},
      {DISCO_FFI_DEV},
      {DISCO_FFI_U8, 0, 7}}},
};

#define CALLS (sizeof by_hand / sizeof by_hand[0])

static struct disco_calls table[TABLES];
static struct disco_calls_counters table_counters[TABLES][CPUS];
static _Alignas(max_align_t) uint8_t storage[TABLES][CALLS][DISCO_FFI_SIZE];

static void setup_tables(void)
{
    setup();
    for (unsigned i = 0; i < TABLES; i++)
        ck_assert_int_eq(disco_calls_init(&table[i], table_counters[i], r.b), 0);
    for (unsigned i = 0; i < CALLS; i++) {
        struct disco_ffi_decl d = declared[i];
        struct disco_call c;

        ck_assert_int_eq(disco_calls_add(&table[BY_HAND], &by_hand[i]), 0);
        ck_assert_int_eq(disco_ffi_prepare(&d, storage[TYPED][i], DISCO_FFI_SIZE, &c), 0);
        ck_assert_int_eq(disco_calls_add(&table[TYPED], &c), 0);
        d.fn = NULL;
        ck_assert_int_eq(disco_ffi_prepare(&d, storage[UNIFORM][i], DISCO_FFI_SIZE, &c), 0);
        ck_assert_int_eq(disco_calls_add(&table[UNIFORM], &c), 0);
        memset(&d, 0xee, sizeof d); /* nobody looks at it any more */
    }
}

/* --- the same in all tables --- */

struct outcome {
    int64_t result;
    struct seen seen;
    uint8_t memory[32]; /* where buffers mostly lie */
};

static struct outcome run(unsigned which, uint64_t number, const uint64_t raw[DISCO_CALL_ARGS])
{
    static const uint8_t fill[32] = "the same bytes before each call";
    const disco_pa at = {DISCO_PAGE_SIZE - 8};
    struct outcome o;

    REQUIRE(!disco_pmap_write(&vm->pmap, at, fill, 32, 0), "write");
    memset(&seen, 0, sizeof seen);
    memset(&o, 0, sizeof o);
    o.result = disco_calls_run(&table[which], number, raw, &vm->pmap, 0, &device[7]);
    o.seen = seen;
    REQUIRE(!disco_pmap_read(&vm->pmap, at, o.memory, 32, 0), "read");
    return o;
}

static bool same_buf(const struct disco_buf *a, const struct disco_buf *b)
{
    return a->pmap == b->pmap && a->pa.v == b->pa.v && a->len == b->len && a->node == b->node &&
           a->access == b->access;
}

static bool same(const struct outcome *a, const struct outcome *b)
{
    for (unsigned i = 0; i < 3; i++) {
        if (!same_buf(&a->seen.buf[i], &b->seen.buf[i]))
            return false;
    }
    return a->result == b->result && a->seen.handler == b->seen.handler && a->seen.n == b->seen.n &&
           a->seen.bufs == b->seen.bufs && !memcmp(a->seen.v, b->seen.v, sizeof a->seen.v) &&
           !memcmp(a->memory, b->memory, sizeof a->memory);
}

static struct outcome in_all(uint64_t number, const uint64_t raw[DISCO_CALL_ARGS])
{
    struct outcome first = run(BY_HAND, number, raw);

    for (unsigned i = 1; i < TABLES; i++) {
        struct outcome o = run(i, number, raw);

        REQUIRE(same(&first, &o),
                "%s differs, call %llu(%llx, %llx, %llx, %llx, %llx, %llx): %lld, by hand %lld",
                table_name[i], (unsigned long long)number, (unsigned long long)raw[0],
                (unsigned long long)raw[1], (unsigned long long)raw[2], (unsigned long long)raw[3],
                (unsigned long long)raw[4], (unsigned long long)raw[5], (long long)o.result,
                (long long)first.result);
    }
    return first;
}

#define IN_ALL(number, ...) in_all(number, (const uint64_t[DISCO_CALL_ARGS]){__VA_ARGS__})

/* Numbers about the limits of types, ranges and memory. */
static uint64_t any(struct rng *rng)
{
    static const uint64_t edge[] = {
        0,          1,          2,          255,        256,        65535,
        65536,      1u << 31,   INT32_MAX,  UINT32_MAX, 1ull << 32, INT64_MAX,
        1ull << 63, UINT64_MAX, UINT64_MAX, END,        END - 8,    5000,
    };
    uint64_t v = edge[rng_below(rng, sizeof edge / sizeof edge[0])];

    switch (rng_below(rng, 4)) {
    case 0: return rng_next(rng);
    case 1: return v + rng_below(rng, 5) - 2;
    case 2: return -v;
    default: return v;
    }
}

static uint64_t from_to(struct rng *rng, uint64_t min, uint64_t max)
{
    return max - min == UINT64_MAX ? any(rng) : min + rng_next(rng) % (max - min + 1);
}

/* What the call takes, at least as far as its declaration goes. */
static void good_arguments(struct rng *rng, const struct disco_call *c, uint64_t *raw)
{
    for (unsigned i = 0; i < DISCO_CALL_ARGS && c->arg[i].kind != DISCO_ARG_NONE; i++) {
        uint64_t max = c->arg[i].max;

        if (c->arg[i].kind == DISCO_ARG_VALUE) {
            *raw++ = from_to(rng, c->arg[i].min, max);
        } else {
            *raw++ = from_to(rng, DISCO_PAGE_SIZE - 8, DISCO_PAGE_SIZE);
            *raw++ = from_to(rng, c->arg[i].min, max < 20 ? max : 20);
        }
    }
}

START_TEST(random_calls)
{
    struct rng rng = {5};
    unsigned good[CALLS + 1] = {0};

    for (unsigned i = 0; i < 20000; i++) {
        uint64_t raw[DISCO_CALL_ARGS] = {0}, number = rng_below(&rng, CALLS + 2);

        if (number && number <= CALLS)
            good_arguments(&rng, &by_hand[number - 1], raw);
        for (unsigned k = rng_below(&rng, 3); k; k--)
            raw[rng_below(&rng, DISCO_CALL_ARGS)] = any(&rng);
        if (number == 2 && rng_below(&rng, 2))
            raw[2] = from_to(&rng, (uint64_t)-8, (uint64_t)-8 + 20);
        good[in_all(number, raw).seen.handler]++;
    }
    for (unsigned i = 0; i <= CALLS; i++)
        REQUIRE(good[i] > 200, "handler %u ran %u times", i, good[i]);
    for (unsigned i = 1; i < TABLES; i++) {
        const struct disco_calls_stats typed = counted(&table[i]),
                                       by_hand_s = counted(&table[BY_HAND]);

        ck_assert_mem_eq(&typed, &by_hand_s, sizeof typed);
    }
}
END_TEST

START_TEST(values_come_through)
{
    struct outcome o = IN_ALL(1, 255, 65535, UINT32_MAX, UINT64_MAX, (uint64_t)INT64_MIN, 1);
    const uint64_t want[] = {255, 65535, UINT32_MAX, UINT64_MAX, (uint64_t)INT64_MIN, 1};

    ck_assert_uint_eq(o.seen.n, 6);
    ck_assert_mem_eq(o.seen.v, want, sizeof want);
    o = IN_ALL(2, BLUE, 150, (uint64_t)-5);
    ck_assert_uint_eq(o.seen.v[0], BLUE);
    ck_assert_uint_eq(o.seen.v[1], (uintptr_t)&device[7]);
    ck_assert_uint_eq(o.seen.v[3], (uintptr_t)&device[2]);
    ck_assert_int_eq((int64_t)o.seen.v[4], -5);
    o = IN_ALL(3, DISCO_PAGE_SIZE - 8, 3, 1, DISCO_PAGE_SIZE, 4, 1);
    ck_assert_int_eq(o.result, 0);
    ck_assert_uint_eq(o.memory[8], (uint8_t)(2 * 't' + 1));
    ck_assert_uint_eq(o.memory[10], (uint8_t)(2 * 'e' + 1));
    ck_assert_uint_eq(o.memory[11], 't');
}
END_TEST

/* Beyond the type, beyond the range, beyond the VM: the handler does not run. */
START_TEST(refusals)
{
    const struct {
        uint64_t number, raw[DISCO_CALL_ARGS];
        int err;
    } bad[] = {
        {1, {256, 0, 0, 0, 0, 0}, DISCO_ERR_BAD_ARG},
        {1, {0, 65536, 0, 0, 0, 0}, DISCO_ERR_BAD_ARG},
        {1, {0, 0, UINT64_C(1) << 32, 0, 0, 0}, DISCO_ERR_BAD_ARG},
        {1, {0, 0, 0, 0, 0, 2}, DISCO_ERR_BAD_ARG},
        {1, {UINT64_MAX, 0, 0, 0, 0, 0}, DISCO_ERR_BAD_ARG},
        {2, {0, 150, 0}, DISCO_ERR_BAD_ARG},
        {2, {BLUE + 1, 150, 0}, DISCO_ERR_BAD_ARG},
        {2, {(UINT64_C(1) << 32) + RED, 150, 0}, DISCO_ERR_BAD_ARG},
        {2, {RED, 99, 0}, DISCO_ERR_BAD_ARG},
        {2, {RED, 201, 0}, DISCO_ERR_BAD_ARG},
        {2, {RED, 100, (uint64_t)-6}, DISCO_ERR_BAD_ARG},
        {2, {RED, 100, 11}, DISCO_ERR_BAD_ARG},
        {3, {0, 6001, 0, 0, 0, 0}, DISCO_ERR_BAD_ARG},
        {3, {END - 1, 2, 0, 0, 0, 0}, DISCO_ERR_BAD_ADDRESS},
        {3, {0, 1, 0, UINT64_MAX, 2, 0}, DISCO_ERR_OVERFLOW},
        {5, {0, 1, 0, 7, 0, 1}, DISCO_ERR_BAD_ARG},
        {6, {(uint64_t)-10, 5, 0}, DISCO_ERR_BAD_ARG},
        {6, {(uint64_t)-2, 5, 0}, DISCO_ERR_BAD_ARG},
        {6, {(uint64_t)-3, 8, 0}, DISCO_ERR_BAD_ARG},
        {0, {0}, DISCO_ERR_BAD_CALL},
        {7, {0}, DISCO_ERR_BAD_CALL},
    };

    for (unsigned i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        struct outcome o = in_all(bad[i].number, bad[i].raw);

        REQUIRE(o.result == bad[i].err && !o.seen.handler, "%u: %lld", i, (long long)o.result);
    }
    ck_assert_uint_eq(IN_ALL(6, (uint64_t)-9, 7, 0).seen.handler, 6);
    ck_assert_uint_eq(IN_ALL(2, RED, 200, 10).seen.handler, 2);
}
END_TEST

/* --- declarations --- */

static int prepare(const struct disco_ffi_param *param, size_t n)
{
    struct disco_ffi_decl d = {.number = 1, .name = "test", .uniform = nothing_u};
    struct disco_call c = {.number = 77};
    int err;

    memcpy(d.param, param, n * sizeof *param);
    err = disco_ffi_prepare(&d, storage[0][0], DISCO_FFI_SIZE, &c);
    ck_assert(err ? c.number == 77 : c.number == 1);
    return err;
}

#define PREPARE(...)                                                                               \
    prepare((const struct disco_ffi_param[]){__VA_ARGS__},                                         \
            sizeof((const struct disco_ffi_param[]){__VA_ARGS__}) /                                \
                sizeof(struct disco_ffi_param))

START_TEST(bad_declarations)
{
    ck_assert_int_eq(PREPARE({DISCO_FFI_U8, 0, 256}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_U16, 0, 65536}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_U32, 0, UINT64_C(1) << 32}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_ENUM, 0, UINT64_C(1) << 31}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_BOOL, 0, 2}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_U64, 3, 2}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_I64, 3, (uint64_t)-2}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({(enum disco_ffi_type)(DISCO_FFI_BUF_OUT + 1), 0, 0}),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_U8},
                             {DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_U8}),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_BUF_IN}, {DISCO_FFI_BUF_IN}, {DISCO_FFI_U8},
                             {DISCO_FFI_BUF_OUT}),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(PREPARE({DISCO_FFI_DEV}, {DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_U8},
                             {DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_U8}, {DISCO_FFI_CALLER}),
                     0);
}
END_TEST

START_TEST(bad_storage)
{
    struct disco_ffi_decl d = {.number = 1, .name = "test"};
    struct disco_call c;

    ck_assert_int_eq(disco_ffi_prepare(&d, storage[0][0], DISCO_FFI_SIZE, &c), DISCO_ERR_BAD_ARG);
    d.fn = DISCO_FFI_FN(nothing);
    ck_assert_int_eq(disco_ffi_prepare(NULL, storage[0][0], DISCO_FFI_SIZE, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ffi_prepare(&d, NULL, DISCO_FFI_SIZE, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ffi_prepare(&d, storage[0][0], DISCO_FFI_SIZE, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ffi_prepare(&d, storage[0][0] + 1, DISCO_FFI_SIZE, &c),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_ffi_prepare(&d, storage[0][0], DISCO_FFI_SIZE - 1, &c),
                     DISCO_ERR_NO_SPACE);
    /* A typed handler alone needs libffi. */
    ck_assert_int_eq(disco_ffi_prepare(&d, storage[0][0], DISCO_FFI_SIZE, &c),
                     disco_ffi_typed() ? 0 : DISCO_ERR_UNSUPPORTED);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        random_calls, values_come_through, refusals, bad_declarations, bad_storage,
    };

    return SUITE_RUN("ffi", tests, setup_tables, teardown);
}
