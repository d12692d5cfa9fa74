/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * smptest [ROUNDS]: what a program with threads asks of several processors: futexes, locks, membarrier, moving
 * between processors, one clock; then the program shootdown. Where there are more virtual processors than real
 * ones, much of it takes a time slice a round.
 */
#define _GNU_SOURCE

#include <linux/membarrier.h>

#include "threads.h"

int shootdown_main(int argc, char **argv);

static unsigned rounds;

/* A ring of threads: each waits for its baton, adds to the sum and passes on. */
static struct baton baton[MOST_THREADS];
static uint64_t ring_sum;
static unsigned ring_hop, hops;

static void *ring(void *me)
{
    unsigned i = (unsigned)(uintptr_t)me, next = (i + 1) % threads();
    int done = 0;

    move_to(i);
    while (!done) {
        baton_wait(&baton[i]);
        done = ring_hop >= hops;
        if (!done)
            ring_sum = sum_word(ring_sum, ring_hop++);
        baton_pass(&baton[next]);
    }
    return NULL;
}

static void futexes(void)
{
    hops = rounds * 100;
    ring_sum = SUM_START;
    baton_pass(&baton[0]);
    in_threads(threads(), ring);
    CHECK(ring_hop == hops);
    printf("futex: %u hops sum %016llx\n", hops, (unsigned long long)ring_sum);
}

/* Divisible by all numbers of threads, so that the total is the same everywhere. */
#define INCREMENTS 40320

static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static volatile unsigned long count_a, count_b;

static void *increment(void *me)
{
    move_to((unsigned)(uintptr_t)me);
    for (unsigned n = INCREMENTS / threads(); n > 0; n--) {
        CHECK(pthread_mutex_lock(&mutex) == 0);
        count_a++;
        CHECK(count_b == count_a - 1);
        count_b++;
        CHECK(pthread_mutex_unlock(&mutex) == 0);
    }
    return NULL;
}

static void mutexes(void)
{
    in_threads(threads(), increment);
    printf("mutex: %lu and %lu\n", count_a, count_b);
}

/*
 * Readers without a barrier, as in a user-space RCU: a reader says that it is inside by making its number odd.
 * The writer takes an object away, makes every processor pass a barrier, waits for those that were inside, and
 * spoils the object. A reader that sees it spoilt was overlooked.
 */
#define SPOILT 0xdeadu

static struct {
    _Alignas(64) unsigned number;
} inside[MOST_THREADS];
static unsigned object[2] = {1, SPOILT}, *current = &object[0];
static int readers_stop;

static void reader(unsigned i)
{
    while (!__atomic_load_n(&readers_stop, __ATOMIC_RELAXED)) {
        volatile unsigned *at;

        __atomic_store_n(&inside[i].number, inside[i].number + 1, __ATOMIC_RELAXED);
        __atomic_signal_fence(__ATOMIC_SEQ_CST);
        at = __atomic_load_n(&current, __ATOMIC_RELAXED);
        for (int n = 0; n < 20; n++)
            CHECK(*at != SPOILT);
        __atomic_store_n(&inside[i].number, inside[i].number + 1, __ATOMIC_RELEASE);
    }
}

static void wait_for_readers(void)
{
    for (unsigned i = 1; i < threads(); i++) {
        unsigned seen = __atomic_load_n(&inside[i].number, __ATOMIC_ACQUIRE);

        while (seen % 2 == 1 && __atomic_load_n(&inside[i].number, __ATOMIC_ACQUIRE) == seen)
            sched_yield();
    }
}

static void writer(void)
{
    for (unsigned grace = 0; grace < rounds; grace++) {
        unsigned *old = current, *new = &object[old == &object[0]];

        *new = grace + 2;
        __atomic_store_n(&current, new, __ATOMIC_RELEASE);
        CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
        wait_for_readers();
        CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_PRIVATE_EXPEDITED, 0, 0) == 0);
        *old = SPOILT;
    }
    __atomic_store_n(&readers_stop, 1, __ATOMIC_RELAXED);
}

static void *read_or_write(void *me)
{
    unsigned i = (unsigned)(uintptr_t)me;

    move_to(i);
    if (i == 0)
        writer();
    else
        reader(i);
    return NULL;
}

static void membarriers(void)
{
    CHECK(syscall(SYS_membarrier, MEMBARRIER_CMD_REGISTER_PRIVATE_EXPEDITED, 0, 0) == 0);
    in_threads(threads(), read_or_write);
    printf("membarrier: %u grace periods\n", rounds);
}

/* Registers of both kinds must travel along. */
static void *wander(void *me)
{
    unsigned long at = (unsigned long)(uintptr_t)me;
    double x = 1.0 + (double)at;

    for (unsigned n = 0; n < rounds; n++) {
        unsigned cpu = (unsigned)((at + n * 3) % processors());

        move_to(cpu);
        CHECK(sched_getcpu() == (int)cpu);
        x += 0.5;
    }
    CHECK(x == 1.0 + (double)at + 0.5 * rounds);
    return NULL;
}

static void moves(void)
{
    in_threads(threads(), wander);
    printf("moves: %u each\n", rounds);
}

/*
 * A time is handed round through memory; nobody may read an earlier one than was handed over. Every other
 * reading is the kernel's, the rest the vdso's. Where more threads than processors are awake a hop may take a
 * time slice, so that the hops are not counted in the output.
 */
#define CLOCK_HOPS 20000
#define CLOCK_TIME UINT64_C(1000000000)

static uint64_t latest, clock_until;
static unsigned clock_hop;

static uint64_t kernel_ns(void)
{
    struct timespec t;

    CHECK(syscall(SYS_clock_gettime, CLOCK_MONOTONIC, &t) == 0);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

static void *hand_time_on(void *me)
{
    unsigned i = (unsigned)(uintptr_t)me, n = threads(), spins = 0;

    move_to(i);
    for (;;) {
        unsigned hop = __atomic_load_n(&clock_hop, __ATOMIC_ACQUIRE);
        uint64_t now;

        if (hop >= CLOCK_HOPS)
            return NULL;
        if (hop % n != i) {
            if (++spins % 1000 == 0)
                sched_yield();
            continue;
        }
        now = hop / n % 2 ? kernel_ns() : now_ns();
        if (now < latest)
            printf("clock: %llu ns back at hop %u\n", (unsigned long long)(latest - now), hop);
        CHECK(now >= latest);
        latest = now;
        __atomic_store_n(&clock_hop, now > clock_until ? CLOCK_HOPS : hop + 1, __ATOMIC_RELEASE);
    }
}

static void clocks(void)
{
    clock_until = now_ns() + CLOCK_TIME;
    in_threads(threads(), hand_time_on);
    printf("clock: never back\n");
}

static void timed(const char *what, void (*part)(void))
{
    uint64_t start = now_ns();

    part();
    report_time(what, start);
}

int main(int argc, char **argv)
{
    rounds = (unsigned)argument(argc, argv, 1, 40);
    setvbuf(stdout, NULL, _IOLBF, 0);
    timed("futexes", futexes);
    timed("mutexes", mutexes);
    timed("membarriers", membarriers);
    timed("moves", moves);
    timed("clocks", clocks);
    return shootdown_main(argc, argv);
}
