/* SPDX-License-Identifier: BSD-2-Clause */
/* What a guest finds when it starts: kernel, RAM disk and device tree in memory. */
#include "fdt.h"
#include "images.h"
#include "mips64.h"
#include "monitor.h"
#include "network.h"
#include "uart.h"
#include "vm.h"

#define COUNT_HZ 166666667u /* 6 ns a tick */
#define FDT_MAX 8192
#define KSEG0 UINT64_C(0xffffffffc0000000)
#define KSEG0_SIZE UINT64_C(0x10000000)
#define UHI_DTB UINT64_C(0xfffffffffffffffe) /* a0 = -2: a1 is a device tree */

/* The device tree goes behind the kernel, the RAM disk to the end of memory. */
static uint64_t fdt_pa(const struct vm *vm)
{
    return (vm->image.end + DISCO_PAGE_MASK) & ~DISCO_PAGE_MASK;
}

const char *guest_place(struct vm *vm)
{
    uint64_t need = vm->initrd.len + DISCO_PAGE_SIZE, memory = vm->config->memory;

    if (fdt_pa(vm) + FDT_MAX > KSEG0_SIZE || fdt_pa(vm) + FDT_MAX > memory ||
        need > memory - fdt_pa(vm) - FDT_MAX)
        return "too little memory for kernel, device tree and initrd";
    vm->initrd_pa = (memory - vm->initrd.len) & ~DISCO_PAGE_MASK;
    return NULL;
}

static void describe_memory(struct fdt *f, const struct vm *vm)
{
    fdt_begin(f, "memory@0");
    fdt_string(f, "device_type", "memory");
    fdt_reg(f, 0, vm->config->memory);
    fdt_end(f);
}

static void describe_cpus(struct fdt *f, unsigned cpus)
{
    char name[] = "cpu@0";

    fdt_begin(f, "cpus");
    fdt_u32(f, "#address-cells", 1);
    fdt_u32(f, "#size-cells", 0);
    fdt_u32(f, "clock-frequency", COUNT_HZ);
    for (unsigned i = 0; i < cpus; i++) {
        name[4] = (char)('0' + i);
        fdt_begin(f, name);
        fdt_string(f, "device_type", "cpu");
        fdt_string(f, "compatible", "mips,mips64r6");
        fdt_u32(f, "clock-frequency", COUNT_HZ);
        fdt_u32(f, "reg", i);
        fdt_end(f);
    }
    fdt_end(f);
}

/* A guest that has just started knows nothing that others could not know, too. */
static void describe_seed(struct fdt *f, const struct vm *vm)
{
    uint8_t seed[SEED_BYTES];

    if (seed_for(&mon.options.seed, vm->number, vm->starts, seed))
        fdt_bytes(f, "rng-seed", seed, sizeof seed);
}

static void describe_chosen(struct fdt *f, const struct vm *vm)
{
    fdt_begin(f, "chosen");
    fdt_string(f, "bootargs", vm->config->append);
    describe_seed(f, vm);
    if (vm->initrd.len) {
        fdt_u64(f, "linux,initrd-start", vm->initrd_pa);
        fdt_u64(f, "linux,initrd-end", vm->initrd_pa + vm->initrd.len);
    }
    fdt_end(f);
}

static void describe_disk(struct fdt *f, unsigned n)
{
    char name[] = "disk@0";

    name[5] = (char)('0' + n);
    fdt_begin(f, name);
    fdt_string(f, "compatible", "disco,disk");
    fdt_u32(f, "reg", n);
    fdt_u32(f, "interrupts", DISCO_LINE_DEVICE);
    fdt_end(f);
}

static void describe_net(struct fdt *f, const struct vm *vm)
{
    uint8_t mac[6];

    network_address(vm, mac);
    fdt_begin(f, "net");
    fdt_string(f, "compatible", "disco,net");
    fdt_bytes(f, "local-mac-address", mac, sizeof mac);
    fdt_u32(f, "interrupts", DISCO_LINE_DEVICE);
    fdt_end(f);
}

static void describe_devices(struct fdt *f, const struct vm *vm)
{
    fdt_begin(f, "disco");
    fdt_string(f, "compatible", "disco,vm");
    fdt_u32(f, "version", 1);
    fdt_u32(f, "#address-cells", 1);
    fdt_u32(f, "#size-cells", 0);
    fdt_begin(f, "console");
    fdt_string(f, "compatible", "disco,console");
    fdt_u32(f, "interrupts", DISCO_LINE_DEVICE);
    fdt_end(f);
    for (unsigned n = 0; n < vm->config->disks; n++)
        describe_disk(f, n);
    if (vm->config->net)
        describe_net(f, vm);
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
    describe_cpus(&f, vm->config->cpus);
    describe_chosen(&f, vm);
    describe_devices(&f, vm);
    uart_describe(&f, vm);
    fdt_end(&f);
    return fdt_finish(&f);
}

int guest_load(struct vm *vm)
{
    static uint8_t tree[FDT_MAX];
    size_t size;
    int err;

    vm->starts++;
    size = describe(vm, tree, sizeof tree);
    err = size ? images_load(vm) : DISCO_ERR_NO_SPACE;
    err = err ? err
              : disco_pmap_write(&vm->pmap, (disco_pa){vm->initrd_pa}, vm->initrd.at,
                                 vm->initrd.len, 0);
    return err ? err : disco_pmap_write(&vm->pmap, (disco_pa){fdt_pa(vm)}, tree, size, 0);
}

void guest_boot(struct vm *vm)
{
    const uint64_t args[4] = {UHI_DTB, KSEG0 + fdt_pa(vm), 0, 0};

    mips64_vcpu_boot(vm->vcpu[0], vm->image.entry, 0, 0, args);
}
