/* SPDX-License-Identifier: BSD-2-Clause */
/* Reads, writes and reset against an independent list of the virtual CPU's registers. */
#include <stdbool.h>
#include <string.h>

#include "pure/cp0.h"
#include "rng.h"

#define ALL UINT64_MAX

/* Written from the agreement with guests and the architecture's manual, one bit range a term. */
#define BITS(high, low) ((UINT64_MAX >> (63 - (high))) & (UINT64_MAX << (low)))
#define BIT(n) BITS(n, n)

static const struct expected {
    int reg, sel, width;
    uint64_t reset, writable;
    enum mips_cp0_effect effect;
} list[] = {
    {0, 0, 32, 0, BIT(31) | BITS(5, 0), MIPS_EFFECT_NONE},
    {1, 0, 32, 63, 0, MIPS_EFFECT_NONE},
    {2, 0, 64, 0, BITS(63, 62) | BITS(29, 0), MIPS_EFFECT_NONE},
    {3, 0, 64, 0, BITS(63, 62) | BITS(29, 0), MIPS_EFFECT_NONE},
    {4, 0, 64, 0, BITS(63, 23), MIPS_EFFECT_NONE},
    {4, 2, 64, 0, ALL, MIPS_EFFECT_USERLOCAL},
    {5, 0, 32, 0, 0, MIPS_EFFECT_NONE},
    {5, 1, 32, BIT(31) | BIT(30) | BIT(27), 0, MIPS_EFFECT_NONE},
    {5, 5, 64, 0, ALL, MIPS_EFFECT_NONE},
    {5, 6, 64, BITS(27, 26) | BITS(21, 20) | BITS(15, 14) | BITS(9, 8), BITS(29, 0),
     MIPS_EFFECT_NONE},
    {5, 7, 64, BIT(30), BITS(29, 6), MIPS_EFFECT_NONE},
    {6, 0, 32, 0, BITS(5, 0), MIPS_EFFECT_WIRED},
    {6, 6, 32, 0, BIT(31) | BIT(26), MIPS_EFFECT_NONE},
    {7, 0, 32, 0, BIT(29) | BITS(3, 0), MIPS_EFFECT_HWRENA},
    {8, 0, 64, 0, 0, MIPS_EFFECT_NONE},
    {8, 1, 32, 0, 0, MIPS_EFFECT_NONE},
    {8, 2, 32, 0, 0, MIPS_EFFECT_NONE},
    {9, 0, 32, 0, BITS(31, 0), MIPS_EFFECT_COUNT},
    {10, 0, 64, 0, BITS(63, 62) | BITS(39, 13) | BIT(10) | BITS(7, 0), MIPS_EFFECT_ENTRYHI},
    {11, 0, 32, 0, BITS(31, 0), MIPS_EFFECT_COMPARE},
    {12, 0, 32, BIT(26) | BITS(7, 5), BITS(29, 28) | BITS(23, 22) | BITS(15, 0),
     MIPS_EFFECT_STATUS},
    {12, 1, 32, BITS(31, 29), 0, MIPS_EFFECT_NONE},
    {13, 0, 32, 0, BIT(27) | BIT(23) | BITS(9, 8), MIPS_EFFECT_CAUSE},
    {14, 0, 64, 0, ALL, MIPS_EFFECT_NONE},
    {15, 0, 32, 0x00010000, 0, MIPS_EFFECT_NONE},
    {15, 1, 64, UINT64_C(0xffffffffc0000000), BITS(63, 11), MIPS_EFFECT_EBASE},
    {16, 0, 32, BIT(31) | BIT(14) | BIT(11) | BIT(7) | BIT(1), BITS(2, 0), MIPS_EFFECT_CONFIG},
    {16, 1, 32, BIT(31) | BITS(30, 25) | BIT(0), 0, MIPS_EFFECT_CONFIG},
    {16, 2, 32, BIT(31), 0, MIPS_EFFECT_CONFIG},
    {16, 3, 32, BIT(31) | BIT(27) | BIT(26) | BIT(24) | BIT(13) | BIT(12), 0, MIPS_EFFECT_CONFIG},
    {16, 4, 32, BIT(31) | BIT(30) | BITS(23, 18), 0, MIPS_EFFECT_CONFIG},
    {16, 5, 32, BIT(13) | BIT(4), 0, MIPS_EFFECT_CONFIG},
    {17, 0, 64, 0, 0, MIPS_EFFECT_LLADDR},
    {20, 0, 64, 0, BITS(63, 33), MIPS_EFFECT_NONE},
    {30, 0, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 2, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 3, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 4, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 5, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 6, 64, 0, ALL, MIPS_EFFECT_NONE},
    {31, 7, 64, 0, ALL, MIPS_EFFECT_NONE},
};

static const struct expected *find(unsigned reg, unsigned sel)
{
    for (size_t i = 0; i < sizeof list / sizeof list[0]; i++) {
        if (list[i].reg == (int)reg && list[i].sel == (int)sel) {
            return &list[i];
        }
    }
    return NULL;
}

static uint64_t sext(uint64_t v) { return (uint64_t)(int64_t)(int32_t)v; }

