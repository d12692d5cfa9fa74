/* SPDX-License-Identifier: BSD-2-Clause */
#include "bootargs.h"

#include "board.h"
#include "log.h"
#include "monitor.h"

#define MS UINT64_C(1000000)

/* What follows `key` if `text` begins with it; NULL if not. */
static const char *after(const char *text, const char *key)
{
    while (*key && *text == *key)
        text++, key++;
    return *key ? NULL : text;
}

static uint64_t number(const char *text)
{
    const char *hex = after(text, "0x");
    unsigned base = hex ? 16 : 10;
    uint64_t value = 0;

    for (text = hex ? hex : text;; text++) {
        unsigned c = (unsigned char)*text, d = c >= 'a' ? c - 'a' + 10 : c - '0';

        if (c < '0' || d >= base)
            return value;
        value = value * base + d;
    }
}

/* Arguments are 32-bit pointers, to be sign-extended. */
static const char *string_at(uint64_t table, unsigned i)
{
    return (const char *)(uint64_t)(int64_t)((const int32_t *)table)[i];
}

/* Value of a variable of the environment, which has name and value in turn; NULL: there is none. */
static const char *variable(uint64_t envp, const char *name)
{
    for (unsigned i = 0; string_at(envp, i); i += 2) {
        const char *rest = after(string_at(envp, i), name);

        if (rest && !*rest)
            return string_at(envp, i + 1);
    }
    return NULL;
}

/* The environment knows of more than 256 MiB. */
static uint64_t ram_size(uint64_t envp, uint64_t low)
{
    const char *value = variable(envp, "ememsize");
    uint64_t size = value ? number(value) : low;

    return size > BOARD_RAM_MAX ? BOARD_RAM_MAX : size;
}

static bool is_end(const char *s) { return *s == ' ' || !*s; }

static bool is(const char *word, const char *key)
{
    const char *rest = after(word, key);

    return rest && is_end(rest);
}

static void numa_mode(struct options *o, const char *word)
{
    /* Bits of enum disco_numa_mode */
    static const char *const modes[] = {"off", "migrate", "replicate", "on"};

    o->with_numa = true;
    for (uint32_t i = 0; i < 4; i++) {
        if (is(word, modes[i])) {
            o->numa.mode = i;
            return;
        }
    }
    die("numa=%s: there are off, migrate, replicate and on", word);
}

static void numa_number(struct disco_numa_params *p, const char *word)
{
    uint32_t *const to[] = {&p->trigger, &p->sharing, &p->write, &p->migrate, &p->cap, &p->copy};
    static const char *const keys[] = {"trigger=", "sharing=", "write=",
                                       "migrate=", "cap=",     "copy="};
    const char *v = after(word, "interval=");

    if (v)
        p->interval = number(v) * MS;
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        if ((v = after(word, keys[i])))
            *to[i] = (uint32_t)number(v);
    }
}

static void option(const char *word)
{
    struct options *o = &mon.options;
    const char *v;

    if ((v = after(word, "rd_start="))) /* a CKSEG0 address */
        mon.archive.at = (const uint8_t *)(MIPS_XKPHYS + BOARD_RAM + (number(v) & 0x1fffffff));
    else if ((v = after(word, "rd_size=")))
        mon.archive.len = number(v);
    else if ((v = after(word, "slice=")))
        o->slice_ns = number(v) * MS;
    else if ((v = after(word, "stats=")))
        o->stats_ns = number(v) * MS;
    else if ((v = after(word, "nodes=")))
        o->nodes = number(v) < DISCO_MAX_NODES ? (unsigned)number(v) : DISCO_MAX_NODES + 1;
    else if ((v = after(word, "numa=")))
        numa_mode(o, v);
    else if ((v = after(word, "numa-")))
        numa_number(&o->numa, v);
    mon.machine.c_only |= is(word, "vectors=c");
    mon.machine.tagged |= is(word, "tlb=tagged");
    o->framed |= is(word, "console=framed");
    o->stay |= is(word, "stay");
    o->short_turns |= is(word, "short-turns");
    o->net_copy |= is(word, "net=copy");
    o->gateway |= is(word, "gateway");
    o->stop_on_reset |= is(word, "on-reset=stop");
}

void bootargs_read(int argc, uint64_t argv, uint64_t envp, uint64_t ram)
{
    mon.options.nodes = 1;
    disco_numa_params_default(&mon.options.numa);
    mon.options.numa.cap = 0; /* as many as suit the machine: numa.c */
    for (int i = 1; i < argc; i++) {
        const char *s = string_at(argv, (unsigned)i);

        while (*s) {
            option(s);
            while (!is_end(s))
                s++;
            while (*s == ' ')
                s++;
        }
    }
    mon.ram = ram_size(envp, ram);
    seed_read(&mon.options.seed, variable(envp, "rngseed"));
    if (!mon.archive.at || !mon.archive.len)
        die("no boot archive: start the monitor with -initrd");
}
