/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_SEED_H
#define MONITOR_SEED_H

/*
 * Seeds for the random numbers of guests, one for each start of each virtual machine, all made from
 * the machine's own. Who knows some of them knows nothing of the others.
 */

#include <stdbool.h>
#include <stdint.h>

#define SEED_BYTES 32

/* The machine's own. */
struct seed {
    bool known;
    uint8_t key[SEED_BYTES];
};

/* Take it from hexadecimal digits, two a byte. NULL, or not just so many: none is known. */
void seed_read(struct seed *s, const char *hex);
/* The seed for start number `start` of virtual machine `vm`. False: the machine has none. */
bool seed_for(const struct seed *s, uint32_t vm, uint32_t start, uint8_t seed[SEED_BYTES]);
/* The block function of ChaCha20 (RFC 8439, section 2.3); `nonce` as its three words. */
void seed_block(const uint8_t key[SEED_BYTES], uint32_t counter, const uint32_t nonce[3],
                uint8_t block[64]);

#endif
