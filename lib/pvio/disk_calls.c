/* SPDX-License-Identifier: BSD-2-Clause */
/* A VM's disks as monitor calls (Disco, section 4.3: one trap a command). */
#include "disk_private.h"

static struct disco_disk_port *port(const struct disco_disks *d, uint64_t n)
{
    return n < DISCO_DISKS ? d->port[n] : NULL;
}

static int64_t disk_size(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_disk_port *p = port(dev, a[0].value);

    (void)caller;
    return p ? (int64_t)(disco_disk_sectors(p->disk) & INT64_MAX) : DISCO_ERR_NOT_FOUND;
}

static int64_t disk_request(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_disk_port *p = port(dev, a[0].value);

    (void)caller;
    return p ? disco_disk_request(p, &a[1].buf, a[1].buf.node) : DISCO_ERR_NOT_FOUND;
}

/* As many as there are and fit, from *at on. */
static int tell_all(struct disco_disk_port *p, uint32_t n, const struct disco_buf *b, uint64_t *at)
{
    int err = DISCO_OK;

    while (!err && b->len - *at >= sizeof(struct disco_disk_done)) {
        err = disco_disk_tell(p, n, b, *at);
        if (!err)
            *at += sizeof(struct disco_disk_done);
    }
    return err == DISCO_ERR_NOT_FOUND ? DISCO_OK : err;
}

/* An end that does not arrive in the guest's memory is not taken, and holds the line up. */
static int64_t disk_done(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_disks *d = dev;
    uint64_t at = 0;
    int err = DISCO_OK;

    (void)caller;
    for (uint32_t i = 0; !err && i < DISCO_DISKS; i++) {
        if (d->port[i])
            err = tell_all(d->port[i], i, &a[0].buf, &at);
    }
    return at ? (int64_t)(at / sizeof(struct disco_disk_done)) : err;
}

int disco_disk_calls(struct disco_disks *d, struct disco_calls *t)
{
    const uint64_t most =
        sizeof(struct disco_disk_request) + DISCO_DISK_SEGS * sizeof(struct disco_io_seg);
    const struct disco_call call[] = {
        {DISCO_CALL_DISK_SIZE, "disk_size", disk_size, d, {{DISCO_ARG_VALUE, 0, UINT64_MAX}}},
        {DISCO_CALL_DISK_REQUEST,
         "disk_request",
         disk_request,
         d,
         {{DISCO_ARG_VALUE, 0, UINT64_MAX},
          {DISCO_ARG_BUF_IN, sizeof(struct disco_disk_request), most}}},
        {DISCO_CALL_DISK_DONE,
         "disk_done",
         disk_done,
         d,
         {{DISCO_ARG_BUF_OUT, sizeof(struct disco_disk_done), DISCO_PAGE_SIZE}}},
    };

    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
