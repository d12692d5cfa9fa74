/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/disk.h>

#include <string.h>

static int move(struct disco_memory_store *s, const struct disco_store_io *io)
{
    uint8_t *at = s->bytes + io->sector * DISCO_SECTOR;

    for (uint32_t i = 0; i < io->segs; i++) {
        const struct disco_store_seg *g = &io->seg[i];
        uint8_t *page = (uint8_t *)s->backend->ops->page(s->backend, g->mpn) + g->offset;

        if (io->op == DISCO_DISK_READ)
            memcpy(page, at, g->len);
        else
            memcpy(at, page, g->len);
        at += g->len;
    }
    return 1;
}

static bool inside(const struct disco_store *s, const struct disco_store_io *io)
{
    uint64_t bytes = 0;

    for (uint32_t i = 0; i < io->segs; i++)
        bytes += io->seg[i].len;
    return io->sector <= s->sectors && bytes <= (s->sectors - io->sector) * DISCO_SECTOR;
}

static int submit(struct disco_store *store, struct disco_store_io *io)
{
    if (io->op == DISCO_DISK_WRITE && store->read_only)
        return DISCO_ERR_READ_ONLY;
    if (!inside(store, io))
        return DISCO_ERR_BAD_ARG;
    return move((struct disco_memory_store *)(void *)store, io);
}

int disco_memory_store_init(struct disco_memory_store *s, struct disco_backend *backend,
                            void *bytes, uint64_t len, bool read_only)
{
    if (!s || !backend || !bytes || !len || len % DISCO_SECTOR)
        return DISCO_ERR_BAD_ARG;
    s->store = (struct disco_store){len / DISCO_SECTOR, read_only, submit};
    s->backend = backend;
    s->bytes = bytes;
    return DISCO_OK;
}
