/* SPDX-License-Identifier: BSD-2-Clause */
/* sigtest: signals sent, raised by faults and by a timer; masks, alternate stack, return into the program. */
#include <setjmp.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static sigjmp_buf back;
static volatile sig_atomic_t seen, seen_code;
static void *volatile seen_address;
static volatile int on_other_stack;
static char *other_stack;
/* Volatile, so that the compiler does not see where they point. */
static char *volatile nowhere, *volatile almost_nowhere = (char *)16;

static void note(int sig, siginfo_t *info, void *context)
{
    char here;

    (void)context;
    seen = sig;
    seen_code = info->si_code;
    seen_address = info->si_addr;
    on_other_stack = &here >= other_stack && &here < other_stack + 65536;
}

static void note_and_leave(int sig, siginfo_t *info, void *context)
{
    note(sig, info, context);
    siglongjmp(back, 1);
}

static void handle(int sig, void (*handler)(int, siginfo_t *, void *), int flags)
{
    struct sigaction act = {.sa_sigaction = handler, .sa_flags = SA_SIGINFO | flags};

    sigemptyset(&act.sa_mask);
    CHECK(sigaction(sig, &act, NULL) == 0);
}

static void faults(void)
{
    char *page = mmap(NULL, 4096, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(page != MAP_FAILED);
    handle(SIGSEGV, note_and_leave, 0);
    if (sigsetjmp(back, 1) == 0)
        *almost_nowhere = 1;
    CHECK(seen == SIGSEGV && seen_address == almost_nowhere);
    printf("unmapped: signal %d code %d\n", (int)seen, (int)seen_code);
    if (sigsetjmp(back, 1) == 0)
        *(volatile char *)page = 1;
    CHECK(seen == SIGSEGV && seen_address == page);
    printf("read-only: signal %d code %d\n", (int)seen, (int)seen_code);
    CHECK(munmap(page, 4096) == 0);
}

static void instructions(void)
{
    handle(SIGTRAP, note_and_leave, 0);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile("break 0");
    CHECK(seen == SIGTRAP);
    handle(SIGILL, note_and_leave, 0);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile(".word 0x42000028"); /* the monitor call: privileged */
    CHECK(seen == SIGILL);
    printf("monitor call in user mode: signal %d\n", (int)seen);
    if (sigsetjmp(back, 1) == 0)
        __asm__ volatile(".word 0x40026000"); /* mfc0 v0, Status */
    CHECK(seen == SIGILL);
    printf("mfc0 in user mode: signal %d\n", (int)seen);
}

static void alternate_stack(void)
{
    stack_t stack = {.ss_size = 65536};

    stack.ss_sp = other_stack = malloc(stack.ss_size);
    CHECK(sigaltstack(&stack, NULL) == 0);
    handle(SIGUSR1, note, SA_ONSTACK);
    CHECK(raise(SIGUSR1) == 0);
    CHECK(seen == SIGUSR1 && on_other_stack);
    printf("alternate stack: signal %d\n", (int)seen);
}

static void masked(void)
{
    sigset_t set, pending;

    sigemptyset(&set);
    sigaddset(&set, SIGUSR2);
    handle(SIGUSR2, note, 0);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    seen = 0;
    CHECK(kill(getpid(), SIGUSR2) == 0);
    CHECK(seen == 0 && sigpending(&pending) == 0 && sigismember(&pending, SIGUSR2));
    CHECK(sigprocmask(SIG_UNBLOCK, &set, NULL) == 0);
    CHECK(seen == SIGUSR2);
    printf("masked, then delivered: signal %d\n", (int)seen);
}

/* The handler must come while the program computes, and leave its registers alone. */
static void timer(void)
{
    struct itimerval tick = {.it_interval = {0, 20000}, .it_value = {0, 20000}};
    uint64_t a = 1, b = 1;
    int ticks = 0;

    handle(SIGALRM, note, SA_RESTART);
    seen = 0;
    CHECK(setitimer(ITIMER_REAL, &tick, NULL) == 0);
    while (ticks < 5) {
        a = a * UINT64_C(6364136223846793005) + 1442695040888963407u;
        b = b * UINT64_C(6364136223846793005) + 1442695040888963407u;
        CHECK(a == b);
        if (seen == SIGALRM) {
            seen = 0;
            ticks++;
        }
    }
    tick.it_value.tv_usec = tick.it_interval.tv_usec = 0;
    CHECK(setitimer(ITIMER_REAL, &tick, NULL) == 0);
    printf("timer: %d ticks\n", ticks);
}

static void child_dies(void)
{
    int status;
    pid_t child = fork();

    CHECK(child >= 0);
    if (child == 0) {
        signal(SIGSEGV, SIG_DFL);
        *nowhere = 1;
        _exit(0);
    }
    CHECK(waitpid(child, &status, 0) == child);
    CHECK(WIFSIGNALED(status));
    printf("child: killed by signal %d\n", WTERMSIG(status));
}

int main(int argc, char **argv)
{
    uint64_t start = now_ns();

    (void)argc;
    (void)argv;
    setvbuf(stdout, NULL, _IOLBF, 0);
    faults();
    instructions();
    alternate_stack();
    masked();
    timer();
    child_dies();
    report_time("sigtest", start);
    return 0;
}
