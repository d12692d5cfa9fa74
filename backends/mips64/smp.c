/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What processors ask of each other: to flush translations (a shootdown) and to look up from what they
 * do (a kick). Requests lie in the target's struct mips_cpu; an interprocessor interrupt is sent only
 * where the target could not see them by itself, that is while a guest runs there, or it waits for work.
 *
 *   asker                                     target
 *     a1: flush_want += 1  (or kicked = 1)      e1: where = GUEST
 *     a2: fence                                 e2: fence
 *     a3: load where                            e3: load flush_want, kicked
 *         GUEST: send an interrupt                  asked: flush / do not enter
 *     a4: wait until flush_done has come        e4: the guest runs; the interrupt does e3 again
 *         up, or where is not GUEST             e5: where = MONITOR
 *
 * Either a3 finds GUEST, and the interrupt comes when the guest runs, or e3 finds the request. A processor
 * outside a guest is not waited for: translations are used by guests only, and what the monitor there
 * loads into its TLB now (it may have looked it up before the request) goes before the next guest runs.
 * In the monitor interrupts are off; while an asker waits, or spins on a lock, it serves what is asked of
 * itself: two processors may ask each other at once. tests/model/shootdown.pml, wakeup.pml.
 */
#include "internal.h"

#define CAUSE_IP_SOFTWARE 0x100u /* Cause.IP0, which software sets; guests never see it */

static uint32_t load(const uint32_t *p) { return __atomic_load_n(p, __ATOMIC_SEQ_CST); }

static void go(struct mips_cpu *cpu, enum mips_where where)
{
    __atomic_store_n(&cpu->where, where, __ATOMIC_SEQ_CST); /* e1, e5 */
    __atomic_thread_fence(__ATOMIC_SEQ_CST);                /* e2 */
}

/* Flush if others asked for it. Own processor. */
static void serve(struct mips_cpu *cpu)
{
    uint32_t want = load(&cpu->flush_want); /* e3 */

    if (want == cpu->flush_done)
        return;
    mips_tlb_flush(cpu->last ? mips_of(cpu->last) : NULL);
    cpu->flushes++;
    __atomic_store_n(&cpu->flush_done, want, __ATOMIC_RELEASE);
}

static bool take_kick(struct mips_cpu *cpu)
{
    return load(&cpu->kicked) && __atomic_exchange_n(&cpu->kicked, 0, __ATOMIC_SEQ_CST);
}

bool mips_before_guest(struct mips_cpu *cpu)
{
    go(cpu, MIPS_IN_GUEST);
    serve(cpu);
    if (!take_kick(cpu))
        return true;
    go(cpu, MIPS_IN_MONITOR);
    return false;
}

void mips_after_guest(struct mips_cpu *cpu)
{
    __atomic_store_n(&cpu->where, MIPS_IN_MONITOR, __ATOMIC_RELEASE); /* e5 */
}

/* Lowered before the look: what is asked for later raises it again. */
TOLD bool mips_ipi(struct mips_cpu *cpu)
{
    mips_machine_of(cpu->backend)->ipi_lower(cpu->id);
    cpu->ipis++;
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    serve(cpu);
    return take_kick(cpu);
}

void mips_kick(struct disco_backend *b, unsigned id)
{
    struct mips_machine *m = mips_machine_of(b);
    struct mips_cpu *cpu = m->cpu[id];

    __atomic_store_n(&cpu->kicked, 1, __ATOMIC_SEQ_CST);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    if (load(&cpu->where) != MIPS_IN_MONITOR)
        m->ipi_raise(id);
}

/*
 * Let other processors go on. Nothing is asked of hardware; but where an emulator runs processors in
 * turn, spinning would last until the turn ends. With an interrupt pending (here one of our own, never
 * taken) `wait` comes back at once, and there it is the next one's turn.
 */
void mips_relax(struct disco_backend *b)
{
    struct mips_cpu *cpu = mips_this_cpu();
    uint32_t status = mips_get32(C0_STATUS);

    serve(cpu);
    if (b->cpus == 1)
        return;
    mips_set32(C0_CAUSE, CAUSE_IP_SOFTWARE);
    mips_set32(C0_STATUS, status | CAUSE_IP_SOFTWARE);
    mips_ehb();
    __asm__ volatile("wait" ::: "memory");
    mips_set32(C0_STATUS, status);
    mips_set32(C0_CAUSE, 0);
    mips_ehb();
}

