/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The bundled monitor: puts libdisco's libraries together on a Malta board.
 *
 * Read from the bottom: monitor_main() finds memory and the boot archive, makes the virtual machines
 * of vms.conf, and lets the scheduler turn until all of them have ended.
 */
#include <string.h>

#include "board.h"
#include "config.h"
#include "escape.h"
#include "log.h"
#include "mips64.h"
#include "stats.h"
#include "vm.h"

extern char __image_start[], __image_end[];
void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t ram);

#define CKSEG0 UINT64_C(0xffffffff80000000)
#define POLL_NS UINT64_C(10000000) /* the keyboard is looked at this often */

static struct {
    struct mips_machine machine;
    struct disco_memmap *mm;
    struct disco_sched *sched;
    struct config config;
    struct vm vm[CONFIG_VMS];
    struct vm *focus; /* whose console the terminal shows */
    struct bytes archive;
    uint64_t ram;                   /* bytes */
    uint64_t heap, heap_end;        /* boot-time storage: machine addresses */
    unsigned alive;
    struct escape escape;
    uint64_t keyboard_at; /* when the keyboard is looked at next, ns */
} mon;

/* --- memory ---
 *
 *   0 .. 1 MiB           left alone: boot parameters
 *   1 MiB .. image end   the monitor
 *   then                 boot-time storage, taken front to back (tables, whose size is known)
 *   then                 pages for guests
 *   .. archive ..        kept as the boot loader left it
 */

static void *storage(size_t size)
{
    uint64_t at = (mon.heap + 63) & ~UINT64_C(63);
    void *p = (void *)(MIPS_XKPHYS + at);

    if (size > mon.heap_end - at)
        return NULL;
    mon.heap = at + size;
    memset(p, 0, size);
    return p;
}

static void add_pages(uint64_t from, uint64_t to)
{
    disco_mpn first = disco_ma_page((disco_ma){from + DISCO_PAGE_MASK});
    disco_mpn end = disco_ma_page((disco_ma){to});

    if (end.v > first.v && disco_memmap_add(mon.mm, first, end.v - first.v, 0, false))
        die("memory from %lx to %lx cannot be added", from, to);
}

static void make_memmap(void)
{
    struct disco_memmap_config c = {
        .backend = &mon.machine.backend,
        .first = disco_ma_page((disco_ma){BOARD_RAM}),
        .pages = mon.ram >> DISCO_PAGE_SHIFT,
        .nodes = 1,
        .user_chunks = (mon.ram >> DISCO_PAGE_SHIFT) / 16,
    };
    size_t size = disco_memmap_size(&c);
    void *at = storage(size);
    int err = at ? disco_memmap_init(&mon.mm, at, size, &c) : DISCO_ERR_NO_MEMORY;

    if (err)
        die("no room for the memory map: %s", disco_strerror(err));
}

/* Tables of every VM come from boot-time storage, so its end is known only when all are checked. */
static uint64_t tables_size(void)
{
    uint64_t size = 0;

    for (unsigned i = 0; i < mon.config.vms; i++) {
        struct disco_pmap_config c = {.pages = mon.config.vm[i].memory >> DISCO_PAGE_SHIFT,
                                      .sets = (mon.config.vm[i].memory >> DISCO_PAGE_SHIFT) / 8 + 16,
                                      .mm = mon.mm,
                                      .backend = &mon.machine.backend,
                                      .purge = disco_vm_purge};

        size += disco_pmap_size(&c) + disco_vcpu_size(&mon.machine.backend, L2TLB_SETS) + 128;
    }
    return size;
}

/* Give the rest of RAM to the memory map: what lies behind the tables, without the archive. */
static void share_out(uint64_t tables)
{
    uint64_t archive = (uint64_t)mon.archive.at - MIPS_XKPHYS;
    uint64_t free = mon.heap + tables + DISCO_PAGE_SIZE;

    if (free > archive)
        die("too little memory for the tables of the virtual machines");
    mon.heap_end = free;
    add_pages(free, archive & ~DISCO_PAGE_MASK);
    add_pages(archive + mon.archive.len, BOARD_RAM + mon.ram);
}

/* --- what the boot loader gave us --- */

