/* SPDX-License-Identifier: BSD-2-Clause */
/* Loads and stores at devices: what the dispatch asks the monitor, and what the guest gets. */
#include <disco/mmio.h>

#include "dispatch.h"

#define DEVICE (100 * DISCO_PAGE_SIZE) /* far behind the VM's memory; an even page */
#define DIRECT (SIM_UNMAPPED + DEVICE)

static struct asked {
    unsigned times, size;
    bool write;
    uint64_t pa, value;
} asked;
static int answer;

static int mapped(struct disco_vcpu *who, disco_pa pa, unsigned size, bool write, uint64_t *value)
{
    ck_assert_ptr_eq(who, v);
    asked = (struct asked){asked.times + 1, size, write, pa.v, *value};
    if (!answer && !write)
        *value = 0x1234;
    return answer;
}

static void setup_hook(void)
{
    setup();
    asked = (struct asked){0};
    answer = 0;
    vm->vm.hooks.mapped = mapped;
}

/* The guest stands at `op` r2, c(r3), with r3 = 0. */
static struct sim_insn program[2];

static void at(uint8_t op, uint64_t va)
{
    program[0] = (struct sim_insn){op, 2, 3, (int64_t)va};
    sim_load(v, program, 2);
    g->r[2] = 42;
    g->r[3] = 0;
}

static void load(uint64_t va)
{
    at(SIM_LOAD, va);
    ck_assert_int_eq(miss(va, DISCO_ACCESS_LOAD), DISCO_NEXT_RESUME);
}

static void store(uint64_t va)
{
    at(SIM_STORE, va);
    ck_assert_int_eq(miss(va, DISCO_ACCESS_STORE), DISCO_NEXT_RESUME);
}

static void expect_done(bool write, uint64_t pa)
{
    ck_assert(!g->exception);
    ck_assert_uint_eq(g->pc, 1);
    ck_assert_uint_eq(g->r[2], write ? 42 : 0x1234);
    ck_assert(asked.write == write && asked.size == 8 && asked.pa == pa);
    if (write)
        ck_assert_uint_eq(asked.value, 42);
}

/* No translation may be left behind: not in the L2TLB, not in the hardware's TLB. */
static uint64_t loads(void)
{
    struct sim_cpu_stats s;

    sim_cpu_stats(r.m, 0, &s);
    return s.loads;
}

START_TEST(direct_map)
{
    uint64_t before = loads();

    load(DIRECT + 16);
    expect_done(false, DEVICE + 16);
    store(DIRECT + DISCO_PAGE_SIZE - 8);
    expect_done(true, DEVICE + DISCO_PAGE_SIZE - 8);
    ck_assert_uint_eq(asked.times, 2);
    ck_assert_uint_eq(v->stats.device_accesses, 2);
    ck_assert_uint_eq(v->stats.bus_errors, 0);
    ck_assert_uint_eq(loads(), before);
}
END_TEST

/* Behind an entry of the guest's own: each access asks again, the page beside it is plain memory. */
START_TEST(mapped_by_the_guest)
{
    uint64_t device = DEVICE >> DISCO_PAGE_SHIFT;

    guest_has(0, VA, sim_lo(2, DISCO_RWX, false), sim_lo(device, DISCO_RWX, false));
    for (unsigned i = 1; i <= 3; i++) {
        load(VA + DISCO_PAGE_SIZE + 8);
        expect_done(false, DEVICE + 8);
        store(VA + DISCO_PAGE_SIZE);
        expect_done(true, DEVICE);
        ck_assert_uint_eq(asked.times, 2 * i);
        miss(VA, DISCO_ACCESS_STORE);
        ck_assert(in_tlb(2));
    }
}
END_TEST

/* The guest's own rights come first, and its own lack of an entry. */
START_TEST(rights_the_guest_withholds)
{
    uint64_t device = DEVICE >> DISCO_PAGE_SHIFT;

    guest_has(0, VA, sim_lo(device, DISCO_READ, false), sim_lo(device + 1, DISCO_WRITE, false));
    store(VA);
    expect(DISCO_INJECT_WRITE, VA);
    load(VA + DISCO_PAGE_SIZE);
    expect(DISCO_INJECT_FORBIDDEN, VA + DISCO_PAGE_SIZE);
    load(VA + 2 * DISCO_PAGE_SIZE);
    expect(DISCO_INJECT_MISS, VA + 2 * DISCO_PAGE_SIZE);
    ck_assert_uint_eq(asked.times, 0);
    load(VA);
    expect_done(false, DEVICE);
}
END_TEST

