/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio 1.1, sections 3.1 (the order of things) and 4.1 (over PCI). */
#include "virtio.h"

#include "device.h"
#include "memory.h"
#include "mips64.h"

#define VENDOR 0x1af4
#define ID_MODERN 0x1040 /* and the kind */
#define ID_BOTH 0x1000   /* transitional devices: a list of its own */

/* --- registers --- */

enum { CAP_VENDOR = 9, CAP_TYPE = 3, CAP_BAR = 4, CAP_OFFSET = 8, CAP_LENGTH = 12, CAP_STEP = 16 };
enum { TYPE_COMMON = 1, TYPE_NOTIFY = 2, TYPE_ISR = 3, TYPE_DEVICE = 4 };

/* Of the common part. */
enum {
    FEATURE_SELECT = 0x00,
    FEATURES = 0x04,
    ACCEPT_SELECT = 0x08,
    ACCEPTED = 0x0c,
    STATUS = 0x14,
    GENERATION = 0x15,
    QUEUE_SELECT = 0x16,
    QUEUE_SIZE = 0x18,
    QUEUE_ENABLE = 0x1c,
    QUEUE_BELL = 0x1e,
    QUEUE_DESC = 0x20,
    QUEUE_AVAIL = 0x28,
    QUEUE_USED = 0x30,
    COMMON_END = 0x38,
};

enum { ACKNOWLEDGED = 1, DRIVER = 2, DRIVER_OK = 4, FEATURES_OK = 8, NEEDS_RESET = 64 };
#define FEATURE_VERSION_1 (UINT64_C(1) << 32)

/* A device that does not come out of reset within so many looks never will. */
#define RESET_PATIENCE 1000000u
#define CONFIG_TRIES 100u

enum virtio_kind virtio_kind(const struct pci_device *d)
{
    if (d->vendor != VENDOR)
        return VIRTIO_OTHER;
    switch (d->id) {
    case ID_BOTH:
    case ID_MODERN + VIRTIO_NET: return VIRTIO_NET;
    case ID_BOTH + 1:
    case ID_MODERN + VIRTIO_BLK: return VIRTIO_BLK;
    default: return VIRTIO_OTHER;
    }
}

static struct virtio_registers *part(struct virtio *v, unsigned type)
{
    switch (type) {
    case TYPE_COMMON: return &v->common;
    case TYPE_NOTIFY: return &v->bells;
    case TYPE_ISR: return &v->isr;
    case TYPE_DEVICE: return &v->config;
    default: return NULL;
    }
}

/* Of several places for one thing the device likes the first best; it may name some that we have no use for. */
static void read_capability(struct virtio *v, unsigned cap)
{
    struct virtio_registers *r = part(v, pci_get8(&v->pci, cap + CAP_TYPE));
    unsigned bar = pci_get8(&v->pci, cap + CAP_BAR);
    uint64_t offset = pci_get32(&v->pci, cap + CAP_OFFSET);
    uint64_t len = pci_get32(&v->pci, cap + CAP_LENGTH);

    if (!r || r->at || bar >= PCI_BARS || !v->pci.bar[bar] || offset + len > v->pci.bar_len[bar])
        return;
    r->at = device_at(v->pci.bar[bar] + offset);
    r->len = (uint32_t)len;
    if (r == &v->bells)
        v->bell_step = pci_get32(&v->pci, cap + CAP_STEP);
}

const char *virtio_find(struct virtio *v)
{
    const char *wrong = pci_place(&v->pci);

    if (wrong)
        return wrong;
    for (unsigned cap = 0; (cap = pci_capability(&v->pci, CAP_VENDOR, cap)) != 0;)
        read_capability(v, cap);
    if (v->common.len < COMMON_END || !v->isr.len || !v->bells.len)
        return "no virtio 1.0 device (it must not be legacy only)";
    return NULL;
}

/* --- features --- */

static uint64_t offered(struct virtio *v)
{
    uint32_t low;

    device_put32(v->common.at + FEATURE_SELECT, 0);
    low = device_get32(v->common.at + FEATURES);
    device_put32(v->common.at + FEATURE_SELECT, 1);
    return (uint64_t)device_get32(v->common.at + FEATURES) << 32 | low;
}

static void accept(struct virtio *v, uint64_t features)
{
    device_put32(v->common.at + ACCEPT_SELECT, 0);
    device_put32(v->common.at + ACCEPTED, (uint32_t)features);
    device_put32(v->common.at + ACCEPT_SELECT, 1);
    device_put32(v->common.at + ACCEPTED, (uint32_t)(features >> 32));
}

