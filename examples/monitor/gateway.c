/* SPDX-License-Identifier: BSD-2-Clause */
#include "gateway.h"

#include <disco/atomic.h>
#include <string.h>

#include "drivers.h"

/* Frames that one poll carries each way at most. */
#define BUDGET 32

/* --- out --- */

static void lose(struct gateway *g, struct disco_frame *f)
{
    disco_net_free_frame(g->net, f);
    disco_count(&g->lost, 1);
}

/* False: the device has no room, the frame is kept. */
static bool send(struct gateway *g, struct disco_frame *f)
{
    int err = virtio_net_send(g->nic, f);

    if (err == DISCO_ERR_BUSY) {
        g->held = *f;
        g->holds = true;
        return false;
    }
    if (err)
        lose(g, f);
    else
        disco_count(&g->sent, 1);
    return true;
}

static void take_sent(struct gateway *g)
{
    struct disco_frame f;

    while (virtio_net_sent(g->nic, &f))
        disco_net_free_frame(g->net, &f);
}

static bool carry_out(struct gateway *g)
{
    struct disco_frame f;

    take_sent(g);
    for (unsigned n = 0; n < BUDGET; n++) {
        if (g->holds) {
            g->holds = false;
            f = g->held;
        } else {
            if (!disco_net_take_frame(g->net, g->port, &f)) {
                (void)disco_net_is_up(g->net, g->port);
                return false;
            }
            if (disco_frame_checksum(g->net, &f)) {
                lose(g, &f);
                continue;
            }
        }
        if (!send(g, &f))
            return false; /* the device asks for attention when it has sent something */
    }
    return true;
}

/* --- in --- */

/* What does not fit into the head goes into a page, zeroed behind. */
static int add_page(struct gateway *g, struct disco_frame *f, const uint8_t *bytes, uint32_t len)
{
    disco_mpn mpn;
    uint8_t *page;
    int err = disco_memmap_alloc(g->mm, 0, DISCO_PAGE_MONITOR, &mpn);

    if (err)
        return err;
    page = g->backend->ops->page(g->backend, mpn);
    memcpy(page, bytes, len);
    memset(page + len, 0, DISCO_PAGE_SIZE - len);
    f->part[f->parts++] = (struct disco_net_part){mpn, 0, len};
    return DISCO_OK;
}

static int make_frame(struct gateway *g, struct disco_frame *f, const uint8_t *bytes, uint32_t len)
{
    f->head_len = len < DISCO_NET_HEAD ? len : DISCO_NET_HEAD;
    f->parts = 0;
    f->csum_start = f->csum_offset = 0;
    memcpy(f->head, bytes, f->head_len);
    if (len == f->head_len)
        return DISCO_OK;
    return add_page(g, f, bytes + f->head_len, len - f->head_len);
}

static void receive(struct gateway *g, const uint8_t *bytes, uint32_t len)
{
    struct disco_frame f;

    if (make_frame(g, &f, bytes, len))
        disco_count(&g->lost, 1);
    else if (disco_net_send_frame(g->net, g->port, &f))
        lose(g, &f);
    else
        disco_count(&g->received, 1);
}

static bool carry_in(struct gateway *g)
{
    const uint8_t *bytes;
    uint32_t len;

    for (unsigned n = 0; n < BUDGET; n++) {
        len = virtio_net_received(g->nic, &bytes);
        if (!len)
            return false;
        receive(g, bytes, len);
        virtio_net_reuse(g->nic);
    }
    return true;
}

static bool look(void *ctx)
{
    struct gateway *g = ctx;
    bool more = carry_in(g);

    return carry_out(g) || more;
}

/* --- life --- */

static void line(void *ctx, bool up)
{
    (void)ctx;
    if (up)
        drivers_wake();
}

int gateway_open(struct gateway *g)
{
    int err;

    g->nic = drivers_net();
    if (!g->nic)
        return DISCO_ERR_NOT_FOUND;
    err = disco_net_open(g->net, g->port, (struct disco_line){line, g});
    if (err)
        return err;
    drivers_serve_net(look, g);
    (void)disco_net_is_up(g->net, g->port); /* from now on its line may rise */
    return DISCO_OK;
}

void gateway_close(struct gateway *g)
{
    drivers_serve_net(NULL, NULL);
    virtio_net_stop(g->nic, NULL);
    take_sent(g);
    if (g->holds)
        disco_net_free_frame(g->net, &g->held);
    g->holds = false;
    disco_net_close(g->net, g->port);
}
