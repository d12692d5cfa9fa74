/* SPDX-License-Identifier: BSD-2-Clause */
/* The call itself, through libffi: which knows how this machine passes what type to a function. */
#include "ffi_private.h"

#include <ffi.h>

struct typed {
    struct prepared p;
    ffi_cif cif;
    ffi_type *type[DISCO_FFI_PARAMS];
};

_Static_assert(sizeof(struct typed) <= DISCO_FFI_SIZE, "storage of one call");
_Static_assert(sizeof(bool) == 1, "bool is passed as a byte");

/* A parameter's value in its own type, where libffi fetches it. */
union slot {
    const void *pointer;
    uint8_t u8;
    uint16_t u16;
    uint32_t u32;
    uint64_t u64;
};

static ffi_type *type_of(enum disco_ffi_type t)
{
    switch (t) {
    case DISCO_FFI_BOOL:
    case DISCO_FFI_U8: return &ffi_type_uint8;
    case DISCO_FFI_U16: return &ffi_type_uint16;
    case DISCO_FFI_U32: return &ffi_type_uint32;
    case DISCO_FFI_U64: return &ffi_type_uint64;
    case DISCO_FFI_I64: return &ffi_type_sint64;
    case DISCO_FFI_ENUM: return &ffi_type_uint32;
    default: return &ffi_type_pointer;
    }
}

int disco_ffi_prepare_typed(struct prepared *p)
{
    struct typed *t = (struct typed *)p;

    for (unsigned i = 0; i < p->params; i++)
        t->type[i] = type_of(p->decl.param[i].type);
    return ffi_prep_cif(&t->cif, FFI_DEFAULT_ABI, p->params, &ffi_type_sint64, t->type) == FFI_OK
               ? DISCO_OK
               : DISCO_ERR_UNSUPPORTED;
}

/* The table has seen to it that the value fits. */
static void put(union slot *s, enum disco_ffi_type t, const union disco_arg *a)
{
    switch (t) {
    case DISCO_FFI_BOOL:
    case DISCO_FFI_U8: s->u8 = (uint8_t)a->value; break;
    case DISCO_FFI_U16: s->u16 = (uint16_t)a->value; break;
    case DISCO_FFI_U32:
    case DISCO_FFI_ENUM: s->u32 = (uint32_t)a->value; break;
    case DISCO_FFI_U64:
    case DISCO_FFI_I64: s->u64 = a->value; break;
    default: s->pointer = &a->buf; break;
    }
}

int64_t disco_ffi_run_typed(void *dev, void *caller, const union disco_arg *a)
{
    struct typed *t = dev;
    union slot slot[DISCO_FFI_PARAMS];
    void *value[DISCO_FFI_PARAMS];
    int64_t result = 0;

    for (unsigned i = 0; i < t->p.params; i++) {
        enum disco_ffi_type type = t->p.decl.param[i].type;

        value[i] = &slot[i];
        if (type == DISCO_FFI_DEV)
            slot[i].pointer = t->p.decl.dev;
        else if (type == DISCO_FFI_CALLER)
            slot[i].pointer = caller;
        else
            put(&slot[i], type, a++);
    }
    ffi_call(&t->cif, t->p.decl.fn, &result, value);
    return result;
}

bool disco_ffi_typed(void) { return true; }
