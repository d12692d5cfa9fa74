/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_ESCAPE_H
#define MONITOR_ESCAPE_H

/*
 * Keys that are the monitor's: Ctrl-A, then
 *     x       end every virtual machine and leave
 *     1..9    show the console of that virtual machine
 *     n, p    of the next, the previous one
 *     l       list virtual machines
 *     :       open the monitor's prompt
 *     s       print statistics
 *     h, ?    help
 *     Ctrl-A  send one Ctrl-A to the guest
 * The monitor reads the keyboard by itself, so they work whatever the guest is doing.
 */

#include <stdint.h>

enum escape_key {
    ESCAPE_NONE,
    ESCAPE_GUEST,
    ESCAPE_LEAVE,
    ESCAPE_STATS,
    ESCAPE_HELP,
    ESCAPE_SELECT, /* the byte is '1' to '9' */
    ESCAPE_NEXT,
    ESCAPE_PREVIOUS,
    ESCAPE_LIST,
    ESCAPE_PROMPT,
};

struct escape {
    int armed;
};

/* What to do about byte `c`; ESCAPE_GUEST: pass it on. */
enum escape_key escape_feed(struct escape *e, uint8_t c);
extern const char escape_help[];
extern const unsigned escape_help_size; /* without its final 0 */

#endif
