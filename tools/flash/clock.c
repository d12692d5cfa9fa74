/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Modelled time. A processor's clock is the time it was busy, by its own counts, and the time it was idle. QEMU
 * does not run processors at the speed of their clocks, so idle time is not seen but made: where clocks are
 * compared, those that are behind go on to the latest, and what they are moved is idle time.
 *
 * That happens at marks, and at the end. So the time between two marks is that of the processor which was
 * busy longest: right for parallel work, too little where one waits for another in turns. The option `wake`
 * compares the clock of a processor that leaves a `wait` too, which is right where processors work in turns, and too
 * much where QEMU runs them round-robin: what one does in its slice then looks as if it came after what another did in
 * its own. The two are bounds.
 *
 * Time that all processors wait does not pass: devices take none in this model.
 */
#include "flash.h"

#define PS_IN_NS 1000

static uint64_t sum(const uint64_t n[MODES])
{
    uint64_t total = 0;

    for (unsigned m = 0; m < MODES; m++)
        total += disco_load(&n[m]);
    return total;
}

uint64_t clock_busy(const struct config *c, const struct figures *n)
{
    return sum(n->executed) * c->cycle + sum(n->hit2) * c->hit2 + sum(n->local) * c->local +
           sum(n->remote) * c->remote;
}

static uint64_t clock_of(const struct flash *f, unsigned id)
{
    const struct figures *n = &f->cpu[id].n;

    return clock_busy(&f->c, n) + n->idle;
}

/* Locked from here on: idle times are everybody's. */
static uint64_t latest(const struct flash *f)
{
    uint64_t latest = 0;

    for (unsigned id = 0; id < f->c.cpus; id++) {
        uint64_t now = clock_of(f, id);

        latest = now > latest ? now : latest;
    }
    return latest;
}

/* Others run on meanwhile, perhaps past `now`. */
static void wait_until(struct flash *f, unsigned id, uint64_t now)
{
    uint64_t own = clock_of(f, id);

    if (now > own)
        f->cpu[id].n.idle += now - own;
}

static uint64_t align(struct flash *f)
{
    uint64_t now = latest(f);

    for (unsigned id = 0; id < f->c.cpus; id++)
        wait_until(f, id, now);
    return now;
}

static void note_down(struct flash *f, unsigned id, unsigned number)
{
    struct mark *m = &f->mark[f->marks];

    m->cpu = id;
    m->number = number;
    m->n = &f->noted[(size_t)f->marks * f->c.cpus];
    for (unsigned i = 0; i < f->c.cpus; i++) {
        const uint64_t *from = (const uint64_t *)&f->cpu[i].n;
        uint64_t *to = (uint64_t *)&m->n[i];

        for (size_t word = 0; word < sizeof *m->n / sizeof *to; word++)
            to[word] = disco_load(&from[word]);
    }
    f->marks++;
}

void clock_mark(struct flash *f, unsigned id, unsigned number)
{
    lock(&f->clock_busy);
    align(f);
    if (f->marks < MAX_MARKS)
        note_down(f, id, number);
    else
        f->marks_lost++;
    unlock(&f->clock_busy);
}

void clock_tell(struct flash *f, unsigned id)
{
    if (f->ring.area)
        ring_clock(f, id, clock_busy(&f->c, &f->cpu[id].n) / PS_IN_NS);
}

uint64_t clock_align(struct flash *f)
{
    uint64_t now;

    lock(&f->clock_busy);
    now = align(f);
    unlock(&f->clock_busy);
    return now;
}

void clock_wake(struct flash *f, unsigned id)
{
    lock(&f->clock_busy);
    wait_until(f, id, latest(f));
    unlock(&f->clock_busy);
}
