/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef NUMA_MODEL_H
#define NUMA_MODEL_H

/*
 * The engine against a model, driven by bytes. Virtual machines touch, store, share, drop and are reset; memory gets
 * short; records come, true ones and rubbish. What the guests see must never change. A record that is worked off alone
 * is foretold: from where pages lie and what was done to them in this interval follows a view, from it the
 * policy's decision, and from that where pages lie afterwards. Of records that come in heaps only what is always
 * true is checked.
 */

#include "world.h"

/* What is known of a page's moves in this interval. */
struct known {
    unsigned migrations;
    uint64_t base;
    bool replicated, copied;
    unsigned copier;
};

struct model {
    const uint8_t *data;
    size_t size, at;
    uint64_t value[VMS][PPNS];
    bool there[VMS][PPNS], attached[VMS];
    struct known of_user[VMS][PPNS], of_page[NODES * EACH];
    uint64_t acts, acts_max; /* in this interval, and the highest cap there was in it */
    uint64_t acts_before, evicted_before;
    bool lost; /* until the next interval: something was done that was not foretold */
    disco_mpn held[NODES * EACH];
    unsigned nheld;
    unsigned foretold[DISCO_NUMA_REASONS];
};

unsigned model_byte(struct model *md); /* 0 at the end */

/* Run the bytes in a world of their own; aborts where something is not so. @return the records foretold. */
size_t numa_model_run(const uint8_t *data, size_t size);

/* oracle.c: work @p h off alone, and check that it has the effect that it must have. */
void oracle_hot(struct model *md, const struct disco_numa_hot *h);
/* An interval has ended. */
void oracle_forget(struct model *md);
/* Decisions to act so far. */
uint64_t acts(void);

#endif
