/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A thread is a virtual CPU, so there is no scheduler here: the monitor has one. What is left is to
 * start and stop them, and to sleep without missing the call to wake up.
 */
#include "inside.h"
#include "tree.h"

#define SPINS 200 /* looks before somebody sleeps: a short wait is cheaper without the monitor */

/* What each virtual CPU is to do. A thread is FREE again when it has been joined. */
enum { FREE, RUNNING, FINISHED };
static struct job {
    volatile uint64_t state;
    void (*body)(void *arg);
    void *arg;
    unsigned starter;
} jobs[OS_THREADS];

unsigned os_processors(void)
{
    unsigned n = tree_vcpus();

    return n < OS_THREADS ? n : OS_THREADS;
}

unsigned os_me(void) { return vcpu_id(); }

/* The device line is virtual CPU 0's alone. */
void threads_open(void)
{
    open_lines(CAUSE_LINE(DISCO_LINE_IPI) | (vcpu_id() ? 0 : CAUSE_LINE(DISCO_LINE_DEVICE)));
}

/*
 * Interrupts are off between the look and the `wait`, which ends with a line that is up all the
 * same: whoever changes the word and calls after the look ends the `wait`.
 */
void threads_sleep(volatile uint64_t *word, uint64_t value)
{
    for (unsigned i = 0; i < SPINS; i++) {
        if (load(word) != value)
            return;
    }
    interrupts_off();
    if (load(word) == value)
        wait();
    interrupts_on();
}

void threads_wake(uint64_t threads)
{
    threads &= ~(UINT64_C(1) << vcpu_id());
    if (threads)
        (void)send_ipi(threads);
}

/* --- start and end --- */

static void run(void)
{
    struct job *job = &jobs[vcpu_id()];
    uint64_t starter = UINT64_C(1) << job->starter;

    threads_open();
    job->body(job->arg);
    interrupts_off();
    store(&job->state, FINISHED);
    threads_wake(starter);
}

/* Takes a virtual CPU that does nothing. */
static int take(void)
{
    for (unsigned id = 1; id < os_processors(); id++) {
        uint64_t is = FREE;

        if (__atomic_compare_exchange_n(&jobs[id].state, &is, RUNNING, 0, __ATOMIC_SEQ_CST,
                                        __ATOMIC_SEQ_CST))
            return (int)id;
    }
    return OS_TOO_MANY;
}

int os_start(void (*body)(void *arg), void *arg)
{
    int id = take();
    int64_t err;

    if (id < 0)
        return id;
    jobs[id].body = body;
    jobs[id].arg = arg;
    jobs[id].starter = os_me();
    while ((err = vcpu_start((unsigned)id, run)) == ERR_STATE)
        relax(); /* its last thread has said that it is finished, and is about to stop */
    if (err)
        store(&jobs[id].state, FREE);
    return err ? OS_TOO_MANY : id;
}

void os_join(int thread)
{
    struct job *job = &jobs[thread];

    while (load(&job->state) == RUNNING)
        threads_sleep(&job->state, RUNNING);
    store(&job->state, FREE);
}

/* --- locks and barriers --- */

/* Its holder may be waiting for the very processor that would be spun away here. */
void os_lock(struct os_lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        relax();
}

void os_unlock(struct os_lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }

/*
 * Who comes last turns the round and calls those that may be asleep. One who says so too late for
 * that finds the round turned, and does not sleep.
 */
void os_barrier(struct os_barrier *b, unsigned threads)
{
    uint64_t round = load(&b->round);

    if (add(&b->here, 1) == threads) {
        store(&b->here, 0);
        add(&b->round, 1);
        threads_wake(__atomic_exchange_n(&b->asleep, 0, __ATOMIC_SEQ_CST));
        return;
    }
    while (load(&b->round) == round) {
        (void)__atomic_fetch_or(&b->asleep, UINT64_C(1) << os_me(), __ATOMIC_SEQ_CST);
        threads_sleep(&b->round, round);
    }
}
