/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor calls that do not exist, or point outside the guest's memory: each is refused by value. */
#include "tiny.h"

#define MEMORY UINT64_C(0x4000000) /* tests run it with at least this much, and less than 2^40 */
#define BAD_ADDRESS (-2)
#define OVERFLOW (-3)
#define BAD_ARG (-1)
#define BAD_CALL (-12)

static int expect(int64_t got, int64_t want, int number)
{
    if (got == want)
        return 0;
    print("badcall: wrong answer\n");
    return number;
}

int guest_main(void)
{
    int bad = 0;

    bad |= expect(hypcall(63, 0, 0, 0, 0, 0), BAD_CALL, 1);
    bad |= expect(hypcall(1000, 0, 0, 0, 0, 0), BAD_CALL, 1);
    bad |= expect(hypcall(UINT64_MAX, 0, 0, 0, 0, 0), BAD_CALL, 1);
    bad |= expect(hypcall(DISCO_CALL_CONSOLE_WRITE, UINT64_C(1) << 40, 16, 0, 0, 0), BAD_ADDRESS, 2);
    bad |= expect(hypcall(DISCO_CALL_CONSOLE_WRITE, UINT64_MAX - 7, 16, 0, 0, 0), OVERFLOW, 4);
    bad |= expect(hypcall(DISCO_CALL_CONSOLE_READ, UINT64_C(0x80000000) << 8, 8, 0, 0, 0),
                  BAD_ADDRESS, 8);
    bad |= expect(hypcall(DISCO_CALL_CONSOLE_WRITE, 0, UINT64_MAX, 0, 0, 0), BAD_ARG, 16);
    bad |= expect(hypcall(DISCO_CALL_POWEROFF, 256, 0, 0, 0, 0), BAD_ARG, 32);
    bad |= expect(hypcall(DISCO_CALL_NOP, 0, 0, 0, 0, 0), 0, 64);
    print(bad ? "badcall: FAILED\n" : "badcall: every bad call was refused\n");
    return bad;
}
