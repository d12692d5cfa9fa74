/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Page tables that the virtual CPU walks by itself: no refill is heard of while it can, the right exception comes where the
 * tables say so, and tables that lead nowhere are the guest's own trouble.
 */
#include "dice.h"
#include "tiny.h"

#define DIRECT UINT64_C(0x4000000000000000)
#define VA UINT64_C(0x100000000)
#define PAGE 4096
#define PAGES 400 /* more than the guest's TLB has */
#define PTEI 8
#define PTE(pa, flags) (((pa) >> 12 << 6 | 3 << 3 | (flags)) << PTEI | 0x5a)
#define NO_READ (UINT64_C(1) << (PTEI - 1))
#define D 4
#define V 2
#define FIELD (UINT64_C(30) << 24 | 12 << 18 | 21 << 12 | 12 << 6 | PTEI)
#define SIZE (UINT64_C(1) << 30 | UINT64_C(9) << 24 | 9 << 12 | 9 << 6)
#define CTL_ON UINT64_C(0x84000000)
#define REFILL 0x80
#define GENERAL 0x180
#define STRANGE 3000

static uint64_t global[512] __attribute__((aligned(4096))), middle[512] __attribute__((aligned(4096))),
    entries[512] __attribute__((aligned(4096))), page[PAGES][512] __attribute__((aligned(4096)));
static volatile uint64_t faults, code, vector_of, address;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    faults++;
    code = EXC_CODE(cause);
    vector_of = vector;
    address = badvaddr;
    return epc + 4;
}

static void set_base(uint64_t v) { __asm__ volatile("dmtc0 %0, $5, 5" ::"r"(v) : "memory"); }
static void set_field(uint64_t v) { __asm__ volatile("dmtc0 %0, $5, 6" ::"r"(v) : "memory"); }
static void set_size(uint64_t v) { __asm__ volatile("dmtc0 %0, $5, 7" ::"r"(v) : "memory"); }
static void set_ctl(uint64_t v) { __asm__ volatile("mtc0 %0, $6, 6; ehb" ::"r"(v) : "memory"); }
static void forget(void) { __asm__ volatile("tlbinvf; ehb" ::: "memory"); }

static uint64_t at(uint64_t n) { return VA + n * PAGE; }

static int failed(const char *what)
{
    print("walker: ");
    print(what);
    print("\n");
    return 1;
}

static void set_up(void)
{
    global[VA >> 30] = DIRECT + physical(middle);
    middle[VA >> 21 & 511] = (uint64_t)entries; /* the other segment is as good */
    for (uint64_t i = 0; i < PAGES; i++) {
        entries[i] = PTE(physical(page[i]), D | V);
        page[i][0] = i;
    }
    set_base(DIRECT + physical(global));
    set_field(FIELD);
    set_size(SIZE);
    set_ctl(CTL_ON);
}

static int translates(void)
{
    for (unsigned round = 0; round < 3; round++) {
        for (uint64_t i = 0; i < PAGES; i++) {
            if (tiny_load(at(i)) != i + round)
                return failed("a load went astray");
            tiny_store(at(i), i + round + 1);
        }
    }
    return faults ? failed("an access faulted") : 0;
}

/* The one fault that a load, or store, of page `n` has. */
static int faults_by(int store, uint64_t n, uint64_t expected, uint64_t vector)
{
    uint64_t before = faults;

    if (store)
        tiny_store(at(n), 0);
    else
        (void)tiny_load(at(n));
    return faults == before + 1 && code == expected && vector_of == vector && address == at(n);
}

static int rights(void)
{
    entries[10] = PTE(physical(page[10]), V);
    entries[20] = PTE(physical(page[20]), D);
    entries[30] = PTE(physical(page[30]), D | V) | NO_READ;
    forget();
    if (!faults_by(1, 10, 1, GENERAL))
        return failed("store to a read-only page");
    if (!faults_by(0, 20, 2, GENERAL) || !faults_by(1, 20, 3, GENERAL))
        return failed("invalid entry");
    if (!faults_by(0, 30, 19, GENERAL))
        return failed("page that cannot be read");
    set_up();
    forget();
    tiny_store(at(10), 7);
    return tiny_load(at(20)) == 20 && page[10][0] == 7 ? 0 : failed("they were made right again");
}

/* Off, on; kernel addresses; a TLB entry of the guest's own counts before the tables. */
static int when(void)
{
    forget();
    set_ctl(0);
    if (!faults_by(0, 40, 2, REFILL))
        return failed("it was off");
    __asm__ volatile("dmtc0 %0, $10; dmtc0 %1, $2; dmtc0 %2, $3; ehb; tlbwr; ehb" ::"r"(at(40)),
                     "r"(physical(page[1]) >> 12 << 6 | 3 << 3 | V), "r"(0L)
                     : "memory");
    set_ctl(CTL_ON);
    if (tiny_load(at(40)) != 1)
        return failed("the entry that was written");
    forget();
    return tiny_load(at(40)) == 40 ? 0 : failed("it was gone");
}

/* Whatever the registers and tables hold: a value, or a fault, and this guest goes on. */
static int strange(void)
{
    uint64_t seed = 7, before = faults;

    for (unsigned i = 0; i < STRANGE; i++) {
        set_base(dice(&seed) & 1 ? dice(&seed) : DIRECT + (dice(&seed) & 0xfffffff8));
        set_field(dice(&seed));
        set_size(dice(&seed));
        middle[VA >> 21 & 511] = dice(&seed) & 1 ? dice(&seed) : DIRECT + dice(&seed) % 0x10000000;
        (void)tiny_load(at(dice(&seed) % PAGES));
        (void)tiny_load(dice(&seed) >> 24);
    }
    if (faults == before)
        return failed("nothing strange was found strange");
    set_up();
    set_base(DIRECT + UINT64_C(0x80000000)); /* beyond all memory */
    forget();
    if (!faults_by(0, 50, 2, REFILL))
        return failed("tables where no memory is");
    set_up();
    forget();
    return tiny_load(at(50)) == 50 ? 0 : failed("after all that");
}

int guest_main(void)
{
    set_up();
    if (translates())
        return 1;
    for (uint64_t i = 0; i < PAGES; i++)
        page[i][0] = i;
    if (rights() || when() || strange())
        return 1;
    print("walker: as the tables say\n");
    return 0;
}
