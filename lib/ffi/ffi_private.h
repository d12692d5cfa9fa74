/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_FFI_PRIVATE_H
#define DISCO_FFI_PRIVATE_H

/* A declaration in its storage; behind it comes what call.c needs. */

#include <disco/ffi.h>

struct prepared {
    struct disco_ffi_decl decl;
    unsigned params;
    bool mixed; /* some signed range has numbers of both kinds: the table could not check it */
};

/* Of two builds one: call.c, with libffi, or uniform.c. */
int disco_ffi_prepare_typed(struct prepared *p);
disco_call_fn disco_ffi_run_typed;

#endif
