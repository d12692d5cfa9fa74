/* SPDX-License-Identifier: BSD-2-Clause */
/* The model's end of what disco/flash.h describes. */
#include "flash.h"

#include <string.h>

static uint64_t turned(const struct flash *f, uint64_t n)
{
    return f->c.swap ? __builtin_bswap64(n) : n;
}

uint64_t ring_word(const struct flash *f, const uint64_t *word)
{
    return turned(f, disco_load(word));
}

static void put(const struct flash *f, uint64_t *word, uint64_t n)
{
    disco_store(word, turned(f, n));
}

void ring_open(struct flash *f, void *at)
{
    struct disco_flash_area *area = at;

    memset(at, 0, disco_flash_size(f->c.slots));
    put(f, &area->version, DISCO_FLASH_VERSION);
    put(f, &area->slots, f->c.slots);
    put(f, &area->ram, f->c.ram);
    put(f, &area->nodes, f->c.nodes);
    put(f, &area->cpus, f->c.cpus);
    put(f, &area->sample, f->c.sample);
    put(f, &area->trigger, f->c.trigger);
    put(f, &area->sharing, f->c.sharing);
    disco_store_release(&area->magic, turned(f, DISCO_FLASH_MAGIC));
    __atomic_store_n(&f->ring.area, area, __ATOMIC_RELEASE);
}

void ring_clock(struct flash *f, unsigned id, uint64_t ns)
{
    put(f, &f->ring.area->clock[id], ns);
}

static struct disco_flash_record *slot_of(const struct flash *f, uint64_t n)
{
    struct disco_flash_record *ring = (struct disco_flash_record *)(f->ring.area + 1);

    return &ring[n & (f->c.slots - 1)];
}

static void write_record(struct flash *f, const struct disco_flash_record *r)
{
    struct disco_flash_record *to = slot_of(f, f->ring.head++);

    put(f, &to->page, r->page);
    put(f, &to->node, r->node);
    put(f, &to->cpu, r->cpu);
    put(f, &to->misses, r->misses);
    put(f, &to->others, r->others);
    put(f, &to->writes, r->writes);
    put(f, &to->sharers, r->sharers);
    disco_store_release(&to->seq, turned(f, f->ring.head));
    disco_store_release(&f->ring.area->head, turned(f, f->ring.head));
}

/* Only the monitor's tail is read from the area, and whatever it is: the index stays in the ring. */
static bool has_room(const struct flash *f)
{
    uint64_t tail = turned(f, disco_load_acquire(&f->ring.area->tail));

    return f->ring.head - tail < f->c.slots;
}

void ring_put(struct flash *f, const struct disco_flash_record *r)
{
    lock(&f->ring.busy);
    f->ring.hot++;
    if (f->ring.area && has_room(f)) {
        write_record(f, r);
    } else {
        f->ring.overflows++;
        if (f->ring.area)
            put(f, &f->ring.area->overflows, f->ring.overflows);
    }
    unlock(&f->ring.busy);
}
