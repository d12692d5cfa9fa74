/* SPDX-License-Identifier: BSD-2-Clause */
/* What soak does with memory: pages taken, written, protected, copied on write, given back. */
#define _GNU_SOURCE

#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "soak.h"

static __thread sigjmp_buf back;

char *soak_map(unsigned pages)
{
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

/* Pages that were never written must be zero; then each gets words of its own. */
void soak_fill(char *at, unsigned pages, uint64_t key)
{
    for (unsigned p = 0; p < pages; p++) {
        uint64_t *word = (uint64_t *)(at + p * PAGE);

        for (unsigned i = 0; i < PAGE / 8; i++)
            CHECK(word[i] == 0);
        for (unsigned i = 0; i < PAGE / 8; i++)
            word[i] = key + p * PAGE + i;
    }
}

void soak_check(const char *at, unsigned pages, uint64_t key)
{
    for (unsigned p = 0; p < pages; p++)
        for (unsigned i = 0; i < PAGE / 8; i++)
            CHECK(((const uint64_t *)(at + p * PAGE))[i] == key + p * PAGE + i);
}

void soak_cow(struct random *r)
{
    unsigned pages = 1 + random_below(r, MOST_PAGES);
    uint64_t key = random_next(r);
    char *at = soak_map(pages);
    pid_t child;

    soak_fill(at, pages, key);
    child = soak_fork();
    if (child == 0) {
        soak_check(at, pages, key);
        memset(at, 0, pages * PAGE);
        soak_fill(at, pages, ~key);
        soak_check(at, pages, ~key);
        _exit(0);
    }
    soak_check(at, pages, key);
    CHECK(soak_status(child) == 0);
    soak_check(at, pages, key);
    CHECK(munmap(at, pages * PAGE) == 0);
}

static void leave(int sig) { siglongjmp(back, sig); }

static void expect_fault(char *at)
{
    struct sigaction act = {.sa_handler = leave};

    CHECK(sigaction(SIGSEGV, &act, NULL) == 0);
    if (sigsetjmp(back, 1) == 0) {
        *(volatile char *)at = 'x';
        CHECK(!"a write to a page without the right");
    }
}

/*
 * Rights taken from one page in the middle and given back, then the page itself; the others keep what they
 * have. Its place stays taken: threads beside this one map pages, too.
 */
void soak_mmap(struct random *r)
{
    unsigned pages = 2 + random_below(r, MOST_PAGES), hole = random_below(r, pages);
    uint64_t key = random_next(r);
    char *at = soak_map(pages), *page = at + hole * PAGE;

    soak_fill(at, pages, key);
    CHECK(mprotect(page, PAGE, PROT_READ) == 0);
    expect_fault(page + random_below(r, PAGE));
    soak_check(at, pages, key);
    CHECK(mprotect(page, PAGE, PROT_READ | PROT_WRITE) == 0);
    *(volatile char *)page = *page;
    CHECK(mmap(page, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == page);
    expect_fault(page + random_below(r, PAGE));
    soak_check(at, hole, key);
    soak_check(page + PAGE, pages - hole - 1, key + (hole + 1) * PAGE);
    CHECK(munmap(at, pages * PAGE) == 0);
}

/* Mappings made and taken away beside each other in one address space. */
static void *thread(void *seed)
{
    struct random r = {(uint64_t)(uintptr_t)seed};

    for (int i = 0; i < 4; i++)
        soak_mmap(&r);
    return NULL;
}

void soak_threads(struct random *r)
{
    pthread_t beside[3];

    for (int i = 0; i < 3; i++)
        CHECK(pthread_create(&beside[i], NULL, thread, (void *)(uintptr_t)random_next(r)) == 0);
    for (int i = 0; i < 3; i++)
        CHECK(pthread_join(beside[i], NULL) == 0);
}
