/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/pvio.h>

#define LAST_WORDS 256
#define LENGTH_MAX 4096

static int64_t nop(void *dev, void *caller, const union disco_arg *a)
{
    (void)dev;
    (void)caller;
    (void)a;
    return 0;
}

static int64_t poweroff(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_power *p = dev;

    p->poweroff(p->ctx, caller, (int)a[0].value);
    return 0;
}

static int64_t reset(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_power *p = dev;

    (void)a;
    p->reset(p->ctx, caller);
    return 0;
}

/* What goes on to the monitor's console may not steer a terminal. */
static char printable(uint8_t c)
{
    return c >= ' ' && c <= '~' ? (char)c : c == '\n' || c == '\t' ? ' ' : '?';
}

static int64_t panic(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_power *p = dev;
    uint64_t len = a[0].buf.len < LAST_WORDS ? a[0].buf.len : LAST_WORDS;
    uint8_t raw[LAST_WORDS];
    char text[LAST_WORDS + 1];

    if (disco_buf_read(&a[0].buf, 0, raw, len))
        len = 0; /* it died all the same */
    for (uint64_t i = 0; i < len; i++)
        text[i] = printable(raw[i]);
    text[len] = 0;
    p->panic(p->ctx, caller, text);
    return 0;
}

int disco_power_calls(struct disco_power *p, struct disco_calls *t)
{
    const struct disco_call call[] = {
        {DISCO_CALL_NOP, "nop", nop, p, {{DISCO_ARG_NONE, 0, 0}}},
        {DISCO_CALL_POWEROFF, "poweroff", poweroff, p, {{DISCO_ARG_VALUE, 0, 255}}},
        {DISCO_CALL_RESET, "reset", reset, p, {{DISCO_ARG_NONE, 0, 0}}},
        {DISCO_CALL_PANIC, "panic", panic, p, {{DISCO_ARG_BUF_IN, 0, LENGTH_MAX}}},
    };

    if (!p || !p->poweroff || !p->reset || !p->panic)
        return DISCO_ERR_BAD_ARG;
    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
