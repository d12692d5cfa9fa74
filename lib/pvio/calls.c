/* SPDX-License-Identifier: BSD-2-Clause */
#include "calls_private.h"

#include <string.h>

_Static_assert(sizeof(struct disco_calls_stats) % sizeof(uint64_t) == 0, "counters, nothing else");

int disco_calls_init(struct disco_calls *t, struct disco_calls_counters *counters,
                     struct disco_backend *b)
{
    if (!t || !counters)
        return DISCO_ERR_BAD_ARG;
    memset(t, 0, sizeof *t);
    t->backend = b;
    t->counters = counters;
    t->cpus = b ? b->cpus : 1;
    memset(counters, 0, t->cpus * sizeof *counters);
    return DISCO_OK;
}

static bool is_buf(enum disco_arg_kind kind)
{
    return kind == DISCO_ARG_BUF_IN || kind == DISCO_ARG_BUF_OUT;
}

/* Arguments follow each other without a gap and fit the registers. */
static bool declaration_ok(const struct disco_call *c)
{
    unsigned registers = 0;
    bool end = false;

    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++) {
        const struct disco_arg_desc *d = &c->arg[i];

        if (d->kind == DISCO_ARG_NONE) {
            end = true;
            continue;
        }
        if (end || d->min > d->max || (d->kind != DISCO_ARG_VALUE && !is_buf(d->kind)))
            return false;
        registers += is_buf(d->kind) ? 2 : 1;
    }
    return registers <= DISCO_CALL_ARGS;
}

int disco_calls_add(struct disco_calls *t, const struct disco_call *c)
{
    if (!t || !t->counters || !c || !c->fn || !c->name || c->number >= DISCO_CALLS_MAX ||
        !declaration_ok(c))
        return DISCO_ERR_BAD_ARG;
    if (t->call[c->number].fn)
        return DISCO_ERR_BUSY;
    t->call[c->number] = *c;
    return DISCO_OK;
}

int disco_calls_add_all(struct disco_calls *t, const struct disco_call *c, size_t n)
{
    int err = DISCO_OK;

    for (size_t i = 0; !err && i < n; i++)
        err = disco_calls_add(t, &c[i]);
    return err;
}

/* One who makes a call: what is needed to check the addresses it gives. */
struct origin {
    struct disco_pmap *pmap;
    unsigned node;
};

static int check_buf(const struct disco_arg_desc *d, const uint64_t raw[2],
                     const struct origin *from, struct disco_buf *buf)
{
    disco_pa pa = {raw[0]};
    int err;

    if (raw[1] < d->min || raw[1] > d->max)
        return DISCO_ERR_BAD_ARG;
    err = disco_pmap_check(from->pmap, pa, raw[1]);
    if (err)
        return err;
    buf->pmap = from->pmap;
    buf->pa = pa;
    buf->len = raw[1];
    buf->node = from->node;
    buf->access = d->kind == DISCO_ARG_BUF_IN ? DISCO_READ : DISCO_WRITE;
    return DISCO_OK;
}

static int check_args(const struct disco_call *c, const uint64_t raw[DISCO_CALL_ARGS],
                      const struct origin *from, union disco_arg a[DISCO_CALL_ARGS])
{
    unsigned r = 0;

    for (unsigned i = 0; i < DISCO_CALL_ARGS && c->arg[i].kind != DISCO_ARG_NONE; i++) {
        const struct disco_arg_desc *d = &c->arg[i];

        if (is_buf(d->kind)) {
            int err = check_buf(d, &raw[r], from, &a[i].buf);

            if (err)
                return err;
            r += 2;
        } else {
            if (raw[r] < d->min || raw[r] > d->max)
                return DISCO_ERR_BAD_ARG;
            a[i].value = raw[r++];
        }
    }
    return DISCO_OK;
}

int64_t disco_calls_run(struct disco_calls *t, uint64_t number, const uint64_t raw[DISCO_CALL_ARGS],
                        struct disco_pmap *pmap, unsigned node, void *caller)
{
    struct origin from = {pmap, node};
    union disco_arg a[DISCO_CALL_ARGS];
    const struct disco_call *c;
    int err = DISCO_ERR_BAD_CALL;

    if (number < DISCO_CALLS_MAX && t->call[number].fn) {
        c = &t->call[number];
        err = check_args(c, raw, &from, a);
        if (!err) {
            disco_count_own(&calls_here(t)->made[number], 1);
            return c->fn(c->dev, caller, a);
        }
    }
    disco_count_own(&calls_here(t)->bad, 1);
    return err;
}

void disco_calls_stats(const struct disco_calls *t, struct disco_calls_stats *out)
{
    memset(out, 0, sizeof *out);
    for (uint32_t cpu = 0; cpu < t->cpus; cpu++)
        disco_counters_add(out, &t->counters[cpu].n, sizeof *out);
}

/* Is [offset, offset + len) inside the buffer? Then its physical address. */
static int inside(const struct disco_buf *b, uint64_t offset, uint64_t len, disco_pa *pa)
{
    if (offset > b->len || len > b->len - offset)
        return DISCO_ERR_BAD_ARG;
    pa->v = b->pa.v + offset;
    return DISCO_OK;
}

int disco_buf_read(const struct disco_buf *b, uint64_t offset, void *to, uint64_t len)
{
    disco_pa pa;

    if (!(b->access & DISCO_READ))
        return DISCO_ERR_READ_ONLY;
    if (inside(b, offset, len, &pa))
        return DISCO_ERR_BAD_ARG;
    return disco_pmap_read(b->pmap, pa, to, len, b->node);
}

int disco_buf_write(const struct disco_buf *b, uint64_t offset, const void *from, uint64_t len)
{
    disco_pa pa;

    if (!(b->access & DISCO_WRITE))
        return DISCO_ERR_READ_ONLY;
    if (inside(b, offset, len, &pa))
        return DISCO_ERR_BAD_ARG;
    return disco_pmap_write(b->pmap, pa, from, len, b->node);
}
