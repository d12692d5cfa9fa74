/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/l2tlb.h>

int main(void) { return disco_l2tlb_size(64, 256) ? 0 : 1; }
