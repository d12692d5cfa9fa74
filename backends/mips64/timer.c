/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the real Count extended to 64 bits, and the one real Compare shared by the monitor's timer
 * and the virtual Compare of every virtual CPU that was armed on this processor.
 *
 * Compare matches by equality, so a value that Count has passed while it was being written would
 * not fire for 2^32 ticks: it is written a little ahead, and read back against Count.
 *
 * The processor that a virtual CPU runs on, or ran on last, watches its Compare: it takes it over when the
 * virtual CPU comes in, and drops it when it finds that it has moved. A list is its processor's,
 * and locked (armed_lock) only because mips_timer_drop() takes a virtual CPU that goes away out of all of them;
 * what two processors may both touch for a moment, deadline and line, is under the compare_lock, inside.
 */
#include "internal.h"

#define MARGIN 64u           /* ticks between reading Count and writing Compare */
#define FARTHEST 0x40000000u /* the extension to 64 bits needs a look at Count before it wraps */

uint64_t mips_ticks(struct mips_cpu *cpu)
{
    uint32_t count = mips_get32(C0_COUNT);

    cpu->ticks += (uint32_t)(count - (uint32_t)cpu->ticks);
    return cpu->ticks;
}

#define TIMER_LINE 7

/* With the compare_lock, or before others know of @p a. */
static void next_match(struct mips_vcpu *a, uint64_t now)
{
    uint64_t at =
        mips_count_deadline(&a->count, now, (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_COMPARE));

    __atomic_store_n(&a->compare_at, at, __ATOMIC_RELAXED);
}

static uint64_t earliest(struct mips_cpu *cpu)
{
    uint64_t at = cpu->timer_at;

    disco_lock(&cpu->armed_lock, cpu->backend);
    for (unsigned i = 0; i < cpu->narmed; i++) {
        uint64_t match_at = __atomic_load_n(&cpu->armed[i]->compare_at, __ATOMIC_RELAXED);

        at = match_at < at ? match_at : at;
    }
    disco_unlock(&cpu->armed_lock);
    return at;
}

/*
 * Twice, for QEMU 7.2, which lets another thread find that the value before was reached, and set its clock for that value's
 * next turn: after ours, if it read the register before we wrote it. It holds a lock that a write waits for, so it has
 * done by the second.
 */
static void write_compare(uint32_t at)
{
    mips_set32(C0_COMPARE, at);
    mips_set32(C0_COMPARE, at);
}

void mips_timer_program(struct mips_cpu *cpu)
{
    uint64_t at = earliest(cpu), now;
    uint32_t ahead = MARGIN;

    do {
        now = mips_ticks(cpu);
        if (at < now + ahead)
            at = now + ahead;
        if (at > now + FARTHEST)
            at = now + FARTHEST;
        write_compare((uint32_t)at);
        ahead *= 2;
    } while (mips_ticks(cpu) >= at);
}

/*
 * Count has passed Compare. If there is no interrupt perhaps none will come: QEMU 7.2 sets and clears bits of Cause in two
 * threads, and may lose some. To ask again does no harm to one that is only late.
 */
COLD void mips_timer_passed(struct mips_cpu *cpu)
{
    if (mips_get32(C0_CAUSE) & CAUSE_IP_TIMER)
        return;
    cpu->renewed++;
    mips_timer_program(cpu);
}

/* Line and deadline change together: a match that is found here is not one that the guest has moved. */
static void match(struct mips_vcpu *a, uint64_t now)
{
    disco_lock(&a->compare_lock, a->vcpu->vm->backend);
    if (a->compare_at <= now) {
        next_match(a, now);
        disco_vcpu_line(a->vcpu, TIMER_LINE, true);
    }
    disco_unlock(&a->compare_lock);
}

static bool lives_here(const struct mips_cpu *cpu, const struct mips_vcpu *a)
{
    return __atomic_load_n(&a->vcpu->cpu, __ATOMIC_ACQUIRE) == cpu->id;
}

static void fire(struct mips_cpu *cpu)
{
    uint64_t now = mips_ticks(cpu);
    unsigned kept = 0;

    for (unsigned i = 0; i < cpu->narmed; i++) {
        struct mips_vcpu *a = cpu->armed[i];

        if (!lives_here(cpu, a)) /* where it moved to watches it now */
            continue;
        cpu->armed[kept++] = a;
        if (__atomic_load_n(&a->compare_at, __ATOMIC_RELAXED) <= now)
            match(a, now);
    }
    cpu->narmed = kept;
}

TOLD void mips_timer_fire(struct mips_cpu *cpu)
{
    disco_lock(&cpu->armed_lock, cpu->backend);
    fire(cpu);
    disco_unlock(&cpu->armed_lock);
}

