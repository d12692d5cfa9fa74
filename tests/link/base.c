/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/base.h>

int main(void) { return disco_strerror(DISCO_ERR_NO_MEMORY)[0] ? 0 : 1; }
