/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors that are threads share few lines. In the end caches and directory must agree: what a cache has, the
 * directory knows; who may store without asking is the only one.
 */
#include <pthread.h>
#include <stdlib.h>

#include "flash.h"

#define CPUS 4
#define STEPS 300000
#define LINES 200

static struct flash f;
static struct disco_flash_area *area;
static struct disco_flash_reader reader;
static unsigned wrong;
static bool done;

static void *processor(void *data)
{
    unsigned id = (unsigned)(uintptr_t)data;
    uint32_t dice = id + 1;

    for (unsigned i = 0; i < STEPS; i++) {
        uint32_t line;

        dice = dice * 1664525 + 1013904223;
        line = (dice >> 12) % LINES;
        flash_add(&f.cpu[id].n.executed[MODE_KERNEL], 1);
        if (dice >> 30 == 0)
            flash_fetch(&f, id, line);
        else
            flash_access(&f, id, line, dice >> 30 == 3);
        if (i % 1000 == 0)
            clock_mark(&f, id, 0);
        if (i % 1000 == 500)
            clock_wake(&f, id);
    }
    return NULL;
}

static void *monitor(void *data)
{
    struct disco_flash_record r;

    while (!__atomic_load_n(&done, __ATOMIC_ACQUIRE)) {
        for (unsigned n = 0; n < 100 && disco_flash_take(&reader, &r) == 1; n++)
            wrong += r.misses == 0 || r.misses % 16;
        disco_flash_reset(&reader);
    }
    return data;
}

static void check(const char *what, bool good, unsigned id, uint32_t line)
{
    if (!good) {
        printf("processor %u, line %u: %s\n", id, line, what);
        wrong++;
    }
}

static void check_line(unsigned id, uint32_t line)
{
    struct cpu *c = &f.cpu[id];
    const uint32_t *second = cache_find(&c->second, line), *data = cache_find(&c->data, line);
    bool holds = f.holders[line] >> id & 1;

    check("in a cache, and the directory does not know", !second || holds, id, line);
    check("the directory believes it to be where it is not", second || !holds, id, line);
    check("in the first level, but not in the second", second || !data, id, line);
    check("in the first level of code, but not in the second",
          second || !cache_find(&c->code, line), id, line);
    check("may be stored to, and is shared",
          !second || !(*second & TAG_OWNED) || f.holders[line] == UINT64_C(1) << id, id, line);
    check("may be stored to in the first level alone",
          !second || !data || !(*data & TAG_OWNED) || *second & TAG_OWNED, id, line);
}

static void run(void)
{
    pthread_t thread[CPUS], reads;

    pthread_create(&reads, NULL, monitor, NULL);
    for (uintptr_t id = 0; id < CPUS; id++)
        pthread_create(&thread[id], NULL, processor, (void *)id);
    for (unsigned id = 0; id < CPUS; id++)
        pthread_join(thread[id], NULL);
    __atomic_store_n(&done, true, __ATOMIC_RELEASE);
    pthread_join(reads, NULL);
}

int main(void)
{
    struct options o;

    options_default(&o);
    o.c.ram = 16 << DISCO_PAGE_SHIFT;
    o.c.nodes = 2;
    o.c.cpus = CPUS;
    o.c.first = (struct geometry){16 * 128, 2};
    o.c.second = (struct geometry){64 * 128, 2};
    o.c.trigger = 16;
    area = aligned_alloc(128, disco_flash_size(o.c.slots));
    if (!area || flash_init(&f, &o.c))
        return EXIT_FAILURE;
    ring_open(&f, area);
    if (disco_flash_attach(&reader, area, disco_flash_size(o.c.slots)))
        return EXIT_FAILURE;
    run();
    for (unsigned id = 0; id < CPUS; id++) {
        for (uint32_t line = 0; line < LINES; line++)
            check_line(id, line);
    }
    if (!f.ring.hot || reader.bad || reader.lost)
        wrong++;
    flash_fini(&f);
    free(area);
    return wrong ? EXIT_FAILURE : EXIT_SUCCESS;
}
