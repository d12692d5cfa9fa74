/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Processors of a Malta board with the coherence manager of the I6400: global control registers (GCR), cluster
 * power controller (CPC) and global interrupt controller (GIC). MIPS Coherence Manager and GIC manuals.
 */
#include "smp.h"

#define UNCACHED UINT64_C(0x9000000000000000)
#define GCR UINT64_C(0x1fbf8000)
#define GCR_GIC_BASE 0x80
#define GCR_CPC_BASE 0x88
#define GCR_LOCAL_CONFIG 0x2010 /* virtual processors of this core, less one */
#define GIC UINT64_C(0x1bdc0000)
#define CPC UINT64_C(0x1bde0000)
#define ENABLE 1
#define CPC_RUN 0x2028

#define GIC_COUNTER_LOW 0x10
#define GIC_COUNTER_HIGH 0x14
#define GIC_POLARITY 0x100
#define GIC_TRIGGER 0x180
#define GIC_WEDGE 0x280
#define GIC_SET_MASK 0x380
#define GIC_PIN(irq) (0x500 + 4 * (irq))
#define GIC_VP(irq) (0x2000 + 0x20 * (irq))
#define PIN_IP2 0
#define PIN_IP4 2
#define GIC_OWN_RESET_MASK 0x800c /* of the processor that writes */
#define GIC_OWN_ALL 0x7f
#define BOARD_IRQ 3  /* the board's own interrupt controllers */
#define FIRST_IPI 40 /* behind the interrupts of the board's devices */

static struct mips_machine *machine;
static void (*processor_loop)(void);
static uint32_t running;         /* processors that came up; accessed atomically */
uint64_t smp_stack_top[SMP_MAX]; /* boot.S */
void smp_main(unsigned id);

static volatile uint32_t *reg(uint64_t block, unsigned offset)
{
    return (volatile uint32_t *)(UNCACHED + block + offset);
}

/*
 * On the first processor, and before there are others: QEMU 7.2 changes its map of memory for it, and a processor that
 * reads a device at that moment looks it up in one map and reads it in the other, which has ended QEMU.
 */
void smp_map_controllers(void)
{
    *(volatile uint64_t *)reg(GCR, GCR_GIC_BASE) = GIC | ENABLE;
    *(volatile uint64_t *)reg(GCR, GCR_CPC_BASE) = CPC | ENABLE;
}

/*
 * A processor's own interrupts, a comparison with the counter among them: out of reset that leads to IP2, the devices'
 * line, each time the counter's low half has gone round, which is after 43 s.
 */
static void mask_own(void) { *reg(GIC, GIC_OWN_RESET_MASK) = GIC_OWN_ALL; }

unsigned smp_processors(void)
{
    unsigned n = (*reg(GCR, GCR_LOCAL_CONFIG) & 0x3ff) + 1;

    return n < SMP_MAX ? n : SMP_MAX;
}

/* --- interrupts: one shared interrupt for each processor, raised by software, seen at its IP4 --- */

static void route_ipi(unsigned cpu)
{
    unsigned irq = FIRST_IPI + cpu, word = irq / 32 * 4;
    uint32_t bit = UINT32_C(1) << irq % 32;

    *reg(GIC, GIC_PIN(irq)) = UINT32_C(0x80000000) | PIN_IP4;
    *reg(GIC, GIC_VP(irq)) = UINT32_C(1) << cpu;
    *reg(GIC, GIC_POLARITY + word) |= bit;
    *reg(GIC, GIC_TRIGGER + word) |= bit;
    *reg(GIC, GIC_SET_MASK + word) = bit;
}

/* A level, as it is after reset. */
void smp_route_board(void)
{
    *reg(GIC, GIC_PIN(BOARD_IRQ)) = UINT32_C(0x80000000) | PIN_IP2;
    *reg(GIC, GIC_VP(BOARD_IRQ)) = 1;
    *reg(GIC, GIC_POLARITY) |= UINT32_C(1) << BOARD_IRQ;
    *reg(GIC, GIC_SET_MASK) = UINT32_C(1) << BOARD_IRQ;
}

void smp_raise(unsigned cpu) { *reg(GIC, GIC_WEDGE) = UINT32_C(0x80000000) | (FIRST_IPI + cpu); }

void smp_lower(unsigned cpu) { *reg(GIC, GIC_WEDGE) = FIRST_IPI + cpu; }

/* --- time --- */

/* The GIC's counter, which all processors share, in ticks of Count: 10 ns against 6 ns. */
static uint64_t shared_ticks(void)
{
    uint32_t high, low;

    do {
        high = *reg(GIC, GIC_COUNTER_HIGH);
        low = *reg(GIC, GIC_COUNTER_LOW);
    } while (*reg(GIC, GIC_COUNTER_HIGH) != high);
    return ((uint64_t)high << 32 | low) * 10 / MIPS_NS_PER_TICK;
}

#define SAMPLES 32
#define GOOD 20 /* ticks: 120 ns */

/* How far Count is behind the shared time: the sample that took the least time tells best. */
static int32_t behind(void)
{
    uint64_t least = UINT64_MAX;
    int32_t error = 0;

    for (unsigned i = 0; i < SAMPLES; i++) {
        uint64_t before = shared_ticks();
        uint32_t count = mips_get32(C0_COUNT);
        uint64_t took = shared_ticks() - before;

        if (took < least) {
            least = took;
            error = (int32_t)((uint32_t)(before + took / 2) - count);
        }
    }
    return error;
}

/*
 * Between reading Count and writing it time goes on, now more and now less of it, and what was lost shows
 * only afterwards: try until it was little, and be content with a bit more each time.
 */
void smp_set_clock(void)
{
    int32_t error;

    mask_own();
    for (int32_t good = GOOD;; good++) {
        error = behind();
        if (error <= good && error >= -good)
            return;
        mips_set32(C0_COUNT, mips_get32(C0_COUNT) + (uint32_t)error);
    }
}

/* --- starting --- */

void smp_stack(unsigned cpu, void *stack) { smp_stack_top[cpu] = (uint64_t)stack + SMP_STACK; }

/* On each processor but the first, from boot.S. */
void smp_main(unsigned id)
{
    smp_set_clock();
    mips64_cpu_init(machine, id);
    __atomic_fetch_add(&running, 1, __ATOMIC_SEQ_CST);
    for (;;)
        processor_loop();
}

#define PATIENCE_NS UINT64_C(10000000000)

unsigned smp_start(struct mips_machine *m, void (*loop)(void))
{
    struct disco_backend *b = &m->backend;
    uint64_t until = b->ops->now(b) + PATIENCE_NS;

    machine = m;
    processor_loop = loop;
    running = 1;
    for (unsigned i = 0; i < b->cpus; i++)
        route_ipi(i);
    __atomic_thread_fence(__ATOMIC_SEQ_CST);
    *reg(CPC, CPC_RUN) = (uint32_t)((UINT64_C(1) << b->cpus) - 1);
    while (__atomic_load_n(&running, __ATOMIC_SEQ_CST) < b->cpus && b->ops->now(b) < until)
        b->ops->relax(b);
    return __atomic_load_n(&running, __ATOMIC_SEQ_CST);
}
