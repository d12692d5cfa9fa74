/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef OS_H
#define OS_H

/*
 * The thin OS, as SPLASHOS in the paper: a library that a parallel program is linked with into one
 * address space. There is no virtual memory, no system call and no second program; page faults
 * are the monitor's business. This is all that a program sees of it, and on_linux.c has the same over Linux.
 */

#include <stdint.h>

#define OS_PAGE 4096
#define OS_THREADS 8 /* at most */

/* The program. Its result is the exit code of the virtual machine. */
int program(void);

/* --- what it was started with: words "KEY=VALUE" of the command line --- */

/* A decimal number; `otherwise` if there is no such word. */
uint64_t os_number(const char *key, uint64_t otherwise);
/* A text of less than `size` bytes. Returns its length, 0 if there is none or it is too long. */
unsigned os_text(const char *key, char *text, unsigned size);

/* --- threads: each has a virtual CPU for itself --- */

unsigned os_processors(void);
/* Number of the thread that asks; the first is 0. */
unsigned os_me(void);
/* Start a thread. Returns its number, or an enum os_err if no virtual CPU is free. */
int os_start(void (*body)(void *arg), void *arg);
/* Wait until a thread has returned from its body. Only who started it may. */
void os_join(int thread);

/* Zeroed storage is ready for use, for both. Who waits for a lock gives its time slice away. */
struct os_lock {
    uint64_t held;
};
void os_lock(struct os_lock *lock);
void os_unlock(struct os_lock *lock);

/* Where `threads` threads wait for each other. Who waits long sleeps. */
struct os_barrier {
    uint64_t here, round, asleep;
};
void os_barrier(struct os_barrier *barrier, unsigned threads);

/* --- memory, time, console --- */

/* Zeroed whole pages, which are never given back; 0 if there are not so many. */
void *os_pages(uint64_t bytes);
/* Nanoseconds since some moment. */
uint64_t os_now(void);
/* printf() with %s, %lu and %d and their widths; one call is one piece of output, of at most 255 bytes. */
void os_print(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Tells who counts instructions (tools/icount) that a measured piece begins, or ends. */
void os_mark(int end);

/* --- files, to be read --- */

enum os_err {
    OS_NOT_FOUND = -1,
    OS_DAMAGED = -2,     /* the file system contradicts itself */
    OS_UNSUPPORTED = -3, /* it may be right, but is of a kind that is not known here */
    OS_IO = -4,          /* the disk cannot be read there */
    OS_TOO_MANY = -5,
};
const char *os_error(int err);

/* Open the regular file with this absolute path. Returns its number, and its size. */
int os_open(const char *path, uint64_t *size);
/*
 * Read, from an offset on. Both it and `to` are page-aligned; memory is filled up to a whole page.
 * Pages of the file that are in the machine's memory already are not copied, but mapped.
 */
int os_read(int file, uint64_t offset, void *to, uint64_t bytes);

#endif
