/* SPDX-License-Identifier: BSD-2-Clause */
/* Formatted output: each call is one monitor call, so the lines of several threads do not mix. */
#include <stdarg.h>

#include "inside.h"

#define LONGEST 255

struct line {
    char text[LONGEST];
    unsigned length;
};

static void put(struct line *l, char c)
{
    if (l->length < LONGEST)
        l->text[l->length++] = c;
}

/* To the right of a field `width` wide. */
static void put_text(struct line *l, const char *text, unsigned width)
{
    unsigned n = 0;

    while (text[n])
        n++;
    for (; width > n; width--)
        put(l, ' ');
    while (*text)
        put(l, *text++);
}

static void put_number(struct line *l, uint64_t n, int negative, unsigned width)
{
    char digits[22], *at = &digits[21];

    *at = 0;
    do {
        *--at = (char)('0' + n % 10);
    } while (n /= 10);
    if (negative)
        *--at = '-';
    put_text(l, at, width);
}

/* What stands behind a '%'. Returns what follows it. */
static const char *put_field(struct line *l, const char *format, va_list *args)
{
    unsigned width = 0;
    int64_t n;

    for (; *format >= '0' && *format <= '9'; format++)
        width = width * 10 + (unsigned)(*format - '0');
    if (*format == 's') {
        put_text(l, va_arg(*args, const char *), width);
    } else if (*format == 'd') {
        n = va_arg(*args, int);
        put_number(l, (uint64_t)(n < 0 ? -n : n), n < 0, width);
    } else if (*format == 'l' && format[1] == 'u') {
        format++;
        put_number(l, va_arg(*args, unsigned long), 0, width);
    } else {
        return format; /* all else is text */
    }
    return format + 1;
}

void os_print(const char *format, ...)
{
    struct line l = {.length = 0};
    va_list args;

    va_start(args, format);
    while (*format) {
        if (*format == '%')
            format = put_field(&l, format + 1, &args);
        else
            put(&l, *format++);
    }
    va_end(args);
    (void)hypcall(DISCO_CALL_CONSOLE_WRITE, pa_of(l.text), l.length, 0, 0, 0);
}
