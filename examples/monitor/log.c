/* SPDX-License-Identifier: BSD-2-Clause */
#include "log.h"

#include <disco/lock.h>
#include <string.h>

#include "board.h"

#define LINE_MAX 256

struct line {
    char text[LINE_MAX];
    size_t n;
};

static void put(struct line *l, char c)
{
    if (l->n < LINE_MAX - 1)
        l->text[l->n++] = c;
}

/* Texts come from vms.conf and from guests: they may neither end the line nor steer a terminal. */
static void put_text(struct line *l, char c)
{
    put(l, (unsigned char)c < ' ' || c == 127 ? '?' : c);
}

static void put_string(struct line *l, const char *s)
{
    for (s = s ? s : "(null)"; *s; s++)
        put_text(l, *s);
}

static void put_number(struct line *l, uint64_t v, unsigned base, unsigned width)
{
    char digits[20];
    unsigned n = 0;

    do {
        digits[n++] = "0123456789abcdef"[v % base];
        v /= base;
    } while (v);
    for (unsigned i = n; i < width; i++)
        put(l, '0');
    while (n)
        put(l, digits[--n]);
}

static void put_signed(struct line *l, int64_t v)
{
    if (v < 0)
        put(l, '-');
    put_number(l, v < 0 ? -(uint64_t)v : (uint64_t)v, 10, 0);
}

/* One conversion; `f` points behind the %. */
static const char *convert(struct line *l, const char *f, va_list *args)
{
    unsigned width = 0;
    bool wide = false;

    for (; *f >= '0' && *f <= '9'; f++)
        width = width * 10 + (unsigned)(*f - '0');
    for (; *f == 'l'; f++)
        wide = true;
    switch (*f) {
    case 's': put_string(l, va_arg(*args, const char *)); break;
    case 'c': put_text(l, (char)va_arg(*args, int)); break;
    case 'd': put_signed(l, wide ? va_arg(*args, int64_t) : va_arg(*args, int)); break;
    case 'u':
    case 'x':
        put_number(l, wide ? va_arg(*args, uint64_t) : va_arg(*args, unsigned), *f == 'x' ? 16 : 10,
                   width);
        break;
    case 0: return f;
    default: put(l, *f); break;
    }
    return f + 1;
}

static void format(struct line *l, const char *f, va_list *args)
{
    while (*f) {
        if (*f == '%')
            f = convert(l, f + 1, args);
        else
            put(l, *f++);
    }
}

size_t log_text(char *to, size_t size, const char *f, va_list *args)
{
    struct line l = {.n = 0};

    format(&l, f, args);
    l.n = l.n < size ? l.n : size - 1;
    memcpy(to, l.text, l.n);
    to[l.n] = 0;
    return l.n;
}

const char *log_format(char *to, size_t size, const char *f, ...)
{
    va_list args;

    va_start(args, f);
    log_text(to, size, f, &args);
    va_end(args);
    return to;
}

/* One line at a time. Its holder waits for nothing but the port, so spinning needs no `relax`. */
static struct disco_lock port;

static void write_line(const char *prefix, const char *f, va_list *args, bool locked)
{
    struct line l = {.n = 0};

    put_string(&l, "disco: ");
    put_string(&l, prefix);
    format(&l, f, args);
    put(&l, '\n');
    l.text[l.n - 1] = '\n';
    if (locked)
        disco_lock(&port, NULL);
    board_put(BOARD_LOG, (const uint8_t *)l.text, l.n);
    if (locked)
        disco_unlock(&port);
}

void say(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line("", format, &args, true);
    va_end(args);
}

void say_error(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line("error: ", format, &args, true);
    va_end(args);
}

/* Whoever holds the lock may be the one that dies: last words are not waited for. */
void die(const char *format, ...)
{
    va_list args;

    va_start(args, format);
    write_line("error: ", format, &args, false);
    va_end(args);
    board_power_off();
}
