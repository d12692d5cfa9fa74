/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What happens beyond the first-level caches: second level, directory, other processors' caches.
 *
 * The directory knows for each line which processors may have it. A processor that is the only one may store
 * to it without asking (the tag's bit); a load by another takes that right away, a store by another takes the
 * line away. What the second level does not have, the first level does not have.
 *
 * A line's lock is held while its holders change, with all that follows in caches: who takes a line away holds
 * it, who puts one into a second-level cache does too. Two things happen without:
 *  - A processor drops a line of its own to make room, and tells the directory after that. Who sees it among
 *    the holders meanwhile finds nothing to take away: compare-and-swap leaves alone what has changed.
 *  - A processor fills its first level from its second. Another may take the line from the second level, then
 *    look into the first before it is there. So the filler looks at the second level again, afterwards: one
 *    of the two sees the other.
 * An access that hits while the line is being taken away happened before that, as on a real machine.
 */
#include "flash.h"

#define BIT(n) (UINT64_C(1) << (n))

static bool *line_lock(struct flash *f, uint32_t line) { return &f->line_busy[line % LOCKS]; }

/* The second level first: see above. */
static void drop(struct cpu *c, uint32_t line)
{
    cache_drop(&c->second, line);
    cache_drop(&c->data, line);
    cache_drop(&c->code, line);
}

static void share(struct cpu *c, uint32_t line)
{
    cache_share(&c->second, line);
    cache_share(&c->data, line);
    cache_share(&c->code, line);
}

/* Processor `id` becomes a holder. Returns whether it is the only one. Lock held. */
static bool hold(struct flash *f, unsigned id, uint32_t line, bool store)
{
    uint64_t others = f->holders[line] & ~BIT(id);

    f->holders[line] = BIT(id) | (store ? 0 : others);
    if (!store && others && !(others & (others - 1)))
        share(&f->cpu[__builtin_ctzll(others)], line);
    for (uint64_t left = store ? others : 0; left; left &= left - 1)
        drop(&f->cpu[__builtin_ctzll(left)], line);
    return store || !others;
}

/* A line gives up its place in the second level. */
static void make_room(struct flash *f, unsigned id, uint32_t old)
{
    __builtin_prefetch(&f->holders[old], 1);
    drop(&f->cpu[id], old);
    lock(line_lock(f, old));
    f->holders[old] &= ~BIT(id);
    unlock(line_lock(f, old));
}

static void fill_from_second(const struct flash *f, struct cache *first, const uint32_t *second, uint32_t tag)
{
    uint32_t line = cache_line(tag);
    bool others = f->c.cpus > 1;

    cache_put(first, cache_place(first, line), tag, others);
    if (others && __atomic_load_n(second, __ATOMIC_SEQ_CST) != tag)
        cache_drop(first, line);
}

static void fill_from_home(struct flash *f, unsigned id, struct cache *first, uint32_t *second,
                           uint32_t line, bool store)
{
    uint32_t tag = cache_tag(line);

    lock(line_lock(f, line));
    tag |= hold(f, id, line, store) ? TAG_OWNED : 0;
    cache_put(&f->cpu[id].second, second, tag, false);
    cache_put(first, cache_place(first, line), tag, false);
    unlock(line_lock(f, line));
}

/* The host seldom has these in its own caches, and a lock would wait for each. */
static void prefetch(const struct flash *f, uint32_t line)
{
    uint64_t page = (uint64_t)line << f->c.line_shift >> DISCO_PAGE_SHIFT;

    __builtin_prefetch(&f->holders[line], 1);
    __builtin_prefetch(&f->count[page * f->c.nodes], 1);
    __builtin_prefetch(&f->epoch[page], 1);
}

/* The second level has the line not, or with others. */
static void ask_home(struct flash *f, unsigned id, struct cache *first, uint32_t *second, uint32_t line,
                     bool store)
{
    uint32_t tag = cache_load(second);

    prefetch(f, line);
    if (cache_is(tag, line, false))
        flash_add(&f->cpu[id].n.upgrades, 1);
    else if (tag)
        make_room(f, id, cache_line(tag));
    fill_from_home(f, id, first, second, line, store);
    node_miss(f, id, line, store);
}

void flash_look(struct flash *f, unsigned id, struct cache *first, uint32_t line, bool store)
{
    struct cpu *c = &f->cpu[id];
    uint32_t *second, tag;

    if (cache_hit_other(first, line, store))
        return;
    second = cache_place(&c->second, line);
    tag = cache_load(second);
    if (!cache_is(tag, line, store)) {
        ask_home(f, id, first, second, line, store);
        return;
    }
    flash_add(&c->n.hit2[c->mode], 1);
    cache_use(&c->second, line, second);
    fill_from_second(f, first, second, tag);
}