START_TEST(table)
{
    for (unsigned i = 0; i < 256; i++) {
        const struct expected *e = find(i / 8, i % 8);
        const struct mips_cp0_desc *d = &mips_cp0_table[i];

        ck_assert_msg(d->width == (e ? e->width : 0), "%u,%u: width %d", i / 8, i % 8, d->width);
        if (e != NULL) {
            uint64_t mask = e->width == 32 ? d->write_mask & 0xffffffff : d->write_mask;

            ck_assert_msg(mask == e->writable, "%u,%u: mask %lx", i / 8, i % 8, (long)mask);
            ck_assert_int_eq(d->effect, e->effect);
        }
        ck_assert_int_eq(d->live, i == 8 || i == 72);
    }
}
END_TEST

START_TEST(reset)
{
    struct mips_cp0 cp0;

    for (int round = 0; round < 4; round++) {
        bool big = round & 1;
        unsigned cpu = round & 2 ? 1023 : 0;

        memset(&cp0, 0xa5, sizeof cp0);
        mips_cp0_reset(&cp0, big, cpu);
        for (unsigned i = 0; i < 256; i++) {
            const struct expected *e = find(i / 8, i % 8);
            uint64_t want = e == NULL ? 0 : e->width == 32 ? sext(e->reset) : e->reset;

            want |= i == MIPS_CP0_CONFIG0 && big ? BIT(15) : 0;
            want |= i == MIPS_CP0_EBASE ? cpu : 0;
            ck_assert_msg(cp0.reg[i / 8][i % 8] == want, "%u,%u", i / 8, i % 8);
        }
    }
}
END_TEST

/* What the architecture says of each register, written without the table. */
static uint64_t model_write(const struct expected *e, uint64_t old, uint64_t value, bool wide)
{
    uint64_t changes = e->width == 32 ? sext(e->writable) : e->writable;

    if (!wide || e->width == 32) {
        uint64_t rixi = (value & BITS(31, 30)) << 32;
        value = e->reg == 2 || e->reg == 3 ? (value & BITS(29, 0)) | rixi : sext(value);
    }
    if ((e->reg == 0 || (e->reg == 6 && e->sel == 0)) && (value & BITS(30, 0)) > 63) {
        return old;
    }
    if (e->reg == 12 && (value & BITS(4, 3)) == BITS(4, 3)) {
        changes &= ~BITS(4, 3);
    }
    if (e->reg == 15 && !(value & BIT(11))) {
        changes &= BITS(29, 0);
    }
    return (old & ~changes) | (value & changes);
}

START_TEST(writes)
{
    struct mips_cp0 cp0, before;
    struct rng r = {7};

    for (int i = 0; i < 400000; i++) {
        unsigned reg = rng_below(&r, 32), sel = rng_below(&r, 8);
        const struct expected *e;
        uint64_t value = rng_value(&r);
        bool wide = rng_next(&r) & 1;
        enum mips_cp0_effect effect;

        if (i % 2) {
            e = &list[rng_below(&r, sizeof list / sizeof list[0])];
            reg = (unsigned)e->reg;
            sel = (unsigned)e->sel;
        }
        if (i % 64 < 2) {
            rng_fill(&r, &cp0, sizeof cp0);
        }
        if (i % 5 == 0) {
            value &= 0x7f;
        }
        before = cp0;
        e = find(reg, sel);
        effect = mips_cp0_write(&cp0, reg, sel, value, wide);
        if (e != NULL) {
            before.reg[reg][sel] = model_write(e, before.reg[reg][sel], value, wide);
        }
        REQUIRE(effect == (e ? e->effect : MIPS_EFFECT_NONE), "%u,%u: effect", reg, sel);
        REQUIRE(memcmp(&cp0, &before, sizeof cp0) == 0, "%u,%u: write %lx gave %lx, not %lx", reg,
                sel, (long)value, (long)cp0.reg[reg][sel], (long)before.reg[reg][sel]);
    }
}
END_TEST

/* Random contents of the page: all of it can be what a guest stored. */
START_TEST(reads)
{
    struct mips_cp0 cp0;
    struct rng r = {8};

    for (int i = 0; i < 2000; i++) {
        rng_fill(&r, &cp0, sizeof cp0);
        for (unsigned n = 0; n < 256; n++) {
            const struct expected *e = find(n / 8, n % 8);
            uint64_t raw = cp0.reg[n / 8][n % 8];
            uint64_t narrow = sext(raw), wide = e && e->width == 64 ? raw : narrow;

            if (e != NULL && (e->reg == 2 || e->reg == 3)) {
                narrow = sext((raw & BITS(29, 0)) | (raw >> 32 & BITS(31, 30)));
            }
            REQUIRE(mips_cp0_read(&cp0, n / 8, n % 8, false) == (e ? narrow : 0), "mfc0 %u", n);
            REQUIRE(mips_cp0_read(&cp0, n / 8, n % 8, true) == (e ? wide : 0), "dmfc0 %u", n);
        }
    }
}
END_TEST

