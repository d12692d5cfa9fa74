/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_private.h"

/*
 * What the guest knows of its memory and the monitor cannot see. No lock: two calls on one page
 * meet at its pmap entry, and what follows is the guest's own doing.
 */

static bool aligned(uint64_t n) { return !(n & DISCO_PAGE_MASK); }

/* The range has been checked against the VM's memory, and its length against the bound. */
static int64_t pages_free(void *dev, void *caller, const union disco_arg *a)
{
    const struct disco_buf *b = &a[0].buf;
    struct disco_memory *m = dev;
    uint64_t had = 0;

    (void)caller;
    if (!aligned(b->pa.v) || !aligned(b->len))
        return DISCO_ERR_BAD_ARG;
    if (b->len)
        disco_pmap_drop_many(b->pmap, disco_pa_page(b->pa), b->len >> DISCO_PAGE_SHIFT, &had);
    disco_count_own(&calls_here(m->calls)->pages_freed, had);
    return (int64_t)had;
}

static int64_t page_zero(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_memory *m = dev;
    disco_pa pa = {a[0].value};
    int err;

    (void)caller;
    if (!aligned(pa.v))
        return DISCO_ERR_BAD_ARG;
    err = disco_pmap_zero(m->pmap, disco_pa_page(pa));
    if (!err)
        disco_count_own(&calls_here(m->calls)->pages_zeroed, 1);
    return err;
}

int disco_memory_calls(struct disco_memory *m, struct disco_calls *t)
{
    const struct disco_call call[] = {
        {DISCO_CALL_PAGES_FREE,
         "pages_free",
         pages_free,
         m,
         {{DISCO_ARG_BUF_OUT, 0, DISCO_MEMORY_FREE_MAX << DISCO_PAGE_SHIFT}}},
        {DISCO_CALL_PAGE_ZERO, "page_zero", page_zero, m, {{DISCO_ARG_VALUE, 0, UINT64_MAX}}},
    };

    if (!m || !m->pmap)
        return DISCO_ERR_BAD_ARG;
    m->calls = t;
    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
