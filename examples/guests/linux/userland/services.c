/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * services NAME [COUNT]: one service of the kernel, COUNT times, and nothing else between marks (work.h): those of the
 * paper's Table 2, and a system call that does nothing. What a service needs is made ready before the marks and cleared
 * away after them; services that use up pages have a pair of marks for every 4096 of these.
 *
 * null         getppid().
 * open         open() and close() of a file in the page cache.
 * read, write  4 KiB of a file in the page cache, on a tmpfs.
 * execve       fork(), execve() of this program, which is static and ends at once, exit() and waitpid(). The paper's
 *              is the execve() alone; nothing is subtracted here.
 * demand_zero  First write to a page of anonymous memory. mmap() and munmap() are outside of the marks, and so are the
 *              page tables: of every table's pages the first is written before, and not counted. What is left is
 *              exception, allocation, zeroing, and the TLB entry. The first 4096 pages are new to the process and, soon
 *              after a boot, to the monitor; later ones are those that the process has just given back.
 * utlb_miss    A load from a page that is in the page tables, and in the monitor's second-level TLB, but not in the
 *              hardware's: the loads go round over many more pairs of pages than it has entries, one load to a pair,
 *              for two pages share an entry. An entry that chance has kept is one in thousands.
 * quick_fault  In the paper the slow refill of the TLB: the page is there, but the fast handler does not come through.
 *              Linux for MIPS sets the accessed and dirty bits in assembly, in the handlers of TLB exceptions, and
 *              makes pages writable at once when mprotect() takes rights away and gives them back: none of this
 *              reaches C. The nearest that does, and allocates and copies nothing, is the first write to a page that
 *              is read-only still from a fork() whose child is gone: a refill by the fast handler, a second exception,
 *              the page table walked in C, the page found to be nobody else's and made writable. fork() is outside of
 *              the marks.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"
#include "work.h"

#define PAGE 4096ul
#define TABLE 512ul      /* pages of a page table */
#define MOST_PAGES 4096u /* between two marks */
#define PAIRS                                                                                      \
    256ul /* of pages, to miss the TLB with: it has 16 entries, the monitor's second level 1024 */
#define FILE_PAGES 64ul
#define NOTHING "nothing"

struct service {
    const char *name;
    void (*prepare)(unsigned long n);
    void (*run)(unsigned long n); /* the service, n times */
    void (*clear)(void);
    unsigned long most; /* between two marks */
    int faults;         /* page faults of each, or ANY */
};

#define ANY -1

static char *region, block[PAGE], path[PATH_MAX];
static size_t region_size;
static int file;

/* --- memory --- */

/* At the start of a page table; never a large page. */
static void map_tables(unsigned long tables)
{
    char *at;

    region_size = (tables + 1) * TABLE * PAGE;
    at = mmap(NULL, region_size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(at != MAP_FAILED);
    madvise(at, region_size, MADV_NOHUGEPAGE);
    region = at;
}

static volatile uint64_t *page(unsigned long number)
{
    uintptr_t table = TABLE * PAGE, start = ((uintptr_t)region + table - 1) / table * table;

    return (volatile uint64_t *)(start + number * PAGE);
}

static void write_pages(unsigned long n, unsigned long stride)
{
    for (unsigned long i = 0; i < n; i++)
        *page(i * stride) = i + 1;
}

static void unmap(void) { CHECK(munmap(region, region_size) == 0); }

static void prepare_fresh(unsigned long n)
{
    unsigned long tables = n / (TABLE - 1) + 1;

    map_tables(tables);
    write_pages(tables, TABLE);
}

static void demand_zero(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++)
        *page(i / (TABLE - 1) * TABLE + 1 + i % (TABLE - 1)) = 1;
}

static void prepare_forked(unsigned long n)
{
    int status;
    pid_t child;

    map_tables(n / TABLE + 1);
    write_pages(n, 1);
    child = fork();
    CHECK(child >= 0);
    if (child == 0)
        _exit(0);
    CHECK(waitpid(child, &status, 0) == child && status == 0);
}

static void quick_fault(unsigned long n) { write_pages(n, 1); }

static void prepare_pairs(unsigned long n)
{
    (void)n;
    map_tables(2 * PAIRS / TABLE + 1);
    write_pages(2 * PAIRS, 1);
}

static void utlb_miss(unsigned long n)
{
    volatile uint64_t *first = page(0);

    for (unsigned long i = 0; i < n; i++)
        (void)first[i % PAIRS * (2 * PAGE / sizeof(*first))];
}

