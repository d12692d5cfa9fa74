/* SPDX-License-Identifier: BSD-2-Clause */
#include "memory.h"

#include <string.h>

#include "board.h"
#include "log.h"
#include "monitor.h"

extern char __image_end[];

#define CKSEG0 UINT64_C(0xffffffff80000000)

static uint64_t heap; /* machine address behind the storage that is taken */

static uint64_t archive_address(void) { return (uint64_t)mon.archive.at - MIPS_XKPHYS; }

void memory_begin(void) { heap = BOARD_RAM + ((uint64_t)__image_end - CKSEG0); }

void *memory_storage(size_t size)
{
    uint64_t at = (heap + 63) & ~UINT64_C(63), end = archive_address();
    void *p = (void *)(MIPS_XKPHYS + at);

    if (at > end || size > end - at)
        die("too little memory for the tables of the virtual machines");
    heap = at + size;
    memset(p, 0, size);
    return p;
}

void memory_make_map(void)
{
    struct disco_memmap_config c = {
        .backend = &mon.machine.backend,
        .first = disco_ma_page((disco_ma){BOARD_RAM}),
        .pages = mon.ram >> DISCO_PAGE_SHIFT,
        .nodes = mon.machine.backend.nodes,
        .user_chunks = (mon.ram >> DISCO_PAGE_SHIFT) / 4, /* most pages may be shared */
    };
    size_t size = disco_memmap_size(&c);
    int err = disco_memmap_init(&mon.mm, memory_storage(size), size, &c);

    if (err)
        die("no memory map: %s", disco_strerror(err));
    mon.machine.mm = mon.mm;
}

static void add_pages(uint64_t from, uint64_t to)
{
    disco_mpn first = disco_ma_page((disco_ma){from + DISCO_PAGE_MASK});
    disco_mpn end = disco_ma_page((disco_ma){to});

    if (end.v > first.v && disco_memmap_add(mon.mm, first, end.v - first.v, 0, false))
        die("memory from %lx to %lx cannot be added", from, to);
}

void memory_share_out(void)
{
    add_pages(heap, archive_address());
    add_pages(archive_address() + mon.archive.len, BOARD_RAM + mon.ram);
}

static uint64_t sum(bool only_free)
{
    struct disco_memmap_node_stats node;
    uint64_t n = 0;

    for (unsigned i = 0; i < mon.machine.backend.nodes; i++) {
        if (!disco_memmap_node_stats(mon.mm, i, &node))
            n += only_free ? node.free : node.total;
    }
    return n;
}

uint64_t memory_pages(void) { return sum(false); }
uint64_t memory_free(void) { return sum(true); }
uint64_t memory_monitor(void) { return (heap - BOARD_RAM) >> DISCO_PAGE_SHIFT; }
