/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/pvio.h>

#include <string.h>

/* `origin` may lie "before" machine time 0 after pauses: differences modulo 2^64 come out right. */

static uint64_t machine_now(const struct disco_timer *t)
{
    return t->backend->ops->now(t->backend);
}

static uint64_t vm_now(const struct disco_timer *t)
{
    return t->paused ? t->paused_at : machine_now(t) - t->origin;
}

static void set_line(struct disco_timer *t, bool up)
{
    t->fired = up;
    if (t->line.set)
        t->line.set(t->line.ctx, up);
}

/* Lock held. A paused clock reaches no deadline: it would have done so before. */
static void expire(struct disco_timer *t)
{
    if (!t->fired && t->deadline != UINT64_MAX && vm_now(t) >= t->deadline)
        set_line(t, true);
}

int disco_timer_init(struct disco_timer *t, struct disco_backend *backend, struct disco_line line)
{
    if (!t || !backend)
        return DISCO_ERR_BAD_ARG;
    memset(t, 0, sizeof *t);
    t->backend = backend;
    t->line = line;
    t->origin = machine_now(t);
    t->deadline = UINT64_MAX;
    return DISCO_OK;
}

uint64_t disco_timer_now(struct disco_timer *t)
{
    uint64_t now;

    disco_lock(&t->lock, t->backend);
    now = vm_now(t);
    disco_unlock(&t->lock);
    return now;
}

void disco_timer_pause(struct disco_timer *t)
{
    disco_lock(&t->lock, t->backend);
    t->paused_at = vm_now(t);
    t->paused = true;
    disco_unlock(&t->lock);
}

void disco_timer_resume(struct disco_timer *t)
{
    disco_lock(&t->lock, t->backend);
    if (t->paused)
        t->origin = machine_now(t) - t->paused_at;
    t->paused = false;
    disco_unlock(&t->lock);
}

/* The machine time of the deadline; UINT64_MAX if nothing is to come, or it is beyond counting. */
static uint64_t when(const struct disco_timer *t)
{
    uint64_t left, now;

    if (t->paused || t->fired || t->deadline == UINT64_MAX)
        return UINT64_MAX;
    now = machine_now(t);
    left = t->deadline - (now - t->origin);
    if (now - t->origin >= t->deadline)
        return now;
    return left > UINT64_MAX - now ? UINT64_MAX : now + left;
}

uint64_t disco_timer_poll(struct disco_timer *t)
{
    uint64_t next;

    disco_lock(&t->lock, t->backend);
    expire(t);
    next = when(t);
    disco_unlock(&t->lock);
    return next;
}

static int64_t timer_set(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_timer *t = dev;

    (void)caller;
    disco_lock(&t->lock, t->backend);
    t->deadline = a[0].value;
    set_line(t, false);
    expire(t);
    disco_unlock(&t->lock);
    return 0;
}

static int64_t time_get(void *dev, void *caller, const union disco_arg *a)
{
    (void)caller;
    (void)a;
    return (int64_t)(disco_timer_now(dev) & INT64_MAX);
}

int disco_timer_calls(struct disco_timer *t, struct disco_calls *c)
{
    const struct disco_call call[] = {
        {DISCO_CALL_TIME, "time", time_get, t, {{DISCO_ARG_NONE, 0, 0}}},
        {DISCO_CALL_TIMER_SET, "timer_set", timer_set, t, {{DISCO_ARG_VALUE, 0, UINT64_MAX}}},
    };

    return disco_calls_add_all(c, call, sizeof call / sizeof call[0]);
}
