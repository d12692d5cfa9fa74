/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The virtual CPU: privileged instructions in delay and forbidden slots, the timer, `wait`, the FPU
 * on demand, and the page of privileged registers beside the instructions that it stands for.
 */
#include "abi.h"
#include "tiny.h"

#define CAUSE_TI 0x40000000
#define ST_IE 1
#define ST_TIMER 0x8000
#define ST_CU1 0x20000000
#define FAR 1000000000 /* ticks: six seconds, after which something that should happen will not */
#define EXC_INT 0
#define EXC_CPU 11

static volatile uint64_t interrupts, unusable;

static uint64_t count(void)
{
    uint64_t v;

    __asm__ volatile("mfc0 %0, $9" : "=r"(v));
    return v;
}

static void set_compare(uint64_t v) { __asm__ volatile("mtc0 %0, $11; ehb" ::"r"(v)); }

/* Compare matches by equality: a deadline that Count has passed meanwhile is set again, farther. */
static void arm(uint64_t delta)
{
    uint64_t at;

    do {
        at = count() + delta;
        set_compare(at);
        delta *= 2;
    } while ((int32_t)(count() - at) >= 0);
}

static uint64_t status(void)
{
    uint64_t v;

    __asm__ volatile("mfc0 %0, $12" : "=r"(v));
    return v;
}

static void set_status(uint64_t v) { __asm__ volatile("mtc0 %0, $12; ehb" ::"r"(v) : "memory"); }

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) == EXC_INT && cause & CAUSE_TI) {
        interrupts++;
        set_compare(count() - 1);
        return epc;
    }
    if (EXC_CODE(cause) == EXC_CPU && (cause >> 28 & 3) == 1) {
        unusable++;
        return epc + 4;
    }
    tiny_unexpected(cause, epc, badvaddr, vector);
}

static int failed(const char *what)
{
    print("cpu: ");
    print(what);
    print("\n");
    return 1;
}

/* %0 counts what must happen: the slot's instruction, and the place where the branch goes. */
#define SLOT(branch, slot, there)                                                              \
    ({                                                                                          \
        uint64_t r_;                                                                            \
        __asm__ volatile(".set push; .set noreorder; .set noat; li %0, 0; li $8, 0; li $9, 1;"  \
                         "li $10, -1;" branch "; " slot "; b 2f; nop; 1: daddiu %0, 16; "      \
                         "2: move $at, $8; sltu $at, $0, $at; daddu %0, $at; .set pop"          \
                         : "=&r"(r_)::"$8", "$9", "$10", "$31", "memory");                     \
        r_ == (there ? 17 : 1);                                                                \
    })
#define PRID "mfc0 $8, $15"

static int slots(void)
{
    int ok = 1;

    ok &= SLOT("b 1f", PRID, 1);
    ok &= SLOT("beq $9, $9, 1f", PRID, 1);
    ok &= SLOT("beq $9, $0, 1f", PRID, 0);
    ok &= SLOT("bne $9, $0, 1f", PRID, 1);
    ok &= SLOT("bne $9, $9, 1f", PRID, 0);
    ok &= SLOT("blez $10, 1f", PRID, 1);
    ok &= SLOT("bgtz $10, 1f", PRID, 0);
    ok &= SLOT("bltz $10, 1f", PRID, 1);
    ok &= SLOT("bgez $10, 1f", PRID, 0);
    ok &= SLOT("bal 1f", PRID, 1);
    ok &= SLOT("j 1f", PRID, 1);
    ok &= SLOT("jal 1f", PRID, 1);
    ok &= SLOT("dla $31, 1f; jr $31", PRID, 1);
    ok &= SLOT("dla $9, 1f; jalr $31, $9", PRID, 1);
    /* The branch reads its register before the slot writes it. */
    ok &= SLOT("beq $8, $0, 1f", PRID, 1);
    ok &= SLOT("bnezc $8, 1f", PRID, 0);
    ok &= SLOT("beqzc $9, 1f", PRID, 0);
    ok &= SLOT("bltc $9, $10, 1f", PRID, 0);
    ok &= SLOT("b 1f", "di $8", 1);
    ok &= SLOT("b 1f", "dmfc0 $8, $15, 1", 1);
    return ok ? 0 : failed("an instruction in a slot");
}

static int timer(void)
{
    uint64_t start = count();

    interrupts = 0;
    arm(100000);
    set_status((status() & ~(uint64_t)0xff00) | ST_TIMER | ST_IE);
    while (!interrupts && (uint32_t)(count() - start) < FAR)
        ;
    if (interrupts != 1 || (uint32_t)(count() - start) < 100000)
        return failed("the timer");
    /* With interrupts off `wait` ends by a line that is up, so the alarm cannot be missed. */
    set_status(status() & ~(uint64_t)ST_IE);
    arm(1000000);
    __asm__ volatile("wait" ::: "memory");
    if (interrupts != 1)
        return failed("an interrupt that was off");
    __asm__ volatile("ei; ehb" ::: "memory");
    set_status(status() & ~(uint64_t)ST_IE);
    return interrupts == 2 ? 0 : failed("an interrupt after `wait`");
}

static int fpu(void)
{
    uint64_t v = 0;

    set_status(status() & ~(uint64_t)ST_CU1);
    __asm__ volatile(".set push; .set hardfloat; dmtc1 %0, $f0; .set pop" ::"r"(v));
    if (unusable != 1)
        return failed("the FPU while it is off");
    set_status(status() | ST_CU1);
    __asm__ volatile(".set push; .set hardfloat; li $8, 3; mtc1 $8, $f2; cvt.d.w $f2, $f2;"
                     "mul.d $f2, $f2, $f2; cvt.w.d $f2, $f2; mfc1 %0, $f2; .set pop"
                     : "=r"(v)::"$8");
    return unusable == 1 && v == 9 ? 0 : failed("the FPU while it is on");
}

static volatile uint64_t *slot(unsigned reg, unsigned sel)
{
    return (volatile uint64_t *)(DISCO_PAGE_ADDR + DISCO_PAGE_SLOT(reg, sel));
}

/* An interrupt that is let in by a store to the page comes with the next real instruction. */
static int page(void)
{
    uint64_t v;

    __asm__ volatile("dmtc0 %0, $14" ::"r"(0x1234567812345678));
    if (*slot(14, 0) != 0x1234567812345678 || *slot(12, 0) != status())
        return failed("a register read from the page");
    *slot(31, 4) = 42;
    __asm__ volatile("dmfc0 %0, $31, 4" : "=r"(v));
    if (v != 42)
        return failed("a register written to the page");
    interrupts = 0;
    arm(100000);
    for (uint64_t start = count(); !(*slot(13, 0) & CAUSE_TI) && (uint32_t)(count() - start) < FAR;)
        ;
    *slot(12, 0) |= ST_IE;
    if (!(*slot(13, 0) & *slot(12, 0) & 0xff00))
        return failed("a pending interrupt in the page");
    __asm__ volatile("ei" ::: "memory");
    set_status(status() & ~(uint64_t)ST_IE);
    return interrupts == 1 ? 0 : failed("an interrupt let in through the page");
}

int guest_main(void)
{
    int bad = slots() || timer() || fpu() || page();

    print(bad ? "cpu: FAILED\n" : "cpu: as the architecture says\n");
    return bad;
}
