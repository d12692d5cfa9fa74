/* SPDX-License-Identifier: BSD-2-Clause */
/* For the programs that keep all processors busy: threads, one to a processor, and futexes. */
#ifndef THREADS_H
#define THREADS_H

#include <limits.h>
#include <linux/futex.h>
#include <pthread.h>
#include <sched.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "guest.h"

#define MOST_THREADS 8

static inline unsigned processors(void) { return (unsigned)sysconf(_SC_NPROCESSORS_ONLN); }

/* At least two, so that there is something to see on one processor, too. */
static inline unsigned threads(void)
{
    unsigned n = processors();

    return n < 2 ? 2 : n > MOST_THREADS ? MOST_THREADS : n;
}

static inline void move_to(unsigned cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(cpu % processors(), &set);
    CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

static inline void everywhere(void)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (unsigned cpu = 0; cpu < processors(); cpu++)
        CPU_SET(cpu, &set);
    CHECK(sched_setaffinity(0, sizeof(set), &set) == 0);
}

/* Runs `body` in threads 0 to n-1 and waits for them; each goes to the processor of its number. */
static inline void in_threads(unsigned n, void *(*body)(void *))
{
    pthread_t thread[MOST_THREADS];

    for (uintptr_t i = 0; i < n; i++)
        CHECK(pthread_create(&thread[i], NULL, body, (void *)i) == 0);
    for (unsigned i = 0; i < n; i++)
        CHECK(pthread_join(thread[i], NULL) == 0);
}

/* A flag that one sets and one waits for, on a cache line of its own. */
struct baton {
    _Alignas(64) uint32_t here;
};

static inline void baton_pass(struct baton *b)
{
    __atomic_store_n(&b->here, 1, __ATOMIC_SEQ_CST);
    syscall(SYS_futex, &b->here, FUTEX_WAKE_PRIVATE, INT_MAX, NULL, NULL, 0);
}

static inline void baton_wait(struct baton *b)
{
    while (__atomic_load_n(&b->here, __ATOMIC_SEQ_CST) == 0)
        syscall(SYS_futex, &b->here, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    __atomic_store_n(&b->here, 0, __ATOMIC_SEQ_CST);
}

#endif
