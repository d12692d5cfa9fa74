/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/ffi.h>

int main(void) { return disco_ffi_prepare(NULL, NULL, 0, NULL) == DISCO_ERR_BAD_ARG ? 0 : 1; }
