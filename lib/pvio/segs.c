/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Scatter lists. A list is copied out of the guest's memory once and looked at afterwards, so that a
 * guest that changes it meanwhile changes nothing that has been checked.
 */
#include <disco/pvio.h>

static int check(const struct disco_buf *b, const struct disco_io_seg *s,
                 const struct disco_segs_limits *limits, uint64_t *total)
{
    uint64_t len = s->len & ~limits->flags;

    if (len > limits->bytes - *total || len % limits->unit)
        return DISCO_ERR_BAD_ARG;
    *total += len;
    return disco_pmap_check(b->pmap, (disco_pa){s->pa}, len);
}

int disco_segs_read(const struct disco_buf *b, uint64_t offset, uint32_t n,
                    const struct disco_segs_limits *limits, struct disco_io_seg *seg,
                    uint64_t *total)
{
    uint64_t sum = 0;
    int err;

    if (n > limits->segs)
        return DISCO_ERR_BAD_ARG;
    err = disco_buf_read(b, offset, seg, n * sizeof *seg);
    for (uint32_t i = 0; !err && i < n; i++)
        err = check(b, &seg[i], limits, &sum);
    if (!err)
        *total = sum;
    return err;
}
