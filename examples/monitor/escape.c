/* SPDX-License-Identifier: BSD-2-Clause */
#include "escape.h"

#define CTRL_A 1

const char escape_help[] = "\r\n"
                           "Ctrl-A x       end every virtual machine and leave\r\n"
                           "Ctrl-A s       statistics\r\n"
                           "Ctrl-A h       this help\r\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A to the guest\r\n";

enum escape_key escape_feed(struct escape *e, uint8_t c)
{
    if (!e->armed) {
        e->armed = c == CTRL_A;
        return e->armed ? ESCAPE_NONE : ESCAPE_GUEST;
    }
    e->armed = 0;
    switch (c) {
    case CTRL_A: return ESCAPE_GUEST;
    case 'x':
    case 'X': return ESCAPE_LEAVE;
    case 's': return ESCAPE_STATS;
    case 'h':
    case '?': return ESCAPE_HELP;
    default: return ESCAPE_NONE;
    }
}
