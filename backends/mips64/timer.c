/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Time: the real Count extended to 64 bits, and the one real Compare shared by the monitor's timer
 * and the virtual Compare of every virtual CPU that was armed on this processor.
 *
 * Compare matches by equality, so a value that Count has passed while it was being written would
 * not fire for 2^32 ticks: it is written a little ahead, and read back against Count.
 */
#include "internal.h"

#define MARGIN 64u               /* ticks between reading Count and writing Compare */
#define FARTHEST 0x40000000u     /* the extension to 64 bits needs a look at Count before it wraps */

uint64_t mips_ticks(struct mips_cpu *cpu)
{
    uint32_t count = mips_get32(C0_COUNT);

    cpu->ticks += (uint32_t)(count - (uint32_t)cpu->ticks);
    return cpu->ticks;
}

static uint64_t earliest(const struct mips_cpu *cpu)
{
    uint64_t at = cpu->timer_at;

    for (unsigned i = 0; i < cpu->narmed; i++)
        at = cpu->armed[i]->compare_at < at ? cpu->armed[i]->compare_at : at;
    return at;
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
        mips_set32(C0_COMPARE, (uint32_t)at);
        ahead *= 2;
    } while (mips_ticks(cpu) >= at);
}

void mips_timer_fire(struct mips_cpu *cpu)
{
    uint64_t now = mips_ticks(cpu);

    for (unsigned i = 0; i < cpu->narmed; i++) {
        struct mips_vcpu *a = cpu->armed[i];

        if (a->compare_at > now)
            continue;
        a->compare_at = mips_count_deadline(&a->count, now,
                                            (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_COMPARE));
        disco_vcpu_line(a->vcpu, 7, true);
    }
}

static void arm(struct mips_cpu *cpu, struct mips_vcpu *a)
{
    for (unsigned i = 0; i < cpu->narmed; i++) {
        if (cpu->armed[i] == a)
            return;
    }
    if (cpu->narmed < DISCO_MAX_VCPUS)
        cpu->armed[cpu->narmed++] = a;
}

/* Writing Compare lowers the line, whatever the value, and a value already past does not match. */
void mips_compare_written(struct mips_vcpu *a)
{
    struct mips_cpu *cpu = mips_this_cpu();

    a->compare_at = mips_count_deadline(&a->count, mips_ticks(cpu),
                                        (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_COMPARE));
    disco_vcpu_line(a->vcpu, 7, false);
    arm(cpu, a);
    mips_timer_program(cpu);
}

uint32_t mips_guest_count(struct mips_vcpu *a)
{
    return mips_count_read(&a->count, mips_ticks(mips_this_cpu()));
}

void mips_guest_count_set(struct mips_vcpu *a, uint32_t value)
{
    struct mips_cpu *cpu = mips_this_cpu();

    mips_count_set(&a->count, mips_ticks(cpu), value);
    a->compare_at = mips_count_deadline(&a->count, mips_ticks(cpu),
                                        (uint32_t)mips_cp0_get(a->cp0, MIPS_CP0_COMPARE));
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
