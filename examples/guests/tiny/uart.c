/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The emulated serial port: every kind of load and store, in slots of branches too, through the guest's own TLB and
 * from user mode; and accesses that no device answers, which are bus errors.
 */
#include "tiny.h"
#include "uart.h"

#define MAPPED UINT64_C(0x10000000)
#define USER UINT64_C(0x20000000)
#define ENTRY(pfn, flags) ((uint64_t)(pfn) << 6 | 0x18 | (flags)) /* cached */
#define VALID 2u
#define DIRTY 4u
#define DEVICE_PFN (UART_PA >> 12)
#define ST_CU1 0x20000000
#define CAUSE_DEVICE (1u << (8 + DISCO_LINE_DEVICE))

#define EXC_MOD 1
#define EXC_TLBL 2
#define EXC_IBE 6
#define EXC_DBE 7
#define EXC_SYS 8

static volatile uint64_t faults, code, resume;
static uint64_t user_stack[64] __attribute__((aligned(16)));

static int failed(const char *what)
{
    print("uart: ");
    print(what);
    print("\n");
    return 1;
}

/* Privileged words of C0 that a guest kernel reads. */
#define C0(reg)                                                                                    \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("mfc0 %0, " reg : "=r"(v_)::"memory");                                    \
        v_;                                                                                        \
    })

static void user_came_back(void);

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    uint64_t to = resume ? resume : epc + 4;

    code = EXC_CODE(cause);
    if (code == EXC_SYS)
        user_came_back();
    if (code != EXC_DBE && code != EXC_IBE && code != EXC_MOD)
        tiny_unexpected(cause, epc, badvaddr, vector);
    faults++;
    resume = 0;
    return to;
}

/* --- every width --- */

#define LOAD(insn, at)                                                                             \
    ({                                                                                             \
        uint64_t v_;                                                                               \
        __asm__ volatile("li $8, 77;" insn " $8, 0(%1); move %0, $8"                               \
                         : "=&r"(v_)                                                               \
                         : "r"((uint64_t)(at))                                                     \
                         : "$8", "memory");                                                        \
        v_;                                                                                        \
    })
#define STORE(insn, at, value)                                                                     \
    __asm__ volatile(insn " %0, 0(%1)" ::"r"((uint64_t)(value)), "r"((uint64_t)(at)) : "memory")
#define SCR UART_AT(UART_SCR)

static int holds(uint64_t value) { return LOAD("lbu", SCR) == value; }

static int widths(void)
{
    int ok = 1;

    uart_out(UART_SCR, 0xff);
    ok &= LOAD("lb", SCR) == UINT64_MAX && LOAD("lbu", SCR) == 0xff;
    ok &= LOAD("lh", SCR) == 0xff && LOAD("lhu", SCR) == 0xff;
    ok &= LOAD("lw", SCR) == 0xff && LOAD("lwu", SCR) == 0xff && LOAD("ld", SCR) == 0xff;
    STORE("sb", SCR, 0x1111111111111101);
    ok &= holds(0x01);
    STORE("sh", SCR, 0x2222222222222202);
    ok &= holds(0x02);
    STORE("sw", SCR, 0x3333333333333303);
    ok &= holds(0x03);
    STORE("sd", SCR, 0x4444444444444404);
    ok &= holds(0x04);
    STORE("sb", SCR, 0);
    ok &= holds(0);
    __asm__ volatile("lbu $0, 0(%0); sb $0, 0(%0)" ::"r"(SCR)); /* a result that nobody keeps */
    __asm__ volatile("lbu %0, -8(%1)" : "=r"(resume) : "r"(SCR + 8));
    ok &= resume == 0;
    return ok ? 0 : failed("an access of some width");
}

/* --- slots --- */

/* %0 counts: 1 if $8 is not 0 at the end, 16 if the branch went to 1. SCR holds 1 before; $9 is 1. */
#define SLOT(branch, slot, after, there)                                                           \
    ({                                                                                             \
        uint64_t r_;                                                                               \
        __asm__ volatile(".set push; .set noreorder; .set noat; li %0, 0; li $8, 0; li $9, 1;"     \
                         "li $10, -1; move $12, %1;" branch "; " slot                              \
                         "; b 2f; nop; 1: daddiu %0, 16; 2: " after                                \
                         "; sltu $at, $0, $8; daddu %0, $at; .set pop"                             \
                         : "=&r"(r_)                                                               \
                         : "r"(SCR)                                                                \
                         : "$8", "$9", "$10", "$12", "$31", "memory");                             \
        r_ == (there ? 17 : 1);                                                                    \
    })