/* 0 is written, and reads as 0 once the reset is over. */
void virtio_stop(struct virtio *v)
{
    v->common.at[STATUS] = 0;
    for (unsigned i = 0; v->common.at[STATUS] && i < RESET_PATIENCE; i++)
        ;
}

const char *virtio_begin(struct virtio *v, uint64_t need, uint64_t like, uint64_t *got)
{
    uint64_t has;

    virtio_stop(v);
    if (v->common.at[STATUS])
        return "it does not come out of reset";
    v->common.at[STATUS] = ACKNOWLEDGED;
    v->common.at[STATUS] = ACKNOWLEDGED | DRIVER;
    need |= FEATURE_VERSION_1;
    has = offered(v);
    if ((has & need) != need)
        return "it lacks a feature that is needed";
    *got = has & (need | like);
    accept(v, *got);
    v->common.at[STATUS] = ACKNOWLEDGED | DRIVER | FEATURES_OK;
    if (!(v->common.at[STATUS] & FEATURES_OK))
        return "it does not agree to the features";
    return NULL;
}

void virtio_go(struct virtio *v)
{
    v->common.at[STATUS] = ACKNOWLEDGED | DRIVER | FEATURES_OK | DRIVER_OK;
}

/* --- queues --- */

/*
 * The bus shows RAM where processors see all of it, beginning at BOARD_RAM, and that is where boot-time storage and
 * machine pages have their addresses.
 */
uint64_t virtio_bus(const void *storage) { return (uint64_t)(uintptr_t)storage - MIPS_XKPHYS; }

static void put64(struct virtio *v, unsigned offset, uint64_t value)
{
    device_put32(v->common.at + offset, (uint32_t)value);
    device_put32(v->common.at + offset + 4, (uint32_t)(value >> 32));
}

static void hand_over(struct virtio *v, const void *memory, unsigned size)
{
    struct virtq_layout l = virtq_layout(size);
    uint64_t bus = virtio_bus(memory);

    device_put16(v->common.at + QUEUE_SIZE, (uint16_t)size);
    put64(v, QUEUE_DESC, bus);
    put64(v, QUEUE_AVAIL, bus + l.avail);
    put64(v, QUEUE_USED, bus + l.used);
    device_put16(v->common.at + QUEUE_ENABLE, 1);
}

const char *virtio_queue(struct virtio *v, unsigned index, struct virtq *q, unsigned size)
{
    unsigned most;
    uint64_t bell;
    void *memory;

    device_put16(v->common.at + QUEUE_SELECT, (uint16_t)index);
    most = device_get16(v->common.at + QUEUE_SIZE);
    size = most < size ? most : size;
    bell = (uint64_t)device_get16(v->common.at + QUEUE_BELL) * v->bell_step;
    if (!size || size > VIRTQ_MAX || (size & (size - 1)) || bell + sizeof(uint16_t) > v->bells.len)
        return "it has not the queues that it should have";
    memory = memory_storage(virtq_layout(size).size);
    virtq_init(q, memory, size);
    q->bell = (volatile uint16_t *)(volatile void *)(v->bells.at + bell);
    q->bell_value = le16((uint16_t)index);
    hand_over(v, memory, size);
    return NULL;
}

/* --- while it runs --- */

#define ISR_CONFIG 2 /* "my configuration has changed": a failure is told so, too */

enum virtio_ask virtio_asks(struct virtio *v)
{
    uint8_t isr = *v->isr.at;

    if (isr & ISR_CONFIG && v->common.at[STATUS] & NEEDS_RESET)
        return VIRTIO_ASK_RESET;
    return isr ? VIRTIO_ASK_LOOK : VIRTIO_ASK_NOTHING;
}

static uint64_t field(const struct virtio *v, unsigned offset, unsigned len)
{
    const volatile uint8_t *at = v->config.at + offset;

    switch (len) {
    case 1: return *at;
    case 2: return device_get16(at);
    case 4: return device_get32(at);
    default: return device_get32(at) | (uint64_t)device_get32(at + 4) << 32;
    }
}

uint64_t virtio_config(struct virtio *v, unsigned offset, unsigned len)
{
    uint64_t value = 0;
    uint8_t generation;

    if (offset + len > v->config.len)
        return 0;
    for (unsigned i = 0; i < CONFIG_TRIES; i++) {
        generation = v->common.at[GENERATION];
        value = field(v, offset, len);
        if (v->common.at[GENERATION] == generation)
            break;
    }
    return value;
}
