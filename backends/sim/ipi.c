/* SPDX-License-Identifier: BSD-2-Clause */
#include "machine.h"

#include <sched.h>
#include <time.h>

/*
 * What processors ask of each other, as with inter-processor interrupts: a request is put down, the
 * other finds it between two operations of its guest, when it idles, or when it spins (relax),
 * serves it and takes it off a count on which the asker waits. The asker serves requests to itself
 * meanwhile, so that two may ask each other at once.
 */

#define IDLE_NS 20000 /* how long an idle processor sleeps before it looks at the clock again */

/* A holder needs not be in: with tags, its entries lie here while another runs. */
static void forget(struct sim_cpu *c, const struct request *r)
{
    for (size_t k = 0; k < r->nh; k++) {
        for (size_t i = 0; i < r->n; i++) {
            if (r->h[k].cpus >> c->id & 1 && disco_purge_is_of(&r->p[i], r->h[k].v))
                hw_forget(c, r->h[k].v, r->p[i].vpn);
        }
    }
}

void sim_serve(struct sim_cpu *c)
{
    struct request *r, *next;

    if (!__atomic_load_n(&c->mail, __ATOMIC_ACQUIRE))
        return;
    pthread_mutex_lock(&c->lock);
    for (r = c->requests; r; r = next) {
        next = r->next; /* r is gone once it has been counted */
        forget(c, r);
        c->stats.requests++;
        __atomic_fetch_sub(r->left, 1, __ATOMIC_RELEASE);
    }
    c->requests = NULL;
    __atomic_store_n(&c->mail, 0, __ATOMIC_RELAXED);
    pthread_mutex_unlock(&c->lock);
}

/* Ask @p c; a processor without a thread needs not be asked: its TLB lies still. */
static void ask(struct sim_cpu *c, struct request *r)
{
    pthread_mutex_lock(&c->lock);
    if (c->online) {
        __atomic_fetch_add(r->left, 1, __ATOMIC_RELAXED);
        r->next = c->requests;
        c->requests = r;
        __atomic_store_n(&c->mail, 1, __ATOMIC_RELEASE);
        pthread_cond_signal(&c->wake);
    } else {
        forget(c, r);
    }
    pthread_mutex_unlock(&c->lock);
}

void sim_invalidate(struct disco_backend *b, const struct disco_holder *h, size_t nh,
                    const struct disco_purge *p, size_t n)
{
    struct sim_machine *m = machine_of(b);
    struct request r[DISCO_MAX_CPUS];
    disco_cpuset cpus = 0;
    uint32_t left = 0;

    for (size_t k = 0; k < nh; k++)
        cpus |= h[k].cpus;
    for (unsigned i = 0; i < b->cpus; i++) {
        r[i] = (struct request){NULL, h, nh, p, n, &left};
        if (!(cpus >> i & 1))
            continue;
        if (i == sim_current())
            forget(&m->cpu[i], &r[i]);
        else
            ask(&m->cpu[i], &r[i]);
    }
    while (__atomic_load_n(&left, __ATOMIC_ACQUIRE))
        sim_relax(b);
}

void sim_relax(struct disco_backend *b)
{
    sim_serve(&machine_of(b)->cpu[sim_current()]);
    sched_yield();
}

void sim_kick(struct disco_backend *b, unsigned cpu)
{
    struct sim_cpu *c = &machine_of(b)->cpu[cpu];

    pthread_mutex_lock(&c->lock);
    c->stats.kicks++;
    __atomic_store_n(&c->kicked, 1, __ATOMIC_RELEASE);
    pthread_cond_signal(&c->wake);
    pthread_mutex_unlock(&c->lock);
}

/* Was it kicked, or has its timer run out? Each is reported once. */
bool sim_disturbed(struct sim_cpu *c)
{
    bool due = sim_now(c->m) >= c->timer;

    if (due)
        c->timer = UINT64_MAX;
    return __atomic_exchange_n(&c->kicked, 0, __ATOMIC_ACQUIRE) || due;
}

static void sleep_a_little(struct sim_cpu *c)
{
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    t.tv_nsec += IDLE_NS;
    if (t.tv_nsec >= 1000000000) {
        t.tv_sec++;
        t.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&c->lock);
    if (!c->requests && !__atomic_load_n(&c->kicked, __ATOMIC_RELAXED))
        pthread_cond_timedwait(&c->wake, &c->lock, &t);
    pthread_mutex_unlock(&c->lock);
    __atomic_fetch_add(&c->m->time, IDLE_NS, __ATOMIC_RELAXED);
}

/* Alone, nothing but the timer can end the wait: go there at once (and nowhere without a timer). */
static bool skip(struct sim_cpu *c)
{
    uint64_t now = sim_now(c->m);

    if (__atomic_load_n(&c->m->online, __ATOMIC_RELAXED) > 1)
        return false;
    if (c->timer != UINT64_MAX && c->timer > now)
        __atomic_fetch_add(&c->m->time, c->timer - now, __ATOMIC_RELAXED);
    sim_disturbed(c);
    return true;
}

void sim_idle(struct disco_backend *b)
{
    struct sim_cpu *c = &machine_of(b)->cpu[sim_current()];

    sim_serve(c);
    while (!sim_disturbed(c) && !skip(c)) {
        sleep_a_little(c);
        sim_serve(c);
    }
}
