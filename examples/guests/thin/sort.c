/* SPDX-License-Identifier: BSD-2-Clause */
#include "sort.h"

#define KEY_BITS 32

/* What one thread has of the pass that is under way. */
struct pass {
    struct sort *sort;
    unsigned me, shift;
    const uint32_t *from;
    uint32_t *to;
    uint64_t since; /* when its present phase began */
};

static unsigned passes(const struct sort *s) { return (KEY_BITS + s->bits - 1) / s->bits; }

uint32_t *sort_result(const struct sort *s) { return passes(s) % 2 ? s->other : s->key; }

static uint32_t *row(const struct sort *s, unsigned thread)
{
    return s->places + thread * sort_row(s->bits);
}

static uint32_t digits(const struct sort *s) { return UINT32_C(1) << s->bits; }

static uint32_t digit(const struct pass *p, uint32_t key)
{
    return key >> p->shift & (digits(p->sort) - 1);
}

/* First index of thread `thread`'s part of n things. */
static uint64_t part(const struct sort *s, uint64_t n, unsigned thread)
{
    return sort_part(n, thread, s->threads);
}

/* The time since the last call was the phase's. */
static void lap(struct pass *p, enum sort_phase phase)
{
    uint64_t t = os_now();

    p->sort->time[p->me][phase] += t - p->since;
    p->since = t;
}

static void meet(struct pass *p)
{
    os_barrier(&p->sort->barrier, p->sort->threads);
    lap(p, SORT_WAIT);
}

static void histogram(struct pass *p)
{
    const struct sort *s = p->sort;
    uint64_t end = part(s, s->keys, p->me + 1);
    uint32_t *count = row(s, p->me);

    for (uint32_t d = 0; d < digits(s); d++)
        count[d] = 0;
    for (uint64_t i = part(s, s->keys, p->me); i < end; i++)
        count[digit(p, p->from[i])]++;
    lap(p, SORT_HISTOGRAM);
}

/*
 * Keys with a smaller digit come first, then those with the same digit of threads before. Each
 * thread adds up, for a slice of the digits, all threads' counts in this order.
 */
static void add_up_slice(struct pass *p)
{
    struct sort *s = p->sort;
    uint32_t end = (uint32_t)part(s, digits(s), p->me + 1), sum = 0;

    for (uint32_t d = (uint32_t)part(s, digits(s), p->me); d < end; d++) {
        for (unsigned thread = 0; thread < s->threads; thread++) {
            uint32_t count = row(s, thread)[d];

            row(s, thread)[d] = sum;
            sum += count;
        }
    }
    s->in_slice[p->me] = sum;
    lap(p, SORT_PREFIX);
}

/* The slices before are missing in these sums yet. */
static void add_slices(struct pass *p)
{
    const struct sort *s = p->sort;
    uint32_t *place = row(s, p->me), before = 0;

    for (unsigned slice = 0; slice < s->threads; slice++) {
        uint32_t end = (uint32_t)part(s, digits(s), slice + 1);

        for (uint32_t d = (uint32_t)part(s, digits(s), slice); d < end; d++)
            place[d] += before;
        before += (uint32_t)s->in_slice[slice];
    }
    lap(p, SORT_PREFIX);
}

static void permute(struct pass *p)
{
    const struct sort *s = p->sort;
    uint64_t end = part(s, s->keys, p->me + 1);
    uint32_t *place = row(s, p->me);

    for (uint64_t i = part(s, s->keys, p->me); i < end; i++)
        p->to[place[digit(p, p->from[i])]++] = p->from[i];
    lap(p, SORT_PERMUTE);
}

void sort_thread(struct sort *s, unsigned me)
{
    struct pass p = {s, me, 0, s->key, s->other, os_now()};

    for (; p.shift < KEY_BITS; p.shift += s->bits) {
        const uint32_t *sorted = p.to;

        histogram(&p);
        meet(&p);
        add_up_slice(&p);
        meet(&p);
        add_slices(&p);
        permute(&p);
        meet(&p);
        p.to = p.from == s->key ? s->key : s->other;
        p.from = sorted;
    }
}
