/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_LOG_H
#define MONITOR_LOG_H

#include <stdarg.h>
#include <stddef.h>

/*
 * The monitor's own words: lines "disco: ..." on the second serial port, never on a guest's console.
 * Formats: %s %c %d %u %x, with l: 64 bit; %08x and %08u of any width; %%; nothing else.
 * Any processor may say something; lines come out whole.
 */
void say(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* As say(), with "error: " in front: the launcher shows it to the person. */
void say_error(const char *format, ...) __attribute__((format(printf, 1, 2)));
/* Last words: an error, then power off. */
void die(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
/* The same formats into memory, cut to `size` with its final 0. @return `to`. */
const char *log_format(char *to, size_t size, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* The same with arguments of another's, cut to `size` with its final 0; the length. */
size_t log_text(char *to, size_t size, const char *format, va_list *args);

#endif
