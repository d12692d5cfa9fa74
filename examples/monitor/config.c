/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

static bool is_space(uint8_t c) { return c == ' ' || c == '\t' || c == '\r'; }

/* Texts end at a zero byte, and the log shows them: neither that nor what steers a terminal. */
static bool is_control(uint8_t c) { return (c < ' ' && !is_space(c)) || c == 127; }

static struct bytes trim(struct bytes b)
{
    while (b.len && is_space(b.at[0]))
        b.at++, b.len--;
    while (b.len && is_space(b.at[b.len - 1]))
        b.len--;
    return b;
}

static bool equals(struct bytes b, const char *s)
{
    size_t n = 0;

    while (s[n])
        n++;
    return b.len == n && memcmp(b.at, s, n) == 0;
}

static const char *copy(struct bytes b, char *to, size_t size)
{
    if (b.len >= size)
        return "value too long";
    memcpy(to, b.at, b.len);
    to[b.len] = 0;
    return NULL;
}

/* Digits, then what is left in *b. False: no digits, or more than 64 bits. */
static bool number(struct bytes *b, uint64_t *value)
{
    size_t digits = 0;

    *value = 0;
    for (; b->len && b->at[0] >= '0' && b->at[0] <= '9'; b->at++, b->len--, digits++) {
        if (*value > (UINT64_MAX - 9) / 10)
            return false;
        *value = *value * 10 + (b->at[0] - '0');
    }
    return digits > 0;
}

static const char *parse_cpus(struct bytes b, unsigned *cpus)
{
    uint64_t n;

    if (!number(&b, &n) || b.len || n < 1 || n > CONFIG_CPUS)
        return "cpus is a number from 1 to 8";
    *cpus = (unsigned)n;
    return NULL;
}

static const char *parse_memory(struct bytes b, uint64_t *memory)
{
    unsigned shift = 0;
    uint64_t n;

    if (!number(&b, &n) || b.len > 1)
        return "memory is a number with K, M or G";
    if (b.len)
        shift = b.at[0] == 'K' ? 10 : b.at[0] == 'M' ? 20 : b.at[0] == 'G' ? 30 : 1;
    if (shift == 1 || n > UINT64_MAX >> 30)
        return "memory is a number with K, M or G";
    *memory = n << shift;
    return *memory && !(*memory & 0x1fff) ? NULL : "memory is a multiple of 8K";
}

static const char *set(struct vm_config *vm, struct bytes key, struct bytes value)
{
    if (equals(key, "cpus"))
        return parse_cpus(value, &vm->cpus);
    if (equals(key, "memory"))
        return parse_memory(value, &vm->memory);
    if (equals(key, "kernel"))
        return copy(value, vm->kernel, sizeof vm->kernel);
    if (equals(key, "initrd"))
        return copy(value, vm->initrd, sizeof vm->initrd);
    if (equals(key, "append"))
        return copy(value, vm->append, sizeof vm->append);
    return "unknown key";
}

static const char *complete(const struct config *c)
{
    const struct vm_config *vm = c->vms ? &c->vm[c->vms - 1] : NULL;

    if (vm && !vm->memory)
        return "the virtual machine above has no memory";
    if (vm && !vm->kernel[0])
        return "the virtual machine above has no kernel";
    return NULL;
}

/* Names go into the log, where "cpu0" and "machine" mean something else. */
static bool name_ok(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.at[i], low = c | 0x20;

        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return !equals(b, "machine") && (b.len < 3 || memcmp(b.at, "cpu", 3) != 0);
}

static const char *section(struct config *c, struct bytes line)
{
    struct bytes name = trim((struct bytes){line.at + 1, line.len - 2});
    const char *wrong = complete(c);

    if (wrong)
        return wrong;
    if (line.at[line.len - 1] != ']' || !name.len)
        return "a section is [name]";
    if (!name_ok(name))
        return "a name has letters, digits, - and _, is not machine and does not begin with cpu";
    if (c->vms == CONFIG_VMS)
        return "too many virtual machines";
    for (unsigned i = 0; i < c->vms; i++) {
        if (equals(name, c->vm[i].name))
            return "two virtual machines of one name";
    }
    memset(&c->vm[c->vms], 0, sizeof c->vm[0]);
    c->vm[c->vms].cpus = 1;
    return copy(name, c->vm[c->vms++].name, CONFIG_NAME);
}

static const char *setting(struct config *c, struct bytes line)
{
    size_t eq = 0;

    while (eq < line.len && line.at[eq] != '=')
        eq++;
    if (eq == line.len)
        return "neither [name] nor key = value";
    if (!c->vms)
        return "a setting before the first [name]";
    return set(&c->vm[c->vms - 1], trim((struct bytes){line.at, eq}),
               trim((struct bytes){line.at + eq + 1, line.len - eq - 1}));
}

static const char *parse_line(struct config *c, struct bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (is_control(line.at[i]))
            return "a control character";
    }
    line = trim(line);
    if (!line.len || line.at[0] == '#')
        return NULL;
    return line.at[0] == '[' && line.len > 1 ? section(c, line) : setting(c, line);
}

struct config_error config_parse(struct bytes text, struct config *out)
{
    struct config_error e = {0, NULL};

    out->vms = 0;
    while (text.len && !e.what) {
        size_t n = 0;

        while (n < text.len && text.at[n] != '\n')
            n++;
        e.line++;
        e.what = parse_line(out, (struct bytes){text.at, n});
        n += n < text.len;
        text.at += n;
        text.len -= n;
    }
    if (!e.what && !out->vms)
        return (struct config_error){0, "no virtual machine in it"};
    if (!e.what)
        e.what = complete(out);
    return e;
}