/* --- files --- */

static void prepare_file(unsigned long n)
{
    (void)n;
    strcpy(path, "/tmp/services.XXXXXX");
    file = mkstemp(path);
    CHECK(file >= 0);
    memset(block, 'b', sizeof(block));
    for (unsigned long i = 0; i < FILE_PAGES; i++)
        CHECK(write(file, block, sizeof(block)) == (ssize_t)sizeof(block));
}

static void clear_file(void) { CHECK(close(file) == 0 && unlink(path) == 0); }

static void open_and_close(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        int fd = open(path, O_RDONLY);

        CHECK(fd >= 0 && close(fd) == 0);
    }
}

static off_t place(unsigned long i) { return (off_t)(i % FILE_PAGES * PAGE); }

static void write_file(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++)
        CHECK(pwrite(file, block, sizeof(block), place(i)) == (ssize_t)sizeof(block));
}

static void read_file(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++)
        CHECK(pread(file, block, sizeof(block), place(i)) == (ssize_t)sizeof(block));
}

/* --- processes --- */

static void prepare_path(unsigned long n)
{
    ssize_t length = readlink("/proc/self/exe", path, sizeof(path) - 1);

    (void)n;
    CHECK(length > 0);
    path[length] = '\0';
}

static void execve_nothing(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++) {
        int status;
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0) {
            execl(path, "services", NOTHING, (char *)NULL);
            _exit(255);
        }
        CHECK(waitpid(child, &status, 0) == child && status == 0);
    }
}

static void null_call(unsigned long n)
{
    for (unsigned long i = 0; i < n; i++)
        syscall(SYS_getppid);
}

/* --- which --- */

static void no_preparation(unsigned long n) { (void)n; }
static void nothing_to_clear(void) {}

static const struct service services[] = {
    {"null", no_preparation, null_call, nothing_to_clear, ULONG_MAX, 0},
    {"open", prepare_file, open_and_close, clear_file, ULONG_MAX, 0},
    {"read", prepare_file, read_file, clear_file, ULONG_MAX, 0},
    {"write", prepare_file, write_file, clear_file, ULONG_MAX, 0},
    {"execve", prepare_path, execve_nothing, nothing_to_clear, ULONG_MAX, ANY},
    {"demand_zero", prepare_fresh, demand_zero, unmap, MOST_PAGES, 1},
    {"utlb_miss", prepare_pairs, utlb_miss, unmap, ULONG_MAX, 0},
    {"quick_fault", prepare_forked, quick_fault, unmap, MOST_PAGES, 1},
};

#define SERVICES (sizeof(services) / sizeof(*services))

static unsigned long page_faults(void)
{
    struct rusage used;

    CHECK(getrusage(RUSAGE_SELF, &used) == 0);
    return (unsigned long)(used.ru_minflt + used.ru_majflt);
}

/* The time it took. A few faults more than the service's own are the program's: code that runs for the first time. */
static uint64_t between_marks(const struct service *s, unsigned long n)
{
    unsigned long before, faults;
    uint64_t start, end;

    s->prepare(n);
    before = page_faults();
    start = now_ns();
    mark_begin();
    s->run(n);
    mark_end();
    end = now_ns();
    faults = page_faults() - before;
    CHECK(s->faults == ANY ||
          (faults >= n * (unsigned)s->faults && faults < n * (unsigned)s->faults + 8));
    s->clear();
    return end - start;
}

static const struct service *service_called(const char *name)
{
    for (size_t i = 0; i < SERVICES; i++) {
        if (strcmp(services[i].name, name) == 0)
            return &services[i];
    }
    fprintf(stderr, "usage: services NAME [COUNT]; NAME is one of:");
    for (size_t i = 0; i < SERVICES; i++)
        fprintf(stderr, " %s", services[i].name);
    fprintf(stderr, "\n");
    exit(2);
}

int main(int argc, char **argv)
{
    const struct service *s;
    unsigned long count, n;
    uint64_t ns = 0;

    if (argc == 2 && strcmp(argv[1], NOTHING) == 0)
        return 0;
    s = service_called(argc > 1 ? argv[1] : "");
    count = argument(argc, argv, 2, 1000);
    for (unsigned long left = count; left; left -= n) {
        n = left < s->most ? left : s->most;
        ns += between_marks(s, n);
    }
    printf("services: %s %lu done\n", s->name, count);
    fprintf(stderr, "services %s: %llu ns\n", s->name, (unsigned long long)ns);
    return 0;
}
