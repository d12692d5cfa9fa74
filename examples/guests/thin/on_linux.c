/* SPDX-License-Identifier: BSD-2-Clause */
/* What a program sees of the thin OS, over Linux and its C library: to compare, and to test on the host. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "on_linux.h"
#include "os.h"

static char **words; /* of the command line, up to a null pointer */

/* --- the command line --- */

static const char *argument(const char *key)
{
    size_t n = strlen(key);

    for (char **word = words; word && *word; word++) {
        if (strncmp(*word, key, n) == 0 && (*word)[n] == '=')
            return *word + n + 1;
    }
    return NULL;
}

uint64_t os_number(const char *key, uint64_t otherwise)
{
    const char *value = argument(key);

    return value ? strtoull(value, NULL, 10) : otherwise;
}

unsigned os_text(const char *key, char *text, unsigned size)
{
    const char *value = argument(key);
    size_t n = value ? strlen(value) : 0;

    if (n >= size)
        n = 0;
    memcpy(text, n ? value : "", n);
    text[n] = 0;
    return (unsigned)n;
}

/* --- threads --- */

static struct job {
    pthread_t thread;
    unsigned number;
    void (*body)(void *arg);
    void *arg;
} jobs[OS_THREADS];
static unsigned started; /* besides the first, which starts and joins all others */
static _Thread_local unsigned me;

unsigned os_processors(void)
{
    long n = sysconf(_SC_NPROCESSORS_ONLN);

    return n < 1 ? 1 : n > OS_THREADS ? OS_THREADS : (unsigned)n;
}

unsigned os_me(void) { return me; }

static void *run(void *arg)
{
    const struct job *job = arg;

    me = job->number;
    job->body(job->arg);
    return NULL;
}

int os_start(void (*body)(void *arg), void *arg)
{
    struct job *job = &jobs[started + 1];

    if (started + 1 >= OS_THREADS)
        return OS_TOO_MANY;
    *job = (struct job){.number = started + 1, .body = body, .arg = arg};
    if (pthread_create(&job->thread, NULL, run, job))
        return OS_TOO_MANY;
    return (int)++started;
}

void os_join(int thread)
{
    pthread_join(jobs[thread].thread, NULL);
    started--;
}

void os_lock(struct os_lock *lock)
{
    while (__atomic_exchange_n(&lock->held, 1, __ATOMIC_ACQUIRE))
        sched_yield();
}

void os_unlock(struct os_lock *lock) { __atomic_store_n(&lock->held, 0, __ATOMIC_RELEASE); }

/* One mutex for all barriers. */
void os_barrier(struct os_barrier *b, unsigned threads)
{
    static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
    static pthread_cond_t turned = PTHREAD_COND_INITIALIZER;
    uint64_t round;

    pthread_mutex_lock(&mutex);
    round = b->round;
    if (++b->here == threads) {
        b->here = 0;
        b->round++;
        pthread_cond_broadcast(&turned);
    }
    while (b->round == round)
        pthread_cond_wait(&turned, &mutex);
    pthread_mutex_unlock(&mutex);
}

/* --- memory, time, console --- */

void *os_pages(uint64_t bytes)
{
    void *at =
        mmap(NULL, bytes ? bytes : 1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    return at == MAP_FAILED ? NULL : at;
}

uint64_t os_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (uint64_t)t.tv_sec * 1000000000u + (uint64_t)t.tv_nsec;
}

void os_print(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vprintf(format, args);
    va_end(args);
    fflush(stdout);
}

/* What marks are for the machine; on others there is nobody to tell. */
void os_mark(int end)
{
#ifdef __mips__
    if (end)
        __asm__ volatile(".word 0x3400d151" ::: "memory");
    else
        __asm__ volatile(".word 0x3400d150" ::: "memory");
#else
    (void)end;
#endif
}

/* --- files --- */

const char *os_error(int err) { return err == OS_NOT_FOUND ? "not found" : "unreadable"; }

int os_open(const char *path, uint64_t *size)
{
    struct stat s;
    int fd = open(path, O_RDONLY);

    if (fd < 0 || fstat(fd, &s) || !S_ISREG(s.st_mode))
        return OS_NOT_FOUND;
    *size = (uint64_t)s.st_size;
    return fd;
}

int os_read(int file, uint64_t offset, void *to, uint64_t bytes)
{
    char *at = to;

    while (bytes) {
        ssize_t n = pread(file, at, bytes, (off_t)offset);

        if (n < 0)
            return OS_IO;
        if (n == 0)
            return 0; /* the rest of the last page */
        at += n;
        offset += (uint64_t)n;
        bytes -= (uint64_t)n;
    }
    return 0;
}

int os_main(int argc, char **argv)
{
    (void)argc;
    words = argv + 1;
    return program();
}
