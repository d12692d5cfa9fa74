/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * engineering [PAIRS [STEPS]]: many processes at once, each with a large working set of its own: PAIRS simulators of
 * logic gates and as many of a memory system. Marks for tools/icount and tools/flash stand around their work, and a sum
 * of their results is printed, the same on every machine.
 */
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "work.h"

#define MOST_PAIRS 16

/* What the processes share: results, and a barrier, so that the marks stand around work alone. */
struct board {
    uint64_t result[2 * MOST_PAIRS];
    uint32_t ready, go;
};

static struct board *board;

/* --- gates: event-driven, a unit of delay each --- */

#define GATES (32u << 10)
#define FANOUT 4  /* at most; a gate that has more readers does not tell them */
#define INPUTS 64 /* so many gates, evenly, are changed from outside */
#define NEAR 1024 /* wires lead to the gates around */
#define FAR 32    /* but for one in so many */

struct gate {
    uint32_t in[2], out[FANOUT];
    uint8_t kind, value, queued, outs;
};

struct circuit {
    struct gate gate[GATES];
    uint32_t now[GATES], next[GATES]; /* gates to look at in this unit of time, and in the next */
    uint32_t n, m;
};

static uint8_t computed(const struct circuit *c, const struct gate *g)
{
    uint8_t a = c->gate[g->in[0]].value, b = c->gate[g->in[1]].value;

    switch (g->kind) {
    case 0: return a & b;
    case 1: return a | b;
    case 2: return a ^ b;
    default: return !(a & b);
    }
}

static void wire(struct circuit *c, uint32_t to, uint32_t from)
{
    struct gate *g = &c->gate[from];

    if (g->outs < FANOUT)
        g->out[g->outs++] = to;
}

static bool is_input(uint32_t gate) { return gate % (GATES / INPUTS) == 0; }

static uint32_t source(uint32_t gate, uint64_t r)
{
    return (r >> 32) % FAR ? (gate + GATES + (uint32_t)(r % NEAR) - NEAR / 2) % GATES
                           : (uint32_t)(r % GATES);
}

static void make_circuit(struct circuit *c, uint64_t *seed)
{
    for (uint32_t i = 0; i < GATES; i++) {
        struct gate *g = &c->gate[i];
        uint64_t r = random_next(seed);

        g->kind = (uint8_t)(r >> 60 & 3);
        g->value = (uint8_t)(r >> 59 & 1);
        for (int k = 0; k < 2; k++) {
            g->in[k] = source(i, random_next(seed));
            if (!is_input(i))
                wire(c, i, g->in[k]);
        }
    }
}

static void later(struct circuit *c, uint32_t gate)
{
    if (c->gate[gate].queued || is_input(gate))
        return;
    c->gate[gate].queued = 1;
    c->next[c->m++] = gate;
}

static void change(struct circuit *c, struct gate *g, uint8_t value)
{
    g->value = value;
    for (uint8_t i = 0; i < g->outs; i++)
        later(c, g->out[i]);
}

static void unit_of_time(struct circuit *c)
{
    memcpy(c->now, c->next, c->m * sizeof(*c->now));
    c->n = c->m;
    c->m = 0;
    for (uint32_t i = 0; i < c->n; i++)
        c->gate[c->now[i]].queued = 0;
    for (uint32_t i = 0; i < c->n; i++) {
        struct gate *g = &c->gate[c->now[i]];
        uint8_t value = computed(c, g);

        if (value != g->value)
            change(c, g, value);
    }
}

static uint64_t gates(struct circuit *c, uint64_t seed, unsigned long steps)
{
    uint64_t sum = SUM_START;

    for (unsigned long done = 0, t = 0; done < steps; t++) {
        if (t % 8 == 0) {
            struct gate *g = &c->gate[random_next(&seed) % INPUTS * (GATES / INPUTS)];

            change(c, g, !g->value);
        }
        unit_of_time(c);
        done += c->n + 1;
    }
    for (uint32_t i = 0; i < GATES; i++)
        sum = sum_byte(sum, c->gate[i].value);
    return sum;
}

