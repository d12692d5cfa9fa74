/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm.h"

#include <string.h>

#include "board.h"
#include "fdt.h"
#include "log.h"
#include "mips64.h"

#define COUNT_HZ 166666667u /* 6 ns a tick */
#define FDT_MAX 8192
#define KSEG0 UINT64_C(0xffffffffc0000000)
#define KSEG0_SIZE UINT64_C(0x10000000)
#define UHI_DTB UINT64_C(0xfffffffffffffffe) /* a0 = -2: a1 is a device tree */

static struct vm *vm_of(struct disco_vm *vm) { return (struct vm *)vm; }

/* --- checking --- */

static size_t length(const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return n;
}

static bool find(struct bytes archive, const char *name, struct bytes *file)
{
    return archive_find(archive, name, length(name), file);
}

/* The device tree goes behind the kernel, the RAM disk to the end of memory. */
static uint64_t fdt_pa(const struct vm *vm)
{
    return (vm->image.end + DISCO_PAGE_MASK) & ~DISCO_PAGE_MASK;
}

static const char *check_room(struct vm *vm)
{
    uint64_t need = vm->initrd.len + DISCO_PAGE_SIZE, memory = vm->config->memory;

    if (fdt_pa(vm) + FDT_MAX > KSEG0_SIZE || fdt_pa(vm) + FDT_MAX > memory ||
        need > memory - fdt_pa(vm) - FDT_MAX)
        return "too little memory for kernel, device tree and initrd";
    vm->initrd_pa = (memory - vm->initrd.len) & ~DISCO_PAGE_MASK;
    return NULL;
}

const char *vm_check(struct vm *vm, const struct vm_config *config, struct bytes archive)
{
    const char *wrong;

    vm->config = config;
    if (config->cpus != 1)
        return "more than one virtual CPU is not supported yet";
    if (!find(archive, config->kernel, &vm->kernel))
        return "kernel not found in the boot archive";
    if (config->initrd[0] && !find(archive, config->initrd, &vm->initrd))
        return "initrd not found in the boot archive";
    wrong = elf_check(vm->kernel, config->memory, &vm->image);
    return wrong ? wrong : check_room(vm);
}

/* --- what the guest asks for --- */

/* A hostile guest must not be able to fill the log. */
#define REPORTS_MAX 16

static void report(struct disco_vcpu *v, const char *what, uint64_t where)
{
    struct vm *vm = vm_of(v->vm);

    if (vm->reports++ < REPORTS_MAX)
        say("vm %s cpu %u: %s: %lx (pc %lx)", vm->config->name, v->id, what, where,
            mips_of(v)->g.pc);
    if (vm->reports == REPORTS_MAX)
        say("vm %s: nothing more of that kind is logged", vm->config->name);
}

/* What is wrong with a call that no working guest makes; NULL for any other result. */
static const char *refusal(int64_t result)
{
    switch (result) {
    case DISCO_ERR_BAD_CALL: return "monitor call that does not exist";
    case DISCO_ERR_BAD_ARG: return "monitor call with an argument out of range";
    case DISCO_ERR_BAD_ADDRESS: return "monitor call with an address outside its memory";
    case DISCO_ERR_OVERFLOW: return "monitor call with a length that wraps around";
    default: return NULL;
    }
}

static enum disco_next call(struct disco_vcpu *v, const struct disco_exit *x, int64_t *result)
{
    struct vm *vm = vm_of(v->vm);

    if (x->call == DISCO_CALL_YIELD) {
        *result = DISCO_OK;
        return DISCO_NEXT_YIELD;
    }
    *result = disco_calls_run(&vm->calls, x->call, x->arg, &vm->pmap, v->node, v);
    if (refusal(*result))
        report(v, refusal(*result), x->call);
    return __atomic_load_n(&vm->vm.ending, __ATOMIC_RELAXED) ? DISCO_NEXT_STOP : DISCO_NEXT_RESUME;
}

static void poweroff(void *ctx, void *caller, int code)
{
    (void)caller;
    disco_vm_end(&((struct vm *)ctx)->vm, DISCO_CAUSE_POWEROFF, code, "power off");
}

