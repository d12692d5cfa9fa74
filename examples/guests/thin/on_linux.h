/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef ON_LINUX_H
#define ON_LINUX_H

/* What a main() calls that is a program of the thin OS: the words of its command line are the options. */
int os_main(int argc, char **argv);

#endif
