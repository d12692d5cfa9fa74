/* SPDX-License-Identifier: BSD-2-Clause */
/* Virtio 1.1, section 5.2. */
#include "virtio_blk.h"

#include <disco/atomic.h>

#include "device.h"
#include "memory.h"

#define FEATURE_SEG_MAX (UINT64_C(1) << 2)
#define FEATURE_READ_ONLY (UINT64_C(1) << 5)
#define FEATURE_FLUSH (UINT64_C(1) << 9)

enum { CONFIG_CAPACITY = 0, CONFIG_SEG_MAX = 12 };
enum { TYPE_IN = 0, TYPE_OUT = 1, TYPE_FLUSH = 4 };
enum { STATUS_OK = 0, STATUS_UNSUPPORTED = 2, STATUS_NONE = 0xff };
#define HEADER 16 /* bytes of a frame that the device reads */
#define AROUND 2  /* segments beside the data */

/* Requests that one poll ends at most. */
#define BUDGET 32

/* --- submitting --- */

static uint64_t bytes_of(const struct disco_store_io *io)
{
    uint64_t sum = 0;

    for (uint32_t i = 0; i < io->segs; i++)
        sum += io->seg[i].len;
    return sum;
}

static bool inside_pages(const struct disco_store_io *io)
{
    for (uint32_t i = 0; i < io->segs; i++) {
        const struct disco_store_seg *s = &io->seg[i];

        if (!s->len || s->offset >= DISCO_PAGE_SIZE || s->len > DISCO_PAGE_SIZE - s->offset)
            return false;
    }
    return true;
}

/* What no careful caller asks for: the device would do as it is told. */
static int check(const struct virtio_blk *b, const struct disco_store_io *io)
{
    uint64_t sectors;

    if (io->op == DISCO_DISK_FLUSH)
        return DISCO_OK;
    if (io->op != DISCO_DISK_READ && io->op != DISCO_DISK_WRITE)
        return DISCO_ERR_UNSUPPORTED;
    if (!io->segs || io->segs > DISCO_STORE_SEGS || !inside_pages(io))
        return DISCO_ERR_BAD_ARG;
    sectors = bytes_of(io) / DISCO_SECTOR;
    if (bytes_of(io) % DISCO_SECTOR || io->sector > b->store.sectors ||
        sectors > b->store.sectors - io->sector)
        return DISCO_ERR_BAD_ARG;
    return io->op == DISCO_DISK_WRITE && b->store.read_only ? DISCO_ERR_READ_ONLY : DISCO_OK;
}

/* Pieces that lie one behind the other go as one. How many are left. */
static unsigned segments(const struct disco_store_io *io, struct virtq_seg *to)
{
    unsigned n = 0;

    for (uint32_t i = 0; i < io->segs; i++) {
        uint64_t bus = disco_mpn_base(io->seg[i].mpn).v + io->seg[i].offset;

        if (n && to[n - 1].bus + to[n - 1].len == bus)
            to[n - 1].len += io->seg[i].len;
        else
            to[n++] = (struct virtq_seg){bus, io->seg[i].len};
    }
    return n;
}

static uint32_t type_of(const struct disco_store_io *io)
{
    return io->op == DISCO_DISK_READ ? TYPE_IN : io->op == DISCO_DISK_WRITE ? TYPE_OUT : TYPE_FLUSH;
}

/* With the lock. */
static int begin(struct virtio_blk *b, struct disco_store_io *io)
{
    struct virtq_seg seg[DISCO_STORE_SEGS + AROUND];
    uint16_t id = virtq_next(&b->q);
    unsigned n = io->op == DISCO_DISK_FLUSH ? 0 : segments(io, seg + 1);
    struct blk_frame *f = &b->frame[id];
    unsigned in = io->op == DISCO_DISK_READ ? n + 1 : 1;
    int err;

    if (b->q.free < n + AROUND)
        return DISCO_ERR_BUSY;
    *f = (struct blk_frame){.type = le32(type_of(io)), .status = STATUS_NONE};
    f->sector = le64(io->op == DISCO_DISK_FLUSH ? 0 : io->sector);
    seg[0] = (struct virtq_seg){virtio_bus(f), HEADER};
    seg[n + 1] = (struct virtq_seg){virtio_bus(&f->status), 1};
    err = virtq_add(&b->q, seg, n + AROUND - in, in);
    if (err)
        return err;
    b->io[id] = io;
    virtq_ring(&b->q);
    return DISCO_OK;
}