static void reset(void *ctx, void *caller)
{
    (void)caller;
    disco_vm_end(&((struct vm *)ctx)->vm, DISCO_CAUSE_RESET, 0, "reset");
}

static void panic(void *ctx, void *caller, const char *text)
{
    struct vm *vm = ctx;

    (void)caller;
    say_error("vm %s panicked: %s", vm->config->name, text);
    disco_vm_end(&vm->vm, DISCO_CAUSE_PANIC, 1, "panic");
}

static int64_t unsupported(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev, (void)caller, (void)a;
    return DISCO_ERR_UNSUPPORTED;
}

static void console_put(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    board_put(BOARD_CONSOLE, bytes, n);
}

/* Console and interval timer share one line of the virtual CPU: up while any of them has it up. */
enum { DEVICE_CONSOLE = 1, DEVICE_TIMER = 2 };

static void device_line(struct vm *vm, uint32_t device, bool up)
{
    uint32_t now = up ? __atomic_or_fetch(&vm->devices_up, device, __ATOMIC_SEQ_CST)
                      : __atomic_and_fetch(&vm->devices_up, ~device, __ATOMIC_SEQ_CST);

    disco_vcpu_line(&vm->vcpu, DISCO_LINE_DEVICE, now != 0);
}

static void console_line(void *ctx, bool up) { device_line(ctx, DEVICE_CONSOLE, up); }

static void timer_line(void *ctx, bool up) { device_line(ctx, DEVICE_TIMER, up); }

static int make_devices(struct vm *vm, struct disco_backend *b)
{
    static const uint32_t later[] = {DISCO_CALL_VCPU_START, DISCO_CALL_IPI, DISCO_CALL_IPI_ACK};
    int err = disco_console_init(&vm->console, b, console_put, vm,
                                 (struct disco_line){console_line, vm});

    vm->power = (struct disco_power){poweroff, reset, panic, vm};
    err = err ? err : disco_timer_init(&vm->timer, b, (struct disco_line){timer_line, vm});
    err = err ? err : disco_console_calls(&vm->console, &vm->calls);
    err = err ? err : disco_timer_calls(&vm->timer, &vm->calls);
    err = err ? err : disco_power_calls(&vm->power, &vm->calls);
    for (unsigned i = 0; i < sizeof later / sizeof later[0] && !err; i++) {
        struct disco_call c = {.number = later[i], .name = "smp", .fn = unsupported};

        err = disco_calls_add(&vm->calls, &c);
    }
    return err;
}

/* --- making --- */

static int make_pmap(struct vm *vm, unsigned id, const struct host *h)
{
    struct disco_pmap_config c = {
        .id = id,
        .pages = vm->config->memory >> DISCO_PAGE_SHIFT,
        .sets = (vm->config->memory >> DISCO_PAGE_SHIFT) / 8 + 16,
        .mm = h->mm,
        .backend = h->backend,
        .purge = disco_vm_purge,
        .purge_ctx = &vm->vm,
    };
    size_t size = disco_pmap_size(&c);
    void *storage = h->storage(size);

    return storage ? disco_pmap_init(&vm->pmap, storage, size, &c) : DISCO_ERR_NO_MEMORY;
}

static int make_vcpu(struct vm *vm, const struct host *h)
{
    size_t size = disco_vcpu_size(h->backend, L2TLB_SETS);
    void *storage = h->storage(size);

    return storage ? disco_vcpu_init(&vm->vcpu, storage, size, &vm->vm, L2TLB_SETS)
                   : DISCO_ERR_NO_MEMORY;
}

static void ended(struct disco_vm *vm)
{
    void (*tell)(struct vm *) = (void (*)(struct vm *))vm->owner;

    tell(vm_of(vm));
}

static int load_segments(struct vm *vm)
{
    int err = DISCO_OK;

    for (unsigned i = 0; i < vm->image.segments && !err; i++) {
        const struct elf_segment *s = &vm->image.segment[i];

        err = disco_pmap_write(&vm->pmap, (disco_pa){s->pa}, s->contents.at, s->contents.len, 0);
    }
    return err;
}

