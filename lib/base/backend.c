/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/arch.h>

/* A table of function pointers is checked word by word: a new operation cannot be forgotten here. */
static bool complete(const struct disco_backend_ops *ops)
{
    void (*const *op)(void) = (void (*const *)(void))(const void *)&ops->tlbe_make;
    size_t n = (sizeof *ops - offsetof(struct disco_backend_ops, tlbe_make)) / sizeof *op;

    for (size_t i = 0; i < n; i++) {
        if (!op[i])
            return false;
    }
    return true;
}

int disco_backend_check(const struct disco_backend *b)
{
    if (!b || !b->cpus || b->cpus > DISCO_MAX_CPUS || !b->nodes || b->nodes > DISCO_MAX_NODES ||
        !b->asids || !b->va_mask || b->superpage & (b->superpage - 1))
        return DISCO_ERR_BAD_ARG;
    for (unsigned i = 0; i < b->cpus; i++) {
        if (b->node_of_cpu[i] >= b->nodes)
            return DISCO_ERR_BAD_ARG;
    }
    return b->ops && complete(b->ops) ? DISCO_OK : DISCO_ERR_MISSING_OP;
}
