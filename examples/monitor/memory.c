/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <string.h>

#include "board.h"
#include "flash/topology.h"
#include "log.h"
#include "monitor.h"

extern char __image_end[];

#define CKSEG0 UINT64_C(0xffffffff80000000)

/* A node's memory: storage is taken from `at` on, up to `end`; what is left becomes pages. Machine addresses. */
struct part {
    uint64_t begin, at, end;
};

static struct part part[DISCO_MAX_NODES];

static uint64_t archive_begin(void) { return (uint64_t)mon.archive.at - MIPS_XKPHYS; }
static uint64_t archive_end(void) { return archive_begin() + mon.archive.len; }
static unsigned nodes(void) { return mon.machine.backend.nodes; }

/* Machine address at which a node begins; that of `nodes()` is RAM's end. */
static uint64_t node_begin(unsigned node)
{
    uint64_t page = flash_node_begin(mon.ram >> DISCO_PAGE_SHIFT, nodes(), node);

    return BOARD_RAM + (page << DISCO_PAGE_SHIFT);
}

static bool within(const struct part *p, uint64_t address)
{
    return address > p->at && address < p->end;
}

/* Storage does not go on behind the archive; where that begins before the part does, the part begins behind it. */
static void cut_out_archive(struct part *p)
{
    if (archive_begin() <= p->at && archive_end() > p->at)
        p->begin = p->at = archive_end();
    if (within(p, archive_begin()))
        p->end = archive_begin();
    p->end = p->end < p->at ? p->at : p->end;
}

void memory_begin(void)
{
    for (unsigned i = 0; i < nodes(); i++) {
        struct part *p = &part[i];

        p->begin = p->at = node_begin(i);
        p->end = node_begin(i + 1);
        if (!i)
            p->at = BOARD_RAM + ((uint64_t)__image_end - CKSEG0);
        cut_out_archive(p);
    }
}

static void *take(struct part *p, size_t size)
{
    const uint64_t line = DISCO_CACHE_LINE - 1;
    uint64_t at = (p->at + line) & ~line;

    if (at > p->end || size > p->end - at)
        return NULL;
    p->at = at + size;
    memset((void *)(MIPS_XKPHYS + at), 0, size);
    return (void *)(MIPS_XKPHYS + at);
}

void *memory_storage_on(unsigned node, size_t size)
{
    void *p = take(&part[node], size);

    for (unsigned i = 0; i < nodes() && !p; i++)
        p = take(&part[i], size);
    if (!p)
        die("too little memory for the tables of the virtual machines");
    return p;
}

void *memory_storage(size_t size) { return memory_storage_on(0, size); }

void memory_make_map(void)
{
    struct disco_memmap_config c = {
        .backend = &mon.machine.backend,
        .first = disco_ma_page((disco_ma){BOARD_RAM}),
        .pages = mon.ram >> DISCO_PAGE_SHIFT,
        .nodes = nodes(),
        /* A node that has little left gets no replicas. */
        .low_water = nodes() > 1 ? (mon.ram >> DISCO_PAGE_SHIFT) / nodes() / 64 : 0,
        .user_chunks = (mon.ram >> DISCO_PAGE_SHIFT) / 4, /* most pages may be shared */
    };
    size_t size = disco_memmap_size(&c);
    int err = disco_memmap_init(&mon.mm, memory_storage(size), size, &c);

    if (err)
        die("no memory map: %s", disco_strerror(err));
    mon.machine.mm = mon.mm;
}

static void add_pages(unsigned node, uint64_t from, uint64_t to)
{
    disco_mpn first = disco_ma_page((disco_ma){from + DISCO_PAGE_MASK});
    disco_mpn end = disco_ma_page((disco_ma){to});

    if (end.v > first.v && disco_memmap_add(mon.mm, first, end.v - first.v, node, false))
        die("memory from %lx to %lx cannot be added", from, to);
}

/* What is left of each part, and what lies behind the archive in it. */
void memory_share_out(void)
{
    for (unsigned i = 0; i < nodes(); i++) {
        uint64_t end = node_begin(i + 1), rest = archive_end();

        add_pages(i, part[i].at, part[i].end);
        if (rest > part[i].end && rest < end)
            add_pages(i, rest, end);
    }
}

static uint64_t sum(bool only_free)
{
    struct disco_memmap_node_stats node;
    uint64_t n = 0;

    for (unsigned i = 0; i < nodes(); i++) {
        if (!disco_memmap_node_stats(mon.mm, i, &node))
            n += only_free ? node.free : node.total;
    }
    return n;
}

uint64_t memory_pages(void) { return sum(false); }
uint64_t memory_free(void) { return sum(true); }

uint64_t memory_monitor(void)
{
    uint64_t bytes = 0;

    for (unsigned i = 0; i < nodes(); i++)
        bytes += part[i].at - part[i].begin;
    return bytes >> DISCO_PAGE_SHIFT;
}
