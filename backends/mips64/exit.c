/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What the guest ran into, as the hardware reports it. Called from world.S with Status.EXL set, on
 * the monitor's stack; what this file can settle alone never reaches the libraries.
 */
#include "internal.h"

static int leave(struct mips_vcpu *a, enum disco_exit_kind kind)
{
    a->exit->kind = kind;
    return MIPS_LEAVE;
}

/* The timer went off. Whether it was the monitor's, too. */
static bool timer(struct mips_cpu *cpu)
{
    bool due;

    mips_timer_fire(cpu);
    due = cpu->timer_at <= cpu->ticks;
    if (due)
        cpu->timer_at = UINT64_MAX;
    mips_timer_program(cpu);
    return due;
}

/*
 * A guest's Compare and another processor's flush are settled here; the rest is the monitor's. The line of the board's
 * devices is a level, which the monitor lowers by looking after them: until then no guest goes on.
 */
ASIDE static int interrupt(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();
    bool host = a->cause & CAUSE_IP_DEVICE;

    if (a->cause & CAUSE_IP_IPI)
        host |= mips_ipi(cpu);
    if (a->cause & CAUSE_IP_TIMER)
        host |= timer(cpu);
    return host ? leave(a, DISCO_EXIT_HOST) : MIPS_RESUME;
}

/* The virtual CPU has fewer address bits than the real one: beyond them it has no TLB to miss in. */
COLD static int bad_segment(struct mips_vcpu *a, uint64_t va)
{
    mips_raise(a, CAUSE_CODE(a->cause) == MIPS_EXC_TLBS ? MIPS_EXC_ADES : MIPS_EXC_ADEL, false, va);
    return MIPS_RESUME;
}

static enum disco_access access_of(const struct mips_vcpu *a, uint64_t va)
{
    if (CAUSE_CODE(a->cause) == MIPS_EXC_TLBS)
        return DISCO_ACCESS_STORE;
    if (va == a->g.pc || ((a->cause & CAUSE_BD) && va == a->g.pc + 4))
        return DISCO_ACCESS_FETCH;
    return DISCO_ACCESS_LOAD;
}

static int miss(struct mips_vcpu *a)
{
    uint64_t va = mips_get(C0_BADVADDR);

    if (!mips_va_is_implemented(va))
        return bad_segment(a, va);
    a->missed = a->refill ? (va & ~UINT64_C(0x1fff)) | 1 : 0;
    a->exit->va = (disco_va){va};
    a->exit->access = access_of(a, va);
    return disco_vcpu_settle_miss(a->vcpu, a->exit) ? MIPS_RESUME : leave(a, DISCO_EXIT_MISS);
}

static int write_fault(struct mips_vcpu *a)
{
    a->missed = 0;
    a->exit->va = (disco_va){mips_get(C0_BADVADDR)};
    a->exit->access = DISCO_ACCESS_STORE;
    return disco_vcpu_settle_write(a->vcpu, a->exit) ? MIPS_RESUME : leave(a, DISCO_EXIT_WRITE);
}

static int coprocessor(struct mips_vcpu *a)
{
    if (CAUSE_CE(a->cause) == 1)
        return mips_fpu_unusable(a);
    if (CAUSE_CE(a->cause) != 0 || !mips_guest_is_kernel(a))
        return mips_reflect(a);
    return mips_emulate_run(a);
}

static int dispatch(struct mips_vcpu *a)
{
    switch (CAUSE_CODE(a->cause)) {
    case MIPS_EXC_INT: return interrupt(a);
    case MIPS_EXC_MOD: return write_fault(a);
    case MIPS_EXC_TLBL:
    case MIPS_EXC_TLBS: return miss(a);
    case MIPS_EXC_CPU: return coprocessor(a);
    case MIPS_EXC_RI: return mips_emulate_rdhwr(a);
    default: return mips_reflect(a);
    }
}

void mips_lines(struct disco_vcpu *v, uint32_t lines)
{
    struct mips_vcpu *a = mips_of(v);

    a->lines_seen = lines;
    mips_cp0_set_lines(a->cp0, lines);
}

/* The real Status for the virtual one; EXL, which the final eret clears. */
static void set_status(struct mips_vcpu *a, uint64_t virtual)
{
    uint32_t status = mips_hw_status(virtual, a->fpu_live, ST_IM_ALL >> 8);

    a->status_seen = virtual;
    if (status == a->hw_status)
        return;
    a->hw_status = status;
    mips_set32(C0_STATUS, status | ST_EXL);
    mips_ehb();
}

/* The guest goes on: give it the interrupts that wait, and the real Status that its own asks for. */
static void finish(struct mips_vcpu *a)
{
    uint32_t lines = __atomic_load_n(&a->vcpu->lines, __ATOMIC_ACQUIRE);
    uint64_t status;

    if (lines != a->lines_seen)
        mips_lines(a->vcpu, lines);
    if (mips_interrupt_pending(a->cp0))
        mips_take_interrupt(a);
    mips_account_monitor(a);
    mips_timer_look(mips_this_cpu(), a->since);
    status = mips_cp0_get(a->cp0, MIPS_CP0_STATUS);
    if (status != a->status_seen || !a->hw_status)
        set_status(a, status);
}

/* The guest's mode changes only by exits, so all the time since the last one was spent in one. */
static void account_guest(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();
    uint32_t now = mips_get32(C0_COUNT), ticks = now - a->since;
    bool user = (a->hw_status & ST_KSU) == ST_KSU_USER;

    a->since = now;
    *(user ? &a->stats.user_ticks : &a->stats.kernel_ticks) += ticks;
    *(user ? &cpu->user_ticks : &cpu->kernel_ticks) += ticks;
}

void mips_account_monitor(struct mips_vcpu *a)
{
    uint32_t now = mips_get32(C0_COUNT);

    a->stats.monitor_ticks += (uint32_t)(now - a->since);
    a->since = now;
}

int mips_exit(struct mips_vcpu *a)
{
    int next;

    account_guest(a);
    a->cause = mips_get32(C0_CAUSE);
    a->stats.exits++;
    a->stats.code[CAUSE_CODE(a->cause)]++;
    next = dispatch(a);
    if (next == MIPS_LEAVE)
        a->hw_status = 0;
    else
        finish(a);
    return next;
}

void mips_entry(struct mips_vcpu *a)
{
    a->hw_status = 0;
    finish(a);
}
