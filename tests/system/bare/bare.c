/* SPDX-License-Identifier: BSD-2-Clause */
#include "bare.h"

#include <string.h>

#include "board.h"
#include "memory.h"
#include "monitor.h"
#include "smp.h"

#define CKSEG0 UINT64_C(0xffffffff80000000)
#define FIRST_PAGE UINT64_C(0x2000000) /* in RAM; before it: this program and its storage */
#define PATIENCE_NS UINT64_C(60000000000)

extern char __image_end[];

struct mips_machine machine;
struct monitor mon;
static uint64_t taken, ram;
unsigned bare_idles;

void bare_result(const char *of, const char *test, bool good)
{
    say("%s %s: %s", of, test, good ? "ok" : "WRONG");
}

/* --- what the drivers and the backend ask of a monitor --- */

void *memory_storage(size_t size)
{
    const uint64_t line = DISCO_CACHE_LINE - 1,
                   begin = BOARD_RAM + ((uint64_t)__image_end - CKSEG0);
    uint64_t at = (begin + taken + line) & ~line;
    void *p = (void *)(MIPS_XKPHYS + at);

    taken = at + size - begin;
    memset(p, 0, size);
    return p;
}

void monitor_attention(void) {}

void mips64_monitor_fault(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t ra)
{
    die("exception: cause %lx epc %lx badvaddr %lx ra %lx", cause, epc, badvaddr, ra);
}

/* --- machine pages --- */

disco_mpn bare_page(unsigned i)
{
    uint64_t step = (ram - FIRST_PAGE) / BARE_PAGES & ~DISCO_PAGE_MASK;
    uint64_t at = i == BARE_PAGES - 1 ? ram - DISCO_PAGE_SIZE : FIRST_PAGE + i * step;

    return disco_ma_page((disco_ma){BOARD_RAM + at});
}

void *bare_bytes(disco_mpn mpn) { return machine.backend.ops->page(&machine.backend, mpn); }

#define MAPPED 64 /* pages: near the end of RAM */

static struct disco_memmap *memmap;

struct disco_memmap *bare_memmap(void) { return memmap; }

uint64_t bare_free_pages(void)
{
    struct disco_memmap_node_stats node = {0};

    (void)disco_memmap_node_stats(memmap, 0, &node);
    return node.free;
}

static int make_memmap(void)
{
    struct disco_memmap_config c = {.backend = &machine.backend,
                                    .first = disco_ma_page((disco_ma){BOARD_RAM + ram - (2 << 20)}),
                                    .pages = MAPPED,
                                    .nodes = 1};
    size_t size = disco_memmap_size(&c);
    int err = disco_memmap_init(&memmap, memory_storage(size), size, &c);

    return err ? err : disco_memmap_add(memmap, c.first, MAPPED, 0, false);
}

/* --- time --- */

uint64_t bare_now(void) { return machine.backend.ops->now(&machine.backend); }

bool bare_wait(const uint32_t *word, uint32_t value)
{
    struct disco_backend *b = &machine.backend;
    uint64_t until = bare_now() + PATIENCE_NS, next;

    while ((next = drivers_poll(bare_now())), __atomic_load_n(word, __ATOMIC_SEQ_CST) < value) {
        if (bare_now() >= until)
            return false;
        b->ops->timer(b, next < until ? next : until);
        b->ops->idle(b);
        bare_idles++;
    }
    return true;
}

/* --- beginning --- */

void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t low);

static const char *string_at(uint64_t table, unsigned i)
{
    return (const char *)(uint64_t)(int64_t)((const int32_t *)table)[i];
}

static uint64_t number(const char **text)
{
    uint64_t value = 0;

    for (; **text >= '0' && **text <= '9'; (*text)++)
        value = value * 10 + (uint64_t)(**text - '0');
    *text += **text == ' ';
    return value;
}

/* The command line is "MIB PORT": the size of RAM, and of the host's UDP port that echoes. */
void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t low)
{
    const char *words = argc > 1 ? string_at(argv, 1) : "";

    (void)envp, (void)low;
    board_init();
    ram = number(&words) << 20;
    machine.backend.cpus = smp_processors();
    machine.backend.nodes = 1;
    machine.ipi_raise = smp_raise;
    machine.ipi_lower = smp_lower;
    smp_map_controllers();
    smp_set_clock();
    for (unsigned i = 0; i < machine.backend.cpus; i++)
        machine.cpu[i] = memory_storage(sizeof *machine.cpu[i]);
    if (ram < 2 * FIRST_PAGE || mips64_init(&machine, NULL) || make_memmap())
        die("this machine will not do");
    bare_main((unsigned)number(&words));
    board_power_off();
}