static void expect_bus_error(uint64_t va)
{
    expect(DISCO_INJECT_BUS_ERROR, va);
    ck_assert_uint_eq(g->r[2], 42);
}

START_TEST(what_is_a_bus_error)
{
    load(DIRECT + 4); /* not aligned: the monitor is not even asked */
    expect_bus_error(DIRECT + 4);
    at(SIM_LOAD,
       DIRECT); /* what BadInstr and its like hold is not the instruction that is fetched */
    miss(DIRECT, DISCO_ACCESS_FETCH);
    expect_bus_error(DIRECT);
    at(SIM_STORE, DIRECT); /* an instruction that is not what the exit says */
    miss(DIRECT, DISCO_ACCESS_LOAD);
    expect_bus_error(DIRECT);
    at(SIM_NOP, DIRECT);
    miss(DIRECT, DISCO_ACCESS_STORE);
    expect_bus_error(DIRECT);
    ck_assert_uint_eq(asked.times, 0);
    answer = DISCO_ERR_NOT_FOUND;
    load(DIRECT);
    expect_bus_error(DIRECT);
    store(DIRECT);
    expect_bus_error(DIRECT);
    ck_assert_uint_eq(asked.times, 2);
    vm->vm.hooks.mapped = NULL;
    load(DIRECT);
    expect_bus_error(DIRECT);
    ck_assert_uint_eq(v->stats.bus_errors, 7);
    ck_assert_uint_eq(v->stats.device_accesses, 0);
}
END_TEST

/* Memory is memory: its last word is no device's, and the hook does not see it. */
START_TEST(memory_comes_first)
{
    load(SIM_UNMAPPED + PAGES * DISCO_PAGE_SIZE - 8);
    ck_assert_uint_eq(g->pc, 0);
    ck_assert(in_tlb(PAGES - 1));
    ck_assert_uint_eq(asked.times, 0);
    load(SIM_UNMAPPED + PAGES * DISCO_PAGE_SIZE);
    expect_done(false, PAGES * DISCO_PAGE_SIZE);
}
END_TEST

/* A hook may end its own VM. */
static int ending(struct disco_vcpu *who, disco_pa pa, unsigned size, bool write, uint64_t *value)
{
    (void)pa, (void)size, (void)write, (void)value;
    disco_vm_end(who->vm, DISCO_CAUSE_POWEROFF, 7, "a device did it");
    return 0;
}

START_TEST(a_device_ends_the_vm)
{
    static const struct sim_insn off[] = {{SIM_STORE, 0, 0, (int64_t)DIRECT}, {SIM_BEQ, 0, 0, 1}};
    struct rig_vm *other = RIG_ADD(&r, 4, 1, off);

    other->vm.hooks.mapped = ending;
    ck_assert_int_eq(disco_vcpu_start(&other->vcpu[0], r.s), 0);
    rig_settle(&r, &other->vcpu[0], 20);
    ck_assert(rig_ended(other));
    ck_assert_int_eq(other->vm.code, 7);
}
END_TEST

/*
 * A device of one's own (docs/manual.md shows it): a counter that each load of its register moves on,
 * and a store sets.
 */
static uint64_t counter_read(void *dev, uint64_t offset, unsigned size)
{
    (void)offset, (void)size;
    return __atomic_fetch_add((uint64_t *)dev, 1, __ATOMIC_RELAXED);
}

static void counter_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    (void)offset, (void)size;
    __atomic_store_n((uint64_t *)dev, value, __ATOMIC_RELAXED);
}

static const struct disco_mmio_ops counter_ops = {counter_read, counter_write};
static struct disco_mmio devices;

static int to_devices(struct disco_vcpu *who, disco_pa pa, unsigned size, bool write,
                      uint64_t *value)
{
    (void)who;
    return disco_mmio_access(&devices, pa, size, write, value);
}

