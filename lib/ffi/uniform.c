/* SPDX-License-Identifier: BSD-2-Clause */
/* Without libffi: C has no way to call a function whose type is known at run time only. */
#include "ffi_private.h"

_Static_assert(sizeof(struct prepared) <= DISCO_FFI_SIZE, "storage of one call");

int disco_ffi_prepare_typed(struct prepared *p)
{
    (void)p;
    return DISCO_ERR_UNSUPPORTED;
}

int64_t disco_ffi_run_typed(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev;
    (void)caller;
    (void)a;
    return DISCO_ERR_UNSUPPORTED;
}

bool disco_ffi_typed(void) { return false; }
