/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The one race inside l2tlb: the owner looks a global page up and leaves an alias, while another
 * processor forgets the page. Whatever comes first, nothing of the page may be left in the end.
 *
 * Two processors rarely meet within the few instructions that matter, so a timer's signal plays
 * the other processor: it interrupts between any two instructions. Once the owner is interrupted
 * by a forgetting, once a forgetting by the owner's look-up.
 *
 * DISCO_STRESS_SECONDS: how long, 3 unless told.
 */
#define _POSIX_C_SOURCE 200809L
#include "mock_backend.h"

#include <disco/l2tlb.h>

#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define SETS 8
#define VPN UINT64_C(6)
#define OTHER (VPN + 2 * SETS) /* of the same set */

static struct disco_l2tlb t;
static void (*volatile interruption)(void);
static volatile uint64_t interrupted, forgotten;

static disco_va va(uint64_t vpn) { return disco_vpn_base((disco_vpn){vpn}); }

static void on_signal(int sig)
{
    (void)sig;
    if (interruption) {
        interruption();
        interrupted++;
    }
}

static void insert(uint64_t vpn)
{
    const disco_tlbe e[2] = {1, 2};

    disco_l2tlb_insert(&t, va(vpn), 0, true, e, 0);
}

/* The global entry in the second way, the first free for its alias: forgetting comes by last. */
static void prepare(void)
{
    disco_l2tlb_wipe(&t);
    insert(OTHER);
    insert(VPN);
    disco_l2tlb_forget(&t, va(OTHER), 0);
}

static bool any_left(void)
{
    bool left = false;

    for (unsigned i = 0; i < SETS * DISCO_L2TLB_WAYS; i++)
        left |= t.sets[i].key != 0;
    return left;
}

static void look(void) { disco_l2tlb_lookup(&t, va(VPN), 0); }

static void forget(void)
{
    disco_l2tlb_forget_vpn(&t, (disco_vpn){VPN});
    forgotten++;
}

static void wipe(void)
{
    disco_l2tlb_wipe(&t);
    forgotten++;
}

/*
 * Do @p what, with @p other coming in at any point or not at all; if the page was forgotten, has
 * it come back?
 */
static bool round_fails(void (*what)(void), void (*other)(void))
{
    uint64_t before;

    interruption = NULL;
    prepare();
    before = forgotten;
    interruption = other;
    what();
    interruption = NULL;
    return forgotten != before && any_left();
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

static bool start_timer(timer_t *timer)
{
    struct sigaction a = {.sa_handler = on_signal};
    struct sigevent ev = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    struct itimerspec every = {.it_value = {0, 20000}, .it_interval = {0, 20000}};

    return !sigaction(SIGUSR1, &a, NULL) && !timer_create(CLOCK_MONOTONIC, &ev, timer) &&
           !timer_settime(*timer, 0, &every, NULL);
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    double until = seconds() + (wish ? atof(wish) : 3);
    size_t size = disco_l2tlb_size(SETS, 1);
    void *storage = mock_storage(size);
    uint64_t rounds = 0, failed = 0;
    timer_t timer;

    if (disco_l2tlb_init(&t, storage, size, SETS, 1, UINT64_C(0xffffe000)) || !start_timer(&timer))
        return EXIT_FAILURE;
    for (; !failed && (rounds % 1024 || seconds() < until); rounds++) {
        failed += round_fails(look, rounds % 8 ? forget : wipe);
        failed += round_fails(rounds % 8 ? forget : wipe, look);
    }
    timer_delete(timer);
    printf("%llu rounds, %llu interruptions: %s\n", (unsigned long long)rounds,
           (unsigned long long)interrupted, failed ? "a forgotten page came back" : "all gone");
    free(storage);
    return failed ? EXIT_FAILURE : EXIT_SUCCESS;
}
