/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What single operations cost: each piece between marks does one thing TIMES times and is named on
 * the console, in the same order. tests/bench counts the monitor's instructions in it.
 */
#include "abi.h"
#include "mark.h"
#include "tiny.h"

#define TIMES 2048u /* operations; also pages, far more than any TLB has entries */
#define MAPPED UINT64_C(0x10000000)
#define USER (MAPPED - PAIR)
#define OWN UINT64_C(0x100000000) /* each pair of pages leads to its own pages of memory */
#define DIRECT UINT64_C(0x4000000000000000)
#define SPARE UINT64_C(0x800000) /* guest-physical: from here on nothing else is in memory */
#define PAIR UINT64_C(0x2000)
#define LO(pfn) ((pfn) << 6 | 0x1e) /* cached, dirty, valid */

#define EXC_TLBL 2
#define EXC_SYS 8

static volatile uint64_t syscalls;
static uint64_t user_stack[64] __attribute__((aligned(16)));

static void name(const char *text)
{
    print("piece ");
    print(text);
    print("\n");
}

#define PIECE(text, operation)                                                                     \
    do {                                                                                           \
        name(text);                                                                                \
        mark_begin();                                                                              \
        for (unsigned i = 0; i < TIMES; i++)                                                       \
            operation;                                                                             \
        mark_end();                                                                                \
    } while (0)

#define STRING_(text) #text
#define STRING(text) STRING_(text)
#define OPERATION(text) __asm__ volatile(text ::: "$2", "$8", "memory")

/* All pages of a user address lead to the same few of memory. */
static void fill(uint64_t va)
{
    uint64_t pfn = (SPARE >> 12) + (va >> 12 & 6), hi = va & ~(PAIR - 1);

    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %2, $3; ehb; tlbwr; ehb" ::"r"(hi),
                     "r"(LO(pfn)), "r"(LO(pfn + 1))
                     : "memory");
}

#define AT_27(offset) STRING(offset) "($27)\n"

/* Vectors with a refill as Linux has it here: but for the last two instructions all is done by loads and stores. */
__asm__(".pushsection .text\n"
        ".set push\n"
        ".set noreorder\n"
        ".balign 4096\n"
        "page_vectors: .org page_vectors + 0x080\n"
        "lui $27, " STRING(DISCO_PAGE_LUI) "\n"
        "ld $26, " AT_27(DISCO_PAGE_BADVADDR)
        "dext $26, $26, 13, 19\n"
        "dsll $26, $26, 7\n"
        "ori $26, $26, 0x1e\n"
        "sd $26, " AT_27(DISCO_PAGE_ENTRYLO0)
        "daddiu $26, $26, 64\n"
        "sd $26, " AT_27(DISCO_PAGE_ENTRYLO1)
        "tlbwr\n"
        "eret\n"
        ".org page_vectors + 0x180\n"
        "dla $25, power_off\n"
        "jr $25\n"
        " li $4, 2\n"
        ".set pop\n"
        ".popsection");
extern char page_vectors[], vectors[];

static void set_vectors(const char *to)
{
    __asm__ volatile("dmtc0 %0, $15, 1; ehb" ::"r"((uint64_t)to | 0x800) : "memory");
}

static void set_asid(uint64_t asid)
{
    __asm__ volatile("dmtc0 %0, $10; ehb" ::"r"(asid) : "memory");
}

static void finished(void)
{
    mark_end();
    power_off(0);
}

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) == EXC_TLBL && vector == 0x80) {
        fill(badvaddr);
        return epc;
    }
    if (EXC_CODE(cause) != EXC_SYS)
        tiny_unexpected(cause, epc, badvaddr, vector);
    if (++syscalls == 1)
        mark_begin();
    else if (syscalls == TIMES + 1)
        finished();
    return epc + 4;
}

static void touch(uint64_t va) { (void)*(volatile uint64_t *)va; }

/* User mode, at an address of its own: the guest's TLB leads from there to these lines. */
__asm__(".pushsection .text\n"
        ".balign 4096\n"
        "user_code: syscall\n"
        "b user_code\n"
        "nop\n"
        ".balign 4096\n"
        ".popsection");
extern char user_code[];

static void enter_user_code(void)
{
    uint64_t pfn = physical(user_code) >> 12;

    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %1, $3; ehb; tlbwr; ehb" ::"r"(USER),
                     "r"(LO(pfn))
                     : "memory");
    enter_user(USER, (uint64_t)user_stack);
}

int guest_main(void)
{
    PIECE("nothing", OPERATION(""));
    PIECE("empty monitor call", OPERATION("li $2, 0; .word 0x42000028"));
    PIECE("emulated mfc0 PRId", OPERATION("mfc0 $8, $15"));
    PIECE("emulated mfc0 Count", OPERATION("mfc0 $8, $9"));
    PIECE("emulated mtc0 Compare", OPERATION("mtc0 $0, $11"));
    PIECE("emulated di", OPERATION("di"));
    PIECE("first touch of a page", touch(DIRECT + SPARE + i * PAIR));
    PIECE("direct map, pages seen before", touch(DIRECT + SPARE + i * PAIR));
    PIECE("mapped pair, guest's refill", touch(MAPPED + i * PAIR));
    PIECE("mapped pair, in the L2TLB", touch(MAPPED + i * PAIR));
    set_vectors(page_vectors);
    PIECE("own pair, refill as Linux has it", touch(OWN + SPARE + i * PAIR));
    set_asid(1);
    PIECE("the same in another address space", touch(OWN + SPARE + i * PAIR));
    set_vectors(vectors);
    name("system call from user mode");
    enter_user_code();
    return 1;
}