#define LOADS(branch, there) SLOT(branch, "lbu $8, 0($12)", "", there)
#define STORES(branch, there)                                                                      \
    ({                                                                                             \
        uart_out(UART_SCR, 0);                                                                     \
        SLOT(branch, "sw $9, 0($12)", "lbu $8, 0($12)", there);                                    \
    })

static int slots(void)
{
    int ok = 1;

    uart_out(UART_SCR, 1);
    ok &= LOADS("b 1f", 1) && LOADS("beq $9, $0, 1f", 0) && LOADS("bne $9, $0, 1f", 1);
    ok &= LOADS("blez $10, 1f", 1) && LOADS("bgtz $10, 1f", 0) && LOADS("bal 1f", 1);
    ok &= LOADS("j 1f", 1) && LOADS("jal 1f", 1) && LOADS("dla $31, 1f; jr $31", 1);
    ok &= LOADS("dla $10, 1f; jalr $31, $10", 1);
    /* The branch reads its register before the slot's load changes it. */
    ok &= LOADS("beq $8, $0, 1f", 1) && LOADS("beqz $8, 1f", 1);
    /* Forbidden slots: behind a compact branch that was not taken. */
    ok &= LOADS("bnezc $8, 1f", 0) && LOADS("beqzc $9, 1f", 0) && LOADS("bltc $9, $10, 1f", 0);
    ok &= STORES("b 1f", 1) && STORES("beq $9, $0, 1f", 0) && STORES("jal 1f", 1);
    ok &= STORES("beqzc $9, 1f", 0);
    /* A load into the register that the branch links. */
    ok &= SLOT("bal 1f", "lbu $31, 0($12)", "move $8, $31; xori $8, $8, 1; sltiu $8, $8, 1", 1);
    return ok ? 0 : failed("an access in a slot");
}

/* --- what a driver looks at --- */

static int identity(void)
{
    int ok = 1;

    uart_out(UART_IER, 0xff);
    ok &= uart_in(UART_IER) == 0x0f;
    uart_out(UART_IER, 0);
    uart_out(UART_MCR, 0x1a);
    ok &= (uart_in(UART_MSR) & 0xf0) == 0x90;
    uart_out(UART_MCR, 0);
    uart_out(UART_FCR, 1);
    ok &= uart_in(UART_IIR) == 0xc1;
    uart_out(UART_LCR, 0x83);
    uart_out(UART_DATA, 1);
    ok &= uart_in(UART_DATA) == 1;
    uart_out(UART_LCR, 3);
    return ok ? 0 : failed("not a 16550A");
}

static int pending(void) { return (C0("$13") & CAUSE_DEVICE) != 0; }

/* "Empty" is a level on the device line, until IIR is read. */
static int line(void)
{
    int ok = !pending();

    uart_out(UART_IER, 2);
    ok &= pending() && (uart_in(UART_IIR) & 15) == 2 && !pending();
    uart_out(UART_IER, 0);
    return ok ? 0 : failed("the interrupt line");
}

/* --- through the guest's own TLB --- */

static void map(unsigned index, uint64_t va, uint64_t lo)
{
    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %1, $3; mtc0 %2, $0; ehb; tlbwi; ehb" ::"r"(va),
                     "r"(lo), "r"(index)
                     : "memory");
}

static int mapped(void)
{
    uint64_t scr = MAPPED + (SCR & 0xfff);
    int ok = 1;

    map(5, MAPPED, ENTRY(DEVICE_PFN, VALID | DIRTY));
    faults = 0;
    for (uint64_t i = 0; i < 4; i++) {
        STORE("sb", scr + (i & 1) * 4096, i); /* both pages of the pair are the device's */
        ok &= LOAD("lw", scr) == i;
    }
    ok &= faults == 0;
    map(5, MAPPED, ENTRY(DEVICE_PFN, VALID));
    STORE("sb", scr, 99);
    ok &= faults == 1 && code == EXC_MOD && LOAD("lbu", scr) == 3;
    return ok ? 0 : failed("an access through the TLB");
}

