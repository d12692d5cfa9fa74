/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * From the types of a handler's parameters to what the call table checks. The table knows unsigned numbers only. A
 * range of signed ones is one of unsigned ones as long as all have the same sign; a range over zero is checked here.
 */
#include "ffi_private.h"

#include <string.h>

static bool is_buf(enum disco_ffi_type t)
{
    return t == DISCO_FFI_BUF_IN || t == DISCO_FFI_BUF_OUT;
}

static bool is_argument(enum disco_ffi_type t)
{
    return t != DISCO_FFI_DEV && t != DISCO_FFI_CALLER;
}

static uint64_t most(enum disco_ffi_type t)
{
    switch (t) {
    case DISCO_FFI_BOOL: return 1;
    case DISCO_FFI_U8: return UINT8_MAX;
    case DISCO_FFI_U16: return UINT16_MAX;
    case DISCO_FFI_U32: return UINT32_MAX;
    case DISCO_FFI_ENUM: return INT32_MAX;
    default: return UINT64_MAX;
    }
}

static bool over_zero(const struct disco_ffi_param *p)
{
    return p->type == DISCO_FFI_I64 && (int64_t)p->min < 0 && (int64_t)p->max >= 0;
}

static bool range_ok(const struct disco_ffi_param *p)
{
    if (p->type == DISCO_FFI_I64)
        return (int64_t)p->min <= (int64_t)p->max;
    return p->min <= p->max && p->max <= most(p->type);
}

static bool whole(const struct disco_ffi_param *p) { return !p->min && !p->max; }

static struct disco_arg_desc describe(const struct disco_ffi_param *p)
{
    struct disco_arg_desc d = {DISCO_ARG_VALUE, p->min, p->max};

    if (is_buf(p->type))
        d.kind = p->type == DISCO_FFI_BUF_IN ? DISCO_ARG_BUF_IN : DISCO_ARG_BUF_OUT;
    if (whole(p) || over_zero(p)) {
        d.min = 0;
        d.max = most(p->type);
    }
    return d;
}

/* One parameter more. A call has no more of them than registers: else disco_calls_add() would not see all. */
static int declare(struct prepared *p, const struct disco_ffi_param *param, unsigned *args,
                   struct disco_call *out)
{
    if (param->type > DISCO_FFI_BUF_OUT)
        return DISCO_ERR_BAD_ARG;
    p->params++;
    if (!is_argument(param->type))
        return DISCO_OK;
    if (*args == DISCO_CALL_ARGS || !range_ok(param))
        return DISCO_ERR_BAD_ARG;
    p->mixed |= over_zero(param);
    out->arg[(*args)++] = describe(param);
    return DISCO_OK;
}

static int declare_all(struct prepared *p, struct disco_call *out)
{
    unsigned args = 0, registers = 0;
    int err = DISCO_OK;

    for (unsigned i = 0; !err && i < DISCO_FFI_PARAMS; i++) {
        const struct disco_ffi_param *param = &p->decl.param[i];

        if (param->type == DISCO_FFI_NONE)
            break;
        err = declare(p, param, &args, out);
        registers += is_buf(param->type) ? 2 : is_argument(param->type);
    }
    return registers > DISCO_CALL_ARGS ? DISCO_ERR_BAD_ARG : err;
}

/* The signed ranges that the table could not check. */
static bool mixed_ok(const struct prepared *p, const union disco_arg *a)
{
    for (unsigned i = 0; i < p->params; i++) {
        const struct disco_ffi_param *param = &p->decl.param[i];

        if (!is_argument(param->type))
            continue;
        if (over_zero(param) &&
            ((int64_t)a->value < (int64_t)param->min || (int64_t)a->value > (int64_t)param->max))
            return false;
        a++;
    }
    return true;
}

static int64_t enter(void *dev, void *caller, const union disco_arg *a)
{
    const struct prepared *p = dev;

    if (p->mixed && !mixed_ok(p, a))
        return DISCO_ERR_BAD_ARG;
    if (p->decl.fn && disco_ffi_typed())
        return disco_ffi_run_typed(dev, caller, a);
    return p->decl.uniform(p->decl.dev, caller, a);
}

static bool usable(const struct disco_ffi_decl *d, const void *storage)
{
    return d && (d->fn || d->uniform) && storage && (uintptr_t)storage % _Alignof(max_align_t) == 0;
}

int disco_ffi_prepare(const struct disco_ffi_decl *d, void *storage, size_t size,
                      struct disco_call *out)
{
    struct prepared *p = storage;
    struct disco_call c;
    int err;

    if (!usable(d, storage) || !out)
        return DISCO_ERR_BAD_ARG;
    if (size < DISCO_FFI_SIZE)
        return DISCO_ERR_NO_SPACE;
    memset(storage, 0, DISCO_FFI_SIZE);
    p->decl = *d;
    memset(&c, 0, sizeof c);
    c.number = d->number;
    c.name = d->name;
    c.fn = enter;
    c.dev = p;
    err = declare_all(p, &c);
    if (!err && d->fn && (disco_ffi_typed() || !d->uniform))
        err = disco_ffi_prepare_typed(p);
    if (!err)
        *out = c;
    return err;
}
