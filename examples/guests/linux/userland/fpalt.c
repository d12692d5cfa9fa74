/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * fpalt [ROUNDS]: two processes compute in floating point by turns, handing the processor to each other in
 * the middle of it, and must get what each gets alone.
 */
#include <math.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define LANES 12

struct peer {
    int in, out;
};

/* Gives the turn to the other process and waits for it to come back; alone, does nothing. */
static void hand_over(const struct peer *peer)
{
    char token = 't';

    if (peer == NULL)
        return;
    CHECK(write(peer->out, &token, 1) == 1);
    CHECK(read(peer->in, &token, 1) == 1);
}

/* Enough live values to fill the registers, across every hand-over. */
static void compute(double seed, unsigned long rounds, const struct peer *peer, double lane[LANES])
{
    for (int i = 0; i < LANES; i++)
        lane[i] = seed + i;
    for (unsigned long r = 0; r < rounds; r++) {
        for (int i = 0; i < LANES; i++)
            lane[i] = lane[i] * 1.0000001 + sqrt(fabs(lane[(i + 1) % LANES])) / (double)(r + 3);
        hand_over(peer);
    }
}

static uint64_t sum_of(const double lane[LANES])
{
    uint64_t sum = SUM_START, bits;

    for (int i = 0; i < LANES; i++) {
        memcpy(&bits, &lane[i], sizeof(bits));
        sum = sum_word(sum, bits);
    }
    return sum;
}

static void run(const char *name, double seed, unsigned long rounds, const struct peer *peer)
{
    double alone[LANES], by_turns[LANES];

    compute(seed, rounds, NULL, alone);
    hand_over(peer);
    compute(seed, rounds, peer, by_turns);
    CHECK(memcmp(alone, by_turns, sizeof(alone)) == 0);
    printf("%s %.15g sum %016llx\n", name, by_turns[0], (unsigned long long)sum_of(by_turns));
    fflush(stdout);
}

int main(int argc, char **argv)
{
    unsigned long rounds = argument(argc, argv, 1, 2000);
    uint64_t start = now_ns();
    int there[2], back[2], status;
    char token;
    pid_t child;

    CHECK(pipe(there) == 0 && pipe(back) == 0);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        struct peer peer = {there[0], back[1]};

        CHECK(read(peer.in, &token, 1) == 1);
        run("child", 3.25, rounds, &peer);
        return 0;
    }
    struct peer peer = {back[0], there[1]};

    run("parent", 1.5, rounds, &peer);
    CHECK(write(peer.out, "t", 1) == 1);
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    report_time("fpalt", start);
    return 0;
}
