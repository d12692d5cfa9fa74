/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef INSIDE_H
#define INSIDE_H

/* What the parts of the thin OS, each a file, know of each other. */

#include "os.h"
#include "vcpus.h"

#define DIRECT                                                                                     \
    UINT64_C(0x4000000000000000) /* all guest-physical memory, at this plus the address */

/* memory.c: before the first os_pages(). */
void memory_init(void);
/* Guest-physical address of something in the image or in os_pages(). */
static inline uint64_t pa_of(const void *p)
{
    return (uint64_t)p >> 62 == 1 ? (uint64_t)p - DIRECT : physical(p);
}

/* threads.c: interrupts of this virtual CPU on. */
void threads_open(void);
/* Sleep while *word is `value`, or shorter. Who changes the word then calls threads_wake(). */
void threads_sleep(volatile uint64_t *word, uint64_t value);
/* `threads` is a mask; the caller's own bit means nothing. */
void threads_wake(uint64_t threads);

/* disk.c: read sectors into memory that is in one piece. 0, or OS_IO. */
int disk_read(unsigned disk, uint64_t sector, void *to, uint64_t bytes);
/* Size in sectors; negative if there is no such disk. */
int64_t disk_size(unsigned disk);
/* Takes what is finished and wakes who waits for it: the device interrupt, on virtual CPU 0. */
void disk_interrupt(void);

#endif
