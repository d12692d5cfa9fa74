/* SPDX-License-Identifier: BSD-2-Clause */
/* cpuloop [MILLIONS]: a fixed amount of integer work, no memory, no system calls. */
#include "guest.h"

int main(int argc, char **argv)
{
    unsigned long millions = argument(argc, argv, 1, 50);
    uint64_t start = now_ns(), x = UINT64_C(88172645463325252), sum = 0;

    for (uint64_t i = 0; i < (uint64_t)millions * 1000000; i++) {
        x ^= x << 13;
        x ^= x >> 7;
        x ^= x << 17;
        sum += x * (i | 1);
    }
    printf("cpuloop %lu sum %016llx\n", millions, (unsigned long long)sum);
    report_time("cpuloop", start);
    return 0;
}
