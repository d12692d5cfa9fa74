/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * radix [KEY=VALUE...]: the thin OS's program as a process of Linux, from the same source, to compare
 * the two. The options are in ../../thin/radix.c.
 */
#include "../../thin/on_linux.h"

int main(int argc, char **argv) { return os_main(argc, argv); }