static void describe_memory(struct fdt *f, const struct vm *vm)
{
    fdt_begin(f, "memory@0");
    fdt_string(f, "device_type", "memory");
    fdt_reg(f, 0, vm->config->memory);
    fdt_end(f);
}

static void describe_cpus(struct fdt *f)
{
    fdt_begin(f, "cpus");
    fdt_u32(f, "#address-cells", 1);
    fdt_u32(f, "#size-cells", 0);
    fdt_u32(f, "clock-frequency", COUNT_HZ);
    fdt_begin(f, "cpu@0");
    fdt_string(f, "device_type", "cpu");
    fdt_string(f, "compatible", "mips,mips64r6");
    fdt_u32(f, "clock-frequency", COUNT_HZ);
    fdt_u32(f, "reg", 0);
    fdt_end(f);
    fdt_end(f);
}

static void describe_chosen(struct fdt *f, const struct vm *vm)
{
    fdt_begin(f, "chosen");
    fdt_string(f, "bootargs", vm->config->append);
    if (vm->initrd.len) {
        fdt_u64(f, "linux,initrd-start", vm->initrd_pa);
        fdt_u64(f, "linux,initrd-end", vm->initrd_pa + vm->initrd.len);
    }
    fdt_end(f);
}

static void describe_devices(struct fdt *f)
{
    fdt_begin(f, "disco");
    fdt_string(f, "compatible", "disco,vm");
    fdt_u32(f, "version", 1);
    fdt_begin(f, "console");
    fdt_string(f, "compatible", "disco,console");
    fdt_u32(f, "interrupts", DISCO_LINE_DEVICE);
    fdt_end(f);
    fdt_end(f);
}

static size_t describe(const struct vm *vm, void *at, size_t size)
{
    static struct fdt f;

    fdt_start(&f, at, size);
    fdt_begin(&f, "");
    fdt_u32(&f, "#address-cells", 2);
    fdt_u32(&f, "#size-cells", 2);
    fdt_string(&f, "compatible", "disco,vm");
    fdt_string(&f, "model", "Disco virtual machine");
    describe_memory(&f, vm);
    describe_cpus(&f);
    describe_chosen(&f, vm);
    describe_devices(&f);
    fdt_end(&f);
    return fdt_finish(&f);
}

static int load(struct vm *vm)
{
    static uint8_t tree[FDT_MAX];
    size_t size = describe(vm, tree, sizeof tree);
    int err = size ? load_segments(vm) : DISCO_ERR_NO_SPACE;

    err = err ? err : disco_pmap_write(&vm->pmap, (disco_pa){vm->initrd_pa}, vm->initrd.at,
                                       vm->initrd.len, 0);
    return err ? err : disco_pmap_write(&vm->pmap, (disco_pa){fdt_pa(vm)}, tree, size, 0);
}

int vm_make(struct vm *vm, unsigned id, const struct host *h)
{
    int err;

    vm->vm = (struct disco_vm){
        .name = vm->config->name,
        .backend = h->backend,
        .pmap = &vm->pmap,
        .hooks = {.call = call, .ended = ended, .report = report},
        .owner = (void *)h->ended,
    };
    err = make_pmap(vm, id, h);
    err = err ? err : disco_vm_init(&vm->vm);
    err = err ? err : make_vcpu(vm, h);
    err = err ? err : make_devices(vm, h->backend);
    return err ? err : load(vm);
}

int vm_start(struct vm *vm, struct disco_sched *sched)
{
    const uint64_t args[4] = {UHI_DTB, KSEG0 + fdt_pa(vm), 0, 0};

    mips64_vcpu_boot(&vm->vcpu, vm->image.entry, 0, 0, args);
    return disco_vcpu_start(&vm->vcpu, sched);
}

const char *vm_cause_name(enum disco_cause cause)
{
    static const char *const names[] = {"none", "poweroff", "reset", "panic", "fault", "killed"};

    return names[cause];
}
