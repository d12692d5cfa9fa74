/* SPDX-License-Identifier: BSD-2-Clause */
/* Reports its own death. */
#include "tiny.h"

int guest_main(void)
{
    static const char words[] = "out of coffee";

    (void)hypcall(DISCO_CALL_PANIC, physical(words), sizeof words - 1, 0, 0, 0);
    return 1;
}
