/* SPDX-License-Identifier: BSD-2-Clause */
/* The clock and the interval timer: time goes on, the timer's interrupt comes, late but not early. */
#include "tiny.h"

#define ST_IE 1
#define ST_DEVICE (1 << (8 + DISCO_LINE_DEVICE))
#define OFF UINT64_MAX
#define MS UINT64_C(1000000)

static volatile uint64_t interrupts, came_at;

static uint64_t now(void) { return (uint64_t)hypcall(DISCO_CALL_TIME, 0, 0, 0, 0, 0); }

static void set_timer(uint64_t ns) { (void)hypcall(DISCO_CALL_TIMER_SET, ns, 0, 0, 0, 0); }

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0 || !(cause & ST_DEVICE))
        tiny_unexpected(cause, epc, badvaddr, vector);
    interrupts++;
    came_at = now();
    set_timer(OFF); /* lowers the line */
    return epc;
}

/* Interrupts are off between the look and the `wait`, which a line that is up ends all the same. */
static void sleep_unless(uint64_t before)
{
    __asm__ volatile("di" ::: "memory");
    if (interrupts == before)
        __asm__ volatile("wait" ::: "memory");
    __asm__ volatile("ei" ::: "memory");
}

static int once(uint64_t ahead)
{
    uint64_t before = interrupts, at = now() + ahead;

    set_timer(at);
    while (interrupts == before && now() < at + 10000 * MS)
        sleep_unless(before);
    return interrupts == before + 1 && came_at >= at;
}

int guest_main(void)
{
    uint64_t start = now();
    int ok;

    __asm__ volatile("mtc0 %0, $12; ehb" ::"r"(0x040000e0 | ST_DEVICE | ST_IE) : "memory");
    ok = once(5 * MS) && once(1 * MS) && once(0);
    ok = ok && now() - start >= 6 * MS && interrupts == 3;
    print(ok ? "clock: every alarm came, none early\n" : "clock: FAILED\n");
    return !ok;
}
