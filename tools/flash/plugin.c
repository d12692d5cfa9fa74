/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin: QEMU's events become fetches, loads and stores of lines.
 *
 * Fetches: where a block of instructions lies is known when it is translated, and a block is fetched by lines when
 * it begins. (An instruction in the delay slot of a page's last word is not fetched.)
 *
 * Loads and stores: one access each, of its first byte's line. Addresses of unmapped segments name their
 * place; for others QEMU is asked.
 *
 * Instructions are counted where they cannot but have been executed: the block up to its first load or store when it
 * begins, then at each load or store, which is heard of when it has succeeded, what follows up to the next. The slot
 * behind a compact branch, which is executed if the branch is not taken, has a call of its own.
 *
 * RAM, as Malta has it: all of it at physical 0x80000000, the first 256 MiB at 0 too. Uncached accesses are
 * no business of the caches', and cost a cycle; what devices do, the model does not see.
 *
 * Which accesses are uncached? Those to CKSEG1. Firmware sets Config.K0, the cache attribute of CKSEG0, to "cached" on a
 * real machine; QEMU, which has neither caches nor firmware, leaves "uncached" there. A bare Linux takes its attribute
 * for all of RAM from that field, in XKPHYS and in the TLB: none of its own accesses would be modelled if XKPHYS
 * with attribute 2 were uncached. So the attribute of an address in RAM is what it would be after firmware: cached.
 */
#define _POSIX_C_SOURCE 200809L
#include "flash.h"

#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

#define RAM_BASE UINT64_C(0x80000000)
#define LOW_RAM UINT64_C(0x10000000)

#define WAIT_WORD 0x42000020u

int qemu_plugin_version = QEMU_PLUGIN_VERSION;
static struct flash flash;
static struct options options;
static const char *target;
static const uint8_t *ram; /* where QEMU has it; NULL: not known yet */

/* --- addresses --- */

static bool offset_of(uint64_t pa, uint64_t *offset)
{
    *offset = pa >= RAM_BASE ? pa - RAM_BASE : pa;
    return *offset < flash.c.ram && (pa >= RAM_BASE || pa < LOW_RAM);
}

enum { MAPPED, CACHED, UNCACHED };

/* CKSEG0 and 1, XKPHYS: whether an access is cached if it is to RAM, and its physical address. */
static int unmapped(uint64_t va, uint64_t *pa)
{
    if (va >> 62 == 2) {
        *pa = va & ((UINT64_C(1) << 59) - 1);
        return CACHED;
    }
    *pa = va & 0x1fffffff;
    if (va >> 29 == UINT64_C(0x7fffffffc))
        return CACHED;
    return va >> 29 == UINT64_C(0x7fffffffd) ? UNCACHED : MAPPED;
}

/*
 * Each processor remembers where pages lie, by their virtual addresses, until it executes an instruction that may change
 * its translations: those that write the TLB, and those that write EntryHi. That begins another generation, and
 * what was remembered in older ones no longer counts. To ask QEMU is slow.
 */
#define REMEMBERED 256 /* a power of two */

struct translation {
    uint64_t page; /* virtual address | generation */
    uint64_t offset;
};

static struct translations {
    _Alignas(128) uint64_t generation; /* from 1: 0 is nobody's */
    struct translation of[REMEMBERED];
} translations[MAX_CPUS];

static inline struct translation *slot(struct translations *t, uint64_t va)
{
    return &t->of[(va >> DISCO_PAGE_SHIFT) % REMEMBERED];
}

static inline uint64_t name(const struct translations *t, uint64_t va)
{
    return (va & ~DISCO_PAGE_MASK) | t->generation;
}

static void remember(struct translations *t, uint64_t va, uint64_t offset)
{
    *slot(t, va) = (struct translation){name(t, va), offset & ~DISCO_PAGE_MASK};
}

static bool ask(qemu_plugin_meminfo_t info, uint64_t va, uint64_t *offset)
{
    const struct qemu_plugin_hwaddr *at = qemu_plugin_get_hwaddr(info, va);

    return at && !qemu_plugin_hwaddr_is_io(at) &&
           offset_of(qemu_plugin_hwaddr_phys_addr(at), offset);
}

static bool find_out(qemu_plugin_meminfo_t info, uint64_t va, uint64_t *offset)
{
    uint64_t pa;

    switch (unmapped(va, &pa)) {
    case MAPPED: return ask(info, va, offset);
    case CACHED: return offset_of(pa, offset);
    default: return false;
    }
}

static void forget(struct translations *t)
{
    if (t->generation++ < DISCO_PAGE_MASK)
        return;
    memset(t->of, 0, sizeof t->of);
    t->generation = 1;
}

/* --- asleep until the first mark 0, if that is wished --- */

static bool asleep; /* written while all processors run, once, to false: read as it comes */
static qemu_plugin_id_t self;

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb);
static void at_exit(qemu_plugin_id_t id, void *data);

