/* SPDX-License-Identifier: BSD-2-Clause */
#include "vm.h"

#include <string.h>

#include "images.h"
#include "memory.h"
#include "monitor.h"
#include "numa.h"
#include "uart.h"

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

static struct disco_pmap_config pmap_config(struct vm *vm)
{
    uint64_t pages = vm->config->memory >> DISCO_PAGE_SHIFT;

    return (struct disco_pmap_config){
        .id = vm->number,
        .pages = pages,
        .sets = pages / 16 + 16,
        .mm = mon.mm,
        .backend = &mon.machine.backend,
        .purge = disco_vm_purge,
        .vcpus_on = disco_vm_vcpus_on,
        .purge_ctx = &vm->vm,
    };
}

const char *vm_check(struct vm *vm, struct bytes archive)
{
    const struct vm_config *config = vm->config;
    struct disco_pmap_config c = pmap_config(vm);
    const char *wrong;

    if (!disco_pmap_size(&c))
        return "more memory than the monitor has tables for";
    if (!find(archive, config->kernel, &vm->kernel))
        return "kernel not found in the boot archive";
    if (config->initrd[0] && !find(archive, config->initrd, &vm->initrd))
        return "initrd not found in the boot archive";
    wrong = elf_check(vm->kernel, config->memory, &vm->image);
    wrong = wrong ? wrong : uart_check(config);
    return wrong ? wrong : guest_place(vm);
}

/* --- making --- */

/* A virtual CPU, then its storage. */
static size_t vcpu_head(void)
{
    return (sizeof(struct disco_vcpu) + DISCO_CACHE_LINE - 1) & ~(size_t)(DISCO_CACHE_LINE - 1);
}

static size_t vcpu_size(void) { return disco_vcpu_size(&mon.machine.backend, L2TLB_SETS); }

/* Virtual CPUs, of all virtual machines one after the other, are divided among the processors. */
static unsigned node_of_next(void)
{
    static unsigned n;

    return mon.machine.backend.node_of_cpu[n++ % mon.machine.backend.cpus];
}

struct vm *vm_new(unsigned number, const struct vm_config *config)
{
    unsigned node = node_of_next();
    struct vm *vm = memory_storage_on(node, sizeof *vm);

    vm->number = number;
    vm->config = config;
    vm->vcpu_node[0] = (uint8_t)node;
    for (unsigned i = 1; i < config->cpus; i++)
        vm->vcpu_node[i] = (uint8_t)node_of_next();
    return vm;
}

void vm_reserve(struct vm *vm)
{
    struct disco_pmap_config c = pmap_config(vm);

    images_reserve(vm);
    for (unsigned i = 0; i < vm->config->cpus; i++)
        vm->vcpu[i] = memory_storage_on(vm->vcpu_node[i], vcpu_head() + vcpu_size());
    vm->calls_counters =
        memory_storage_on(vm->vcpu_node[0], mon.machine.backend.cpus * sizeof *vm->calls_counters);
    vm->pmap_storage = memory_storage_on(vm->vcpu_node[0], disco_pmap_size(&c));
}

static int make_vcpus(struct vm *vm)
{
    int err = DISCO_OK;

    for (unsigned i = 0; i < vm->config->cpus && !err; i++)
        err = disco_vcpu_init(vm->vcpu[i], (uint8_t *)vm->vcpu[i] + vcpu_head(), vcpu_size(),
                              vm->vcpu_node[i], &vm->vm, L2TLB_SETS);
    return err;
}

static int make_parts(struct vm *vm)
{
    struct disco_pmap_config c = pmap_config(vm);
    int err = disco_pmap_init(&vm->pmap, vm->pmap_storage, disco_pmap_size(&c), &c);

    err = err ? err : numa_attach(vm);
    err = err ? err : disco_vm_init(&vm->vm);
    err = err ? err : make_vcpus(vm);
    err = err ? err : devices_make(vm);
    return err ? err : guest_load(vm);
}

int vm_make(struct vm *vm)
{
    int err;

    for (unsigned i = 0; i < vm->config->cpus; i++)
        memset(vm->vcpu[i], 0, sizeof *vm->vcpu[i]);
    memset(&vm->disks, 0, sizeof vm->disks);
    memset(&vm->nic, 0, sizeof vm->nic);
    vm->vm = (struct disco_vm){
        .name = vm->config->name,
        .backend = &mon.machine.backend,
        .pmap = &vm->pmap,
        .hooks = {.call = devices_call,
                  .ended = life_ended,
                  .report = devices_report,
                  .no_memory = hunger_no_memory,
                  .mapped = uart_mapped},
    };
    vm->reports = 0;
    err = make_parts(vm);
    if (!err) {
        guest_boot(vm);
        err = disco_vcpu_start(vm->vcpu[0], mon.sched);
    }
    if (err)
        (void)vm_free(vm); /* no device has begun anything for it */
    return err;
}

bool vm_free(struct vm *vm)
{
    if (!devices_free(vm))
        return false;
    numa_detach(vm);
    /* First: until then others may have its virtual CPUs forget translations */
    disco_pmap_fini(&vm->pmap);
    for (unsigned i = 0; i < vm->config->cpus; i++) {
        if (vm->vcpu[i]->arch)
            mips64_vcpu_fini(vm->vcpu[i]);
    }
    return true;
}
