/* SPDX-License-Identifier: BSD-2-Clause */
/* The guest's TLB against a model: a list of the pages it translates, page by page. */
#include <stdbool.h>
#include <string.h>

#include "pure/vtlb.h"
#include "rng.h"

#define EHINV UINT64_C(0x400)
#define VPN2 UINT64_C(0xc00000ffffffe000)
#define LO UINT64_C(0xc00000003fffffff)

struct row {
    bool valid, global;
    uint64_t vpn, lo0, lo1;
    uint8_t asid;
};

struct model {
    struct row row[64];
};

static bool overlap(const struct row *a, const struct row *b)
{
    return a->valid && b->valid && a->vpn == b->vpn &&
           (a->global || b->global || a->asid == b->asid);
}

static uint64_t model_write(struct model *m, uint32_t index, const struct mips_vtlb_entry *regs)
{
    struct row row = {
        .valid = !(regs->hi & EHINV),
        .global = (regs->lo0 & 1) && (regs->lo1 & 1),
        .vpn = regs->hi & VPN2,
        .asid = (uint8_t)regs->hi,
        .lo0 = regs->lo0 & LO & ~UINT64_C(1),
        .lo1 = regs->lo1 & LO & ~UINT64_C(1),
    };
    uint64_t dropped = 0;

    for (unsigned i = 0; i < 64; i++) {
        if (i != index && overlap(&m->row[i], &row)) {
            m->row[i].valid = false;
            dropped |= (uint64_t)1 << i;
        }
    }
    m->row[index] = row;
    return dropped;
}

/* How many rows match; the last of them in *index. */
static int model_match(const struct model *m, uint64_t va, uint64_t asid, int *index)
{
    struct row wanted = {.valid = true, .vpn = va & VPN2, .asid = (uint8_t)asid};
    int found = 0;

    *index = -1;
    for (int i = 0; i < 64; i++) {
        if (overlap(&m->row[i], &wanted)) {
            *index = i;
            found++;
        }
    }
    return found;
}

static uint64_t model_inv(struct model *m, int asid)
{
    uint64_t dropped = 0;

    for (int i = 0; i < 64; i++) {
        struct row *row = &m->row[i];

        if (row->valid && (asid < 0 || (!row->global && row->asid == asid))) {
            row->valid = false;
            dropped |= (uint64_t)1 << i;
        }
    }
    return dropped;
}

static struct mips_vtlb_entry model_read(const struct row *row)
{
    if (!row->valid) {
        return (struct mips_vtlb_entry){.hi = EHINV};
    }
    return (struct mips_vtlb_entry){
        .hi = row->vpn | row->asid,
        .lo0 = row->lo0 | row->global,
        .lo1 = row->lo1 | row->global,
    };
}

/* Few pages and few ASIDs, so that entries collide. */
static uint64_t random_va(struct rng *r)
{
    static const uint64_t segment[] = {0, UINT64_C(0x4000000000000000),
                                       UINT64_C(0xffffffffd0000000), UINT64_C(0xfffffe0000)};

    return segment[rng_below(r, 4)] + ((uint64_t)rng_below(r, 12) << 12) + rng_below(r, 4096);
}

static struct mips_vtlb_entry random_regs(struct rng *r)
{
    struct mips_vtlb_entry e = {
        .hi = (random_va(r) & ~UINT64_C(0x1fff)) | rng_below(r, 3),
        .lo0 = rng_next(r),
        .lo1 = rng_next(r),
        .mask = rng_next(r),
    };

    if (rng_below(r, 10) == 0) {
        e.hi |= EHINV;
    }
    if (rng_below(r, 4) == 0) {
        e.hi |= rng_next(r) & UINT64_C(0x3fffff0000001b00); /* bits that no entry keeps */
    }
    return e;
}

static bool equal(const struct mips_vtlb_entry *a, const struct mips_vtlb_entry *b)
{
    return a->hi == b->hi && a->lo0 == b->lo0 && a->lo1 == b->lo1 && a->mask == b->mask;
}

static void check_write(struct mips_vtlb *t, struct model *m, struct rng *r, unsigned *drops)
{
    struct mips_vtlb_entry regs = random_regs(r);
    uint32_t index = rng_below(r, 64);
    uint64_t got, dropped;

    REQUIRE(mips_vtlb_write(t, index | rng_next(r) << 32, &regs, &got), "write %u", index);
    dropped = model_write(m, index, &regs);
    REQUIRE(got == dropped, "dropped %lx, not %lx", (long)got, (long)dropped);
    for (unsigned i = 0; i < 64; i++) {
        REQUIRE(!(dropped >> i & 1) || ((t->entry[i].hi ^ regs.hi) & VPN2) == 0, "dropped name");
    }
    *drops += dropped != 0;
}

static void check_lookup(const struct mips_vtlb *t, const struct model *m, struct rng *r)
{
    uint64_t va = random_va(r), asid = rng_below(r, 3), junk = rng_next(r) & ~UINT64_C(0xff);
    int want, found = model_match(m, va, asid, &want);
    uint64_t probe = mips_vtlb_probe(t, (va & ~UINT64_C(0x1fff)) | asid);

    REQUIRE(found <= 1, "%d entries match", found);
    REQUIRE(mips_vtlb_match(t, va, asid | junk) == want, "match");
    REQUIRE(probe == (want < 0 ? UINT64_C(0xffffffff80000000) : (uint64_t)want), "probe");
}

static void check_read(const struct mips_vtlb *t, const struct model *m, uint64_t index)
{
    struct mips_vtlb_entry got, want = {.hi = EHINV};
    bool exists = (uint32_t)index < 64;

    if (exists) {
        want = model_read(&m->row[index]);
    }
    REQUIRE(mips_vtlb_read(t, index, &got) == exists, "read %lu", (long)index);
    REQUIRE(equal(&got, &want), "contents of %lu", (long)index);
}

