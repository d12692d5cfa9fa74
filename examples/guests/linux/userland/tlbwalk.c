/* SPDX-License-Identifier: BSD-2-Clause */
/* tlbwalk [PAGES [PASSES]]: reads and writes one word in each of many pages, many times. */
#include <sys/mman.h>

#include "guest.h"

#define PAGE 4096

int main(int argc, char **argv)
{
    size_t pages = argument(argc, argv, 1, 512);
    unsigned long passes = argument(argc, argv, 2, 200);
    uint64_t start, sum = 0;
    char *at = mmap(NULL, pages * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    CHECK(at != MAP_FAILED && pages > 0);
    for (size_t p = 0; p < pages; p++)
        *(uint64_t *)(at + p * PAGE) = p;
    start = now_ns();
    for (unsigned long pass = 0; pass < passes; pass++)
        for (size_t p = 0; p < pages; p++)
            sum += (*(volatile uint64_t *)(at + p * PAGE))++;
    printf("tlbwalk %zu pages %lu passes sum %016llx\n", pages, passes, (unsigned long long)sum);
    report_time("tlbwalk", start);
    return 0;
}
