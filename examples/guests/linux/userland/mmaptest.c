/* SPDX-License-Identifier: BSD-2-Clause */
/* mmaptest: files mapped shared and private, copy on write across fork, protection, growth, end of file. */
#define _GNU_SOURCE

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

#define PAGES 64

static sigjmp_buf back;
static long page;

static void leave(int sig)
{
    siglongjmp(back, sig);
}

/* The signal that touching this byte raises, 0 for none. */
static int touch(volatile char *at)
{
    int sig = sigsetjmp(back, 1);

    if (sig == 0)
        *at = 'x';
    return sig;
}

/* The same of looking at it, and of executing what is there. */
static int look(const volatile char *at)
{
    int sig = sigsetjmp(back, 1);

    if (sig == 0)
        (void)*at;
    return sig;
}

static int execute(void *at)
{
    void (*f)(void) = (void (*)(void))at;
    int sig = sigsetjmp(back, 1);

    if (sig == 0)
        f();
    return sig;
}

static char *map(size_t size, int flags, int fd)
{
    char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, flags, fd, 0);

    CHECK(at != MAP_FAILED);
    return at;
}

static uint64_t sum_of(const char *at, size_t size)
{
    uint64_t sum = SUM_START;

    for (size_t i = 0; i < size; i++)
        sum = sum_byte(sum, (unsigned char)at[i]);
    return sum;
}

static void shared_and_private(int fd, size_t size)
{
    char *shared = map(size, MAP_SHARED, fd), *private = map(size, MAP_PRIVATE, fd), first[16];

    for (size_t i = 0; i < size; i++)
        shared[i] = (char)(i * 31 + (i >> 12));
    CHECK(memcmp(shared, private, size) == 0);
    memset(private, 'p', (size_t)page);
    CHECK(pread(fd, first, sizeof(first), 0) == sizeof(first));
    CHECK(memcmp(first, shared, sizeof(first)) == 0 && private[0] == 'p');
    CHECK(msync(shared, size, MS_SYNC) == 0);
    printf("file %016llx private %016llx\n", (unsigned long long)sum_of(shared, size),
           (unsigned long long)sum_of(private, size));
    CHECK(munmap(shared, size) == 0 && munmap(private, size) == 0);
}

static void across_fork(int fd, size_t size)
{
    char *shared = map(size, MAP_SHARED, fd), *own = map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);
    int status;
    pid_t child;

    memset(own, 'o', size);
    child = fork();
    CHECK(child >= 0);
    if (child == 0) {
        memset(own, 'c', size);
        memset(shared, 'c', size);
        _exit(own[size - 1] == 'c' ? 0 : 1);
    }
    CHECK(waitpid(child, &status, 0) == child && status == 0);
    CHECK(own[0] == 'o' && own[size - 1] == 'o' && shared[0] == 'c' && shared[size - 1] == 'c');
    printf("fork: own kept, shared changed\n");
    CHECK(munmap(shared, size) == 0 && munmap(own, size) == 0);
}

static void protection_and_end(int fd)
{
    char *at = map((size_t)(2 * page), MAP_SHARED, fd);

    CHECK(mprotect(at, (size_t)page, PROT_READ) == 0);
    printf("read-only: signal %d\n", touch(at));
    CHECK(mprotect(at, (size_t)page, PROT_READ | PROT_WRITE) == 0 && touch(at) == 0);
    CHECK(ftruncate(fd, page) == 0);
    printf("past the end of the file: signal %d\n", touch(at + page));
    CHECK(ftruncate(fd, 2 * page) == 0 && touch(at + page) == 0);
    CHECK(munmap(at, (size_t)(2 * page)) == 0);
    printf("unmapped: signal %d\n", touch(at));
}

/* Whatever the TLB, or who fills it, knows of the page at the time: each right is looked at when the page was just used. */
static void rights(void)
{
    static const int protection[] = {PROT_NONE, PROT_EXEC, PROT_READ, PROT_READ | PROT_EXEC, PROT_WRITE};
    const uint32_t jump_back[2] = {0x03e00009u, 0}; /* jalr $zero, $ra */
    char *at = map((size_t)page, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    memcpy(at, jump_back, sizeof(jump_back));
    for (size_t i = 0; i < sizeof(protection) / sizeof(protection[0]); i++) {
        CHECK(mprotect(at, (size_t)page, protection[i]) == 0);
        printf("protection %d: load %d, store %d, execute %d\n", protection[i], look(at), touch(at + 64), execute(at));
    }
    CHECK(munmap(at, (size_t)page) == 0);
}

static void move(void)
{
    size_t size = (size_t)(4 * page);
    char *at = map(size, MAP_PRIVATE | MAP_ANONYMOUS, -1);

    memset(at, 'm', size);
    at = mremap(at, size, size * 16, MREMAP_MAYMOVE);
    CHECK(at != MAP_FAILED && at[0] == 'm' && at[size - 1] == 'm' && at[size] == 0);
    printf("grown: %016llx\n", (unsigned long long)sum_of(at, size * 16));
}

int main(int argc, char **argv)
{
    uint64_t start = now_ns();
    char name[] = "/tmp/mmaptest.XXXXXX";
    int fd = mkstemp(name);

    (void)argc;
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    page = sysconf(_SC_PAGESIZE);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, PAGES * page) == 0);
    signal(SIGSEGV, leave);
    signal(SIGBUS, leave);
    shared_and_private(fd, (size_t)(PAGES * page));
    across_fork(fd, (size_t)(PAGES * page));
    protection_and_end(fd);
    rights();
    move();
    report_time("mmaptest", start);
    return 0;
}
