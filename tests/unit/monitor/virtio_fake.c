/* SPDX-License-Identifier: BSD-2-Clause */
#include "virtio_fake.h"

#include <stdlib.h>
#include <string.h>

#include "mock_backend.h"
#include "monitor/memory.h"

struct fake fake;

void fake_reset(void)
{
    for (unsigned i = 0; i < 2; i++)
        ring_free(&fake.queue[i]);
    while (fake.storages)
        free(fake.storage[--fake.storages]);
    memset(&fake, 0, sizeof fake);
}

void *memory_storage(size_t size)
{
    void *p = mock_storage(size);

    memset(p, 0, size);
    return fake.storage[fake.storages++] = p;
}

uint64_t virtio_bus(const void *storage) { return (uintptr_t)storage; }

const char *virtio_find(struct virtio *v)
{
    (void)v;
    return NULL;
}

const char *virtio_begin(struct virtio *v, uint64_t need, uint64_t like, uint64_t *got)
{
    (void)v;
    if (need & ~fake.features)
        return "a feature is missing";
    *got = fake.features & (need | like);
    return NULL;
}

const char *virtio_queue(struct virtio *v, unsigned index, struct virtq *q, unsigned size)
{
    (void)v;
    ring_make(&fake.queue[index], q, fake.size < size ? fake.size : size);
    return NULL;
}

void virtio_go(struct virtio *v) { (void)v; }

void virtio_stop(struct virtio *v)
{
    (void)v;
    fake.stopped = true;
}

uint64_t virtio_config(struct virtio *v, unsigned offset, unsigned len)
{
    (void)v;
    return len < 4 ? (uint8_t)(0xa0 + offset) : fake.config[offset / 4];
}
