/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef VCPUS_H
#define VCPUS_H

/* Several virtual CPUs: starting them, telling them apart, calling and awaiting each other. */

#include "tiny.h"

#define MAX_VCPUS 8

/* Status of this guest's kernel: 64-bit addresses, FPU registers of 64 bits. */
#define STATUS_KERNEL 0x040000e0
#define STATUS_IE 1
#define CAUSE_LINE(line) (UINT64_C(0x100) << (line)) /* in Status the same bit lets it in */

/* Answers of the monitor. */
#define ERR_BAD_ARG (-1)
#define ERR_STATE (-10)

/* Number of the virtual CPU that executes this; vcpus.c. */
unsigned vcpu_id(void);
/*
 * Start another one at `work`, on stacks of its own. When `work` returns it stops, and may be
 * started again. The monitor's answer: 0, ERR_STATE if it is running, ERR_BAD_ARG.
 */
int64_t vcpu_start(unsigned id, void (*work)(void));
/* Start all of them but the caller, which is number 0. True if each did. */
int vcpu_start_all(void (*work)(void));
/*
 * For loops of tests: with "reset=SEED" on the command line the guest resets itself at some moment
 * of its first 50 ms.
 */
void reset_sometime(void);

static inline uint64_t now(void) { return (uint64_t)hypcall(DISCO_CALL_TIME, 0, 0, 0, 0, 0); }
static inline int64_t send_ipi(uint64_t mask) { return hypcall(DISCO_CALL_IPI, mask, 0, 0, 0, 0); }
/* Whoever spins lets others run: there may be fewer processors than virtual CPUs. */
static inline void relax(void) { (void)hypcall(DISCO_CALL_YIELD, 0, 0, 0, 0, 0); }

/* Let these interrupt lines in. */
static inline void open_lines(uint64_t lines)
{
    __asm__ volatile("mtc0 %0, $12; ehb" ::"r"(STATUS_KERNEL | STATUS_IE | lines) : "memory");
}
static inline void interrupts_off(void) { __asm__ volatile("di" ::: "memory"); }
static inline void interrupts_on(void) { __asm__ volatile("ei" ::: "memory"); }
/* Ends with a line that is up and let in, even if interrupts are off: so nothing can be missed. */
static inline void wait(void) { __asm__ volatile("wait" ::: "memory"); }

static inline uint64_t load(const volatile uint64_t *p)
{
    return __atomic_load_n(p, __ATOMIC_SEQ_CST);
}
static inline void store(volatile uint64_t *p, uint64_t v)
{
    __atomic_store_n(p, v, __ATOMIC_SEQ_CST);
}
static inline uint64_t add(volatile uint64_t *p, uint64_t v)
{
    return __atomic_add_fetch(p, v, __ATOMIC_SEQ_CST);
}

/* Where a number of virtual CPUs wait for each other. Zeroed storage is ready for use. */
struct barrier {
    volatile uint64_t here, round;
};
void barrier_wait(struct barrier *b, unsigned vcpus);

#endif