COLD static void forget(struct mips_cpu *cpu, const struct mips_vcpu *a)
{
    disco_lock(&cpu->armed_lock, cpu->backend);
    for (unsigned i = 0; i < cpu->narmed; i++) {
        if (cpu->armed[i] == a)
            cpu->armed[i--] = cpu->armed[--cpu->narmed];
    }
    disco_unlock(&cpu->armed_lock);
}

COLD void mips_timer_drop(const struct mips_vcpu *a)
{
    struct mips_machine *m = mips_machine_of(a->vcpu->vm->backend);

    for (unsigned i = 0; i < m->backend.cpus; i++)
        forget(m->cpu[i], a);
}

/* With the armed_lock. */
static void add(struct mips_cpu *cpu, struct mips_vcpu *a)
{
    for (unsigned i = 0; i < cpu->narmed; i++) {
        if (cpu->armed[i] == a)
            return;
    }
    if (cpu->narmed == MIPS_MAX_ARMED)
        fire(cpu); /* drops those that moved away */
    if (cpu->narmed < MIPS_MAX_ARMED)
        cpu->armed[cpu->narmed++] = a;
}

static void arm(struct mips_cpu *cpu, struct mips_vcpu *a)
{
    disco_lock(&cpu->armed_lock, cpu->backend);
    add(cpu, a);
    disco_unlock(&cpu->armed_lock);
}

void mips_timer_adopt(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();

    if (a->compare_at == UINT64_MAX)
        return;
    arm(cpu, a);
    mips_timer_program(cpu);
}

/* Writing Compare lowers the line, whatever the value, and a value already past does not match. */
void mips_compare_written(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();

    disco_lock(&a->compare_lock, cpu->backend);
    next_match(a, mips_ticks(cpu));
    disco_vcpu_line(a->vcpu, TIMER_LINE, false);
    disco_unlock(&a->compare_lock);
    arm(cpu, a);
    mips_timer_program(cpu);
}

/*
 * A guest that has seen Count pass Compare must find the interrupt pending (Linux tries its timer so, and gives
 * a processor up whose timer seems not to work). The real interrupt may be late: we do not wait for it.
 */
uint32_t mips_guest_count(struct mips_vcpu *a)
{
    uint64_t now = mips_ticks(mips_this_cpu());

    if (__atomic_load_n(&a->compare_at, __ATOMIC_RELAXED) <= now)
        match(a, now);
    return mips_count_read(&a->count, now);
}

void mips_guest_count_set(struct mips_vcpu *a, uint32_t value)
{
    struct mips_cpu *cpu = mips_this_cpu();

    disco_lock(&a->compare_lock, cpu->backend);
    mips_count_set(&a->count, mips_ticks(cpu), value);
    next_match(a, mips_ticks(cpu));
    disco_unlock(&a->compare_lock);
    mips_timer_program(cpu);
}

uint64_t mips_now(struct disco_backend *b)
{
    (void)b;
    return mips_ticks(mips_this_cpu()) * MIPS_NS_PER_TICK;
}

void mips_timer(struct disco_backend *b, uint64_t ns)
{
    struct mips_cpu *cpu = mips_this_cpu();
    uint64_t at = ns == UINT64_MAX ? UINT64_MAX : ns / MIPS_NS_PER_TICK;

    (void)b;
    if (at == cpu->timer_at)
        return;
    cpu->timer_at = at;
    mips_timer_program(cpu);
}

/* When did the VM last run? 0: it runs still. */
COLD static uint64_t last_ran(const struct disco_vm *vm)
{
    uint64_t at = 1;

    for (uint32_t i = 0; i < vm->vcpus; i++) {
        const struct mips_vcpu *a = mips_of(vm->vcpu[i]);

        if (__atomic_load_n(&vm->vcpu[i]->state, __ATOMIC_SEQ_CST) == DISCO_VCPU_RUNNING)
            return 0;
        at = a->left_at > at ? a->left_at : at;
    }
    return at;
}

COLD static void set_back(struct mips_vcpu *a, uint64_t now, uint64_t ticks)
{
    disco_lock(&a->compare_lock, a->vcpu->vm->backend);
    a->count.bias -= ticks;
    a->retimed = true;
    if (a->compare_at != UINT64_MAX)
        next_match(a, now);
    disco_unlock(&a->compare_lock);
}

COLD void mips64_stood_still(struct disco_vm *vm, uint64_t since_ns)
{
    uint64_t since = since_ns / MIPS_NS_PER_TICK, ran = last_ran(vm);
    uint64_t now = mips_ticks(mips_this_cpu());

    since = ran > since ? ran : since;
    if (!ran || now <= since)
        return;
    for (uint32_t i = 0; i < vm->vcpus; i++)
        set_back(mips_of(vm->vcpu[i]), now, now - since);
}
