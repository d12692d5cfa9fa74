/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Several virtual CPUs that do all they can do together: start, count, call each other around a ring,
 * stop and start again. What cannot be started or called is refused.
 */
#include "tree.h"
#include "vcpus.h"

#define TIMES 20000
#define LAPS 300
#define RESTARTS 50

static struct barrier meeting;
static volatile uint64_t together, alone[MAX_VCPUS], came[MAX_VCPUS], restarts, stale;
static unsigned vcpus;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0 || !(cause & CAUSE_LINE(DISCO_LINE_IPI)))
        tiny_unexpected(cause, epc, badvaddr, vector);
    (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
    came[vcpu_id()]++;
    return epc;
}

static int failed(const char *what)
{
    print("smp: ");
    print(what);
    print("\n");
    return 1;
}

static void nothing(void) {}

static int refused(void)
{
    const uint64_t beyond = UINT64_C(1) << vcpus;
    int ok = vcpu_start(0, nothing) == ERR_STATE;

    ok &= vcpu_start(vcpus, nothing) == ERR_BAD_ARG;
    ok &= vcpu_start(64, nothing) == ERR_BAD_ARG;
    ok &= hypcall(DISCO_CALL_VCPU_START, UINT64_MAX, 0, 0, 0, 0) == ERR_BAD_ARG;
    ok &= hypcall(DISCO_CALL_VCPU_START, UINT64_C(1) << 32, 0, 0, 0, 0) == ERR_BAD_ARG;
    ok &= send_ipi(beyond) == ERR_BAD_ARG;
    ok &= send_ipi(beyond | 1) == ERR_BAD_ARG;
    ok &= send_ipi(UINT64_MAX) == ERR_BAD_ARG;
    ok &= send_ipi(0) == 0;
    return ok ? 0 : failed("something was not refused");
}

static void count_to(uint64_t n)
{
    unsigned me = vcpu_id();

    for (uint64_t i = 0; i < n; i++) {
        add(&together, 1);
        alone[me]++;
    }
}

static void await(volatile uint64_t *counter, uint64_t n)
{
    while (load(counter) < n) {
        interrupts_off();
        if (load(counter) < n)
            wait();
        interrupts_on();
        reset_sometime();
    }
}

/* One call is under way at any time: each virtual CPU awaits it and calls the next. */
static void ring(void)
{
    unsigned me = vcpu_id();
    uint64_t next = UINT64_C(1) << (me + 1) % vcpus;

    open_lines(CAUSE_LINE(DISCO_LINE_IPI));
    for (uint64_t lap = 1; lap <= LAPS; lap++) {
        if (me == 0)
            (void)send_ipi(next);
        await(&came[me], lap);
        if (me != 0)
            (void)send_ipi(next);
    }
    interrupts_off();
}

static void member(void)
{
    barrier_wait(&meeting, vcpus);
    count_to(TIMES);
    ring();
    barrier_wait(&meeting, vcpus);
}

static int counted(void)
{
    int ok = load(&together) == (uint64_t)TIMES * vcpus;

    for (unsigned id = 0; id < vcpus; id++)
        ok &= load(&alone[id]) == TIMES && load(&came[id]) == LAPS;
    return ok ? 0 : failed("a count is wrong");
}

/* A call that came before the start is not seen after it. */
static void again(void)
{
    uint64_t cause;

    __asm__ volatile("mfc0 %0, $13" : "=r"(cause));
    stale += (cause & CAUSE_LINE(DISCO_LINE_IPI)) != 0;
    add(&restarts, 1);
}

static int restarted(void)
{
    for (uint64_t n = 1; n <= RESTARTS && vcpus > 1; n++) {
        int64_t err;

        do { /* ERR_STATE: it is about to stop */
            relax();
            (void)send_ipi(2);
            err = vcpu_start(1, again);
        } while (err == ERR_STATE);
        if (err)
            return failed("a virtual CPU that stopped did not start again");
        while (load(&restarts) < n) {
            relax();
            reset_sometime();
        }
    }
    return stale ? failed("an old call was seen after a start") : 0;
}

int guest_main(void)
{
    int bad;

    vcpus = tree_vcpus();
    bad = refused() || (vcpu_start_all(member) ? 0 : failed("a virtual CPU did not start"));
    if (!bad) {
        bad |= vcpus > 1 && vcpu_start(1, member) != ERR_STATE ? failed("one was started twice") : 0;
        member();
        bad |= counted() || restarted();
    }
    print(bad ? "smp: FAILED\n" : "smp: all counts are right\n");
    return bad;
}
