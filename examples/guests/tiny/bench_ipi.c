/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What calls between two virtual CPUs cost: each piece does one thing "rounds=" times between marks,
 * and prints its name and nanoseconds. tests/bench counts the monitor's instructions in it.
 */
#include "mark.h"
#include "tree.h"
#include "vcpus.h"

static struct barrier meeting;
static volatile uint64_t came[2], over;
static uint64_t rounds;

uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0 || !(cause & CAUSE_LINE(DISCO_LINE_IPI)))
        tiny_unexpected(cause, epc, badvaddr, vector);
    (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
    add(&came[vcpu_id()], 1);
    return epc;
}

static void sleep_until(volatile uint64_t *counter, uint64_t n)
{
    while (load(counter) < n) {
        interrupts_off();
        if (load(counter) < n)
            wait();
        interrupts_on();
    }
}

static void spin_until(volatile uint64_t *counter, uint64_t n)
{
    while (load(counter) < n)
        ;
}

typedef void await(volatile uint64_t *counter, uint64_t n);

static void answer(await *await)
{
    open_lines(CAUSE_LINE(DISCO_LINE_IPI));
    for (uint64_t i = 1; i <= rounds; i++) {
        await(&came[1], i);
        (void)send_ipi(1);
    }
    interrupts_off();
}

static void ask(await *await)
{
    open_lines(CAUSE_LINE(DISCO_LINE_IPI));
    for (uint64_t i = 1; i <= rounds; i++) {
        (void)send_ipi(2);
        await(&came[0], i);
    }
    interrupts_off();
}

static void answer_asleep(void) { answer(sleep_until); }
static void answer_spinning(void) { answer(spin_until); }
static void ask_asleep(void) { ask(sleep_until); }
static void ask_spinning(void) { ask(spin_until); }

static void call(uint64_t mask)
{
    for (uint64_t i = 0; i < rounds; i++)
        (void)send_ipi(mask);
}

static void call_nobody(void) { call(0); }
static void call_again(void) { call(2); }

/* Its line is up and stays up. */
static void be_deaf(void)
{
    while (!load(&over))
        relax();
    (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
}

static const struct piece {
    const char *name;
    void (*first)(void), (*second)(void);
} pieces[] = {
    {"call that names nobody", call_nobody, be_deaf},
    {"call to one whose line is up", call_again, be_deaf},
    {"there and back, both sleep", ask_asleep, answer_asleep},
    {"there and back, both spin", ask_spinning, answer_spinning}, /* not where they run in turn */
};

static uint64_t how_many;

static void measure(const struct piece *p)
{
    uint64_t begin;

    print("piece ");
    print(p->name);
    begin = now();
    mark_begin();
    p->first();
    mark_end();
    begin = now() - begin;
    print(": ");
    print_hex(begin);
    print("\n");
}

static void member(void)
{
    for (uint64_t i = 0; i < how_many; i++) {
        barrier_wait(&meeting, 2);
        if (vcpu_id() == 0) {
            came[0] = came[1] = 0;
            store(&over, 0);
        }
        barrier_wait(&meeting, 2);
        if (vcpu_id())
            pieces[i].second();
        else
            measure(&pieces[i]);
        store(&over, 1);
        barrier_wait(&meeting, 2);
    }
}

int guest_main(void)
{
    rounds = tree_number("rounds", 100);
    how_many = tree_number("pieces", 3);
    if (tree_vcpus() != 2 || how_many > sizeof pieces / sizeof pieces[0] || vcpu_start(1, member))
        return 1;
    member();
    return 0;
}
