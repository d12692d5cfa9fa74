/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * soak [SECONDS [SEED]]: several processes do things at random, each thing with a way to see that it was done
 * right. One line says how it went. The parent looks whether all of them get on: it counts its own naps, not a
 * clock, so that a virtual machine may be paused meanwhile.
 */
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "soak.h"

#define WORKERS 6
#define PATIENCE 120 /* naps of a second without anything done by some worker */

struct worker {
    _Alignas(64) volatile uint64_t done;
    volatile int op;
    volatile pid_t pid;
};

static struct worker *workers;
static volatile sig_atomic_t nudges;

static void nudged(int sig)
{
    (void)sig;
    nudges++;
}

/* A signal in the middle of whatever a neighbour does. */
static void nudge(struct random *r)
{
    pid_t pid = workers[random_below(r, WORKERS)].pid;

    if (pid > 0)
        CHECK(kill(pid, SIGUSR1) == 0);
}

static const struct {
    const char *name;
    void (*run)(struct random *r);
} ops[] = {
    {"fork and exec", soak_exec}, {"copy on write", soak_cow},
    {"mmap", soak_mmap},          {"threads", soak_threads},
    {"pipe", soak_pipe},          {"signals", soak_signals},
    {"floating point", soak_fp},  {"nudge", nudge},
};

static void work(unsigned me, uint64_t seed, uint64_t until)
{
    struct random r = {seed * 64 + me + 1};

    while (now_ns() < until) {
        unsigned op = random_below(&r, sizeof(ops) / sizeof(ops[0]));

        workers[me].op = (int)op;
        ops[op].run(&r);
        workers[me].done++;
    }
    _exit(0);
}

/* Has every worker that still runs done something since the last time, or had patience with it? */
static int all_get_on(uint64_t seen[WORKERS], unsigned idle[WORKERS])
{
    for (unsigned i = 0; i < WORKERS; i++) {
        if (workers[i].pid == 0)
            continue;
        idle[i] = workers[i].done == seen[i] ? idle[i] + 1 : 0;
        seen[i] = workers[i].done;
        if (idle[i] > PATIENCE) {
            printf("soak: worker %u stands still in: %s\n", i, ops[workers[i].op].name);
            return 0;
        }
    }
    return 1;
}

/* Takes in those that have ended, but keeps their process ids until all have: nobody else is nudged. */
static int all_well(unsigned *running)
{
    for (unsigned i = 0; i < WORKERS; i++) {
        siginfo_t info = {.si_pid = 0};

        if (workers[i].pid == 0)
            continue;
        CHECK(waitid(P_PID, (id_t)workers[i].pid, &info, WEXITED | WNOHANG | WNOWAIT) == 0);
        if (info.si_pid == 0)
            continue;
        if (info.si_code != CLD_EXITED || info.si_status != 0) {
            printf("soak: worker %u failed in: %s (%d, %d)\n", i, ops[workers[i].op].name,
                   info.si_code, info.si_status);
            return 0;
        }
        workers[i].pid = 0;
        --*running;
    }
    return 1;
}

static int watch(void)
{
    uint64_t seen[WORKERS] = {0};
    unsigned idle[WORKERS] = {0}, running = WORKERS;

    while (running > 0) {
        sleep(1);
        if (!all_well(&running) || !all_get_on(seen, idle))
            return 0;
    }
    return 1;
}

static void start(unsigned i, uint64_t seed, uint64_t until)
{
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0)
        work(i, seed, until);
    workers[i].pid = child;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_handler = nudged, .sa_flags = SA_RESTART};
    uint64_t seconds, seed, done = 0;
    int good;

    if (argc == 3 && argv[1][0] == '=')
        return soak_answer(argument(argc, argv, 2, 0));
    seconds = argument(argc, argv, 1, 10);
    seed = argument(argc, argv, 2, 1);
    workers = mmap(NULL, WORKERS * sizeof(*workers), PROT_READ | PROT_WRITE,
                   MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(workers != MAP_FAILED);
    setvbuf(stdout, NULL, _IOLBF, 0);
    CHECK(sigaction(SIGUSR1, &act, NULL) == 0);
    for (unsigned i = 0; i < WORKERS; i++)
        start(i, seed, now_ns() + seconds * 1000000000u);
    good = watch();
    for (unsigned i = 0; i < WORKERS; i++) {
        done += workers[i].done;
        if (workers[i].pid > 0)
            kill(workers[i].pid, SIGKILL);
    }
    fprintf(stderr, "soak: %llu operations\n", (unsigned long long)done);
    if (good)
        printf("soak %llu s, seed %llu: all well\n", (unsigned long long)seconds,
               (unsigned long long)seed);
    return good ? 0 : 1;
}
