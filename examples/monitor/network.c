/* SPDX-License-Identifier: BSD-2-Clause */
#include "network.h"

#include <string.h>

#include "drivers.h"
#include "gateway.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"

static struct disco_net *net;
static struct gateway gateway;

static bool wanted(void)
{
    for (unsigned i = 0; i < mon.config.vms; i++) {
        if (mon.config.vm[i].net)
            return true;
    }
    return mon.options.gateway;
}

static void open_gateway(void)
{
    int err;

    gateway = (struct gateway){.net = net,
                               .mm = mon.mm,
                               .backend = &mon.machine.backend,
                               .port = NETWORK_GATEWAY,
                               .nic = drivers_net()};
    err = gateway_open(&gateway);
    if (err == DISCO_ERR_NOT_FOUND)
        die("no gateway: the machine has no network device");
    if (err)
        die("no gateway: %s", disco_strerror(err));
}

void network_make(void)
{
    struct disco_net_config c = {.mm = mon.mm,
                                 .backend = &mon.machine.backend,
                                 .ports = CONFIG_VMS + 1,
                                 .copy = mon.options.net_copy};
    size_t size = disco_net_size(&c);
    int err;

    if (!wanted())
        return;
    err = disco_net_init(&net, memory_storage(size), size, &c);
    if (err)
        die("no network: %s", disco_strerror(err));
    if (mon.options.gateway)
        open_gateway();
}

static void net_line(void *ctx, bool up) { devices_line(ctx, DEVICE_NET, up); }

static unsigned port_of(const struct vm *vm) { return vm->number; }

int network_open(struct vm *vm)
{
    if (!vm->config->net)
        return DISCO_OK;
    vm->nic = (struct disco_nic){net, port_of(vm)};
    return disco_net_open(net, port_of(vm), (struct disco_line){net_line, vm});
}

void network_close(struct vm *vm)
{
    if (vm->config->net && vm->nic.net)
        disco_net_close(net, port_of(vm));
    vm->nic.net = NULL;
}

/* Locally administered; QEMU's own begin in the same way. */
void network_address(const struct vm *vm, uint8_t mac[6])
{
    const uint8_t address[6] = {0x52, 0x54, 0x00, 0xd1, 0x5c, (uint8_t)port_of(vm)};

    memcpy(mac, address, sizeof address);
}

const char *network_link(struct vm *vm, bool up)
{
    if (!vm->nic.net)
        return vm->config->net ? "is not running" : "has no network";
    disco_net_link(net, port_of(vm), up);
    say("vm %s: network cable %s", vm->config->name, up ? "in" : "pulled");
    return NULL;
}

void network_fini(void)
{
    if (mon.options.gateway)
        gateway_close(&gateway);
}

static const struct {
    const char *name;
    size_t offset;
} names[] = {
#define OF(field)                                                                                  \
    {                                                                                              \
        "net_" #field, offsetof(struct disco_net_stats, field)                                     \
    }
    OF(sent),    OF(received), OF(sent_bytes), OF(received_bytes), OF(remapped), OF(copied_bytes),
    OF(refused), OF(dropped),  OF(bad),
#undef OF
};

void network_stats(struct vm *vm, stats_put *put)
{
    struct disco_net_stats s;

    if (!vm->nic.net || disco_net_stats(net, port_of(vm), &s))
        return;
    for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
        put(vm->config->name, names[k].name,
            *(const uint64_t *)((const char *)&s + names[k].offset));
}
