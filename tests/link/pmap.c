/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/pmap.h>

int main(void)
{
    struct disco_backend b = {.cpus = 1};
    const struct disco_pmap_config c = {.pages = 16, .sets = 1, .backend = &b};

    return disco_pmap_size(&c) >= 16 * 16 ? 0 : 1;
}
