/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Calls other virtual CPUs without end: those that do not exist, one that never started, one that
 * keeps interrupts off, one that answers. Ends when its clock says "ms=NUMBER" and a call was answered.
 */
#include "tree.h"
#include "vcpus.h"

static volatile uint64_t over, answered;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0)
        tiny_unexpected(cause, epc, badvaddr, vector);
    (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
    add(&answered, 1);
    return epc;
}

static void deaf(void)
{
    while (!load(&over))
        ;
}

static void answering(void)
{
    open_lines(CAUSE_LINE(DISCO_LINE_IPI));
    deaf();
    interrupts_off();
}

/* Numbers 1 and 2 answer and do not; 3 and what follows never start. */
static int storm(unsigned vcpus)
{
    const uint64_t all = (UINT64_C(1) << vcpus) - 1;
    int ok = 1;

    for (unsigned i = 0; i < 64; i++) {
        uint64_t one = UINT64_C(1) << i;

        ok &= send_ipi(one) == (i < vcpus ? 0 : ERR_BAD_ARG);
        ok &= send_ipi(one | 2) == (i < vcpus ? 0 : ERR_BAD_ARG);
        ok &= send_ipi(all) == 0;
        ok &= send_ipi(all << i) == (i ? ERR_BAD_ARG : 0);
    }
    return ok;
}

int guest_main(void)
{
    uint64_t until = tree_number("ms", 500) * 1000000;
    unsigned vcpus = tree_vcpus();
    int ok = vcpus == 4 && !vcpu_start(1, answering) && !vcpu_start(2, deaf);

    while (ok && (now() < until || !load(&answered))) {
        ok &= storm(vcpus);
        reset_sometime();
    }
    store(&over, 1);
    print(ok ? "ipistorm: each call was taken or refused\n" : "ipistorm: FAILED\n");
    return !ok;
}