/* What a processor waits for is its own timers, kicks, and devices, which the monitor asks when we return. */
static void sleep_until_asked(struct mips_cpu *cpu)
{
    uint32_t status = mips_get32(C0_STATUS);

    go(cpu, MIPS_IDLE);
    if (!load(&cpu->kicked)) {
        mips_set32(C0_STATUS, status | ST_IM_ALL);
        mips_ehb();
        __asm__ volatile("wait" ::: "memory");
        mips_set32(C0_STATUS, status);
        mips_ehb();
    }
    go(cpu, MIPS_IN_MONITOR);
}

/* `wait` ends with an interrupt that is pending, enabled or not (Release 6): none is lost. */
void mips_idle(struct disco_backend *b)
{
    struct mips_cpu *cpu = mips_this_cpu();

    (void)b;
    mips_timer_look(cpu, mips_get32(C0_COUNT));
    sleep_until_asked(cpu);
    if (mips_get32(C0_CAUSE) & CAUSE_IP_IPI)
        mips_ipi(cpu);
    take_kick(cpu);
    mips_timer_fire(cpu);
    if (cpu->timer_at <= cpu->ticks)
        cpu->timer_at = UINT64_MAX;
    mips_timer_program(cpu);
}

/* It goes away: no processor may look at it any more when it flushes. It has left them all. */
void mips_cpus_forget(struct disco_vcpu *v)
{
    struct mips_machine *m = mips_machine_of(v->vm->backend);

    for (unsigned i = 0; i < m->backend.cpus; i++) {
        struct disco_vcpu *expected = v;

        __atomic_compare_exchange_n(&m->cpu[i]->last, &expected, NULL, false, __ATOMIC_SEQ_CST,
                                    __ATOMIC_SEQ_CST);
    }
}

/* Does @p cpu have entries of @p v? When it flushes at each switch, only while no other came in. */
static bool may_hold(const struct mips_machine *m, const struct mips_cpu *cpu,
                     const struct disco_vcpu *v)
{
    return m->tagged || __atomic_load_n(&cpu->last, __ATOMIC_SEQ_CST) == v;
}

static uint32_t ask(struct mips_machine *m, struct mips_cpu *cpu)
{
    uint32_t want = __atomic_add_fetch(&cpu->flush_want, 1, __ATOMIC_SEQ_CST); /* a1 */

    __atomic_thread_fence(__ATOMIC_SEQ_CST); /* a2 */
    if (load(&cpu->where) == MIPS_IN_GUEST)  /* a3 */
        m->ipi_raise(cpu->id);
    return want;
}

/* a4 */
static void wait_for(struct disco_backend *b, const struct mips_cpu *cpu, uint32_t want)
{
    while ((int32_t)(load(&cpu->flush_done) - want) < 0 && load(&cpu->where) == MIPS_IN_GUEST)
        mips_relax(b);
}

/* The other processors that may have entries of these virtual CPUs; *here: this one may, too. */
static disco_cpuset others(const struct mips_machine *m, const struct disco_holder *h, size_t nh,
                           bool *here)
{
    disco_cpuset self = (disco_cpuset)1 << mips_this_cpu()->id, all = 0;

    for (; nh; h++, nh--) {
        for (disco_cpuset left = h->cpus; left; left &= left - 1) {
            unsigned i = (unsigned)__builtin_ctzll(left);

            if (may_hold(m, m->cpu[i], h->v))
                all |= (disco_cpuset)1 << i;
        }
    }
    *here = all & self;
    return all & ~self;
}

/*
 * A backmap names no ASID, so entries are forgotten by flushing: revocation is rare, refilling from
 * the L2TLB cheap.
 */
void mips_invalidate(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                     const struct disco_purge *p, size_t n)
{
    struct mips_machine *m = mips_machine_of(b);
    struct mips_cpu *self = mips_this_cpu();
    uint32_t want[DISCO_MAX_CPUS];
    bool here;
    disco_cpuset asked = others(m, h, nh, &here);

    (void)p, (void)n;
    for (disco_cpuset left = asked; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        want[i] = ask(m, m->cpu[i]);
    }
    if (here)
        mips_tlb_flush(self->last ? mips_of(self->last) : NULL);
    for (disco_cpuset left = asked; left; left &= left - 1) {
        unsigned i = (unsigned)__builtin_ctzll(left);

        wait_for(b, m->cpu[i], want[i]);
    }
}