/* Register numbers beyond the table wrap; nothing outside the page is touched. */
START_TEST(wild_numbers)
{
    struct {
        uint64_t guard0;
        struct mips_cp0 cp0;
        uint64_t guard1;
    } m = {.guard0 = 1, .guard1 = 2};

    mips_cp0_write(&m.cp0, 31 + 32, 7 + 8, 5, true);
    ck_assert_uint_eq(m.cp0.reg[31][7], 5);
    ck_assert_uint_eq(mips_cp0_read(&m.cp0, UINT32_MAX, UINT32_MAX, true), 5);
    mips_cp0_write(&m.cp0, 1000000, 1000, 5, true);
    ck_assert(m.guard0 == 1 && m.guard1 == 2);
}
END_TEST

/* What Linux does at boot to find out about the CPU. */
START_TEST(linux_probes)
{
    struct mips_cp0 c;

    mips_cp0_reset(&c, false, 3);
    mips_cp0_write(&c, 10, 0, UINT64_C(0x3fffffffffffe000), true); /* cpu_probe_vmbits */
    ck_assert_uint_eq(mips_cp0_read(&c, 10, 0, true), UINT64_C(0xffffffe000));
    mips_cp0_write(&c, 5, 0, 0x1fffe000, false); /* larger pages */
    ck_assert_uint_eq(mips_cp0_read(&c, 5, 0, false), 0);
    mips_cp0_write(&c, 15, 1, mips_cp0_read(&c, 15, 1, false) | 0x800, false); /* EBase.WG */
    ck_assert_uint_eq(mips_cp0_read(&c, 15, 1, false) & 0x800, 0x800);
    mips_cp0_write(&c, 15, 1, UINT64_C(0xffffffffc0123800), true);
    mips_cp0_write(&c, 15, 1, UINT64_C(0xffffffffc0123000), false);
    ck_assert_uint_eq(mips_cp0_read(&c, 15, 1, true), UINT64_C(0xffffffffc0123003));
    mips_cp0_write(&c, 16, 5, 1 << 8, false); /* FRE */
    ck_assert_uint_eq(mips_cp0_read(&c, 16, 5, false) & (1 << 8), 0);
    mips_cp0_write(&c, 17, 0, 0, true);
    ck_assert_uint_eq(mips_cp0_read(&c, 26, 0, false), 0); /* ErrCtl does not exist */
}
END_TEST

START_TEST(lines)
{
    struct mips_cp0 c;
    struct rng r = {9};

    for (int i = 0; i < 10000; i++) {
        uint64_t old = rng_next(&r);
        unsigned in = (unsigned)rng_next(&r);
        uint64_t want = old & 0xffffffff & ~(BITS(15, 10) | BIT(30));

        c.reg[13][0] = old;
        mips_cp0_set_lines(&c, in);
        want |= (uint64_t)(in & 0xfc) << 8 | (in & 0x80 ? BIT(30) : 0);
        REQUIRE(c.reg[13][0] == sext(want), "lines %x", in);
    }
}
END_TEST

START_TEST(modes)
{
    for (uint64_t s = 0; s < 0x10000; s++) {
        enum mips_mode want = (s >> 1) & 3         ? MIPS_MODE_KERNEL
                              : (s & 0x18) == 0    ? MIPS_MODE_KERNEL
                              : (s & 0x18) == 8    ? MIPS_MODE_SUPERVISOR
                              : (s & 0x18) == 0x10 ? MIPS_MODE_USER
                                                   : MIPS_MODE_RESERVED;

        REQUIRE(mips_status_mode(s) == want, "%lx", (long)s);
        REQUIRE(mips_status_mode(s | ~UINT64_C(0xffff)) == want, "%lx", (long)s);
    }
}
END_TEST

/* No virtual Status may leak more into the real one than CU1 and the choice between two modes. */
START_TEST(hardware_status)
{
    struct rng r = {10};

    for (int i = 0; i < 1000000; i++) {
        uint64_t s = rng_value(&r);
        bool fpu = rng_next(&r) & 1;
        uint8_t im = (uint8_t)rng_next(&r);
        uint32_t hw = mips_hw_status(s, fpu, im);
        bool kernel = (s & 6) != 0 || (s & 0x18) == 0;

        REQUIRE((hw & 0x18) == (kernel ? 8 : 0x10), "%lx: KSU", (long)s);
        REQUIRE(((hw >> 29) & 1) == (fpu && (s & BIT(29))), "%lx: CU1", (long)s);
        REQUIRE(((hw >> 8) & 0xff) == im, "%lx: IM", (long)s);
        REQUIRE((hw & ~(uint32_t)(0x18 | BIT(29) | 0xff00)) == (BIT(26) | 0xe1), "%lx", (long)s);
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("cp0");

    tcase_add_test(t, table);
    tcase_add_test(t, reset);
    tcase_add_test(t, writes);
    tcase_add_test(t, reads);
    tcase_add_test(t, wild_numbers);
    tcase_add_test(t, linux_probes);
    tcase_add_test(t, lines);
    tcase_add_test(t, modes);
    tcase_add_test(t, hardware_status);
    return run_case("mips64 cp0", t);
}
