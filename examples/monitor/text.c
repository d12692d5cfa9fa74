/* SPDX-License-Identifier: BSD-2-Clause */
#include "text.h"

#include <string.h>

bool text_equals(struct bytes b, const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return b.len == n && memcmp(b.at, s, n) == 0;
}

static void skip(struct bytes *b, size_t n)
{
    b->at += n;
    b->len -= n;
}

static void skip_space(struct bytes *b)
{
    while (b->len && text_is_space(b->at[0]))
        skip(b, 1);
}

struct bytes text_trim(struct bytes b)
{
    skip_space(&b);
    while (b.len && text_is_space(b.at[b.len - 1]))
        b.len--;
    return b;
}

struct bytes text_line(struct bytes *b)
{
    struct bytes line = {b->at, 0};

    while (line.len < b->len && line.at[line.len] != '\n')
        line.len++;
    skip(b, line.len + (line.len < b->len));
    return line;
}

struct bytes text_word(struct bytes *b)
{
    struct bytes word;

    skip_space(b);
    word = (struct bytes){b->at, 0};
    while (word.len < b->len && !text_is_space(word.at[word.len]))
        word.len++;
    skip(b, word.len);
    return word;
}

const char *text_copy(struct bytes b, char *to, size_t size)
{
    if (b.len >= size)
        return "value too long";
    memcpy(to, b.at, b.len);
    to[b.len] = 0;
    return NULL;
}

bool text_number(struct bytes b, uint64_t *value)
{
    *value = 0;
    for (size_t i = 0; i < b.len; i++) {
        if (b.at[i] < '0' || b.at[i] > '9' || *value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (b.at[i] - '0');
    }
    return b.len > 0;
}

bool text_size(struct bytes b, uint64_t *size)
{
    const uint8_t last = b.len ? b.at[b.len - 1] : 0;
    const unsigned shift = last == 'K' ? 10 : last == 'M' ? 20 : last == 'G' ? 30 : 0;

    b.len -= shift > 0;
    if (!text_number(b, size) || *size > UINT64_MAX >> 30)
        return false;
    *size <<= shift;
    return true;
}
