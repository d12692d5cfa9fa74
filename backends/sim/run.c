/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <assert.h>

/*
 * Direct execution: a guest's operations one by one against this processor's TLB. Whatever cannot
 * be completed here leaves with an exit, and the guest's pc stays at the operation.
 */

enum outcome { GO_ON, LEAVE };

static bool allowed(disco_tlbe e, enum disco_access access)
{
    return sim_tlbe_rights(e) & (access == DISCO_ACCESS_FETCH ? DISCO_EXEC : DISCO_READ);
}

/* The memory behind @p va, or NULL with the exit filled in. */
static uint64_t *reach(struct disco_vcpu *v, uint64_t va, enum disco_access access,
                       struct disco_exit *x)
{
    struct sim_cpu *c = sim_this_cpu(v);
    const struct hw_entry *h = hw_find(c, va, sim_guest(v)->asid);
    disco_tlbe e = h ? h->e[va >> DISCO_PAGE_SHIFT & 1] : 0;

    x->va.v = va;
    x->access = access;
    x->kind = DISCO_EXIT_MISS;
    if (e && access == DISCO_ACCESS_STORE && !(sim_tlbe_rights(e) & DISCO_WRITE)) {
        x->kind = DISCO_EXIT_WRITE;
    } else if (e && (access == DISCO_ACCESS_STORE || allowed(e, access))) {
        uint8_t *page = sim_ops.page(v->vm->backend, sim_tlbe_mpn(e));

        return (uint64_t *)(void *)(page + (va & DISCO_PAGE_MASK & ~UINT64_C(7)));
    }
    c->stats.misses++;
    return NULL;
}

static enum outcome access_memory(struct disco_vcpu *v, const struct sim_insn *i,
                                  struct disco_exit *x)
{
    static const enum disco_access kind[] = {
        [SIM_LOAD] = DISCO_ACCESS_LOAD,
        [SIM_STORE] = DISCO_ACCESS_STORE,
        [SIM_FETCH] = DISCO_ACCESS_FETCH,
    };
    struct sim_guest *g = v->arch;
    uint64_t *at = reach(v, g->r[i->b % SIM_REGS] + (uint64_t)i->c, kind[i->op], x);

    if (!at)
        return LEAVE;
    /* Guests that share memory may race; that is their business, so these are atomic. */
    if (i->op == SIM_STORE)
        __atomic_store_n(at, g->r[i->a % SIM_REGS], __ATOMIC_RELAXED);
    else if (i->op == SIM_LOAD)
        g->r[i->a % SIM_REGS] = __atomic_load_n(at, __ATOMIC_RELAXED);
    g->pc++;
    return GO_ON;
}

static enum outcome call(const struct sim_guest *g, struct disco_exit *x)
{
    x->kind = DISCO_EXIT_CALL;
    x->call = g->r[0];
    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++)
        x->arg[i] = g->r[1 + i];
    return LEAVE;
}

static enum outcome fatal(struct disco_exit *x, const char *why)
{
    x->kind = DISCO_EXIT_FATAL;
    x->why = why;
    return LEAVE;
}

static enum outcome step(struct disco_vcpu *v, struct disco_exit *x)
{
    struct sim_guest *g = v->arch;
    const struct sim_insn *i = &g->program[g->pc];
    unsigned a = i->a % SIM_REGS, b = i->b % SIM_REGS;

    switch (i->op) {
    case SIM_SET: g->r[a] = (uint64_t)i->c; break;
    case SIM_ADD: g->r[a] = g->r[b] + (uint64_t)i->c; break;
    case SIM_SUM: g->r[a] += g->r[b]; break;
    case SIM_AND: g->r[a] = g->r[b] & (uint64_t)i->c; break;
    case SIM_BEQ:
    case SIM_BNE:
        g->pc = (g->r[a] == g->r[b]) == (i->op == SIM_BEQ) ? (uint32_t)i->c : g->pc + 1;
        return GO_ON;
    case SIM_LOAD:
    case SIM_STORE:
    case SIM_FETCH: return access_memory(v, i, x);
    case SIM_CALL: return call(g, x);
    case SIM_WAIT:
        g->pc++;
        g->ops++;
        x->kind = DISCO_EXIT_WAIT;
        return LEAVE;
    case SIM_HALT: return fatal(x, "the guest halted its processor");
    case SIM_NOP: break;
    default: x->kind = DISCO_EXIT_PRIVILEGED; return LEAVE;
    }
    g->pc++;
    return GO_ON;
}

void sim_enter(struct disco_vcpu *v, struct disco_exit *x)
{
    struct sim_cpu *c = sim_this_cpu(v);
    struct sim_guest *g = v->arch;

    assert(c->owner == v && "switch_in was not called");
    for (;;) {
        sim_serve(c);
        if (sim_disturbed(c)) {
            x->kind = DISCO_EXIT_HOST;
            return;
        }
        if (sim_irq_ready(v))
            sim_take(g, SIM_INTERRUPT);
        sim_advance(c->m, SIM_OP_NS);
        if (g->pc >= g->length) {
            fatal(x, "the guest ran off its program");
            return;
        }
        if (step(v, x) == LEAVE)
            return;
        g->ops++;
    }
}
