/* SPDX-License-Identifier: BSD-2-Clause */
/* Seeds for guests: the generator against RFC 8439, what the machine may be given, who gets which. */
#include "monitor/seed.h"

#include "suite.h"

#include <string.h>

/* What the machine is given, in either case of letters. */
#define HEX "000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F"

static const uint8_t count[SEED_BYTES] = {0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10,
                                          11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21,
                                          22, 23, 24, 25, 26, 27, 28, 29, 30, 31};

/* clang-format off */
/* Section 2.3.2. */
static const uint8_t section_block[64] = {
    0x10, 0xf1, 0xe7, 0xe4, 0xd1, 0x3b, 0x59, 0x15, 0x50, 0x0f, 0xdd, 0x1f, 0xa3, 0x20, 0x71, 0xc4,
    0xc7, 0xd1, 0xf4, 0xc7, 0x33, 0xc0, 0x68, 0x03, 0x04, 0x22, 0xaa, 0x9a, 0xc3, 0xd4, 0x6c, 0x4e,
    0xd2, 0x82, 0x64, 0x46, 0x07, 0x9f, 0xaa, 0x09, 0x14, 0xc2, 0xd7, 0x05, 0xd9, 0x8b, 0x02, 0xa2,
    0xb5, 0x12, 0x9c, 0xd1, 0xde, 0x16, 0x4e, 0xb9, 0xcb, 0xd0, 0x83, 0xe8, 0xa2, 0x50, 0x3c, 0x4e,
};
/* Appendix A.1, test vector 1: all zero. */
static const uint8_t zero_block[64] = {
    0x76, 0xb8, 0xe0, 0xad, 0xa0, 0xf1, 0x3d, 0x90, 0x40, 0x5d, 0x6a, 0xe5, 0x53, 0x86, 0xbd, 0x28,
    0xbd, 0xd2, 0x19, 0xb8, 0xa0, 0x8d, 0xed, 0x1a, 0xa8, 0x36, 0xef, 0xcc, 0x8b, 0x77, 0x0d, 0xc7,
    0xda, 0x41, 0x59, 0x7c, 0x51, 0x57, 0x48, 0x8d, 0x77, 0x24, 0xe0, 0x3f, 0xb8, 0xd8, 0x4a, 0x37,
    0x6a, 0x43, 0xb8, 0xf4, 0x15, 0x18, 0xa1, 0x1c, 0xc3, 0x87, 0xb6, 0x69, 0xb2, 0xee, 0x65, 0x86,
};
/* clang-format on */

START_TEST(published_blocks)
{
    const uint8_t zero[SEED_BYTES] = {0};
    const uint32_t none[3] = {0}, nonce[3] = {0x09000000, 0x4a000000, 0};
    uint8_t block[64];

    seed_block(zero, 0, none, block);
    ck_assert_mem_eq(block, zero_block, sizeof block);
    seed_block(count, 1, nonce, block);
    ck_assert_mem_eq(block, section_block, sizeof block);
}
END_TEST

START_TEST(digits)
{
    struct seed s;

    seed_read(&s, HEX);
    ck_assert(s.known);
    ck_assert_mem_eq(s.key, count, sizeof s.key);
}
END_TEST

/* One that was known before is not known any more. */
START_TEST(no_seed)
{
    static const char other[] = "g/:@G` \x7f\xe1";
    struct seed s = {.known = true};
    uint8_t seed[SEED_BYTES];

    seed_read(&s, NULL);
    ck_assert(!s.known && !seed_for(&s, 0, 1, seed));
    for (size_t len = 0; len < 2 * SEED_BYTES; len++) {
        char hex[] = HEX;

        for (size_t i = 0; i < sizeof other; i++) {
            s.known = true;
            hex[len] = other[i]; /* its zero byte, too: shorter */
            seed_read(&s, hex);
            ck_assert_msg(!s.known && !seed_for(&s, 0, 1, seed), "%zu: %d", len, other[i]);
        }
    }
    s.known = true;
    seed_read(&s, HEX "0");
    ck_assert(!s.known);
}
END_TEST

#define VMS 16
#define STARTS 20

/* No two alike, and with another key all of them are others. */
START_TEST(each_its_own)
{
    static uint8_t seed[2 * VMS * STARTS][SEED_BYTES];
    struct seed s;
    size_t n = 0;

    seed_read(&s, HEX);
    for (unsigned key = 0; key < 2; key++) {
        s.key[SEED_BYTES - 1] ^= (uint8_t)key;
        for (uint32_t vm = 0; vm < VMS; vm++) {
            for (uint32_t start = 1; start <= STARTS; start++)
                ck_assert(seed_for(&s, vm, start, seed[n++]));
        }
    }
    for (size_t i = 0; i < n; i++) {
        for (size_t k = 0; k < i; k++)
            ck_assert_mem_ne(seed[i], seed[k], SEED_BYTES);
    }
}
END_TEST

/* The same key, machine and start have the same seed: the beginning of that block. */
START_TEST(repeats)
{
    struct seed s;
    uint8_t seed[SEED_BYTES], block[64];

    seed_read(&s, HEX);
    ck_assert(seed_for(&s, 3, 7, seed));
    seed_block(count, 7, (const uint32_t[3]){3}, block);
    ck_assert_mem_eq(seed, block, SEED_BYTES);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {published_blocks, digits, no_seed, each_its_own, repeats};

    return SUITE_RUN("seed", tests, NULL, NULL);
}
