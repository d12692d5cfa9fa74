/* SPDX-License-Identifier: BSD-2-Clause */
#include "drivers.h"

#include "irq.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"

/* The line is up and no device says that it is its own: so often, and it is not listened to any more. */
#define STRANGE_MAX 1000
/* Then the devices are asked this often. */
#define ASK_NS UINT64_C(1000000)

static struct disco_backend *backend;
static struct virtio_blk *disk[DRIVERS_DISKS];
static unsigned disks;
static struct virtio_net *net;
static bool (*net_look)(void *);
static void *net_ctx;
static uint32_t woken; /* accessed atomically */
static bool more;      /* the last poll left something undone */
static unsigned strange;
static bool present; /* there is a device at all */

/* --- starting --- */

static void start_disk(const struct pci_device *d)
{
    struct virtio_blk *b = memory_storage(sizeof *b);
    const char *wrong;

    b->dev.pci = *d;
    wrong = virtio_blk_start(b, backend);
    if (wrong)
        die("disk %u (slot %u): %s", disks, d->slot, wrong);
    say("disk %u: %lu MiB%s, virtio-blk at slot %u", disks, b->store.sectors * DISCO_SECTOR >> 20,
        b->store.read_only ? ", read-only" : "", d->slot);
    disk[disks++] = b;
}

static void start_net(const struct pci_device *d)
{
    struct virtio_net *n = memory_storage(sizeof *n);
    const char *wrong;

    n->dev.pci = *d;
    wrong = virtio_net_start(n);
    if (wrong)
        die("network device (slot %u): %s", d->slot, wrong);
    say("network: %02x:%02x:%02x:%02x:%02x:%02x, virtio-net at slot %u", n->mac[0], n->mac[1],
        n->mac[2], n->mac[3], n->mac[4], n->mac[5], d->slot);
    net = n;
}

void drivers_start(struct disco_backend *b)
{
    struct pci_device d;

    backend = b;
    for (unsigned slot = 1; slot < PCI_SLOTS; slot++) {
        if (!pci_look(slot, &d))
            continue;
        if (virtio_kind(&d) == VIRTIO_BLK && disks < DRIVERS_DISKS)
            start_disk(&d);
        if (virtio_kind(&d) == VIRTIO_NET && !net)
            start_net(&d);
    }
    present = disks || net;
    irq_begin(present);
}

struct disco_store *drivers_disk(unsigned unit) { return unit < disks ? &disk[unit]->store : NULL; }
struct virtio_net *drivers_net(void) { return net; }

void drivers_serve_net(bool (*look)(void *), void *ctx)
{
    net_look = look;
    net_ctx = ctx;
}

void drivers_wake(void)
{
    __atomic_store_n(&woken, 1, __ATOMIC_SEQ_CST);
    monitor_attention();
}

/* --- polling --- */

static bool disk_work(unsigned i)
{
    struct virtio_blk *b = disk[i];
    bool again = virtio_blk_poll(b);

    if (b->dead && b->why) {
        say_error("disk %u: %s; it is not used any more", i, b->why);
        b->why = NULL;
    }
    return again;
}

static bool net_work(void)
{
    bool again = net_look && net_look(net_ctx);

    if (net && net->dead && net->why) {
        say_error("network device: %s; it is not used any more", net->why);
        net->why = NULL;
    }
    return again;
}

static bool work(void)
{
    bool again = net_work();

    for (unsigned i = 0; i < disks; i++)
        again |= disk_work(i);
    return again;
}

#define FAILED "it says that it has failed"

/* Ask them all; those that have asked for us stop doing so. Whether one had. */
static bool ask(void)
{
    bool one = false;

    for (unsigned i = 0; i < disks; i++) {
        enum virtio_ask what = virtio_asks(&disk[i]->dev);

        if (what == VIRTIO_ASK_RESET)
            virtio_blk_stop(disk[i], FAILED);
        one |= what != VIRTIO_ASK_NOTHING;
    }
    if (net) {
        enum virtio_ask what = virtio_asks(&net->dev);

        if (what == VIRTIO_ASK_RESET)
            virtio_net_stop(net, FAILED);
        one |= what != VIRTIO_ASK_NOTHING;
    }
    return one;
}

/* A level that nobody lowers would keep every guest from running. */
static void listen(void)
{
    strange = ask() ? 0 : strange + 1;
    if (strange == STRANGE_MAX) {
        irq_off();
        say_error("devices: an interrupt that is nobody's; they are asked now and then instead");
    }
}

static bool wanted(void)
{
    return __atomic_load_n(&woken, __ATOMIC_RELAXED) || more || strange >= STRANGE_MAX;
}

/* They are asked first and looked at then: what comes in between makes the line go up again. */
uint64_t drivers_poll(uint64_t now)
{
    bool up = present && irq_up();

    if (!present || (!up && !wanted()))
        return UINT64_MAX;
    __atomic_store_n(&woken, 0, __ATOMIC_SEQ_CST);
    if (up)
        listen();
    more = work();
    if (more)
        return now;
    return strange < STRANGE_MAX ? UINT64_MAX : now + ASK_NS;
}

void drivers_stop(void)
{
    if (net)
        virtio_net_stop(net, NULL);
    for (unsigned i = 0; i < disks; i++)
        virtio_blk_stop(disk[i], NULL);
}