/* --- memory: caches of some processors, kept coherent by a directory --- */

#define LINES (48u << 10)
#define PROCESSORS 8
#define SETS (1u << 12)
#define RUN 64 /* lines that a processor uses one after the other */

struct line {
    uint64_t sharers;
    uint32_t owner, reads, writes;
};

struct memory {
    struct line line[LINES];
    uint32_t cache[PROCESSORS][SETS];
    uint64_t misses, invalidations;
};

static void evict(struct memory *m, unsigned processor, uint32_t set)
{
    uint32_t old = m->cache[processor][set];

    m->line[old].sharers &= ~(UINT64_C(1) << processor);
}

static void fill(struct memory *m, unsigned processor, uint32_t at)
{
    evict(m, processor, at % SETS);
    m->cache[processor][at % SETS] = at;
    m->line[at].sharers |= UINT64_C(1) << processor;
    m->misses++;
}

static void reference(struct memory *m, unsigned processor, uint32_t at, bool store)
{
    struct line *l = &m->line[at];
    uint64_t own = UINT64_C(1) << processor;

    if (!(l->sharers & own))
        fill(m, processor, at);
    if (store && l->sharers != own) {
        m->invalidations += (uint64_t)__builtin_popcountll(l->sharers & ~own);
        l->sharers = own;
    }
    l->owner = store ? processor : l->owner;
    l->reads += !store;
    l->writes += store;
}

static uint64_t memory(struct memory *m, uint64_t seed, unsigned long steps)
{
    uint64_t sum = SUM_START;

    uint64_t r = 0;

    for (unsigned long i = 0; i < steps; i++) {
        if (i % RUN == 0)
            r = random_next(&seed);
        reference(m, (unsigned)(r % PROCESSORS), (uint32_t)((r >> 8) + i % RUN) % LINES,
                  (r >> 56) < 64);
    }
    return sum_word(sum_word(sum, m->misses), m->invalidations);
}

/* --- processes --- */

static void *room(size_t size)
{
    void *p = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(p != MAP_FAILED);
    return p;
}

static void wait_for_go(void)
{
    __atomic_fetch_add(&board->ready, 1, __ATOMIC_SEQ_CST);
    while (!__atomic_load_n(&board->go, __ATOMIC_SEQ_CST))
        usleep(10000);
}

static void process(unsigned number, unsigned long steps)
{
    uint64_t seed = number + 1;

    if (number % 2) {
        struct memory *m = room(sizeof(*m));

        memset(m, 0, sizeof(*m));
        wait_for_go();
        board->result[number] = memory(m, seed, steps);
    } else {
        struct circuit *c = room(sizeof(*c));

        make_circuit(c, &seed);
        wait_for_go();
        board->result[number] = gates(c, seed, steps);
    }
    _exit(0);
}

int main(int argc, char **argv)
{
    unsigned n = 2 * (unsigned)argument(argc, argv, 1, 6);
    unsigned long steps = argument(argc, argv, 2, 1000000);
    uint64_t sum = SUM_START, start;

    CHECK(n && n <= 2 * MOST_PAIRS && steps);
    board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(board != MAP_FAILED);
    for (unsigned i = 0; i < n; i++) {
        pid_t child = fork();

        CHECK(child >= 0);
        if (!child)
            process(i, steps);
    }
    while (__atomic_load_n(&board->ready, __ATOMIC_SEQ_CST) < n)
        usleep(10000);
    start = now_ns();
    mark_begin();
    __atomic_store_n(&board->go, 1, __ATOMIC_SEQ_CST);
    for (unsigned i = 0; i < n; i++) {
        int status;

        CHECK(wait(&status) > 0 && status == 0);
    }
    mark_end();
    report_time("engineering", start);
    for (unsigned i = 0; i < n; i++)
        sum = sum_word(sum, board->result[i]);
    printf("engineering: %u processes, %lu steps, %016llx\n", n, steps, (unsigned long long)sum);
    return 0;
}