/* How much of `text` is `key`, if it begins with it; SIZE_MAX if not. */
static size_t prefix(const char *text, const char *key)
{
    size_t n = 0;

    while (key[n] && text[n] == key[n])
        n++;
    return key[n] ? SIZE_MAX : n;
}

static bool take_number(const char *text, const char *key, uint64_t *value)
{
    size_t n = prefix(text, key);
    unsigned base = 10;

    if (n == SIZE_MAX)
        return false;
    if (text[n] == '0' && text[n + 1] == 'x')
        base = 16, n += 2;
    for (*value = 0;; n++) {
        unsigned c = (unsigned char)text[n], d = c >= 'a' ? c - 'a' + 10 : c - '0';

        if (c < '0' || d >= base)
            return true;
        *value = *value * base + d;
    }
}

static const char *string_at(uint64_t table, unsigned i)
{
    return (const char *)(uint64_t)(int64_t)((const int32_t *)table)[i];
}

/* Bytes of RAM: the environment, name and value in turn, knows more than 256 MiB of it. */
static uint64_t ram_size(uint64_t envp, uint64_t low)
{
    uint64_t size = low;

    for (unsigned i = 0; string_at(envp, i); i += 2) {
        const char *name = string_at(envp, i), *value = string_at(envp, i + 1);
        uint64_t ignored;

        if (take_number(name, "ememsize", &ignored) && value)
            (void)take_number(value, "", &size);
    }
    return size > BOARD_RAM_MAX ? BOARD_RAM_MAX : size;
}

/* The command line begins with "rd_start=0x... rd_size=...", a CKSEG0 address and a length. */
static void find_archive(int argc, uint64_t argv)
{
    uint64_t start = 0, size = 0;

    for (int i = 1; i < argc; i++) {
        const char *s = string_at(argv, (unsigned)i);

        for (; *s; s++) {
            (void)(take_number(s, "rd_start=", &start) || take_number(s, "rd_size=", &size));
        }
    }
    if (!start || !size)
        die("no boot archive: start the monitor with -initrd");
    mon.archive.at = (const uint8_t *)(MIPS_XKPHYS + BOARD_RAM + (start & 0x1fffffff));
    mon.archive.len = size;
}

/* Options of the monitor itself, on the same command line. */
static void read_options(int argc, uint64_t argv)
{
    for (int i = 1; i < argc; i++) {
        for (const char *s = string_at(argv, (unsigned)i); *s; s++) {
            if (prefix(s, "vectors=c") != SIZE_MAX)
                mon.machine.c_only = true;
        }
    }
}

static void read_config(void)
{
    struct bytes text;
    struct config_error e;

    if (!archive_find(mon.archive, "vms.conf", 8, &text))
        die("no vms.conf in the boot archive");
    e = config_parse(text, &mon.config);
    if (e.what)
        die("vms.conf:%u: %s", e.line, e.what);
    if (mon.config.vms > 1)
        die("more than one virtual machine is not supported yet");
}

/* --- running --- */

static void stat_to_log(void *ctx, const char *name, uint64_t value)
{
    say("stat %s.%s %lu", (const char *)ctx, name, value);
}

static void log_stats(struct vm *vm)
{
    struct disco_memmap_node_stats node;

    stats_walk(vm, stat_to_log, (void *)vm->config->name);
    if (!disco_memmap_node_stats(mon.mm, 0, &node))
        say("stat machine.pages_free %lu", node.free);
}

static void vm_ended(struct vm *vm)
{
    const char *cause = vm_cause_name(vm->vm.cause);

    log_stats(vm);
    if (vm->vm.cause == DISCO_CAUSE_FAULT)
        say_error("vm %s: %s at pc %lx", vm->config->name, vm->vm.why ? vm->vm.why : "fault",
                  mips_of(&vm->vcpu)->g.pc);
    say("vm %s ended: %s code %d", vm->config->name, cause, vm->vm.code);
    mon.alive--;
}

static void print(const char *text)
{
    size_t n = 0;

    while (text[n])
        n++;
    board_put(BOARD_CONSOLE, (const uint8_t *)text, n);
}

static void print_number(uint64_t value)
{
    char digits[21];
    unsigned n = sizeof digits - 1;

    digits[n] = 0;
    do {
        digits[--n] = (char)('0' + value % 10);
        value /= 10;
    } while (value);
    print(digits + n);
}

