/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_TEXT_H
#define MONITOR_TEXT_H

/* Text that lies somewhere as bytes, with no zero behind it. */

#include "archive.h"

static inline bool text_is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Texts end at a zero byte, and the log shows them: neither that nor what steers a terminal. */
static inline bool text_is_control(uint8_t c) { return (c < ' ' && !text_is_space(c)) || c == 127; }

bool text_equals(struct bytes b, const char *s);
/* Without the space at both ends. */
struct bytes text_trim(struct bytes b);
/* The line at the beginning of *b, without its end; *b is then behind it. *b is not empty. */
struct bytes text_line(struct bytes *b);
/* The word at the beginning of *b, after space; *b is then behind it. Empty when none is left. */
struct bytes text_word(struct bytes *b);
/* NULL and the text with a zero behind it in `to`, or what is wrong. */
const char *text_copy(struct bytes b, char *to, size_t size);
/* Digits and nothing else. False: not that, or more than 64 bits. */
bool text_number(struct bytes b, uint64_t *value);
/* Digits, then K, M, G or nothing: bytes. False: not that, or too many. */
bool text_size(struct bytes b, uint64_t *size);

#endif
