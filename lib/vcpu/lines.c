/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/*
 * Interrupt lines, and why no wake-up is lost; tests/model/wakeup.pml has the same as a model. Lines are levels that
 * any processor may change; a virtual CPU goes to sleep on its own processor. All accesses below
 * are sequentially consistent, so there is one order of them that every processor agrees on.
 *
 *   sleeper (under its queue's lock)       waker
 *     s1: state = BLOCKED                    w1: lines |= bit
 *     s2: load lines                         w2: load state
 *         rises over lines_shown: READY          BLOCKED: lock the queue, if still
 *                                                BLOCKED: READY
 *
 * If s2 misses the bit, s2 comes before w1, so s1 before w2: the waker finds BLOCKED. If w2 misses
 * BLOCKED, w2 comes before s1, so w1 before s2: the sleeper finds the bit. When both notice, the
 * queue's lock lets one of them move it. Once the lock is released, the sleeper's processor
 * touches the virtual CPU no more: another may be running it already.
 *
 * A line that changes under a RUNNING virtual CPU works the same way: the processor sets RUNNING
 * (t1), then loads the lines (t2) and enters; the waker changes lines, then loads the state. It
 * finds RUNNING and kicks, or t2 saw its change. A kick that comes between t2 and the entry must
 * end the guest's run at once: that is the backend's duty.
 */

static void wake(struct disco_vcpu *v)
{
    struct disco_sched *s = v->sched;
    unsigned cpu = disco_home_lock(v);

    if (disco_vcpu_state(v) != DISCO_VCPU_BLOCKED) {
        disco_home_unlock(v, cpu);
        return;
    }
    disco_fair_lift(s, v, s->slice_ns);
    disco_runq_push(s, cpu, v);
    disco_sched_offer(s, cpu, v);
}

void disco_vcpu_line(struct disco_vcpu *v, unsigned line, bool up)
{
    uint32_t bit, before;

    if (line >= 32)
        return;
    bit = UINT32_C(1) << line;
    /* w1 */
    before = up ? __atomic_fetch_or(&v->lines, bit, __ATOMIC_SEQ_CST)
                : __atomic_fetch_and(&v->lines, ~bit, __ATOMIC_SEQ_CST);
    if (!(before & bit) == !up)
        return;
    switch (disco_vcpu_state(v)) { /* w2 */
    case DISCO_VCPU_RUNNING:
        disco_sched_kick(v->sched, __atomic_load_n(&v->cpu, __ATOMIC_ACQUIRE));
        break;
    case DISCO_VCPU_BLOCKED:
        if (up)
            wake(v);
        break;
    default: break;
    }
}

/* Tell the backend of changed lines. Own processor. */
void disco_vcpu_show_lines(struct disco_vcpu *v)
{
    uint32_t lines = __atomic_load_n(&v->lines, __ATOMIC_SEQ_CST); /* t2 */

    if (lines != v->lines_shown) {
        v->lines_shown = lines;
        v->vm->backend->ops->lines(v, lines);
    }
}
