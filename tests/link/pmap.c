/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/pmap.h>

int main(void)
{
    const struct disco_pmap_config c = {.pages = 16, .sets = 1};

    return disco_pmap_size(&c) >= 16 * 16 ? 0 : 1;
}
