/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From a guest's address and length to memory. Guests lie, so the whole range is checked before
 * anything is done, and then each page is held while its piece is worked on: it cannot be
 * revoked, shared or moved under the caller's hands. In tests/model/numa_move.pml: d1 it is held and made
 * ready; d2 worked on.
 */
#include "pmap_private.h"

#include <string.h>

static int make_ready(struct disco_pmap *pm, struct hold *h, unsigned access, unsigned node)
{
    return access & DISCO_WRITE ? disco_entry_own(pm, h, node) : disco_entry_touch(pm, h, node);
}

/* Where the monitor finds @p pa, whose page is held and exists. */
static void *place_of(const struct disco_pmap *pm, const struct hold *h, disco_pa pa, unsigned node)
{
    disco_mpn mpn = page_of(pm, h);

    if (meta_reason(h->meta) != DISCO_PMAP_WRITABLE)
        mpn = disco_memmap_nearest(pm->mm, mpn, node);
    return (uint8_t *)pm->backend->ops->page(pm->backend, mpn) + (pa.v & DISCO_PAGE_MASK);
}

static int one_piece(struct disco_pmap *pm, disco_pa pa, size_t len, unsigned access, unsigned node,
                     disco_pmap_piece_fn *fn, void *ctx)
{
    struct hold h = disco_entry_hold(pm, disco_pa_page(pa));
    int err = make_ready(pm, &h, access, node);

    if (!err)
        err = fn(ctx, place_of(pm, &h, pa, node), len);
    disco_entry_let_go(&h);
    return err < 0 ? err : DISCO_OK;
}

int disco_pmap_access(struct disco_pmap *pm, disco_pa pa, uint64_t len, unsigned access,
                      unsigned node, disco_pmap_piece_fn *fn, void *ctx)
{
    int err = disco_pmap_check(pm, pa, len);

    while (!err && len) {
        uint64_t rest = DISCO_PAGE_SIZE - (pa.v & DISCO_PAGE_MASK);
        uint64_t now = len < rest ? len : rest;

        err = one_piece(pm, pa, (size_t)now, access, node, fn, ctx);
        pa.v += now;
        len -= now;
    }
    return err;
}

static int read_piece(void *ctx, void *at, size_t len)
{
    uint8_t **to = ctx;

    memcpy(*to, at, len);
    *to += len;
    return DISCO_OK;
}

static int write_piece(void *ctx, void *at, size_t len)
{
    const uint8_t **from = ctx;

    memcpy(at, *from, len);
    *from += len;
    return DISCO_OK;
}

int disco_pmap_read(struct disco_pmap *pm, disco_pa pa, void *to, uint64_t len, unsigned node)
{
    return disco_pmap_access(pm, pa, len, DISCO_READ, node, read_piece, &to);
}

int disco_pmap_write(struct disco_pmap *pm, disco_pa pa, const void *from, uint64_t len,
                     unsigned node)
{
    return disco_pmap_access(pm, pa, len, DISCO_WRITE, node, write_piece, &from);
}

int disco_pmap_peek(struct disco_pmap *pm, disco_pa pa, uint64_t *words, size_t n, unsigned node)
{
    const uint64_t *at;
    struct hold h;
    bool there;

    if (pa.v % sizeof *words || n > (DISCO_PAGE_SIZE - (pa.v & DISCO_PAGE_MASK)) / sizeof *words)
        return DISCO_ERR_BAD_ARG;
    if (disco_pa_page(pa).v >= pm->pages)
        return DISCO_ERR_BAD_ADDRESS;
    h = disco_entry_hold(pm, disco_pa_page(pa));
    there = word_of(&h) != 0;
    at = there ? place_of(pm, &h, pa, node) : NULL;
    for (size_t i = 0; there && i < n; i++)
        words[i] = disco_load(&at[i]);
    disco_entry_let_go(&h);
    return there ? DISCO_OK : DISCO_ERR_NOT_FOUND;
}
