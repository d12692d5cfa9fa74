/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_PROMPT_H
#define MONITOR_PROMPT_H

/*
 * The commands of the monitor's prompt, on the terminal (Ctrl-A :) and on the second serial port. A
 * virtual machine is named by its name or by its number in `vm list`, from 1. Processor 0.
 */

#include <stdbool.h>

/* Where the answer goes. */
struct prompt_out {
    void (*line)(const char *text);
    void (*stats)(void);
};

/* Run one command, which is written into; ends with a line "ok" or "error: ...". */
void prompt_run(char *command, const struct prompt_out *out);

/* A line that is being typed. */
struct prompt_line {
    char text[128];
    unsigned n;
};
/* Add `c`, or take it as an editing key. True: the line is complete (and ended by 0). */
bool prompt_type(struct prompt_line *l, char c);

#endif
