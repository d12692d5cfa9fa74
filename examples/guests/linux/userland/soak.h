/* SPDX-License-Identifier: BSD-2-Clause */
/* What soak does: each operation checks itself, and ends the process when something is wrong. */
#ifndef SOAK_H
#define SOAK_H

#include <sys/types.h>

#include "guest.h"

#define PAGE 4096
#define MOST_PAGES 64

struct random {
    uint64_t state;
};

static inline uint64_t random_next(struct random *r)
{
    r->state = r->state * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return r->state ^ r->state >> 29;
}

static inline unsigned random_below(struct random *r, unsigned n)
{
    return (unsigned)(random_next(r) >> 32) % n;
}

pid_t soak_fork(void);
/* The exit status of a child that must have exited. */
int soak_status(pid_t child);

/* New pages; words of their own into pages that must be zero; are these words still there. */
char *soak_map(unsigned pages);
void soak_fill(char *at, unsigned pages, uint64_t key);
void soak_check(const char *at, unsigned pages, uint64_t key);

void soak_exec(struct random *r);
int soak_answer(unsigned long question);
void soak_cow(struct random *r);
void soak_mmap(struct random *r);
void soak_threads(struct random *r);
void soak_pipe(struct random *r);
void soak_signals(struct random *r);
void soak_fp(struct random *r);

#endif
