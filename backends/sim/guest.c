/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

/* The guest's privileged state: exceptions, interrupts, and the instructions that trap. */

int sim_guest_reset(struct disco_vcpu *v)
{
    struct sim_guest *g = v->arch;

    g->random = v->id + 1;
    return disco_l2tlb_set_asid(v->l2tlb, 0, 0);
}

void sim_load(struct disco_vcpu *v, const struct sim_insn *program, uint32_t length)
{
    struct sim_guest *g = v->arch;

    g->program = program;
    g->length = length;
    g->pc = 0;
}

/* Exception entry. One that comes while another is handled leaves EPC alone, as on MIPS. */
void sim_take(struct sim_guest *g, unsigned vector)
{
    if (!g->exception)
        g->epc = g->pc;
    g->exception = true;
    g->cause = vector;
    g->pc = g->vector[vector];
    g->taken[vector]++;
}

void sim_inject(struct disco_vcpu *v, enum disco_inject what, const struct disco_exit *x)
{
    struct sim_guest *g = v->arch;

    g->bad_va = x->va.v;
    sim_take(g, what);
}

void sim_lines(struct disco_vcpu *v, uint32_t lines) { sim_guest(v)->lines = lines; }

bool sim_irq_ready(const struct disco_vcpu *v)
{
    const struct sim_guest *g = v->arch;

    return g->enabled && !g->exception && (g->lines & g->mask);
}

void sim_call_return(struct disco_vcpu *v, int64_t result)
{
    struct sim_guest *g = v->arch;

    g->r[0] = (uint64_t)result;
    g->pc++;
    g->ops++;
}

/* All loads and stores of this machine are of 8 bytes. */
int sim_device_access(struct disco_vcpu *v, const struct disco_exit *x,
                      struct disco_device_access *a)
{
    const struct sim_guest *g = v->arch;
    const struct sim_insn *i = &g->program[g->pc];

    if (i->op != (x->access == DISCO_ACCESS_STORE ? SIM_STORE : SIM_LOAD))
        return DISCO_ERR_UNSUPPORTED;
    *a = (struct disco_device_access){.size = 8, .value = g->r[i->a % SIM_REGS]};
    return DISCO_OK;
}

void sim_device_done(struct disco_vcpu *v, const struct disco_exit *x,
                     const struct disco_device_access *a)
{
    struct sim_guest *g = v->arch;

    if (x->access == DISCO_ACCESS_LOAD)
        g->r[g->program[g->pc].a % SIM_REGS] = a->value;
    g->pc++;
    g->ops++;
}

static int write_tlb(struct disco_vcpu *v, const struct sim_insn *i)
{
    struct sim_guest *g = v->arch;
    struct sim_entry e = {g->r[i->a % SIM_REGS],
                          {g->r[i->b % SIM_REGS], g->r[(i->b + 1) % SIM_REGS]}};
    bool indexed = i->op == SIM_TLB_INDEXED;
    uint64_t index = indexed ? (uint64_t)i->c : sim_next_random(&g->random) % SIM_GUEST_TLB;

    if (index >= SIM_GUEST_TLB)
        return DISCO_ERR_BAD_ARG;
    sim_vtlb_write(v, (unsigned)index, indexed, e);
    return DISCO_OK;
}

static int set_asid(struct disco_vcpu *v, uint64_t asid)
{
    if (asid >= SIM_ASIDS)
        return DISCO_ERR_BAD_ARG;
    sim_guest(v)->asid = (uint32_t)asid;
    return disco_l2tlb_set_asid(v->l2tlb, (uint32_t)asid, asid);
}

static int read_special(struct sim_guest *g, unsigned to, uint64_t which)
{
    const uint64_t special[SIM_SPECIALS] = {
        [SIM_CAUSE] = g->cause,
        [SIM_BAD_VA] = g->bad_va,
        [SIM_EPC] = g->epc,
        [SIM_LINES] = g->lines,
    };

    if (which >= SIM_SPECIALS)
        return DISCO_ERR_BAD_ARG;
    g->r[to] = special[which];
    return DISCO_OK;
}

static int set_vector(struct sim_guest *g, const struct sim_insn *i)
{
    if (i->a >= SIM_VECTORS)
        return DISCO_ERR_BAD_ARG;
    g->vector[i->a] = (uint32_t)i->c;
    return DISCO_OK;
}

static int enable(struct sim_guest *g, bool on, int64_t mask)
{
    g->enabled = on;
    if (on)
        g->mask = (uint32_t)mask;
    return DISCO_OK;
}

/* One privileged instruction; an error means that the guest may not do this. */
static int execute(struct disco_vcpu *v, const struct sim_insn *i)
{
    struct sim_guest *g = v->arch;
    unsigned a = i->a % SIM_REGS, b = i->b % SIM_REGS;

    switch (i->op) {
    case SIM_TLB_RANDOM:
    case SIM_TLB_INDEXED: return write_tlb(v, i);
    case SIM_TLB_PROBE: g->r[a] = (uint64_t)sim_vtlb_probe(v, (disco_va){g->r[b]}); return DISCO_OK;
    case SIM_TLB_FLUSH: sim_vtlb_flush(v); return DISCO_OK;
    case SIM_SET_ASID: return set_asid(v, g->r[a]);
    case SIM_ENABLE:
    case SIM_DISABLE: return enable(g, i->op == SIM_ENABLE, i->c);
    case SIM_VECTOR: return set_vector(g, i);
    case SIM_READ: return read_special(g, a, (uint64_t)i->c);
    default: return DISCO_ERR_UNSUPPORTED;
    }
}

int sim_emulate(struct disco_vcpu *v, const struct disco_exit *x)
{
    struct sim_guest *g = v->arch;
    const struct sim_insn *i = &g->program[g->pc];
    int err;

    (void)x;
    if (i->op == SIM_ERET) {
        g->exception = false;
        g->pc = g->epc;
        g->ops++;
        return DISCO_OK;
    }
    err = execute(v, i);
    if (err)
        return err;
    g->pc++;
    g->ops++;
    return DISCO_OK;
}
