/* SPDX-License-Identifier: BSD-2-Clause */
#include "escape.h"

#define CTRL_A 1

const char escape_help[] = "\r\n"
                           "Ctrl-A 1..9    console of virtual machine 1..9\r\n"
                           "Ctrl-A n, p    console of the next, the previous one\r\n"
                           "Ctrl-A l       list virtual machines\r\n"
                           "Ctrl-A :       the monitor's prompt: start, stop, pause ...\r\n"
                           "Ctrl-A x       end every virtual machine and leave\r\n"
                           "Ctrl-A s       statistics\r\n"
                           "Ctrl-A h       this help\r\n"
                           "Ctrl-A Ctrl-A  send Ctrl-A to the guest\r\n";
const unsigned escape_help_size = sizeof escape_help - 1;

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
    case 'n': return ESCAPE_NEXT;
    case 'p': return ESCAPE_PREVIOUS;
    case 'l': return ESCAPE_LIST;
    case ':': return ESCAPE_PROMPT;
    default: return c >= '1' && c <= '9' ? ESCAPE_SELECT : ESCAPE_NONE;
    }
}
