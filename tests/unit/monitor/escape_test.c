/* SPDX-License-Identifier: BSD-2-Clause */
/* The keys of the monitor: every byte, alone and after Ctrl-A. */
#include "monitor/escape.h"
#include "suite.h"

#include <string.h>

#define CTRL_A 1

static enum escape_key after_ctrl_a(int c)
{
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
    case '1':
    case '2':
    case '3':
    case '4':
    case '5':
    case '6':
    case '7':
    case '8':
    case '9': return ESCAPE_SELECT;
    default: return ESCAPE_NONE;
    }
}

START_TEST(every_byte)
{
    struct escape e = {0};

    for (int c = 0; c < 256; c++) {
        if (c != CTRL_A)
            ck_assert_int_eq(escape_feed(&e, (uint8_t)c), ESCAPE_GUEST);
        ck_assert_int_eq(escape_feed(&e, CTRL_A), ESCAPE_NONE);
        ck_assert_int_eq(escape_feed(&e, (uint8_t)c), after_ctrl_a(c));
        ck_assert_int_eq(escape_feed(&e, 'x'), ESCAPE_GUEST);
    }
}
END_TEST

START_TEST(ctrl_a_twice_ends_it)
{
    struct escape e = {0};
    const enum escape_key expect[] = {ESCAPE_NONE, ESCAPE_GUEST, ESCAPE_NONE, ESCAPE_GUEST};

    for (size_t i = 0; i < 4; i++)
        ck_assert_int_eq(escape_feed(&e, CTRL_A), expect[i]);
    ck_assert_int_eq(escape_feed(&e, 'x'), ESCAPE_GUEST);
}
END_TEST

START_TEST(help_names_the_keys)
{
    const char *const keys[] = {"Ctrl-A x",    "Ctrl-A s",    "Ctrl-A h", "Ctrl-A Ctrl-A",
                                "Ctrl-A 1..9", "Ctrl-A n, p", "Ctrl-A l", "Ctrl-A :"};

    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        ck_assert_ptr_nonnull(strstr(escape_help, keys[i]));
    ck_assert_uint_eq(escape_help_size, strlen(escape_help));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {every_byte, ctrl_a_twice_ends_it, help_names_the_keys};

    return SUITE_RUN("escape", tests, NULL, NULL);
}