static void register_all(qemu_plugin_id_t id)
{
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
}

/* All that was translated is translated anew, to be modelled. */
static void wake_up(unsigned number)
{
    if (number == 0 && __atomic_exchange_n(&asleep, false, __ATOMIC_SEQ_CST))
        qemu_plugin_reset(self, register_all);
}

/* --- while the machine runs --- */

/* QEMU has at most 512 instructions in a block: at most 2 KiB, of lines of 16 bytes or more. */
#define BLOCK(line, lines, n, mode)                                                                \
    ((uint64_t)(line) << 20 | (uint64_t)(lines) << 12 | (uint64_t)(n) << 2 | (mode))

static void count(struct cpu *c, uint64_t n) { flash_add(&c->n.executed[c->mode], n); }

static inline void begin(struct cpu *c, uint64_t block)
{
    c->mode = block & 3;
    count(c, block >> 2 & 0x3ff);
}

static void on_block(unsigned id, void *data)
{
    uint64_t block = (uintptr_t)data;
    uint32_t line = (uint32_t)(block >> 20), end = line + (block >> 12 & 0xff);

    begin(&flash.cpu[id], block);
    for (; line < end; line++)
        flash_fetch(&flash, id, line);
}

/* Most blocks lie in one line. */
static void on_line(unsigned id, void *data)
{
    uint64_t block = (uintptr_t)data;

    begin(&flash.cpu[id], block);
    flash_fetch(&flash, id, (uint32_t)(block >> 20));
}

/* Instead of on_block() where waits are heard of. */
static void on_waking(unsigned id, void *data)
{
    struct cpu *c = &flash.cpu[id];

    if (c->waits) {
        c->waits = false;
        clock_wake(&flash, id);
    }
    on_block(id, data);
}

/* An access to a page that is not remembered. */
static __attribute__((noinline)) void look_up(unsigned id, qemu_plugin_meminfo_t info, uint64_t va,
                                              bool store)
{
    uint64_t offset;

    if (find_out(info, va, &offset)) {
        remember(&translations[id], va, offset);
        flash_access(&flash, id, (uint32_t)(offset >> flash.c.line_shift), store);
    }
}

/* Only cached accesses to RAM are the caches' business. */
static inline void access(unsigned id, qemu_plugin_meminfo_t info, uint64_t va, bool store)
{
    const struct translation *t = slot(&translations[id], va);

    if (t->page == name(&translations[id], va))
        flash_access(&flash, id,
                     (uint32_t)((t->offset | (va & DISCO_PAGE_MASK)) >> flash.c.line_shift), store);
    else
        look_up(id, info, va, store);
}

static void on_load(unsigned id, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
    count(&flash.cpu[id], (uintptr_t)data);
    access(id, info, va, false);
}

static void on_store(unsigned id, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
    count(&flash.cpu[id], (uintptr_t)data);
    access(id, info, va, true);
}

/* Of an instruction that is no ordinary load or store. */
static void on_access(unsigned id, qemu_plugin_meminfo_t info, uint64_t va, void *data)
{
    (void)data;
    access(id, info, va, qemu_plugin_mem_is_store(info));
}

static void on_slot(unsigned id, void *data) { count(&flash.cpu[id], (uintptr_t)data); }

static void on_mark(unsigned id, void *data)
{
    unsigned number = (uintptr_t)data & 15;

    if (asleep)
        wake_up(number);
    if (asleep)
        return;
    if (number == DISCO_FLASH_TELL_CLOCK)
        clock_tell(&flash, id);
    else
        clock_mark(&flash, id, number);
    count(&flash.cpu[id], (uintptr_t)data >> 4);
}

static void on_remap(unsigned id, void *data)
{
    (void)data;
    forget(&translations[id]);
}

