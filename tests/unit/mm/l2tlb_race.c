/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * One race, again and again: the owner looks a global page up and leaves an alias, while another
 * processor forgets the page. Once the owner is through with the look-up that overlapped, no entry of
 * the page may be left. (The owner inserts only while it holds `page`, which plays the pmap
 * entry; the forgetter holds it too.)
 *
 * DISCO_STRESS_SECONDS: how long, 3 unless told.
 */
#define _POSIX_C_SOURCE 200809L
#include "mock_backend.h"

#include <disco/l2tlb.h>
#include <disco/lock.h>

#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ASIDS 64
#define VPN UINT64_C(6)

static struct disco_l2tlb t;
static struct disco_lock page;
static uint64_t rounds, stop; /* the owner's loop: between two rounds it is in no call */

static void *own(void *arg)
{
    disco_va va = disco_vpn_base((disco_vpn){VPN});
    const disco_tlbe e[2] = {1, 2};
    uint32_t asid = 0;

    (void)arg;
    while (!disco_load(&stop)) {
        if (!__atomic_exchange_n(&page.held, 1, __ATOMIC_ACQUIRE)) {
            disco_l2tlb_insert(&t, va, 0, true, e, 0);
            disco_unlock(&page);
        }
        for (unsigned i = 0; i < 8; i++) {
            asid = (asid + 1) % ASIDS;
            disco_l2tlb_set_asid(&t, asid, 0);
            disco_l2tlb_lookup(&t, va, asid);
            disco_store_release(&rounds, disco_load(&rounds) + 1);
        }
        if (disco_load(&rounds) % 4096 == 0)
            disco_l2tlb_forget_all(&t);
    }
    return NULL;
}

static void wait_for_round(void)
{
    uint64_t start = disco_load(&rounds);

    for (unsigned spins = 1; disco_load_acquire(&rounds) == start; spins++) {
        if (spins % 4096 == 0)
            sched_yield();
    }
}

static bool any_left(void)
{
    bool left = false;

    for (unsigned i = 0; i < 8 * DISCO_L2TLB_WAYS; i++)
        left |= disco_load(&t.sets[i].key) != 0;
    return left;
}

static double seconds(void)
{
    struct timespec now;

    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

int main(void)
{
    const char *wish = getenv("DISCO_STRESS_SECONDS");
    double until = seconds() + (wish ? atof(wish) : 3);
    size_t size = disco_l2tlb_size(8, ASIDS);
    void *storage = mock_storage(size);
    uint64_t tries = 0, seen = 0, failed = 0;
    pthread_t owner;

    if (disco_l2tlb_init(&t, storage, size, 8, ASIDS, UINT64_C(0xffffe000)) ||
        pthread_create(&owner, NULL, own, NULL))
        return EXIT_FAILURE;
    for (; !failed && (tries % 64 || seconds() < until); tries++) {
        wait_for_round();
        disco_lock(&page, NULL);
        seen += any_left();
        if (tries % 16)
            disco_l2tlb_forget_vpn(&t, (disco_vpn){VPN + tries % 2});
        else
            disco_l2tlb_wipe(&t);
        wait_for_round();
        failed += any_left();
        disco_unlock(&page);
    }
    disco_store(&stop, 1);
    pthread_join(owner, NULL);
    printf("%llu times forgotten, %llu times there was something: %s\n",
           (unsigned long long)tries, (unsigned long long)seen, failed ? "it came back" : "all gone");
    free(storage);
    return failed || !seen ? EXIT_FAILURE : EXIT_SUCCESS;
}
