/* SPDX-License-Identifier: BSD-2-Clause */
/* Exception entry against a model that keeps each register as separate bits. */
#include <stdbool.h>
#include <string.h>

#include "pure/except.h"
#include "rng.h"

static uint64_t get(uint64_t v, int high, int low)
{
    return (v >> low) & (UINT64_MAX >> (63 - (high - low)));
}

static void put(uint64_t *v, int high, int low, uint64_t field)
{
    for (int bit = low; bit <= high; bit++, field >>= 1) {
        *v &= ~((uint64_t)1 << bit);
        *v |= (field & 1) << bit;
    }
}

/* The upper half of Status and Cause repeats bit 31. */
static void sign(uint64_t *v) { put(v, 63, 32, get(*v, 31, 31) ? UINT32_MAX : 0); }

static bool has_address(unsigned code)
{
    return (code >= 1 && code <= 5) || code == 19 || code == 20;
}

static uint64_t model(struct mips_cp0 *c, const struct mips_exc *e)
{
    uint64_t *status = &c->reg[12][0], *cause = &c->reg[13][0];
    bool nested = get(*status, 1, 1);
    unsigned code = e->code % 32, segment_bit = 7;
    uint64_t vector = 0x180;

    if (get(e->badvaddr, 63, 62) < 2) {
        segment_bit = get(e->badvaddr, 63, 62) == 0 ? 5 : 6;
    }
    if (!nested && e->refill && (code == 2 || code == 3)) {
        vector = get(*status, (int)segment_bit, (int)segment_bit) ? 0x80 : 0;
    } else if (!nested && code == 0 && get(*cause, 23, 23)) {
        vector = 0x200;
    }
    if (!nested) {
        c->reg[14][0] = e->epc;
        put(cause, 31, 31, e->bd);
        if (e->badinstr_valid && code != 0) {
            c->reg[8][1] = (uint64_t)(int32_t)e->badinstr;
            c->reg[8][2] = e->bd ? (uint64_t)(int32_t)e->badinstrp : c->reg[8][2];
        }
    }
    put(cause, 6, 2, code);
    put(cause, 29, 28, code == 11 ? e->ce : 0);
    if (has_address(code)) {
        c->reg[8][0] = e->badvaddr;
        put(&c->reg[4][0], 3, 0, 0);
        put(&c->reg[4][0], 22, 4, get(e->badvaddr, 31, 13));
        put(&c->reg[20][0], 3, 0, 0);
        put(&c->reg[20][0], 30, 4, get(e->badvaddr, 39, 13));
        put(&c->reg[20][0], 32, 31, get(e->badvaddr, 63, 62));
        put(&c->reg[10][0], 63, 62, get(e->badvaddr, 63, 62));
        put(&c->reg[10][0], 61, 40, 0);
        put(&c->reg[10][0], 39, 13, get(e->badvaddr, 39, 13));
        put(&c->reg[10][0], 12, 11, 0);
        put(&c->reg[10][0], 9, 8, 0);
    }
    vector +=
        get(*status, 22, 22) ? UINT64_C(0xffffffffbfc00200) : get(c->reg[15][1], 63, 12) << 12;
    put(status, 1, 1, 1);
    sign(status);
    sign(cause);
    return vector;
}

static void random_exception(struct rng *r, struct mips_exc *e)
{
    static const uint8_t common[] = {0, 1, 2, 3, 4, 5, 8, 11, 19, 20};

    rng_fill(r, e, offsetof(struct mips_exc, bd));
    if (rng_below(r, 4) != 0) {
        e->code = common[rng_below(r, sizeof common)];
    }
    e->bd = rng_next(r) & 1;
    e->refill = rng_next(r) & 1;
    e->badinstr_valid = rng_next(r) & 1;
    e->badinstr = (uint32_t)rng_next(r);
    e->badinstrp = (uint32_t)rng_next(r);
    e->epc = rng_value(r);
    e->badvaddr = rng_value(r);
}

START_TEST(random_states)
{
    struct rng r = {11};
    struct mips_cp0 got, want;
    unsigned vectors[9] = {0}; /* by offset / 0x80, the boot vectors from 4 on */

    for (int i = 0; i < 500000; i++) {
        struct mips_exc e;
        uint64_t pc, expected;

        if (i % 16 == 0) {
            rng_fill(&r, &got, sizeof got);
        }
        got.reg[12][0] = rng_next(&r);
        got.reg[13][0] = rng_next(&r);
        want = got;
        random_exception(&r, &e);
        pc = mips_exception(&got, &e);
        expected = model(&want, &e);
        REQUIRE(pc == expected, "code %d: pc %lx, expected %lx", e.code, (long)pc, (long)expected);
        for (int n = 0; n < 256; n++) {
            REQUIRE(got.reg[n / 8][n % 8] == want.reg[n / 8][n % 8],
                    "code %d: register %d,%d: %lx, expected %lx", e.code, n / 8, n % 8,
                    (long)got.reg[n / 8][n % 8], (long)want.reg[n / 8][n % 8]);
        }
        vectors[(pc & 0xfff) / 0x80]++;
    }
    for (int i = 0; i < 9; i++) {
        ck_assert_msg((i == 2 || i == 6) == (vectors[i] < 1000), "vector %d: %u", i, vectors[i]);
    }
}
END_TEST

static struct mips_cp0 fresh(void)
{
    struct mips_cp0 c;

    mips_cp0_reset(&c, false, 0);
    c.reg[15][1] = UINT64_C(0xffffffffc0010000);
    return c;
}

