/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The nodes: where memory is, and what their controllers count. Node n has the n-th part of RAM, in whole
 * pages; the last one has the rest, too.
 *
 * A page's counters are those of one epoch. When the monitor begins another, nothing is wiped: counters of
 * an old epoch are taken for 0 at the next miss.
 */
#include "flash.h"

#include <string.h>

unsigned node_of(const struct flash *f, uint64_t page)
{
    uint64_t node = page / f->node_pages;

    return node < f->c.nodes ? (unsigned)node : f->c.nodes - 1;
}

static uint32_t misses(const struct count *n) { return (uint32_t)n->reads + n->writes; }

/* Returns whether it had not stopped. */
static bool count(struct count *n, bool store)
{
    uint16_t *word = store ? &n->writes : &n->reads;

    if (*word == UINT16_MAX)
        return false;
    ++*word;
    return true;
}

static struct count *counts_of(struct flash *f, uint64_t page)
{
    struct count *counts = &f->count[page * f->c.nodes];
    uint64_t epoch = f->ring.area ? ring_word(f, &f->ring.area->epoch) : 0;

    if (f->epoch[page] != epoch) {
        memset(counts, 0, f->c.nodes * sizeof *counts);
        f->epoch[page] = epoch;
    }
    return counts;
}

/* What a policy wants to know of the nodes' counters. */
static void sum_up(struct flash *f, const struct count *counts, struct disco_flash_record *r)
{
    uint64_t sharing = f->ring.area ? ring_word(f, &f->ring.area->sharing) : f->c.sharing;

    for (unsigned node = 0; node < f->c.nodes; node++) {
        uint32_t n = misses(&counts[node]);

        r->writes += counts[node].writes;
        if (node == r->node)
            continue;
        r->others = n > r->others ? n : r->others;
        r->sharers |= sharing && n >= sharing ? UINT64_C(1) << node : 0;
    }
}

/* At the trigger, and each time that it is twice as much: who did not listen, or did nothing, is told again. */
static bool is_hot(const struct flash *f, uint32_t n)
{
    uint64_t trigger = f->ring.area ? ring_word(f, &f->ring.area->trigger) : f->c.trigger;

    return trigger && n % trigger == 0 && !(n / trigger & (n / trigger - 1));
}

static void count_miss(struct flash *f, unsigned id, uint64_t page, bool store, bool remote)
{
    bool *busy = &f->page_busy[page % LOCKS];
    struct disco_flash_record r = {.page = page, .node = f->cpu[id].node, .cpu = id};
    struct count *counts, *own;

    lock(busy);
    counts = counts_of(f, page);
    own = &counts[r.node];
    if (count(own, store) && remote && is_hot(f, misses(own))) {
        r.misses = misses(own);
        sum_up(f, counts, &r);
        ring_put(f, &r);
    }
    unlock(busy);
}

/* The controllers map some pages to copies that every node has. A store would go to one copy only, and has no place there. */
static bool has_copy(const struct flash *f, uint64_t page, bool store)
{
    const struct disco_flash_area *area = f->ring.area;

    return area && !store && page < ring_word(f, &area->copied_end) && page >= ring_word(f, &area->copied);
}

void node_miss(struct flash *f, unsigned id, uint32_t line, bool store)
{
    struct cpu *c = &f->cpu[id];
    uint64_t page = (uint64_t)line << f->c.line_shift >> DISCO_PAGE_SHIFT;
    bool copy = has_copy(f, page, store), remote = !f->c.uma && !copy && node_of(f, page) != c->node;

    flash_add(remote ? &c->n.remote[c->mode] : &c->n.local[c->mode], 1);
    if (copy || ++c->skip < f->c.sample)
        return;
    c->skip = 0;
    count_miss(f, id, page, store, remote);
}