static void on_wait(unsigned id, void *data)
{
    (void)data;
    flash.cpu[id].waits = true;
}

/* --- while it is translated --- */

static void *number(uint64_t n) { return (void *)(uintptr_t)n; }

/* QEMU gives the bytes as they lie in the machine's memory. */
static uint32_t word_of(const struct qemu_plugin_insn *insn)
{
    uint32_t word;

    memcpy(&word, qemu_plugin_insn_data(insn), sizeof word);
    return flash.c.swap ? __builtin_bswap32(word) : word;
}

#define OP(n) (UINT64_C(1) << (n))

/* Ordinary loads and stores, lb to sdc1: heard of exactly once, and not at all if they trap. */
static bool is_load(uint32_t word)
{
    const uint64_t loads = OP(0x20) | OP(0x21) | OP(0x23) | OP(0x24) | OP(0x25) | OP(0x27) |
                           OP(0x37) | OP(0x31) | OP(0x35);

    return loads >> (word >> 26) & 1;
}

static bool is_store(uint32_t word)
{
    const uint64_t stores = OP(0x28) | OP(0x29) | OP(0x2b) | OP(0x3f) | OP(0x39) | OP(0x3d);

    return stores >> (word >> 26) & 1;
}

/* Conditional branches of Release 6 with a forbidden slot behind them instead of a delay slot. */
static bool is_compact(uint32_t word)
{
    const uint64_t always = OP(0x08) | OP(0x16) | OP(0x17) | OP(0x18);
    const uint64_t with_rt = OP(0x06) | OP(0x07); /* without: blez, bgtz */
    const uint64_t with_rs = OP(0x36) | OP(0x3e); /* without: jic, jialc */
    unsigned op = word >> 26;

    return (always >> op & 1) || ((with_rt >> op & 1) && (word >> 16 & 31)) ||
           ((with_rs >> op & 1) && (word >> 21 & 31));
}

/* tlbwi, tlbwr, tlbinv, tlbinvf; mtc0 and dmtc0 to EntryHi. */
static bool is_remap(uint32_t word)
{
    uint32_t to_hi = word & 0xffe0f807u;

    return word == 0x42000002u || word == 0x42000006u || word == 0x42000003u ||
           word == 0x42000004u || to_hi == 0x40805000u || to_hi == 0x40a05000u;
}

static void call(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_udata_cb_t cb, uint64_t data)
{
    qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, number(data));
}

enum begins { BEGINS_NOTHING, BEGINS_AT_ACCESS, BEGINS_AT_MARK, BEGINS_AT_SLOT };

/* Whether a run of instructions that is counted for itself begins here. */
static enum begins begins(uint32_t before, uint32_t word)
{
    if (is_mark(word))
        return BEGINS_AT_MARK;
    if (is_load(word) || is_store(word))
        return BEGINS_AT_ACCESS;
    return is_compact(before) ? BEGINS_AT_SLOT : BEGINS_NOTHING;
}

static void hear(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_mem_cb_t cb, uint64_t data)
{
    qemu_plugin_register_vcpu_mem_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, QEMU_PLUGIN_MEM_RW,
                                     number(data));
}

/* `n` instructions are counted with this one. */
static void watch(struct qemu_plugin_insn *insn, uint32_t word, enum begins what, uint64_t n)
{
    if (what == BEGINS_AT_MARK)
        call(insn, on_mark, n << 4 | (word & ~MARK_MASK));
    else
        hear(insn, what == BEGINS_AT_ACCESS ? (is_store(word) ? on_store : on_load) : on_access, n);
    if (what == BEGINS_AT_SLOT)
        call(insn, on_slot, n);
    if (is_remap(word))
        call(insn, on_remap, 0);
    if (word == WAIT_WORD && flash.c.wake && mode_of(qemu_plugin_insn_vaddr(insn)) == MODE_KERNEL)
        call(insn, on_wait, 0);
}

/* The first block that runs in CKSEG0, long before a kernel does anything, tells where QEMU has RAM. */
static void find_ram(const struct qemu_plugin_insn *first)
{
    const uint8_t *host = qemu_plugin_insn_haddr(first);
    uint64_t va = qemu_plugin_insn_vaddr(first), pa;

    if (!host || va >> 29 != UINT64_C(0x7fffffffc) || unmapped(va, &pa) != CACHED || pa >= LOW_RAM)
        return;
    ram = host - pa;
    if (options.has_area)
        ring_open(&flash, (void *)(uintptr_t)(ram + options.area));
}

