/* SPDX-License-Identifier: BSD-2-Clause */
/* The plugin's options: README.md tells what they mean. */
#include "flash.h"

#include <stdlib.h>
#include <string.h>

#define NS 1000 /* picoseconds */

void options_default(struct options *o)
{
    *o = (struct options){
        .c = {.nodes = 1,
              .line_shift = 7,
              .first = {32 << 10, 2},
              .second = {1 << 20, 2},
              .cycle = 2500,
              .hit2 = 50 * NS,
              .local = 300 * NS,
              .remote = 900 * NS,
              .sample = 1,
              .slots = 1024},
    };
}

/* With K, M or G behind it; all of the text, and at most `max`. */
static bool parse_number(const char *text, uint64_t max, uint64_t *n)
{
    static const char unit[] = "KMG";
    char *end;
    const char *u;
    unsigned shift = 0;

    *n = strtoull(text, &end, 0);
    if (end == text || *text == '-')
        return false;
    u = *end ? strchr(unit, *end) : NULL;
    if (u) {
        shift = 10 * (unsigned)(u - unit + 1);
        end++;
    }
    if (*end || *n > max >> shift)
        return false;
    *n <<= shift;
    return true;
}

static bool parse_word(const char *text, uint32_t *to)
{
    uint64_t n;

    if (!parse_number(text, UINT32_MAX, &n))
        return false;
    *to = (uint32_t)n;
    return true;
}

/* In units of `unit` picoseconds, up to a second. */
static bool parse_time(const char *text, uint64_t unit, uint64_t *to)
{
    if (!parse_number(text, UINT64_C(1000000000000) / unit, to))
        return false;
    *to *= unit;
    return true;
}

static bool parse_switch(const char *text, bool *to)
{
    *to = strcmp(text, "on") == 0;
    return *to || strcmp(text, "off") == 0;
}

static bool parse_line(const char *text, uint32_t *shift)
{
    uint32_t n;

    if (!parse_word(text, &n) || !n || n & (n - 1))
        return false;
    *shift = (uint32_t)__builtin_ctz(n);
    return true;
}

/* Numbers that are kept as they are. */
static uint32_t *word_of(struct config *c, const char *key)
{
    const struct {
        const char *key;
        uint32_t *word;
    } words[] = {
        {"nodes", &c->nodes},     {"l1", &c->first.bytes},     {"l1ways", &c->first.ways},
        {"l2", &c->second.bytes}, {"l2ways", &c->second.ways}, {"sample", &c->sample},
        {"trigger", &c->trigger}, {"sharing", &c->sharing},    {"slots", &c->slots},
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        if (strcmp(words[i].key, key) == 0)
            return words[i].word;
    }
    return NULL;
}

static uint64_t *time_of(struct config *c, const char *key)
{
    if (strcmp(key, "hit2") == 0)
        return &c->hit2;
    if (strcmp(key, "local") == 0)
        return &c->local;
    return strcmp(key, "remote") == 0 ? &c->remote : NULL;
}

static bool parse_other(struct options *o, const char *key, const char *value)
{
    if (strcmp(key, "ram") == 0)
        return parse_number(value, UINT64_MAX, &o->c.ram);
    if (strcmp(key, "line") == 0)
        return parse_line(value, &o->c.line_shift);
    if (strcmp(key, "cycle") == 0)
        return parse_time(value, 1, &o->c.cycle);
    if (strcmp(key, "uma") == 0)
        return parse_switch(value, &o->c.uma);
    if (strcmp(key, "sleep") == 0)
        return parse_switch(value, &o->sleep);
    if (strcmp(key, "wake") == 0)
        return parse_switch(value, &o->c.wake);
    if (strcmp(key, "area") == 0)
        return (o->has_area = parse_number(value, UINT64_MAX, &o->area));
    return strcmp(key, "out") == 0 && (o->out = value);
}

bool options_parse(struct options *o, char *text)
{
    char *equals = strchr(text, '=');
    uint32_t *word;
    uint64_t *time;

    if (!equals)
        return false;
    *equals = 0;
    word = word_of(&o->c, text);
    time = time_of(&o->c, text);
    if (word)
        return parse_word(equals + 1, word);
    return time ? parse_time(equals + 1, NS, time) : parse_other(o, text, equals + 1);
}
