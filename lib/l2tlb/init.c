/* SPDX-License-Identifier: BSD-2-Clause */
/* The table in its storage: the sets, then the contexts of the address spaces. */
#include "l2tlb_private.h"

#include <string.h>

#define MAX_ASIDS (1u << 16)
#define MAX_SETS (SIZE_MAX >> (SET_SHIFT + 2))

static bool power_of_two(size_t n) { return n && !(n & (n - 1)); }

size_t disco_l2tlb_size(size_t sets, unsigned asids)
{
    if (!power_of_two(sets) || sets > MAX_SETS || !asids || asids > MAX_ASIDS)
        return 0;
    return (sets << SET_SHIFT) + asids * sizeof(uint16_t);
}

/*
 * Each bit that selects a set must be one that a TLB compares, or a page would lie in several sets
 * and forgetting it would miss some.
 */
static bool mask_ok(uint64_t va_mask, size_t sets)
{
    uint64_t index_bits = ((uint64_t)sets - 1) << DISCO_PAIR_SHIFT;

    return va_mask & ~CONTEXT_MASK && (index_bits & ~va_mask) == 0;
}

int disco_l2tlb_init(struct disco_l2tlb *t, void *storage, size_t size, size_t sets, unsigned asids,
                     uint64_t va_mask)
{
    size_t need = disco_l2tlb_size(sets, asids);

    if (!t || !storage || (uintptr_t)storage & ((1 << SET_SHIFT) - 1) || !need ||
        !mask_ok(va_mask, sets))
        return DISCO_ERR_BAD_ARG;
    if (size < need)
        return DISCO_ERR_NO_SPACE;
    memset(t, 0, sizeof *t);
    memset(storage, 0, need);
    t->sets = storage;
    t->set_mask = ((uint64_t)sets - 1) << SET_SHIFT;
    t->va_mask = va_mask;
    t->context_of = (uint16_t *)(void *)((uint8_t *)storage + (sets << SET_SHIFT));
    t->asids = asids;
    t->next_context = 1;
    disco_context_drop_all(t);
    return DISCO_OK;
}
