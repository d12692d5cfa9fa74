/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * spinners N SECONDS: N processes compute for SECONDS and count their loops; who got how much of the machine.
 * The numbers are the result, so here they go to standard output.
 */
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define MOST 64
#define CHUNK 10000

struct shared {
    volatile int go, stop;
    struct {
        _Alignas(64) volatile unsigned long loops;
    } of[MOST];
};

static void spin(struct shared *shared, unsigned long me)
{
    uint64_t x = me + 1;

    while (!shared->go)
        usleep(1000);
    while (!shared->stop) {
        for (int i = 0; i < CHUNK; i++) {
            x ^= x << 13;
            x ^= x >> 7;
            x ^= x << 17;
        }
        shared->of[me].loops++;
    }
    _exit(x == 0);
}

static void report(const struct shared *shared, unsigned long n)
{
    unsigned long least = shared->of[0].loops, most = least;

    for (unsigned long i = 0; i < n; i++) {
        unsigned long loops = shared->of[i].loops;

        printf("spinner %lu: %lu loops\n", i, loops);
        least = loops < least ? loops : least;
        most = loops > most ? loops : most;
    }
    CHECK(most > 0);
    printf("spinners: the slowest had %lu.%lu%% of the fastest\n", least * 100 / most,
           least * 1000 / most % 10);
}

int main(int argc, char **argv)
{
    struct shared *shared =
        mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    unsigned long n = argument(argc, argv, 1, 2), seconds = argument(argc, argv, 2, 10);

    CHECK(shared != MAP_FAILED && n >= 1 && n <= MOST);
    for (unsigned long i = 0; i < n; i++) {
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0)
            spin(shared, i);
    }
    shared->go = 1;
    sleep((unsigned)seconds);
    shared->stop = 1;
    for (unsigned long i = 0; i < n; i++) {
        int status;

        CHECK(wait(&status) > 0 && status == 0);
    }
    report(shared, n);
    return 0;
}
