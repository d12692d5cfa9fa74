/* SPDX-License-Identifier: BSD-2-Clause */
#include "sched.h"

/*
 * Keeping virtual CPUs off processors, for as long as anybody has a reason. Reasons are bits, of
 * one virtual CPU or of its VM; several may give and take them back at once.
 *
 * Who changes a reason writes the bit and then looks at the state; who changes the state, under the
 * home's lock, looks at the bits while holding it. So the last of them sees what all wanted. One
 * that starts has no home before; it is written PAUSED first, and then the bits are looked at: a VM
 * that is paused, resumed or ended at that moment finds it PAUSED, or it finds the VM's new bits.
 */

/*
 * Take @p v to @p state (PAUSED or STOPPED) unless it runs; then its processor is kicked and does
 * so itself when it leaves. The wish was written before; the home's lock orders the two of us.
 * @return whether it is there now, and was not before.
 */
bool disco_vcpu_set_aside(struct disco_vcpu *v, enum disco_vcpu_state state)
{
    struct disco_sched *s = v->sched;
    unsigned cpu = disco_home_lock(v);
    uint32_t now = disco_vcpu_state(v);
    bool moved = now != DISCO_VCPU_STOPPED && now != DISCO_VCPU_RUNNING && now != state &&
                 (state == DISCO_VCPU_STOPPED || disco_vcpu_held(v));

    if (moved && now == DISCO_VCPU_READY)
        disco_runq_withdraw(s, cpu, v);
    if (moved)
        disco_vcpu_set_state(v, state);
    disco_home_unlock(v, cpu);
    if (now == DISCO_VCPU_RUNNING)
        disco_sched_kick(s, cpu);
    return moved;
}

/*
 * Let a PAUSED one go if no reason is left. Its home's lock is held, and released here: after that
 * @p v may be gone. No credit: it did not sleep of its own accord. But one that did when it was
 * paused comes back awake: `wait` may always end early.
 */
void disco_vcpu_release(struct disco_sched *s, unsigned cpu, struct disco_vcpu *v)
{
    if (disco_vcpu_state(v) != DISCO_VCPU_PAUSED || disco_vcpu_held(v)) {
        disco_unlock(&s->q[cpu].lock);
        return;
    }
    disco_fair_lift(s, v, 0);
    disco_runq_push(s, cpu, v);
    disco_sched_offer(s, cpu, v);
}

static void unpause(struct disco_vcpu *v) { disco_vcpu_release(v->sched, disco_home_lock(v), v); }

int disco_vcpu_pause(struct disco_vcpu *v, uint32_t who)
{
    if (disco_vcpu_state(v) == DISCO_VCPU_STOPPED)
        return DISCO_ERR_STATE;
    __atomic_fetch_or(&v->paused_by, who, __ATOMIC_SEQ_CST);
    disco_vcpu_set_aside(v, DISCO_VCPU_PAUSED);
    return DISCO_OK;
}

int disco_vcpu_resume(struct disco_vcpu *v, uint32_t who)
{
    if (disco_vcpu_state(v) == DISCO_VCPU_STOPPED)
        return DISCO_ERR_STATE;
    __atomic_fetch_and(&v->paused_by, ~who, __ATOMIC_SEQ_CST);
    unpause(v);
    return DISCO_OK;
}

void disco_vm_pause(struct disco_vm *vm, uint32_t who)
{
    uint32_t vcpus = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);

    __atomic_fetch_or(&vm->paused_by, who, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < vcpus; i++) {
        if (disco_vcpu_state(vm->vcpu[i]) != DISCO_VCPU_STOPPED)
            disco_vcpu_set_aside(vm->vcpu[i], DISCO_VCPU_PAUSED);
    }
}

void disco_vm_resume(struct disco_vm *vm, uint32_t who)
{
    uint32_t vcpus = __atomic_load_n(&vm->vcpus, __ATOMIC_ACQUIRE);

    __atomic_fetch_and(&vm->paused_by, ~who, __ATOMIC_SEQ_CST);
    for (uint32_t i = 0; i < vcpus; i++) {
        if (disco_vcpu_state(vm->vcpu[i]) != DISCO_VCPU_STOPPED)
            unpause(vm->vcpu[i]);
    }
}
