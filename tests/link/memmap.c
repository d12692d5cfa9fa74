/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/memmap.h>

int main(void)
{
    const struct disco_memmap_config c = {.pages = 16, .nodes = 1};

    return disco_memmap_size(&c) >= 16 * 32 ? 0 : 1;
}