/* The lines that a block of n instructions covers of the page it begins in; 0 = it is not in RAM. */
static unsigned lines_of(const struct qemu_plugin_insn *first, size_t n, uint32_t *line)
{
    const uint8_t *host = qemu_plugin_insn_haddr(first);
    uint64_t start = (uint64_t)(uintptr_t)host - (uint64_t)(uintptr_t)ram, end = start + 4 * n - 1;

    if (!ram || !host || start >= flash.c.ram)
        return 0;
    if (end >> DISCO_PAGE_SHIFT != start >> DISCO_PAGE_SHIFT)
        end = start | DISCO_PAGE_MASK;
    *line = (uint32_t)(start >> flash.c.line_shift);
    return (unsigned)(end >> flash.c.line_shift) - *line + 1;
}

static qemu_plugin_vcpu_udata_cb_t begins_with(unsigned lines)
{
    if (flash.c.wake)
        return on_waking;
    return lines == 1 ? on_line : on_block;
}

/* Of blocks that are not modelled. */
static void watch_marks(struct qemu_plugin_tb *tb, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word = word_of(insn);

        if (is_mark(word))
            call(insn, on_mark, word & ~MARK_MASK);
    }
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb), end = n; /* of what is not counted by those behind */
    struct qemu_plugin_insn *first = qemu_plugin_tb_get_insn(tb, 0);
    uint32_t line = 0;
    unsigned lines;

    (void)id;
    if (!ram)
        find_ram(first);
    if (asleep) {
        watch_marks(tb, n);
        return;
    }
    for (size_t i = n; i-- > 0;) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint32_t word = word_of(insn);
        enum begins what = begins(i ? word_of(qemu_plugin_tb_get_insn(tb, i - 1)) : 0, word);

        watch(insn, word, what, end - i);
        end = what ? i : end;
    }
    lines = lines_of(first, n, &line);
    qemu_plugin_register_vcpu_tb_exec_cb(tb, begins_with(lines), QEMU_PLUGIN_CB_NO_REGS,
                                         number(BLOCK(line, lines, end,
                                                      mode_of(qemu_plugin_insn_vaddr(first)))));
}

/* --- at the start and at the end --- */

static void at_exit(qemu_plugin_id_t id, void *data)
{
    FILE *out = options.out ? fopen(options.out, "w") : stderr;

    (void)id, (void)data;
    clock_align(&flash);
    if (!out) {
        fprintf(stderr, "flash: %s cannot be written\n", options.out);
        return;
    }
    report(&flash, target, out);
    if (fclose(out))
        fprintf(stderr, "flash: %s could not be written\n", options.out);
}

/* QEMU keeps its list of options no longer than the installation: what is kept is copied. */
static bool parse(int argc, char **argv)
{
    options_default(&options);
    for (int i = 0; i < argc; i++) {
        char *text = strdup(argv[i]);

        if (!text || !options_parse(&options, text)) {
            fprintf(stderr, "flash: what does \"%s\" mean?\n", argv[i]);
            return false;
        }
    }
    return true;
}

static const char *start(const qemu_info_t *info)
{
    const uint16_t one = 1;
    bool big_host = !*(const uint8_t *)&one, big = strcmp(info->target_name, "mips64") == 0;
    const struct config *c = &options.c;

    if (!info->system_emulation || strncmp(info->target_name, "mips64", 6) != 0)
        return "this models MIPS64 machines";
    options.c.cpus = (uint32_t)info->system.smp_vcpus;
    options.c.swap = big != big_host;
    target = strdup(info->target_name);
    if (options.has_area &&
        (options.area & DISCO_PAGE_MASK || disco_flash_size(c->slots) > c->ram ||
         options.area > c->ram - disco_flash_size(c->slots)))
        return "the area begins with a page, and lies in RAM";
    return target ? flash_init(&flash, c) : "not enough memory";
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    const char *wrong;

    if (!parse(argc, argv))
        return -1;
    wrong = start(info);
    if (wrong) {
        fprintf(stderr, "flash: %s\n", wrong);
        return -1;
    }
    for (unsigned cpu = 0; cpu < MAX_CPUS; cpu++)
        forget(&translations[cpu]);
    asleep = options.sleep;
    self = id;
    register_all(id);
    return 0;
}
