/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_private.h"

static int64_t vcpu_start(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_smp *s = dev;
    int err;

    (void)caller;
    disco_lock(&s->lock, s->backend);
    err = s->start(s->ctx, (unsigned)a[0].value, a[1].value, a[2].value, a[3].value);
    disco_unlock(&s->lock);
    return err;
}

static int64_t vcpu_stop(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_smp *s = dev;

    (void)a;
    s->stop(s->ctx, caller);
    return 0;
}

/* A line that is up already stays up: however many calls, the receiver sees one interrupt. */
static int64_t ipi(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_smp *s = dev;
    uint64_t mask = a[0].value;

    (void)caller;
    for (; mask; mask &= mask - 1) {
        disco_count_own(&calls_here(s->calls)->ipis, 1);
        s->raise(s->ctx, (unsigned)__builtin_ctzll(mask));
    }
    return 0;
}

static int64_t ipi_ack(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_smp *s = dev;

    (void)a;
    s->lower(s->ctx, caller);
    return 0;
}

int disco_smp_calls(struct disco_smp *s, unsigned vcpus, struct disco_calls *t)
{
    const uint64_t all = UINT64_MAX >> (64 - vcpus % 64) % 64;
    const struct disco_call call[] = {
        {DISCO_CALL_VCPU_START,
         "vcpu_start",
         vcpu_start,
         s,
         {{DISCO_ARG_VALUE, 0, vcpus - 1},
          {DISCO_ARG_VALUE, 0, UINT64_MAX},
          {DISCO_ARG_VALUE, 0, UINT64_MAX},
          {DISCO_ARG_VALUE, 0, UINT64_MAX}}},
        {DISCO_CALL_VCPU_STOP, "vcpu_stop", vcpu_stop, s, {{DISCO_ARG_NONE, 0, 0}}},
        {DISCO_CALL_IPI, "ipi", ipi, s, {{DISCO_ARG_VALUE, 0, all}}},
        {DISCO_CALL_IPI_ACK, "ipi_ack", ipi_ack, s, {{DISCO_ARG_NONE, 0, 0}}},
    };

    if (!s || !s->start || !s->stop || !s->raise || !s->lower || !vcpus || vcpus > DISCO_MAX_VCPUS)
        return DISCO_ERR_BAD_ARG;
    s->calls = t;
    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