START_TEST(random_operations)
{
    struct mips_vtlb tlb;
    struct model model = {0};
    struct rng r = {13};
    unsigned drops = 0;

    mips_vtlb_reset(&tlb);
    for (int i = 0; i < 1000000; i++) {
        uint32_t what = rng_below(&r, 1000);

        if (what == 0) {
            REQUIRE(mips_vtlb_invf(&tlb) == model_inv(&model, -1), "invf");
        } else if (what < 5) {
            uint64_t asid = rng_below(&r, 3);
            REQUIRE(mips_vtlb_inv(&tlb, random_va(&r) << 13 | asid) == model_inv(&model, (int)asid),
                    "inv");
        } else if (what < 300) {
            check_write(&tlb, &model, &r, &drops);
        } else if (what < 400) {
            check_read(&tlb, &model, rng_below(&r, 70));
        } else {
            check_lookup(&tlb, &model, &r);
        }
    }
    ck_assert_uint_gt(drops, 10000);
}
END_TEST

/* The first and the last slot, one past it, and what a failed TLBP leaves in Index. */
START_TEST(edges)
{
    static const uint64_t wild[] = {
        64, 65, 0x7fffffff, 0x80000000, UINT64_C(0xffffffff80000000), 0xffffffff, UINT64_MAX};
    struct mips_vtlb tlb, before;
    struct mips_vtlb_entry e = {.hi = 0x2000, .lo0 = 6, .lo1 = 6}, out;
    uint64_t dropped;

    mips_vtlb_reset(&tlb);
    ck_assert_int_eq(mips_vtlb_match(&tlb, 0, 0), -1);
    for (uint64_t slot = 0; slot < 64; slot += 63) {
        ck_assert(mips_vtlb_write(&tlb, slot, &e, &dropped));
        ck_assert_int_eq(mips_vtlb_match(&tlb, 0x3fff, 0), (int)slot);
    }
    ck_assert_uint_eq(dropped, 1);
    before = tlb;
    for (size_t i = 0; i < sizeof wild / sizeof wild[0]; i++) {
        ck_assert(!mips_vtlb_write(&tlb, wild[i], &e, &dropped));
        ck_assert_uint_eq(dropped, 0);
        ck_assert(!mips_vtlb_read(&tlb, wild[i], &out));
        ck_assert_uint_eq(out.hi, EHINV);
    }
    ck_assert(memcmp(&tlb, &before, sizeof tlb) == 0);
}
END_TEST

/* Rewriting a slot with its own page is no duplicate; a global entry drops those of all ASIDs. */
START_TEST(duplicates)
{
    struct mips_vtlb tlb;
    struct mips_vtlb_entry e = {.hi = 0x2000};
    uint64_t dropped;

    mips_vtlb_reset(&tlb);
    for (uint64_t asid = 0; asid < 8; asid++) {
        e.hi = 0x2000 | asid;
        mips_vtlb_write(&tlb, asid, &e, &dropped);
        ck_assert_uint_eq(dropped, 0);
    }
    mips_vtlb_write(&tlb, 7, &e, &dropped);
    ck_assert_uint_eq(dropped, 0);
    e.lo0 = e.lo1 = 1;
    mips_vtlb_write(&tlb, 20, &e, &dropped);
    ck_assert_uint_eq(dropped, 0xff);
    ck_assert_uint_eq(tlb.entry[3].hi, 0x2003 | EHINV);
    ck_assert_int_eq(mips_vtlb_match(&tlb, 0x2abc, 99), 20);
    ck_assert_uint_eq(mips_vtlb_inv(&tlb, 7), 0); /* TLBINV leaves global entries alone */
    ck_assert_uint_eq(mips_vtlb_invf(&tlb), 1u << 20);
}
END_TEST

START_TEST(segments)
{
    static const struct {
        uint64_t va;
        bool ok;
    } cases[] = {
        {0, true},
        {UINT64_C(0xffffffffff), true},
        {UINT64_C(0x10000000000), false},
        {UINT64_C(0x3fffffffffffffff), false},
        {UINT64_C(0x4000000000000000), true},
        {UINT64_C(0x400000ffffffffff), true},
        {UINT64_C(0x4000010000000000), false},
        {UINT64_C(0xc000000000000000), true},
        {UINT64_C(0xc000010000000000), false},
        {UINT64_C(0xffffffff7fffffff), false},
        {UINT64_C(0xffffffff80000000), true},
        {UINT64_C(0xffffffffc0100000), true},
        {UINT64_MAX, true},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ck_assert_msg(mips_va_is_implemented(cases[i].va) == cases[i].ok, "%lx", (long)cases[i].va);
    }
}
END_TEST

START_TEST(random_index)
{
    struct rng r = {14};

    for (unsigned wired = 0; wired < 64; wired++) {
        uint32_t state = 0;
        unsigned seen[64] = {0};

        for (unsigned i = 0; i < 64000; i++) {
            unsigned index = mips_vtlb_random(&state, wired | (rng_next(&r) << 6));

            REQUIRE(index >= wired && index < 64, "wired %u: index %u", wired, index);
            seen[index]++;
        }
        for (unsigned i = wired; i < 64; i++) {
            REQUIRE(seen[i] > 500, "wired %u: slot %u chosen %u times", wired, i, seen[i]);
        }
    }
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("vtlb");

    tcase_add_test(t, random_operations);
    tcase_add_test(t, edges);
    tcase_add_test(t, duplicates);
    tcase_add_test(t, segments);
    tcase_add_test(t, random_index);
    return run_case("mips64 vtlb", t);
}
