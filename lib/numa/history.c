/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What is remembered of pages, within an interval and within bounds: a set-associative table of notes that carry
 * the number of their interval. A new interval has a new number, and all notes are old: nothing is cleared.
 *
 * A note that is evicted early lets its page be moved more often than the policy wants. That is why the one with the
 * fewest moves goes, and why the policy has a cap on all moves together.
 */
#include "numa_private.h"

static struct note *set_of(const struct history *h, uint64_t key)
{
    uint64_t set = (key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (h->sets - 1);

    return &h->note[set * HISTORY_WAYS];
}

static struct note *find(const struct history *h, uint64_t key)
{
    struct note *set = set_of(h, key);

    for (unsigned i = 0; i < HISTORY_WAYS; i++) {
        if (set[i].generation == h->generation && set[i].key == key)
            return &set[i];
    }
    return NULL;
}

const struct note *disco_history_find(const struct history *h, uint64_t key)
{
    return find(h, key);
}

/* The least loss: an old note, else that of the page which moved least, of these the one not moved for longest. */
static bool cheaper(const struct history *h, const struct note *a, const struct note *b)
{
    bool old_a = a->generation != h->generation, old_b = b->generation != h->generation;

    if (old_a || old_b)
        return old_a && !old_b;
    return a->moves != b->moves ? a->moves < b->moves : a->when < b->when;
}

struct note *disco_history_note(struct history *h, uint64_t key, uint64_t *evicted)
{
    struct note *at = find(h, key), *set = set_of(h, key);

    if (at)
        return at;
    at = &set[0];
    for (unsigned i = 1; i < HISTORY_WAYS; i++) {
        if (cheaper(h, &set[i], at))
            at = &set[i];
    }
    if (at->generation == h->generation)
        disco_count_own(evicted, 1);
    *at = (struct note){.key = key, .generation = h->generation};
    return at;
}
