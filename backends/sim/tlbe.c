/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

/* Sim's TLB entries: bit 0 valid, bits 3..1 rights, bit 4 a superpage, from bit 12 the machine page. */

disco_tlbe sim_tlbe_make(disco_mpn mpn, unsigned rights)
{
    uint64_t marked = rights & DISCO_SUPERPAGE ? 1 << 4 : 0;

    return mpn.v << DISCO_PAGE_SHIFT | marked | (uint64_t)(rights & DISCO_RWX) << 1 | 1;
}

disco_tlbe sim_tlbe_merge(disco_tlbe guest, disco_tlbe monitor)
{
    if (!guest || !monitor)
        return 0;
    return sim_tlbe_make(sim_tlbe_mpn(monitor), sim_tlbe_rights(guest) & sim_tlbe_rights(monitor));
}

disco_mpn sim_tlbe_mpn(disco_tlbe e) { return (disco_mpn){e >> DISCO_PAGE_SHIFT}; }

unsigned sim_tlbe_rights(disco_tlbe e) { return e ? (unsigned)(e >> 1) & DISCO_RWX : 0; }
