/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A hostile guest: a program made of arbitrary bytes runs in one VM, while pages of it are moved,
 * shared and dropped. Whatever it does, another VM's memory stays as it was, no processor's TLB
 * ever leads to a page that is not the guest's, the VM can be ended, and its memory comes back.
 */
#include "rig.h"

#include <disco/mmio.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define HOSTILE_PAGES 12
#define VICTIM_PAGES 10
#define SHARED 3         /* physical page of both that is one machine page, copy-on-write */
#define MACHINE_PAGES 24 /* a node: too few for everything the guest may ask for */
#define NODES 2
#define PROGRAM 64
#define PORT ((HOSTILE_PAGES + 1) * DISCO_PAGE_SIZE) /* physical: a serial port */
#define PORT_LEN 0x200
#define TURNS 40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

struct input {
    const uint8_t *data;
    size_t size;
};

static uint8_t next(struct input *in)
{
    if (!in->size)
        return 0;
    in->size--;
    return *in->data++;
}

/* Operands that lead somewhere: addresses, TLB halves, call numbers, and plain noise. */
static int64_t operand(struct input *in)
{
    uint64_t n = next(in), m = next(in);

    switch (n % 10) {
    case 0: return (int64_t)(SIM_UNMAPPED + m * 0x100);
    case 1: return (int64_t)(SIM_WINDOW + m * 0x100);
    case 2:
        return (int64_t)(m % 8 * 0x1000 + (m >> 5) * 8); /* its own mapped addresses, or an ASID */
    case 3: return sim_lo(m % 16, n / 10 % 8 | (m >> 6), m >> 7);
    case 4: return (int64_t)((UINT64_MAX >> (m % 64)) - n);
    case 5: return (int64_t)(m % PROGRAM);
    case 6: return (int64_t)(m % 16 * DISCO_PAGE_SIZE - n); /* physical */
    case 7: return (int64_t)(m << (n / 10 * 2));
    default: return (int64_t)(m % 24) - 4; /* among them the numbers of calls */
    }
}

/* Registers set, translations entered and memory reached: without these nothing happens. */
static const uint8_t favourites[] = {SIM_SET, SIM_SET, SIM_TLB_RANDOM, SIM_LOAD, SIM_STORE};

static bool jumps(uint8_t op) { return op == SIM_BEQ || op == SIM_BNE || op == SIM_VECTOR; }

static struct sim_insn instruction(struct input *in)
{
    uint8_t op = next(in), regs = next(in);
    struct sim_insn i = {.a = regs % 8, .b = regs / 16 % 8, .c = operand(in)};

    i.op = op % 8 < sizeof favourites ? favourites[op % 8] : op / 8 % SIM_OPS;
    if (i.op == SIM_HALT && regs % 8)
        i.op = SIM_CALL;
    if (i.op >= SIM_LOAD && i.op <= SIM_FETCH && next(in) % 8)
        i.c &= 0xff8; /* the register holds the address */
    if (jumps(i.op) && next(in) % 8)
        i.c = (int64_t)((uint64_t)i.c % PROGRAM);
    if (i.op == SIM_VECTOR)
        i.a %= SIM_VECTORS + 1;
    return i;
}

static void make_program(struct input *in, struct sim_insn program[PROGRAM])
{
    for (unsigned i = 0; i < PROGRAM; i++)
        program[i] = instruction(in);
}

/* Exceptions lead all over the program, or it would never get beyond its first fault. */
static void scatter(struct input *in, struct sim_guest *g)
{
    g->pc = next(in) % PROGRAM;
    for (unsigned i = 0; i < SIM_VECTORS; i++)
        g->vector[i] = next(in) % PROGRAM;
    for (unsigned i = 0; i < SIM_REGS; i++)
        g->r[i] = (uint64_t)operand(in);
}

static uint64_t pattern(uint64_t pa) { return (pa + 1) * UINT64_C(0x9e3779b97f4a7c15); }

static uint64_t *word(struct rig *r, struct rig_vm *vm, uint64_t pa)
{
    disco_mpn mpn;

    RIG_CHECK(!disco_pmap_translate(&vm->pmap, disco_pa_page((disco_pa){pa}), 0, &mpn));
    return (uint64_t *)(void *)((uint8_t *)r->b->ops->page(r->b, mpn) + (pa & DISCO_PAGE_MASK));
}

