/* SPDX-License-Identifier: BSD-2-Clause */
/* A flattened device tree is a row of tokens, big-endian, each aligned to four bytes. */
#include "tree.h"

#define BEGIN_NODE 1 /* then its name */
#define PROPERTY 3   /* then length, offset of its name, value */
#define END 9
#define TOTAL 4 /* offsets in the header */
#define STRUCTS 8
#define STRINGS 12

extern const uint8_t *tiny_device_tree; /* start.S */

static uint32_t word(const uint8_t *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static const uint8_t *part(unsigned offset)
{
    return tiny_device_tree + word(tiny_device_tree + offset);
}

static const uint8_t *next(const uint8_t *token)
{
    const uint8_t *p = token + 4;

    if (word(token) == BEGIN_NODE) {
        while (*p++)
            ;
    } else if (word(token) == PROPERTY) {
        p += 8 + word(p);
    }
    return (const uint8_t *)(((uint64_t)p + 3) & ~UINT64_C(3));
}

/* What `text` goes on with behind `beginning`; 0 if it begins otherwise. */
static const char *behind(const char *text, const char *beginning)
{
    while (*beginning && *text == *beginning)
        text++, beginning++;
    return *beginning ? 0 : text;
}

static int is_node(const uint8_t *token, const char *beginning)
{
    return word(token) == BEGIN_NODE && behind((const char *)token + 4, beginning);
}

const void *tree_end(void) { return tiny_device_tree + word(tiny_device_tree + TOTAL); }

unsigned tree_vcpus(void)
{
    unsigned n = 0;

    for (const uint8_t *t = part(STRUCTS); word(t) != END; t = next(t))
        n += is_node(t, "cpu@") != 0;
    return n;
}

/* Value of the property whose name begins like that, in a node whose name begins like that. */
static const uint8_t *property(const char *node, const char *name)
{
    int inside = 0;

    for (const uint8_t *t = part(STRUCTS); word(t) != END; t = next(t)) {
        if (word(t) == BEGIN_NODE)
            inside = is_node(t, node);
        if (inside && word(t) == PROPERTY &&
            behind((const char *)part(STRINGS) + word(t + 8), name))
            return t + 12;
    }
    return 0;
}

/* One address and one size, two words each. */
uint64_t tree_memory(void)
{
    const uint8_t *reg = property("memory@", "reg");

    return reg ? (uint64_t)word(reg + 8) << 32 | word(reg + 12) : 0;
}

unsigned tree_seed(const uint8_t **seed)
{
    *seed = property("chosen", "rng-seed");
    return *seed ? word(*seed - 8) : 0;
}

static uint64_t number(const char *text)
{
    uint64_t n = 0;

    while (*text >= '0' && *text <= '9')
        n = n * 10 + (uint64_t)(*text++ - '0');
    return n;
}

/* What stands behind "KEY=" on the command line; 0 if nothing does. */
static const char *argument(const char *key)
{
    const char *text = (const char *)property("chosen", "bootargs");

    while (text && *text) {
        const char *value = behind(text, key);

        if (value && *value == '=')
            return value + 1;
        while (*text && *text != ' ')
            text++;
        while (*text == ' ')
            text++;
    }
    return 0;
}

uint64_t tree_number(const char *key, uint64_t otherwise)
{
    const char *value = argument(key);

    return value ? number(value) : otherwise;
}

unsigned tree_text(const char *key, char *text, unsigned size)
{
    const char *value = argument(key);
    unsigned n = 0;

    for (; value && value[n] && value[n] != ' '; n++) {
        if (n + 1 >= size)
            return 0;
        text[n] = value[n];
    }
    text[n] = 0;
    return n;
}
