/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/pvio.h>

int main(void)
{
    static struct disco_calls calls;

    return disco_calls_add(&calls, NULL) == DISCO_ERR_BAD_ARG ? 0 : 1;
}