/* --- what nobody answers --- */

/* Loads of every width all over the device's page: which are bus errors? */
#define SWEEP(insn, size)                                                                          \
    ({                                                                                             \
        int ok_ = 1;                                                                               \
        for (uint64_t pa_ = UART_PA & ~UINT64_C(0xfff); pa_ < (UART_PA | 0xfff); pa_++) {          \
            int inside_ = pa_ >= UART_PA && pa_ + (size) <= UART_PA + UART_LEN && !(pa_ % (size)); \
            uint64_t before_ = faults, got_ = LOAD(insn, UART_VA - UART_PA + pa_);                 \
            ok_ &= faults == before_ + !inside_ && (got_ == 77) == !inside_;                       \
        }                                                                                          \
        ok_;                                                                                       \
    })

static int sweep(void)
{
    int ok = 1;

    uart_out(UART_SCR, 0);
    ok &= SWEEP("lbu", 1) && SWEEP("lh", 2) && SWEEP("lw", 4) && SWEEP("ld", 8);
    return ok ? 0 : failed("a load beside the device");
}

#define FAULTS(text)                                                                               \
    ({                                                                                             \
        uint64_t before_ = faults, r_;                                                             \
        code = 0;                                                                                  \
        __asm__ volatile(".set push; .set noreorder; .set hardfloat; move $12, %1; li $8, 77;" text \
                         "; move %0, $8; .set pop"                                                 \
                         : "=&r"(r_)                                                               \
                         : "r"(SCR)                                                                \
                         : "$8", "$9", "$12", "memory");                                           \
        faults == before_ + 1 && code == EXC_DBE && r_ == 77;                                      \
    })

static int fetch(void)
{
    uint64_t before = faults;

    __asm__ volatile("dla $8, 1f; sd $8, %0; jalr %1; nop; 1:"
                     : "=m"(resume)
                     : "r"(UART_VA)
                     : "$8", "$31", "memory");
    return faults == before + 1 && code == EXC_IBE;
}

static int refused(void)
{
    int ok = 1;

    __asm__ volatile("mtc0 %0, $12; ehb" ::"r"(C0("$12") | ST_CU1) : "memory");
    uart_out(UART_SCR, 5);
    ok &= FAULTS("ll $8, 0($12)") && FAULTS("lld $8, 0($12)");
    ok &= FAULTS("lwc1 $f0, 0($12)") && FAULTS("ldc1 $f0, 0($12)");
    ok &= FAULTS("swc1 $f0, 0($12)") && FAULTS("sdc1 $f0, 0($12)");
    ok &= FAULTS("sd $0, 8($12)") && FAULTS("sw $0, 2($12)") && FAULTS("sh $0, 1($12)");
    ok &= FAULTS("daddiu $12, $12, 0x6c8; ld $8, -4($12)"); /* across the page's end */
    ok &= fetch();
    ok &= holds(5);
    return ok ? 0 : failed("an access that should be refused");
}

/* --- from user mode, and the end --- */

__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "user_code: li $8, 'u'\n"
        "lui $9, 0x1000\n" /* MAPPED */
        "sb $8, 0x900($9)\n"
        "syscall\n"
        ".balign 4096\n"
        ".popsection");
extern char user_code[];

static void user_came_back(void)
{
    uart_print("ser mode\n");
    print("uart: as a 16550 behaves\n");
    power_off(0);
}

static void from_user_mode(void)
{
    map(5, MAPPED, ENTRY(DEVICE_PFN, VALID | DIRTY));
    map(6, USER, ENTRY(physical(user_code) >> 12, VALID));
    enter_user(USER, (uint64_t)user_stack);
}

int guest_main(void)
{
    int bad = identity() || widths() || slots() || line() || mapped() || sweep() || refused();

    if (bad)
        return 1;
    uart_print("uart: printed by loads and stores, then from ");
    from_user_mode();
    return 1;
}
