/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Monitor calls with random numbers and arguments, "n=NUMBER" of them from "seed=NUMBER" on, by all
 * virtual CPUs at once. Each is answered by a value that the interface knows; the virtual machine
 * ends as it wants to.
 */
#include "dice.h"
#include "tree.h"
#include "vcpus.h"

#define CALLS_MAX 64
#define LAST_ERROR (-12)
#define LOOP 0xcbffffff /* bc to itself */
#define LOOSE UINT64_C(0x800000) /* from here on the guest can do without its memory */

static struct barrier meeting;
static volatile uint64_t bad;
static unsigned members;
static uint64_t memory, seed, calls;

/* These end the virtual machine or the virtual CPU, as they should. */
static int ends_something(uint64_t number)
{
    return number == DISCO_CALL_POWEROFF || number == DISCO_CALL_RESET ||
           number == DISCO_CALL_PANIC || number == DISCO_CALL_VCPU_STOP;
}

static uint64_t some_number(uint64_t *state)
{
    uint64_t n = dice(state);

    return n % 8 ? n / 8 % (DISCO_CALL_PAGE_ZERO + 2) : n >> dice(state) % 56;
}

/* An address that may be taken or overwritten, in the guest's memory, at its end, or nowhere. */
static uint64_t some_address(uint64_t *state)
{
    switch (dice(state) % 4) {
    case 0: return LOOSE + dice(state) % (memory - LOOSE);
    case 1: return (LOOSE + dice(state) % (memory - LOOSE)) & ~UINT64_C(0xfff);
    case 2: return memory - dice(state) % 9 * 512;
    default: return memory + (dice(state) << dice(state) % 12);
    }
}

static uint64_t some_value(uint64_t *state)
{
    switch (dice(state) % 5) {
    case 0: return dice(state) % 16;
    case 1: return dice(state) % 9 * 4096;
    case 2: return (uint64_t)-(dice(state) % 9);
    case 3: return UINT64_C(1) << dice(state) % 64;
    default: return dice(state) << dice(state) % 12;
    }
}

static void one_call(uint64_t *state)
{
    uint64_t number = some_number(state), first = some_address(state);
    int64_t answer;

    if (ends_something(number))
        return;
    if (number > DISCO_CALL_PAGE_ZERO || dice(state) % 4 == 0)
        first = some_value(state) | (number <= DISCO_CALL_CONSOLE_READ ? memory : 0);
    if (number == DISCO_CALL_PAGES_FREE || number == DISCO_CALL_PAGE_ZERO)
        first = first < LOOSE ? first + LOOSE : first;
    answer = hypcall(number, first, some_value(state), some_value(state), some_value(state),
                     some_value(state));
    add(&bad, answer < LAST_ERROR || (number >= CALLS_MAX && answer != LAST_ERROR));
}

static void member(void)
{
    uint64_t state = seed * MAX_VCPUS + vcpu_id() + 1;

    barrier_wait(&meeting, members);
    for (uint64_t i = 0; i < calls; i++) {
        one_call(&state);
        reset_sometime();
    }
    barrier_wait(&meeting, members);
}

/*
 * The last one is left for VCPU_START to start at random. Wherever that is, it takes an exception at
 * once, with vectors at the beginning of memory: there it finds itself in a loop.
 */
static void set_trap(void)
{
    volatile uint32_t *vectors = (volatile uint32_t *)UINT64_C(0xffffffffc0000000);

    for (unsigned i = 0; i < 1024; i++)
        vectors[i] = LOOP;
}

int guest_main(void)
{
    members = tree_vcpus() > 1 ? tree_vcpus() - 1 : 1;
    memory = tree_memory();
    seed = tree_number("seed", 1);
    calls = tree_number("n", 1500);
    set_trap();
    for (unsigned id = 1; id < members; id++)
        add(&bad, vcpu_start(id, member) != 0);
    member();
    print(bad ? "\nfuzzcalls: FAILED\n" : "\nfuzzcalls: every call was answered\n");
    return bad != 0;
}
