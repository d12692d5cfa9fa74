/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/numa.h>

int main(void)
{
    struct disco_numa_params p;

    disco_numa_params_default(&p);
    return disco_numa_params_check(&p) || disco_numa_size(NULL) ? 1 : 0;
}