/* A refill taken inside a handler goes to the general vector and keeps EPC and BD. */
START_TEST(nested_exception)
{
    struct mips_cp0 c = fresh();
    struct mips_exc first = {.code = MIPS_EXC_TLBL,
                             .refill = true,
                             .bd = true,
                             .epc = 0x1000,
                             .badvaddr = 0x2000,
                             .badinstr_valid = true,
                             .badinstr = 1};
    struct mips_exc second = {.code = MIPS_EXC_TLBS,
                              .refill = true,
                              .epc = 0x5000,
                              .badvaddr = UINT64_C(0xffffffffd0000000),
                              .badinstr_valid = true,
                              .badinstr = 2};

    ck_assert_uint_eq(mips_exception(&c, &first), UINT64_C(0xffffffffc0010080));
    ck_assert_uint_eq(mips_exception(&c, &second), UINT64_C(0xffffffffc0010180));
    ck_assert_uint_eq(c.reg[14][0], 0x1000);
    ck_assert_uint_eq(c.reg[13][0] >> 31 & 1, 1);
    ck_assert_uint_eq(c.reg[8][0], UINT64_C(0xffffffffd0000000));
    ck_assert_uint_eq(c.reg[8][1], 1);
    ck_assert_uint_eq(mips_eret(&c), 0x1000);
    ck_assert_uint_eq(c.reg[12][0] & 2, 0);
}
END_TEST

START_TEST(vectors)
{
    struct mips_cp0 c = fresh();
    struct mips_exc e = {.code = MIPS_EXC_TLBL, .refill = true};

    c.reg[12][0] = MIPS_ST_BEV;
    ck_assert_uint_eq(mips_exception(&c, &e), UINT64_C(0xffffffffbfc00200));
    c.reg[12][0] = MIPS_ST_BEV | MIPS_ST_UX;
    ck_assert_uint_eq(mips_exception(&c, &e), UINT64_C(0xffffffffbfc00280));
    e = (struct mips_exc){.code = MIPS_EXC_INT};
    c.reg[12][0] = MIPS_ST_BEV;
    c.reg[13][0] = MIPS_CA_IV;
    ck_assert_uint_eq(mips_exception(&c, &e), UINT64_C(0xffffffffbfc00400));
    c.reg[12][0] = 0;
    ck_assert_uint_eq(mips_exception(&c, &e), UINT64_C(0xffffffffc0010200));
    c.reg[12][0] = c.reg[13][0] = 0;
    ck_assert_uint_eq(mips_exception(&c, &e), UINT64_C(0xffffffffc0010180));
}
END_TEST

/* ERL goes before EXL, and the two levels come off one at a time. */
START_TEST(eret)
{
    struct mips_cp0 c = fresh();
    struct rng r = {12};

    for (int i = 0; i < 10000; i++) {
        uint64_t s = rng_next(&r), want = s & 0xffffffff;

        c.reg[12][0] = s;
        c.reg[14][0] = 0xe0;
        c.reg[30][0] = 0xee;
        want &= ~(uint64_t)(s & 4 ? 4 : 2);
        ck_assert_uint_eq(mips_eret(&c), s & 4 ? 0xee : 0xe0);
        ck_assert_uint_eq(c.reg[12][0], (uint64_t)(int64_t)(int32_t)want);
    }
}
END_TEST

START_TEST(interrupts)
{
    struct mips_cp0 c = fresh();

    for (unsigned low = 0; low < 8; low++) {
        for (unsigned line = 0; line < 8; line++) {
            for (unsigned im = 0; im < 8; im++) {
                unsigned both = line == im ? 1u << line : 0;

                c.reg[12][0] = low | 1u << (im + 8);
                c.reg[13][0] = 1u << (line + 8);
                ck_assert_uint_eq(mips_interrupt_pending(&c), low == 1 ? both : 0);
                ck_assert_uint_eq(mips_interrupt_wakes(&c), both);
            }
        }
    }
    /* A line that stays asserted is pending again after the handler's return. */
    c.reg[12][0] = MIPS_ST_IE | MIPS_ST_IM;
    mips_cp0_set_lines(&c, 0x84);
    ck_assert_uint_eq(mips_interrupt_pending(&c), 0x84);
    mips_exception(&c, &(struct mips_exc){.code = MIPS_EXC_INT, .epc = 4});
    ck_assert_uint_eq(mips_interrupt_pending(&c), 0);
    ck_assert_uint_eq(mips_eret(&c), 4);
    ck_assert_uint_eq(mips_interrupt_pending(&c), 0x84);
}
END_TEST

START_TEST(di_ei)
{
    struct mips_cp0 c = fresh();

    c.reg[12][0] = 0x80000000u | MIPS_ST_IM;
    ck_assert_uint_eq(mips_set_ie(&c, true), UINT64_C(0xffffffff8000ff00));
    ck_assert_uint_eq(c.reg[12][0], UINT64_C(0xffffffff8000ff01));
    ck_assert_uint_eq(mips_set_ie(&c, false), UINT64_C(0xffffffff8000ff01));
    ck_assert_uint_eq(c.reg[12][0], UINT64_C(0xffffffff8000ff00));
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("exceptions");

    tcase_add_test(t, random_states);
    tcase_add_test(t, nested_exception);
    tcase_add_test(t, vectors);
    tcase_add_test(t, eret);
    tcase_add_test(t, interrupts);
    tcase_add_test(t, di_ei);
    return run_case("mips64 exceptions", t);
}
