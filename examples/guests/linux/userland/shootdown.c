/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * shootdown [ROUNDS]: one thread takes pages away, or the right to write them, while threads on the other
 * processors write them. When the system call has returned no write may land there any more, and no read may
 * find what was there before.
 */
#define _GNU_SOURCE

#include <signal.h>
#include <string.h>
#include <sys/mman.h>

#include "threads.h"

#define SIZE 4096
#define FRESH 16 /* pages that are taken, and looked after, when one was given back */

/* The page as its writers see it. */
struct page {
    uint64_t generation;
    struct {
        _Alignas(64) volatile uint64_t count;
    } slot[MOST_THREADS];
};

static struct page *page;     /* where the writers write */
static struct page *alias[2]; /* the two pages of a file that are mapped there by turns */
static uint64_t generation;   /* no older one may be read */
static int open_for_writing, finished;

/* A writer waits here while it has no page to write; then it tries again. */
static void wait_until_open(int sig, siginfo_t *info, void *context)
{
    (void)sig;
    (void)context;
    if ((char *)info->si_addr < (char *)page || (char *)info->si_addr >= (char *)page + SIZE)
        abort();
    while (!__atomic_load_n(&open_for_writing, __ATOMIC_ACQUIRE))
        sched_yield();
}

static void write_for_ever(unsigned i)
{
    while (!__atomic_load_n(&finished, __ATOMIC_ACQUIRE)) {
        uint64_t oldest = __atomic_load_n(&generation, __ATOMIC_ACQUIRE);

        CHECK(__atomic_load_n(&page->generation, __ATOMIC_ACQUIRE) >= oldest);
        for (int n = 0; n < 50; n++)
            page->slot[i].count++;
    }
}

static uint64_t written(void)
{
    uint64_t sum = 0;

    for (unsigned i = 1; i < threads(); i++)
        sum += page->slot[i].count;
    return sum;
}

/* Until somebody writes: then a translation is in use that has to go. */
static void wait_for_writes(void)
{
    uint64_t before = written();

    while (written() == before)
        sched_yield();
}

/* Long enough for a writer that was overlooked to write; now and then long enough for it to get a slice. */
static void let_others_run(unsigned round)
{
    struct timespec tick = {0, 1};

    if (round % 4 == 0)
        nanosleep(&tick, NULL);
    else
        sched_yield();
}

static void check_still(const void *at, unsigned round)
{
    static char before[SIZE];

    memcpy(before, at, SIZE);
    let_others_run(round);
    CHECK(memcmp(before, at, SIZE) == 0);
}

static void open_again(void) { __atomic_store_n(&open_for_writing, 1, __ATOMIC_RELEASE); }

static void close_page(void)
{
    wait_for_writes();
    __atomic_store_n(&open_for_writing, 0, __ATOMIC_RELEASE);
}

static void protect(unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        close_page();
        CHECK(mprotect(page, SIZE, PROT_READ) == 0);
        check_still(page, round);
        CHECK(mprotect(page, SIZE, PROT_READ | PROT_WRITE) == 0);
        open_again();
    }
    printf("mprotect: %u rounds\n", rounds);
}

/* What the kernel gives out next may well be the page given back: a late write would show there. */
static void give_back(unsigned rounds)
{
    for (unsigned round = 0; round < rounds; round++) {
        char *fresh;

        close_page();
        CHECK(munmap(page, SIZE) == 0);
        fresh =
            mmap(NULL, FRESH * SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        CHECK(fresh != MAP_FAILED);
        for (unsigned i = 0; i < FRESH; i++)
            memset(fresh + i * SIZE, (int)i, SIZE);
        let_others_run(round);
        for (unsigned i = 0; i < FRESH * SIZE; i++)
            CHECK(fresh[i] == (char)(i / SIZE));
        CHECK(mmap(page, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1,
                   0) == page);
        open_again();
        CHECK(munmap(fresh, FRESH * SIZE) == 0);
    }
    printf("munmap: %u rounds\n", rounds);
}

/* Another page takes this one's place in one step: the writers go on there and nobody waits. */
static void replace(unsigned rounds, int fd)
{
    for (unsigned round = 0; round < rounds; round++) {
        struct page *old = alias[round % 2], *new = alias[(round + 1) % 2];

        wait_for_writes();
        new->generation = round + 1;
        CHECK(mmap(page, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, fd,
                   (round + 1) % 2 * SIZE) == page);
        __atomic_store_n(&generation, round + 1, __ATOMIC_RELEASE);
        check_still(old, round);
    }
    printf("mmap over it: %u rounds\n", rounds);
}

static unsigned rounds_each;
static int file;

static void *attack_or_write(void *me)
{
    unsigned i = (unsigned)(uintptr_t)me;

    move_to(i);
    if (i > 0) {
        write_for_ever(i);
        return NULL;
    }
    protect(rounds_each);
    give_back(rounds_each);
    replace(rounds_each, file);
    __atomic_store_n(&finished, 1, __ATOMIC_RELEASE);
    return NULL;
}

static struct page *map_file(off_t offset)
{
    void *at = mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, file, offset);

    CHECK(at != MAP_FAILED);
    return at;
}

/* With a page on either side that is never given back: nothing else fits where the page was. */
static struct page *map_between_fences(void)
{
    char *fence = mmap(NULL, 3 * SIZE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    void *at;

    CHECK(fence != MAP_FAILED);
    at = mmap(fence + SIZE, SIZE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_FIXED, file, 0);
    CHECK(at == fence + SIZE);
    return at;
}

int main(int argc, char **argv)
{
    struct sigaction act = {.sa_sigaction = wait_until_open, .sa_flags = SA_SIGINFO};
    uint64_t start = now_ns();

    setvbuf(stdout, NULL, _IOLBF, 0);
    rounds_each = (unsigned)argument(argc, argv, 1, 40);
    file = memfd_create("shootdown", 0);
    CHECK(file >= 0 && ftruncate(file, 2 * SIZE) == 0);
    for (int i = 0; i < 2; i++)
        alias[i] = map_file(i * SIZE);
    page = map_between_fences();
    open_again();
    CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
    in_threads(threads(), attack_or_write);
    report_time("shootdown", start);
    return 0;
}
