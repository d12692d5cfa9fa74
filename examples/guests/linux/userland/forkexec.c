/* SPDX-License-Identifier: BSD-2-Clause */
/* forkexec [N]: N times fork and exec of this program; what the children answer is summed. */
#include <sys/wait.h>
#include <unistd.h>

#include "guest.h"

static int answer(unsigned long i)
{
    return (int)((i * 37 + 11) & 0x7f);
}

static void become_child(unsigned long i)
{
    char number[24];

    snprintf(number, sizeof(number), "%lu", i);
    execl("/proc/self/exe", "forkexec", "child", number, (char *)NULL);
    _exit(255);
}

int main(int argc, char **argv)
{
    uint64_t start = now_ns(), sum = SUM_START;
    unsigned long n;

    if (argc == 3)
        return answer(argument(argc, argv, 2, 0));
    n = argument(argc, argv, 1, 200);
    for (unsigned long i = 0; i < n; i++) {
        int status;
        pid_t child = fork();

        CHECK(child >= 0);
        if (child == 0)
            become_child(i);
        CHECK(waitpid(child, &status, 0) == child);
        CHECK(WIFEXITED(status) && WEXITSTATUS(status) == answer(i));
        sum = sum_byte(sum, (unsigned char)WEXITSTATUS(status));
    }
    printf("forkexec %lu sum %016llx\n", n, (unsigned long long)sum);
    report_time("forkexec", start);
    return 0;
}
