/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

/*
 * A processor's TLB. Random replacement, and the nasty habit of QEMU's model: a pair that is
 * replaced goes on translating for a while, in a place that no probe shows. A monitor that
 * concludes from its own notes that an entry must be gone is caught by that.
 */

static bool same(const struct hw_entry *h, const struct disco_vcpu *tag, disco_vpn pair,
                 uint32_t asid, bool global)
{
    return (h->e[0] || h->e[1]) && h->tag == tag && h->pair.v == pair.v &&
           (h->global || global || h->asid == asid);
}

const struct hw_entry *hw_find(const struct sim_cpu *c, uint64_t va, uint32_t asid)
{
    disco_vpn pair = {va >> DISCO_PAGE_SHIFT & ~UINT64_C(1)};

    for (unsigned i = 0; i < c->m->config.tlb_pairs; i++) {
        if (same(&c->tlb[i], c->owner, pair, asid, false))
            return &c->tlb[i];
    }
    for (unsigned i = 0; i < c->m->config.hidden; i++) {
        if (same(&c->hidden[i], c->owner, pair, asid, false))
            return &c->hidden[i];
    }
    return NULL;
}

static void hide(struct sim_cpu *c, const struct hw_entry *e)
{
    if (!c->m->config.hidden)
        return;
    c->hidden[c->next_hidden] = *e;
    c->next_hidden = (c->next_hidden + 1) % c->m->config.hidden;
}

/* Real TLBs must never hold two entries for one address: what is replaced by content goes first. */
void hw_load(struct sim_cpu *c, const struct hw_entry *e)
{
    unsigned at = sim_next_random(&c->random) % c->m->config.tlb_pairs;

    for (unsigned i = 0; i < SIM_TLB_MAX; i++) {
        if (same(&c->hidden[i], e->tag, e->pair, e->asid, e->global))
            memset(&c->hidden[i], 0, sizeof c->hidden[i]);
        if (same(&c->tlb[i], e->tag, e->pair, e->asid, e->global)) {
            memset(&c->tlb[i], 0, sizeof c->tlb[i]);
            at = i;
        }
    }
    hide(c, &c->tlb[at]);
    c->tlb[at] = *e;
    c->stats.loads++;
}

static void forget_one(struct hw_entry *h, const struct disco_vcpu *tag, disco_vpn vpn)
{
    if (h->tag == tag && (vpn.v == DISCO_ALL_PAGES || h->pair.v == (vpn.v & ~UINT64_C(1))))
        memset(h, 0, sizeof *h);
}

/* Under every ASID: which ones the guest used is not worth finding out. */
void hw_forget(struct sim_cpu *c, const struct disco_vcpu *tag, disco_vpn vpn)
{
    for (unsigned i = 0; i < SIM_TLB_MAX; i++) {
        forget_one(&c->tlb[i], tag, vpn);
        forget_one(&c->hidden[i], tag, vpn);
    }
}

void hw_flush(struct sim_cpu *c)
{
    memset(c->tlb, 0, sizeof c->tlb);
    memset(c->hidden, 0, sizeof c->hidden);
}