static void stat_to_console(void *ctx, const char *name, uint64_t value)
{
    (void)ctx;
    if (!value)
        return;
    print(name);
    print(" ");
    print_number(value);
    print("\r\n");
}

static void leave(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++)
        disco_vm_end(&mon.vm[i].vm, DISCO_CAUSE_KILLED, 0, "left by key");
}

static void key(uint8_t c)
{
    switch (escape_feed(&mon.escape, c)) {
    case ESCAPE_GUEST: disco_console_input(&mon.focus->console, &c, 1); break;
    case ESCAPE_LEAVE: leave(); break;
    case ESCAPE_STATS:
        print("\r\n");
        stats_walk(mon.focus, stat_to_console, NULL);
        break;
    case ESCAPE_HELP: print(escape_help); break;
    case ESCAPE_NONE: break;
    }
}

static void read_keyboard(void)
{
    int c;

    while ((c = board_get(BOARD_CONSOLE)) >= 0)
        key((uint8_t)c);
}

/*
 * Called after most exits: interval timers, which a monitor call may just have set, and now and then
 * the keyboard, for which the serial port has to be asked.
 */
static uint64_t poll(void *ctx)
{
    uint64_t now = mon.machine.backend.ops->now(&mon.machine.backend), next;

    (void)ctx;
    if (now >= mon.keyboard_at) {
        read_keyboard();
        mon.keyboard_at = now + POLL_NS;
    }
    next = mon.keyboard_at;
    for (unsigned i = 0; i < mon.config.vms; i++) {
        uint64_t at = disco_timer_poll(&mon.vm[i].timer);

        next = at < next ? at : next;
    }
    return next;
}

void mips64_monitor_fault(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t ra)
{
    die("the monitor took an exception: cause %lx epc %lx badvaddr %lx ra %lx", cause, epc,
        badvaddr, ra);
}

static void make_sched(void)
{
    struct disco_sched_config c = {.backend = &mon.machine.backend, .queue_len = 64};
    size_t size = disco_sched_size(&c);
    void *at = storage(size);
    int err = at ? disco_sched_init(&mon.sched, at, size, &c) : DISCO_ERR_NO_MEMORY;

    if (err)
        die("no scheduler: %s", disco_strerror(err));
}

static void make_vms(void)
{
    const struct host host = {&mon.machine.backend, mon.mm, mon.sched, storage, vm_ended};

    for (unsigned i = 0; i < mon.config.vms; i++) {
        struct vm *vm = &mon.vm[i];
        int err = vm_make(vm, i, &host);

        err = err ? err : vm_start(vm, mon.sched);
        if (err)
            die("vm %s cannot be made: %s", vm->config->name, disco_strerror(err));
        mon.alive++;
    }
    mon.focus = &mon.vm[0];
}

static void check_vms(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++) {
        const struct vm_config *c = &mon.config.vm[i];
        const char *wrong = vm_check(&mon.vm[i], c, mon.archive);

        if (wrong)
            die("vm %s: %s: %s", c->name, c->kernel, wrong);
        if (c->memory > mon.ram)
            die("vm %s: more memory than the machine has", c->name);
    }
}

void monitor_main(int argc, uint64_t argv, uint64_t envp, uint64_t ram)
{
    int err;

    board_init();
    mon.ram = ram_size(envp, ram);
    mon.heap = BOARD_RAM + ((uint64_t)__image_end - CKSEG0);
    mon.heap_end = BOARD_RAM + mon.ram;
    say("libdisco %d.%d.%d, %lu MiB of memory", DISCO_VERSION_MAJOR, DISCO_VERSION_MINOR,
        DISCO_VERSION_PATCH, mon.ram >> 20);
    find_archive(argc, argv);
    read_options(argc, argv);
    read_config();
    mon.machine.backend.cpus = mon.machine.backend.nodes = 1;
    err = mips64_init(&mon.machine, NULL);
    if (err)
        die("this processor will not do: %s", disco_strerror(err));
    make_memmap();
    mon.machine.mm = mon.mm;
    make_sched();
    check_vms();
    share_out(tables_size());
    make_vms();
    while (mon.alive)
        disco_sched_turn(mon.sched, poll, NULL);
    board_power_off();
}
