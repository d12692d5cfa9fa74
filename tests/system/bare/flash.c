/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Accesses to memory whose misses are known, on a machine of two nodes of 64 MiB with the model of tools/flash, and
 * what its ring says of them. The caches are those that the model has by itself: a second level of 1 MiB in two
 * ways, lines of 128 bytes. So three lines that lie 512 KiB apart, in turn, miss each time.
 *
 * Between marks: 4 MiB of the own node, line by line; 4 MiB of the other one; 16 KiB ten times.
 */
#include <disco/flash.h>

#include "board.h"
#include "log.h"
#include "mark.h"
#include "mips64.h"
#include "smp.h"

#define MIB UINT64_C(0x100000)
#define NODE (64 * MIB)
#define AREA (48 * MIB) /* the test gives it to the plugin */
#define LINE 128
#define TRIGGER 64
#define MAPPED UINT64_C(0x10000000)

static struct disco_flash_reader reader;

/* What boot.S leads other processors to; there are none. */
uint64_t smp_stack_top[SMP_MAX];
void smp_main(unsigned cpu);
void smp_main(unsigned cpu) { (void)cpu; }
void monitor_main(void);

static volatile uint64_t *ram(uint64_t offset)
{
    return (volatile uint64_t *)(MIPS_XKPHYS + BOARD_RAM + offset);
}

static void sweep(uint64_t from, uint64_t bytes)
{
    for (uint64_t at = from; at < from + bytes; at += LINE)
        (void)*ram(at);
}

static void sweeps(void)
{
    mark_begin();
    sweep(32 * MIB, 4 * MIB);
    mark_end();
    mark_begin();
    sweep(NODE + 32 * MIB, 4 * MIB);
    mark_end();
    mark_begin();
    for (unsigned i = 0; i < 10; i++)
        sweep(40 * MIB, 16 << 10);
    mark_end();
}

/* A mapping of two pages, so that the model has to ask QEMU where an address leads. */
static void map(uint64_t offset)
{
    uint64_t lo = (BOARD_RAM + offset) >> DISCO_PAGE_SHIFT << 6 | 0x1f;

    __asm__ volatile(
        "dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %2, $3; mtc0 $0, $5; mtc0 $0, $0; ehb; tlbwi; ehb" ::
            "r"(MAPPED),
        "r"(lo), "r"(lo + 64)
        : "memory");
}

/* `n` misses on the page at `offset`, which is mapped; lines of our node make room. */
static void misses(uint64_t offset, unsigned n, bool stores)
{
    volatile uint64_t *word = (volatile uint64_t *)MAPPED;
    uint64_t set = offset % (MIB / 2);

    for (unsigned i = 0; i < n; i++) {
        if (stores)
            *word = i;
        else
            (void)*word;
        (void)*ram(34 * MIB + set);
        (void)*ram(34 * MIB + MIB / 2 + set);
    }
}

static bool nothing(void)
{
    struct disco_flash_record r;

    return disco_flash_take(&reader, &r) == 0;
}

static bool hot(uint64_t offset, uint64_t count, uint64_t writes)
{
    struct disco_flash_record r;

    return disco_flash_take(&reader, &r) == 1 && r.page == offset >> DISCO_PAGE_SHIFT &&
           r.node == 0 && r.cpu == 0 && r.misses == count && r.writes == writes && !r.others &&
           !r.sharers && nothing();
}

static void result(const char *test, bool good)
{
    say("flash %s: %s", test, good ? "ok" : "WRONG");
}

static void records(void)
{
    const uint64_t page = NODE + 8 * MIB + 5 * DISCO_PAGE_SIZE * 2;

    map(page);
    misses(page, TRIGGER - 1, false);
    result("not hot", nothing());
    misses(page, 1, false);
    result("hot", hot(page, TRIGGER, 0));
    misses(page, TRIGGER, true);
    result("stores", hot(page, 2 * TRIGGER, TRIGGER));
    misses(page, TRIGGER - 1, false);
    disco_flash_reset(&reader);
    misses(page, TRIGGER - 1, false);
    result("reset", nothing());
    misses(page, 1, false);
    result("hot again", hot(page, TRIGGER, 0));
}

/*
 * The same address leads elsewhere, and the model has not kept what it remembered of it. The number of its generations of
 * such memories is 4095, and a mapping begins two.
 */
static void remapped(void)
{
    const uint64_t page = NODE + 9 * MIB + 3 * DISCO_PAGE_SIZE * 2;

    disco_flash_reset(&reader);
    (void)*(volatile uint64_t *)MAPPED;
    for (unsigned i = 0; i < DISCO_PAGE_SIZE - 1; i++)
        map(page);
    misses(page, TRIGGER, false);
    result("remapped", hot(page, TRIGGER, 0));
}

void monitor_main(void)
{
    board_init();
    if (disco_flash_attach(&reader, (void *)ram(AREA), MIB))
        die("there is no model of memory");
    result("nodes", reader.nodes == 2 && reader.pages == 2 * NODE >> DISCO_PAGE_SHIFT);
    sweeps();
    disco_flash_reset(&reader);
    disco_flash_set(&reader, TRIGGER, TRIGGER / 4);
    records();
    remapped();
    board_power_off();
}
