/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's log: what a format becomes, on a board that only remembers. */
#include "monitor/log.h"

#include "monitor/board.h"
#include "suite.h"

#include <inttypes.h>
#include <limits.h>
#include <setjmp.h>
#include <stdio.h>
#include <string.h>

#define LONGEST 255 /* of a line, with its end */

static char line[1024];
static size_t length;
static unsigned puts_seen;
static jmp_buf off;

void board_put(enum board_uart uart, const uint8_t *bytes, size_t n)
{
    ck_assert_int_eq(uart, BOARD_LOG);
    ck_assert_uint_lt(n, sizeof line);
    memcpy(line, bytes, n);
    line[length = n] = 0;
    puts_seen++;
}

void board_power_off(void) { longjmp(off, 1); }

static void setup(void) { puts_seen = 0; }

/* What was said is one line: prefix, `text`, end. */
static void said(const char *text)
{
    char expect[1024];

    snprintf(expect, sizeof expect, "disco: %s\n", text);
    ck_assert_str_eq(line, expect);
    ck_assert_uint_eq(length, strlen(expect));
    ck_assert_uint_eq(puts_seen, 1);
    puts_seen = 0;
}

START_TEST(plain)
{
    say("up");
    said("up");
    say("%s", "");
    said("");
    say("100%% of %c%c", 'a', 'b');
    said("100% of ab");
}
END_TEST

START_TEST(strings)
{
    const char *volatile nobody = NULL;

    say("vm %s: %s.", "vm0", "");
    said("vm vm0: .");
    say("[%s]", nobody);
    said("[(null)]");
}
END_TEST

START_TEST(signed_numbers)
{
    const int v[] = {0, 1, -1, 9, 10, -10, INT_MAX, INT_MIN};
    const long w[] = {0, -1, LONG_MAX, LONG_MIN, LONG_MIN + 1};
    char expect[64];

    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        snprintf(expect, sizeof expect, "%d.", v[i]);
        say("%d.", v[i]);
        said(expect);
    }
    for (size_t i = 0; i < sizeof w / sizeof w[0]; i++) {
        snprintf(expect, sizeof expect, "%ld %d", w[i], 5);
        say("%ld %d", w[i], 5);
        said(expect);
    }
}
END_TEST

START_TEST(unsigned_numbers)
{
    const unsigned long v[] = {0, 7, 10, 0xffffffff, 0x100000000, 0x8000000000000000, ULONG_MAX};
    char expect[128];

    for (size_t i = 0; i < sizeof v / sizeof v[0]; i++) {
        unsigned n = (unsigned)v[i];

        snprintf(expect, sizeof expect, "%u %x %lu %lx %s", n, n, v[i], v[i], "end");
        say("%u %x %lu %lx %s", n, n, v[i], v[i], "end");
        said(expect);
    }
}
END_TEST

START_TEST(widths)
{
    char expect[128];

    for (unsigned v = 0; v < 0x40000; v = v * 3 + 1) {
        snprintf(expect, sizeof expect, "%08x %04u %016lx %02x", v, v, (unsigned long)v, v);
        say("%08x %04u %016lx %02x", v, v, (unsigned long)v, v);
        said(expect);
    }
    say("%024lx", ULONG_MAX);
    said("00000000ffffffffffffffff");
}
END_TEST

/* As many conversions as a real line has: each takes its own argument. */
START_TEST(many_arguments)
{
    say("%s %d %lu %x %c %lx %u %ld", "a", -1, 2ul, 3u, '4', 5ul, 6u, -7l);
    said("a -1 2 3 4 5 6 -7");
}
END_TEST

/* Long lines are cut and still end. */
START_TEST(long_lines)
{
    char text[600], expect[700];

    for (size_t n = 200; n < sizeof text; n++) {
        memset(text, 'x', n);
        text[n] = 0;
        say("%s", text);
        snprintf(expect, sizeof expect, "disco: %s", text);
        expect[n + 7 < LONGEST ? n + 7 : LONGEST - 1] = 0;
        ck_assert_uint_eq(length, strlen(expect) + 1);
        ck_assert(memcmp(line, expect, length - 1) == 0 && line[length - 1] == '\n');
    }
    say("%0500x", 1u);
    ck_assert_uint_eq(length, LONGEST);
    ck_assert_int_eq(line[LONGEST - 1], '\n');
}
END_TEST

/* A format that ends within a conversion. */
START_TEST(cut_formats)
{
    const char *const cut[] = {"x%", "x%0", "x%08", "x%l", "x%08l"};
    char format[8];

    for (size_t i = 0; i < sizeof cut / sizeof cut[0]; i++) {
        memset(format, '!', sizeof format);
        strcpy(format, cut[i]);
        say(format, 1);
        said("x");
    }
}
END_TEST

/* No text that is put in, as a guest's last words, can make a second line or steer a terminal. */
START_TEST(control_characters)
{
    for (int c = 1; c < 256; c++) {
        char text[] = {'a', (char)c, 'b', 0}, expect[] = {'a', (char)c, 'b', 0};

        if (c < ' ' || c == 127)
            expect[1] = '?';
        say("%s", text);
        said(expect);
        say("a%cb", c);
        said(expect);
    }
}
END_TEST

START_TEST(errors)
{
    say_error("vm %s: %s at pc %lx", "vm0", "fault", 0xffffffffc0100000ul);
    said("error: vm vm0: fault at pc ffffffffc0100000");
}
END_TEST

START_TEST(last_words)
{
    if (!setjmp(off)) {
        die("vms.conf:%u: %s", 3u, "unknown key");
    }
    said("error: vms.conf:3: unknown key");
}
END_TEST

static size_t text(char *to, size_t size, const char *f, ...)
{
    va_list args;
    size_t n;

    va_start(args, f);
    n = log_text(to, size, f, &args);
    va_end(args);
    return n;
}

START_TEST(into_memory)
{
    char to[8];

    ck_assert_uint_eq(text(to, sizeof to, "%s-%u", "a\nb", 7u), 5);
    ck_assert_str_eq(to, "a?b-7");
    for (size_t size = 1; size <= sizeof to; size++) {
        memset(to, '#', sizeof to);
        ck_assert_uint_eq(text(to, size, "%s", "0123456789"), size - 1);
        ck_assert_uint_eq(strlen(to), size - 1);
        ck_assert(size == sizeof to || to[size] == '#');
    }
    ck_assert_uint_eq(puts_seen, 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        into_memory,    plain,      strings,     signed_numbers,     unsigned_numbers, widths,
        many_arguments, long_lines, cut_formats, control_characters, errors,           last_words};

    return SUITE_RUN("log", tests, setup, NULL);
}