START_TEST(a_device_of_ones_own)
{
    static const struct sim_insn count[] = {
        {SIM_SET, 1, 0, 5},
        {SIM_STORE, 1, 0, (int64_t)DIRECT},
        {SIM_LOAD, 2, 0, (int64_t)DIRECT},
        {SIM_LOAD, 3, 0, (int64_t)DIRECT},
        {SIM_WAIT, 0, 0, 0},
        {SIM_LOAD, 4, 0, (int64_t)DIRECT + 8}, /* behind its end: vector 0, which is pc 0 */
    };
    struct rig_vm *other = RIG_ADD(&r, 4, 1, count);
    struct sim_guest *og = sim_guest(&other->vcpu[0]);
    uint64_t counter = 0;

    devices = (struct disco_mmio){0};
    ck_assert_int_eq(
        disco_mmio_add(&devices, &(struct disco_mmio_window){{DEVICE}, 8, &counter_ops, &counter}),
        0);
    other->vm.hooks.mapped = to_devices;
    ck_assert_int_eq(disco_vcpu_start(&other->vcpu[0], r.s), 0);
    rig_settle(&r, &other->vcpu[0], 20);
    ck_assert_uint_eq(og->r[2], 5);
    ck_assert_uint_eq(og->r[3], 6);
    ck_assert_uint_eq(counter, 7);
    ck_assert_uint_eq(other->vcpu[0].stats.device_accesses, 3);
    ck_assert(devices.reads == 2 && devices.writes == 1 && devices.wild == 0);
    disco_vcpu_line(&other->vcpu[0], 0, true);
    rig_settle(&r, &other->vcpu[0], 1);
    ck_assert_uint_ge(og->taken[DISCO_INJECT_BUS_ERROR], 1);
    ck_assert_uint_ge(devices.wild, 1);
}
END_TEST

/* --- several virtual CPUs at one device --- */

#define MANY 4
#define EACH 200
#define DONE (DEVICE + DISCO_PAGE_SIZE)

static struct rig many_rig;
static struct disco_uart16550 uart;
static unsigned done;
static size_t printed;

static void on_put(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx, (void)bytes;
    printed += n; /* under the device's lock */
}

static void on_line(void *ctx, bool up) { disco_vcpu_line(ctx, 0, up); }

static int print_or_end(struct disco_vcpu *who, disco_pa pa, unsigned size, bool write,
                        uint64_t *value)
{
    if (pa.v != DONE)
        return disco_mmio_access(&devices, pa, size, write, value);
    if (__atomic_add_fetch(&done, 1, __ATOMIC_SEQ_CST) == MANY)
        disco_vm_end(who->vm, DISCO_CAUSE_POWEROFF, 0, NULL);
    return 0;
}

START_TEST(several_virtual_cpus)
{
    static const struct rig_config c = {.cpus = MANY, .nodes = 1, .pages = 48};
    static const struct sim_insn print[] = {
        {SIM_SET, 1, 0, EACH},
        {SIM_STORE, 1, 15, (int64_t)DIRECT + 8}, /* IER: interrupts that nobody takes come and go */
        {SIM_STORE, 1, 15, (int64_t)DIRECT},
        {SIM_LOAD, 2, 15, (int64_t)DIRECT + 16},
        {SIM_ADD, 1, 1, -1},
        {SIM_BNE, 1, 15, 1},
        {SIM_STORE, 1, 15, (int64_t)(SIM_UNMAPPED + DONE)},
        {SIM_WAIT, 0, 0, 0},
        {SIM_BEQ, 0, 0, 7},
    };
    struct rig_vm *many;

    rig_init(&many_rig, &c);
    many = RIG_ADD(&many_rig, 4, MANY, print);
    many->vm.hooks.mapped = print_or_end;
    devices = (struct disco_mmio){0};
    ck_assert_int_eq(disco_uart16550_init(&uart, many_rig.b, 3, on_put, NULL,
                                          (struct disco_line){on_line, &many->vcpu[0]}),
                     0);
    ck_assert_int_eq(
        disco_mmio_add(&devices,
                       &(struct disco_mmio_window){{DEVICE}, 64, &disco_uart16550_ops, &uart}),
        0);
    done = 0;
    printed = 0;
    for (unsigned i = 0; i < MANY; i++)
        ck_assert_int_eq(disco_vcpu_start(&many->vcpu[i], many_rig.s), 0);
    rig_run_threads(&many_rig);
    ck_assert_uint_eq(printed, MANY * EACH);
    ck_assert(uart.out == printed && uart.accesses == 3 * printed);
    ck_assert_uint_eq(devices.writes, 2 * printed);
    rig_fini(&many_rig);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        direct_map,         mapped_by_the_guest,  rights_the_guest_withholds, what_is_a_bus_error,
        memory_comes_first, a_device_ends_the_vm, a_device_of_ones_own,       several_virtual_cpus,
    };

    return SUITE_RUN("mapped", tests, setup_hook, teardown);
}
