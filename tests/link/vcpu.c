/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/vcpu.h>

int main(void)
{
    static struct disco_backend backend; /* without operations */
    const struct disco_sched_config c = {.backend = &backend, .queue_len = 4};

    return disco_sched_size(&c) == 0 ? 0 : 1;
}
