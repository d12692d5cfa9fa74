/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_FFI_H
#define DISCO_FFI_H

/**
 * @file ffi.h
 * @brief Handlers of monitor calls as ordinary C functions with types of their own.
 *
 * In pvio.h a handler gets its arguments in an array. Here a declaration says what C types a function's parameters have,
 * and from it comes a `struct disco_call` like any other: the call table checks ranges and addresses, as for all calls,
 * and then the function is called with the values in its own types, through libffi. A value that its parameter's type
 * cannot hold is refused by the table: nothing is cut off.
 *
 *     static int64_t log_line(struct log *log, uint8_t level, const struct disco_buf *text);
 *
 *     const struct disco_ffi_decl decl = {
 *         .number = 40, .name = "log_line", .dev = &log, .fn = DISCO_FFI_FN(log_line),
 *         .param = {{DISCO_FFI_DEV, 0, 0}, {DISCO_FFI_U8, 0, 7}, {DISCO_FFI_BUF_IN, 0, 4096}},
 *     };
 *
 * The library `disco-ffi` is not freestanding where it was built with libffi (meson option `ffi`). Without, the same
 * declarations are good for handlers of the uniform form, which a declaration may name beside the typed one.
 */

#include <disco/pvio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** The C type of a parameter. */
enum disco_ffi_type {
    DISCO_FFI_NONE,   /**< there are no more */
    DISCO_FFI_DEV,    /**< a pointer: the declaration's `dev` */
    DISCO_FFI_CALLER, /**< a pointer: who calls, as disco_calls_run() got it */
    DISCO_FFI_BOOL,   /**< bool */
    DISCO_FFI_U8,     /**< uint8_t */
    DISCO_FFI_U16,    /**< uint16_t */
    DISCO_FFI_U32,    /**< uint32_t */
    DISCO_FFI_U64,    /**< uint64_t */
    DISCO_FFI_I64,    /**< int64_t */
    DISCO_FFI_ENUM,   /**< an enumeration of the size of int, without negative values */
    DISCO_FFI_BUF_IN, /**< const struct disco_buf *, bytes the handler reads; two argument registers */
    DISCO_FFI_BUF_OUT, /**< the same, for bytes the handler writes */
};

/**
 * One parameter. The least and the most that its value (of a buffer: its length) may be; of DISCO_FFI_I64 as signed
 * numbers. Both 0: all that the type can hold.
 */
struct disco_ffi_param {
    enum disco_ffi_type type;
    uint64_t min, max;
};

/** Parameters of a handler: the argument registers', and pointers to device and caller. */
#define DISCO_FFI_PARAMS (DISCO_CALL_ARGS + 2)

/** Any function; called as what its declaration says. */
typedef void disco_ffi_fn(void);
/** The handler @p f, whatever its type. */
#define DISCO_FFI_FN(f) ((disco_ffi_fn *)(f))

/** A monitor call whose handler has typed parameters. */
struct disco_ffi_decl {
    uint32_t number;
    const char *name;
    void *dev;
    disco_ffi_fn *fn; /**< returns int64_t, with the meaning that disco_call_fn gives it */
    disco_call_fn *
        uniform; /**< used where there is no libffi, or no `fn`; its arguments are the parameters, without
                                 DISCO_FFI_DEV and DISCO_FFI_CALLER, and 64 bits wide */
    struct disco_ffi_param param[DISCO_FFI_PARAMS];
};

/** Bytes of storage for one call, aligned as for any C type. */
#define DISCO_FFI_SIZE 512

/**
 * Make a monitor call of a declaration, to be added to a table with disco_calls_add(). @p storage, of @p size bytes, is
 * the caller's and must outlive the table; @p d need not. Where a range of signed numbers has both kinds, its check
 * counts as part of the handler (disco_calls.count, not disco_calls.bad); it comes before the handler all the same.
 * @return 0; DISCO_ERR_BAD_ARG (a bad declaration: no handler, a range that is empty or that the type cannot hold, more
 *         parameters than registers), DISCO_ERR_NO_SPACE, DISCO_ERR_UNSUPPORTED: there is a typed handler only, and the
 *         library was built without libffi.
 */
int disco_ffi_prepare(const struct disco_ffi_decl *d, void *storage, size_t size,
                      struct disco_call *out);

/** Was the library built with libffi? */
bool disco_ffi_typed(void);

#ifdef __cplusplus
}
#endif
#endif