static void fill_victim(struct rig *r, struct rig_vm *vm, struct rig_vm *hostile)
{
    disco_mpn mpn;

    for (uint64_t pa = 0; pa < VICTIM_PAGES * DISCO_PAGE_SIZE; pa += 64)
        rig_poke(vm, pa, pattern(pa));
    RIG_CHECK(!disco_pmap_lend(&vm->pmap, (disco_ppn){SHARED}, 0, DISCO_PMAP_COW, &mpn));
    RIG_CHECK(!disco_pmap_share(&hostile->pmap, (disco_ppn){SHARED}, mpn, DISCO_PMAP_COW));
    RIG_CHECK(!disco_memmap_put(r->mm, mpn));
}

static void victim_is_whole(struct rig *r, struct rig_vm *vm)
{
    for (uint64_t pa = 0; pa < VICTIM_PAGES * DISCO_PAGE_SIZE; pa += 64)
        RIG_CHECK(*word(r, vm, pa) == pattern(pa));
}

/* Is @p mpn one of the guest's pages? */
static bool is_of(struct rig *r, disco_mpn mpn, uint32_t pmap)
{
    struct disco_page_user u[4];
    size_t n = 0;

    if (disco_memmap_users(r->mm, disco_memmap_master(r->mm, mpn), u, 4, &n))
        return false;
    for (size_t i = 0; i < n && i < 4; i++) {
        if (u[i].pmap == pmap)
            return true;
    }
    return n > 4;
}

/*
 * Entries that a virtual CPU left on a processor it has moved away from do not count: nobody can
 * use them, for switch_in takes them away before it may come back.
 */
static bool usable(const struct rig *r, const struct disco_vcpu *v, unsigned cpu, disco_mpn mpn)
{
    return v->seen >> cpu & 1 && sim_reaches(r->m, cpu, v, mpn);
}

static void tlbs_are_clean(struct rig *r, const struct rig_vm *hostile)
{
    uint64_t first = sim_node_first(r->m, 0).v;

    for (unsigned cpu = 0; cpu < r->b->cpus; cpu++) {
        for (uint64_t i = 0; i < NODES * MACHINE_PAGES; i++) {
            disco_mpn mpn = {first + i};

            if (usable(r, &hostile->vcpu[0], cpu, mpn) || usable(r, &hostile->vcpu[1], cpu, mpn))
                RIG_CHECK(is_of(r, mpn, hostile->pmap.id));
        }
    }
}

/* --- the guest's serial port --- */

static struct disco_mmio devices;
static struct disco_uart16550 uart;
static uint64_t printed;

static void on_put(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx, (void)bytes;
    printed += n;
}

static void on_line(void *ctx, bool up) { disco_vcpu_line(ctx, 1, up); }

static int to_devices(struct disco_vcpu *v, disco_pa pa, unsigned size, bool write, uint64_t *value)
{
    int err = disco_mmio_access(&devices, pa, size, write, value);

    RIG_CHECK(pa.v >= HOSTILE_PAGES * DISCO_PAGE_SIZE && !(pa.v % size));
    RIG_CHECK(!err == (pa.v >= PORT && pa.v < PORT + PORT_LEN));
    RIG_CHECK(v->vm->owner);
    return err;
}

static void add_port(struct rig *r, struct rig_vm *vm)
{
    struct disco_mmio_window w = {{PORT}, PORT_LEN, &disco_uart16550_ops, &uart};
    struct disco_line line = {on_line, &vm->vcpu[0]};

    memset(&devices, 0, sizeof devices);
    printed = 0;
    RIG_CHECK(!disco_uart16550_init(&uart, r->b, 3, on_put, NULL, line));
    RIG_CHECK(!disco_mmio_add(&devices, &w));
    vm->vm.hooks.mapped = to_devices;
}

static void port_is_whole(const struct rig_vm *vm)
{
    uint64_t served = vm->vcpu[0].stats.device_accesses + vm->vcpu[1].stats.device_accesses;

    RIG_CHECK(uart.tail - uart.head <= DISCO_CONSOLE_INPUT);
    RIG_CHECK(uart.out == printed && uart.accesses == served);
    RIG_CHECK(devices.reads + devices.writes == served);
}

