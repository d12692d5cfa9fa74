/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Hot records that wait. A page that is hot stays hot until something is done about it, so the same page and node
 * come again and again: they are merged, with the help of a direct-mapped index. What the index misses because two
 * pages fall on one place is queued twice, and the second finds the page where it wants to be.
 *
 * Counts are totals since the last reset, so a later record of the same interval has all that the earlier one has.
 */
#include "numa_private.h"

static uint64_t *index_of(struct queue *q, const struct disco_numa_hot *h)
{
    uint64_t key = (h->mpn.v << 6) + h->node;

    return &q->index[(key * UINT64_C(0x9e3779b97f4a7c15) >> 32) & (q->places - 1)];
}

static struct record *place(struct queue *q, uint64_t number)
{
    return &q->record[number & (q->places - 1)];
}

/* The one of the same page and node that waits, if the index knows it. */
static struct record *find(struct queue *q, const struct disco_numa_hot *h)
{
    uint64_t number = *index_of(q, h) - 1;
    struct record *r = place(q, number);

    if (number - q->tail >= q->head - q->tail)
        return NULL;
    return r->hot.mpn.v == h->mpn.v && r->hot.node == h->node ? r : NULL;
}

static int put(struct disco_numa *n, const struct disco_numa_hot *h)
{
    struct queue *q = &n->queue;
    struct record *r = find(q, h);

    if (r) {
        disco_count_own(&n->stats.merged, 1);
    } else if (q->head - q->tail == q->places) {
        disco_count_own(&n->stats.overflow, 1);
        return DISCO_ERR_NO_SPACE;
    } else {
        r = place(q, q->head);
        disco_store(&q->head, q->head + 1);
        *index_of(q, h) = q->head;
    }
    *r = (struct record){*h, q->put};
    disco_store(&q->put, q->put + 1);
    return DISCO_OK;
}

int disco_numa_hot(struct disco_numa *n, const struct disco_numa_hot *h)
{
    int err = DISCO_ERR_BAD_ARG;

    disco_lock(&n->queue.lock, n->backend);
    disco_count_own(&n->stats.hot, 1);
    if (h->node >= n->nodes || h->cpu >= n->cpus)
        disco_count_own(&n->stats.bad, 1);
    else
        err = put(n, h);
    disco_unlock(&n->queue.lock);
    return err;
}

size_t disco_queue_take(struct disco_numa *n, struct record *r, size_t max)
{
    struct queue *q = &n->queue;
    size_t taken = 0;

    disco_lock(&q->lock, n->backend);
    for (; taken < max && q->tail != q->head; taken++) {
        r[taken] = *place(q, q->tail);
        disco_store(&q->tail, q->tail + 1);
    }
    disco_unlock(&q->lock);
    return taken;
}

uint64_t disco_numa_waiting(const struct disco_numa *n)
{
    uint64_t tail = disco_load(&n->queue.tail), head = disco_load(&n->queue.head);

    return disco_load(&n->left) + (head > tail ? head - tail : 0);
}
