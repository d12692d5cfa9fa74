/* SPDX-License-Identifier: BSD-2-Clause */
#include "vcpus.h"

#include "dice.h"
#include "tree.h"

#define EXCEPTIONS (4096 + 16) /* start.S: from the top of the stacks */

void tiny_second(void); /* start.S */

/* gp is the top of its stacks. */
unsigned vcpu_id(void)
{
    uint64_t gp;

    __asm__("move %0, $28" : "=r"(gp));
    return (unsigned)((gp - (uint64_t)tiny_stacks) / TINY_STACKS) - 1;
}

int64_t vcpu_start(unsigned id, void (*work)(void))
{
    char *top = tiny_stacks[id % MAX_VCPUS] + TINY_STACKS;
    void (**slot)(void) = (void (**)(void))(top - EXCEPTIONS);

    __atomic_store_n(slot, work, __ATOMIC_SEQ_CST);
    return hypcall(DISCO_CALL_VCPU_START, id, (uint64_t)tiny_second, (uint64_t)slot, (uint64_t)top,
                   0);
}

int vcpu_start_all(void (*work)(void))
{
    int ok = 1;

    for (unsigned id = 1; id < tree_vcpus(); id++)
        ok &= vcpu_start(id, work) == 0;
    return ok;
}

void barrier_wait(struct barrier *b, unsigned vcpus)
{
    uint64_t round = load(&b->round);

    if (add(&b->here, 1) == vcpus) {
        store(&b->here, 0);
        add(&b->round, 1);
        return;
    }
    while (load(&b->round) == round) {
        reset_sometime();
        relax();
    }
}

#define NEVER UINT64_MAX
#define MOMENTS UINT64_C(50000000) /* ns */

static uint64_t some_moment(void)
{
    uint64_t seed = tree_number("reset", 0), count;

    __asm__ volatile("mfc0 %0, $9" : "=r"(count)); /* another moment in each life */
    seed += seed ? count & 0xffffffff : 0;
    return seed ? now() + dice(&seed) % MOMENTS : NEVER;
}

void reset_sometime(void)
{
    static volatile uint64_t at;

    if (!at)
        at = some_moment();
    if (at != NEVER && now() >= at)
        (void)hypcall(DISCO_CALL_RESET, 0, 0, 0, 0, 0);
}