/* What a monitor may do to a running VM at any time. */
static void disturb(struct input *in, struct rig_vm *vm)
{
    uint8_t what = next(in);
    disco_ppn ppn = {what / 8 % (HOSTILE_PAGES + 1)};
    struct disco_vcpu *v = &vm->vcpu[what >> 7];

    switch (what % 8) {
    case 0: (void)disco_pmap_migrate(&vm->pmap, ppn, what >> 7); break;
    case 1: (void)disco_pmap_drop(&vm->pmap, ppn); break;
    case 2: disco_vcpu_pause(v, DISCO_PAUSE_PERSON); break;
    case 3: disco_vcpu_resume(v, DISCO_PAUSE_PERSON); break;
    case 4: disco_vcpu_line(v, what / 8 % 8, true); break;
    case 5: disco_vcpu_line(v, what / 8 % 8, false); break;
    case 6:
        disco_console_input(&vm->console, &what, 1);
        disco_uart16550_input(&uart, &what, 1);
        break;
    default: break;
    }
}

static uint64_t free_pages(struct rig *r)
{
    struct disco_memmap_node_stats s;
    uint64_t n = 0;

    for (unsigned node = 0; node < NODES; node++) {
        RIG_CHECK(!disco_memmap_node_stats(r->mm, node, &s));
        n += s.free;
    }
    return n;
}

static void run(struct rig *r, struct input *in, struct rig_vm *hostile)
{
    for (unsigned i = 0; i < TURNS && !rig_ended(hostile); i++) {
        disturb(in, hostile);
        rig_turn(r, i % 2);
        tlbs_are_clean(r, hostile);
    }
    disco_vm_end(&hostile->vm, DISCO_CAUSE_KILLED, 0, "time is over");
    RIG_CHECK(hostile->ended == 1 && hostile->vm.alive == 0);
    for (unsigned i = 0; i < 2; i++)
        RIG_CHECK(rig_state(&hostile->vcpu[i]) == DISCO_VCPU_STOPPED);
    RIG_CHECK(disco_sched_load(r->s, 0) + disco_sched_load(r->s, 1) == 0);
}

/* What the guests came to: if all ended alike, the inputs would be too dull. */
static uint64_t causes[DISCO_CAUSE_KILLED + 1], operations, no_memory, touched, copied, served;

static void report(void)
{
    static const char *const name[] = {"-", "poweroff", "reset", "panic", "fault", "us"};

    printf("%llu operations, %llu at the port, %llu pages touched, %llu copied, "
           "%llu out of memory; ended by",
           (unsigned long long)operations, (unsigned long long)served, (unsigned long long)touched,
           (unsigned long long)copied, (unsigned long long)no_memory);
    for (unsigned i = 1; i <= DISCO_CAUSE_KILLED; i++)
        printf(" %s: %llu", name[i], (unsigned long long)causes[i]);
    printf("\n");
}

static void count(const struct rig_vm *vm)
{
    if (!operations)
        atexit(report);
    causes[vm->vm.cause]++;
    no_memory += vm->vm.why && !strcmp(vm->vm.why, "out of machine memory");
    touched += rig_stats(vm).first_touch;
    copied += rig_stats(vm).cow_copies;
    served += uart.accesses;
    operations += 1 + sim_guest(&vm->vcpu[0])->ops + sim_guest(&vm->vcpu[1])->ops;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct rig_config c = {
        .cpus = 2, .nodes = NODES, .pages = MACHINE_PAGES, .tlb_pairs = 4, .hidden = 4};
    struct input in = {data, size};
    struct sim_insn program[PROGRAM];
    struct rig_vm *victim, *hostile;
    struct rig r;
    uint64_t before;
    uint8_t how;

    how = next(&in);
    c.pages = how % 2 ? MACHINE_PAGES : 6; /* the victim has ten: two are left */
    c.tagged = how / 2 % 2;
    make_program(&in, program);
    rig_init(&r, &c);
    before = free_pages(&r);
    victim = rig_add(&r, VICTIM_PAGES, 0, program, 0);
    hostile = rig_add(&r, HOSTILE_PAGES, 2, program, PROGRAM);
    fill_victim(&r, victim, hostile);
    add_port(&r, hostile);
    for (unsigned i = 0; i < 2; i++) {
        scatter(&in, sim_guest(&hostile->vcpu[i]));
        RIG_CHECK(!disco_vcpu_start(&hostile->vcpu[i], r.s));
    }
    run(&r, &in, hostile);
    victim_is_whole(&r, victim);
    port_is_whole(hostile);
    count(hostile);
    disco_pmap_fini(&hostile->pmap);
    victim_is_whole(&r, victim);
    disco_pmap_fini(&victim->pmap);
    RIG_CHECK(free_pages(&r) == before);
    memset(&hostile->pmap, 0, sizeof hostile->pmap); /* rig_fini() does it again */
    memset(&victim->pmap, 0, sizeof victim->pmap);
    rig_fini(&r);
    return 0;
}
