/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/base.h>

static const char *const text[] = {
    [-DISCO_OK] = "success",
    [-DISCO_ERR_BAD_ARG] = "argument out of range",
    [-DISCO_ERR_BAD_ADDRESS] = "address outside the virtual machine's memory",
    [-DISCO_ERR_OVERFLOW] = "address and length wrap around",
    [-DISCO_ERR_NO_MEMORY] = "out of machine memory",
    [-DISCO_ERR_NO_SPACE] = "table full or storage too small",
    [-DISCO_ERR_NOT_FOUND] = "not found",
    [-DISCO_ERR_BUSY] = "in use",
    [-DISCO_ERR_READ_ONLY] = "read-only",
    [-DISCO_ERR_UNSUPPORTED] = "not supported",
    [-DISCO_ERR_STATE] = "not allowed in this state",
    [-DISCO_ERR_MISSING_OP] = "backend lacks a mandatory operation",
    [-DISCO_ERR_BAD_CALL] = "no such monitor call",
};

const char *disco_strerror(int err)
{
    size_t i = err < 0 ? (size_t) - (int64_t)err : 0;

    if (err > 0 || i >= sizeof text / sizeof text[0])
        return "unknown error";
    return text[i];
}