static int submit(struct disco_store *s, struct disco_store_io *io)
{
    struct virtio_blk *b = (struct virtio_blk *)s;
    int err = check(b, io);

    if (err)
        return err;
    if (io->op == DISCO_DISK_FLUSH && s->read_only)
        return 1;
    disco_lock(&b->lock, b->backend);
    err = b->dead ? DISCO_ERR_STATE : begin(b, io);
    disco_unlock(&b->lock);
    return err;
}

/* --- ending --- */

/*
 * A read that is said to be good has been filled: the rest of its pages would be what was in them before. Nonsense
 * is told apart from a request that failed: it returns 1.
 */
static int outcome(const struct disco_store_io *io, uint8_t status, uint32_t written)
{
    switch (status) {
    case STATUS_OK: return io->op == DISCO_DISK_READ && written != bytes_of(io) + 1 ? 1 : DISCO_OK;
    case STATUS_UNSUPPORTED: return DISCO_ERR_UNSUPPORTED;
    case STATUS_NONE: return 1;
    default: return DISCO_ERR_STATE;
    }
}

/* The next that is over, with its status; NULL: none, or the device talks nonsense: then it is dead from now on. */
static struct disco_store_io *take(struct virtio_blk *b, int *status)
{
    struct disco_store_io *io = NULL;
    struct virtq_done done;
    int got;

    disco_lock(&b->lock, b->backend);
    got = b->dead ? 0 : virtq_take(&b->q, &done);
    if (got == 1) {
        io = b->io[done.id];
        *status = outcome(io, b->frame[done.id].status, done.len);
        b->dead = *status == 1;
        b->why = "it says that it has done what it has not";
    } else if (got < 0) {
        b->dead = true;
        b->why = "it ends requests that nobody made";
    }
    disco_unlock(&b->lock);
    return io;
}

static void end(struct virtio_blk *b, struct disco_store_io *io, int status)
{
    disco_count(status ? &b->failed : &b->done, 1);
    io->done(io, status);
}

/* Nobody submits any more, so the lock is not needed to look at what there is. */
static void give_up(struct virtio_blk *b)
{
    uint16_t id;

    virtio_stop(&b->dev);
    while (virtq_take_back(&b->q, &id))
        end(b, b->io[id], DISCO_ERR_STATE);
}

bool virtio_blk_poll(struct virtio_blk *b)
{
    struct disco_store_io *io;
    unsigned n = 0;
    int status;

    if (b->dead)
        return false;
    while (n < BUDGET && (io = take(b, &status)) != NULL) {
        n++;
        end(b, io, status == 1 ? DISCO_ERR_STATE : status);
    }
    if (b->dead)
        give_up(b);
    return n == BUDGET;
}

void virtio_blk_stop(struct virtio_blk *b, const char *why)
{
    if (b->dead)
        return;
    disco_lock(&b->lock, b->backend);
    b->dead = true;
    b->why = why;
    disco_unlock(&b->lock);
    give_up(b);
}

/* --- starting --- */

static const char *check_features(struct virtio_blk *b, uint64_t got)
{
    if (!b->store.read_only && !(got & FEATURE_FLUSH))
        return "it can be written but not flushed";
    if (got & FEATURE_SEG_MAX && virtio_config(&b->dev, CONFIG_SEG_MAX, 4) < DISCO_STORE_SEGS)
        return "it takes too few segments in a request";
    if (b->store.sectors > UINT64_MAX / DISCO_SECTOR)
        return "it is larger than can be";
    return NULL;
}

const char *virtio_blk_start(struct virtio_blk *b, struct disco_backend *backend)
{
    uint64_t got = 0;
    const char *wrong = virtio_find(&b->dev);

    wrong =
        wrong ? wrong
              : virtio_begin(&b->dev, 0, FEATURE_SEG_MAX | FEATURE_READ_ONLY | FEATURE_FLUSH, &got);
    wrong = wrong ? wrong : virtio_queue(&b->dev, 0, &b->q, VIRTQ_MAX);
    if (wrong)
        return wrong;
    b->backend = backend;
    b->store.sectors = virtio_config(&b->dev, CONFIG_CAPACITY, 8);
    b->store.read_only = got & FEATURE_READ_ONLY;
    b->store.submit = submit;
    wrong = check_features(b, got);
    if (wrong || b->q.size < DISCO_STORE_SEGS + AROUND)
        return wrong ? wrong : "its queue is too short";
    b->frame = memory_storage(b->q.size * sizeof *b->frame);
    virtio_go(&b->dev);
    return NULL;
}
