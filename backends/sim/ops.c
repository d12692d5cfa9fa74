/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <string.h>

/* The table of operations; the short ones are here. docs/porting.md goes through it. */

static void tlb_load(struct disco_vcpu *v, disco_vpn pair, uint32_t asid, bool global,
                     const disco_tlbe e[2])
{
    struct hw_entry h = {.tag = v, .pair = pair, .asid = asid, .global = global, .e = {e[0], e[1]}};

    hw_load(sim_this_cpu(v), &h);
}

static void *page(struct disco_backend *b, disco_mpn mpn)
{
    return machine_of(b)->memory + ((mpn.v - SIM_FIRST_PAGE) << DISCO_PAGE_SHIFT);
}

static void page_zero(struct disco_backend *b, disco_mpn mpn)
{
    memset(page(b, mpn), 0, DISCO_PAGE_SIZE);
}

static void page_copy(struct disco_backend *b, disco_mpn to, disco_mpn from)
{
    memcpy(page(b, to), page(b, from), DISCO_PAGE_SIZE);
}

static unsigned cpu(struct disco_backend *b)
{
    (void)b;
    return sim_current();
}

static uint64_t now(struct disco_backend *b) { return sim_now(machine_of(b)); }

static void timer(struct disco_backend *b, uint64_t ns)
{
    machine_of(b)->cpu[sim_current()].timer = ns;
}

static size_t vcpu_size(void) { return sizeof(struct sim_guest); }

/*
 * The paper's regime: no tags tell virtual CPUs apart, so everything goes. With tags only what this
 * one left here goes, unless it is still true.
 */
static void switch_in(struct disco_vcpu *v, bool keep)
{
    struct sim_cpu *c = sim_this_cpu(v);

    pthread_mutex_lock(&c->lock); /* without a thread, others may be looking at the TLB */
    if (!c->m->config.tagged)
        hw_flush(c);
    else if (!keep)
        hw_forget(c, v, (disco_vpn){DISCO_ALL_PAGES});
    c->owner = v;
    pthread_mutex_unlock(&c->lock);
}

/* A processor holds nothing of a guest: its registers are in sim_guest. */
static void switch_out(struct disco_vcpu *v) { (void)v; }

static uint32_t asid(const struct disco_vcpu *v) { return sim_guest(v)->asid; }

const struct disco_backend_ops sim_ops = {
    .name = "sim",
    .tlbe_make = sim_tlbe_make,
    .tlbe_merge = sim_tlbe_merge,
    .tlbe_mpn = sim_tlbe_mpn,
    .tlbe_rights = sim_tlbe_rights,
    .tlb_load = tlb_load,
    .invalidate = sim_invalidate,
    .page = page,
    .page_zero = page_zero,
    .page_copy = page_copy,
    .cpu = cpu,
    .kick = sim_kick,
    .relax = sim_relax,
    .now = now,
    .timer = timer,
    .idle = sim_idle,
    .vcpu_size = vcpu_size,
    .vcpu_reset = sim_guest_reset,
    .enter = sim_enter,
    .switch_in = switch_in,
    .switch_out = switch_out,
    .inject = sim_inject,
    .lines = sim_lines,
    .irq_ready = sim_irq_ready,
    .emulate = sim_emulate,
    .call_return = sim_call_return,
    .device_access = sim_device_access,
    .device_done = sim_device_done,
    .unmapped = sim_unmapped,
    .aliases = sim_aliases,
    .guest_lookup = sim_guest_lookup,
    .asid = asid,
};
