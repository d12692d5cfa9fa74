/* SPDX-License-Identifier: BSD-2-Clause */
#include "seed.h"

#include <string.h>

#define ROUNDS 20

/* --- ChaCha20: 16 words, four rows of four --- */

static uint32_t load(const uint8_t *b)
{
    return b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 | (uint32_t)b[3] << 24;
}

static void store(uint8_t *b, uint32_t v)
{
    for (unsigned i = 0; i < 4; i++)
        b[i] = (uint8_t)(v >> 8 * i);
}

static void mix(uint32_t *sum, uint32_t addend, uint32_t *turned, unsigned by)
{
    *sum += addend;
    *turned ^= *sum;
    *turned = *turned << by | *turned >> (32 - by);
}

static void quarter_round(uint32_t *a, uint32_t *b, uint32_t *c, uint32_t *d)
{
    mix(a, *b, d, 16);
    mix(c, *d, b, 12);
    mix(a, *b, d, 8);
    mix(c, *d, b, 7);
}

/* Over the columns, in odd rounds the diagonals: each row is `odd` further on than the last. */
static void whole_round(uint32_t x[16], unsigned odd)
{
    for (unsigned i = 0; i < 4; i++)
        quarter_round(&x[i], &x[4 + (i + odd) % 4], &x[8 + (i + 2 * odd) % 4],
                      &x[12 + (i + 3 * odd) % 4]);
}

void seed_block(const uint8_t key[SEED_BYTES], uint32_t counter, const uint32_t nonce[3],
                uint8_t block[64])
{
    uint32_t first[16] = {0x61707865, 0x3320646e, 0x79622d32, 0x6b206574}, x[16];

    for (unsigned i = 0; i < 8; i++)
        first[4 + i] = load(key + 4 * i);
    first[12] = counter;
    memcpy(&first[13], nonce, 3 * sizeof *nonce);
    memcpy(x, first, sizeof x);
    for (unsigned i = 0; i < ROUNDS; i++)
        whole_round(x, i % 2);
    for (unsigned i = 0; i < 16; i++)
        store(block + 4 * i, x[i] + first[i]);
}

/* --- seeds --- */

static bool digit(char c, uint8_t *value)
{
    char low = c | ('a' - 'A');
    bool letter = low >= 'a' && low <= 'f';

    *value = (uint8_t)(letter ? low - 'a' + 10 : c - '0');
    return letter || (c >= '0' && c <= '9');
}

void seed_read(struct seed *s, const char *hex)
{
    uint8_t high, low;

    s->known = false;
    for (unsigned i = 0; hex && i < SEED_BYTES; i++, hex += 2) {
        if (!digit(hex[0], &high) || !digit(hex[1], &low))
            return;
        s->key[i] = (uint8_t)(high << 4 | low);
    }
    s->known = hex && !*hex;
}

/* The key is the machine's secret; each start of each virtual machine has a block of its own. */
bool seed_for(const struct seed *s, uint32_t vm, uint32_t start, uint8_t seed[SEED_BYTES])
{
    const uint32_t nonce[3] = {vm};
    uint8_t block[64];

    if (!s->known)
        return false;
    seed_block(s->key, start, nonce, block);
    memcpy(seed, block, SEED_BYTES);
    return true;
}
