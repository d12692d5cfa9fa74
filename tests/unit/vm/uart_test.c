/* SPDX-License-Identifier: BSD-2-Clause */
/* Windows of devices, and the serial port behind one. */
#include <disco/mmio.h>

#include "calls.h"

#define BASE UINT64_C(0x1f000900)
#define SHIFT 3

static struct disco_mmio m;
static struct disco_uart16550 u;
static char out[1 << 16];
static size_t out_n;
static bool line_up;

static void on_put(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    for (size_t i = 0; i < n; i++)
        out[out_n++ % sizeof out] = (char)bytes[i];
}

static void on_line(void *ctx, bool up)
{
    (void)ctx;
    ck_assert(up != line_up); /* told only of changes */
    line_up = up;
}

static void setup_uart(void)
{
    setup();
    memset(&m, 0, sizeof m);
    line_up = false;
    out_n = 0;
    ck_assert_int_eq(disco_uart16550_init(&u, r.b, SHIFT, on_put, NULL,
                                          (struct disco_line){on_line, NULL}),
                     0);
    ck_assert_int_eq(
        disco_mmio_add(&m,
                       &(struct disco_mmio_window){{BASE}, 8 << SHIFT, &disco_uart16550_ops, &u}),
        0);
}

static uint8_t in(unsigned reg)
{
    uint64_t value = UINT64_MAX;

    ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + (reg << SHIFT)}, 1, false, &value), 0);
    ck_assert_uint_le(value, 0xff);
    return (uint8_t)value;
}

static void set(unsigned reg, uint64_t value)
{
    ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + (reg << SHIFT)}, 1, true, &value), 0);
}

/* --- windows --- */

static int add(uint64_t base, uint64_t len)
{
    return disco_mmio_add(&m, &(struct disco_mmio_window){{base}, len, &disco_uart16550_ops, &u});
}

START_TEST(windows)
{
    const struct disco_mmio_ops half = {disco_uart16550_ops.read, NULL};

    ck_assert_int_eq(add(0x1000, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(add(0x1004, 8), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(add(UINT64_MAX - 7, 8), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(add(0x1000, UINT64_MAX - 0xfff), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_mmio_add(NULL, &m.window[0]), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_mmio_add(&m, NULL), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_mmio_add(&m, &(struct disco_mmio_window){{0}, 8, &half, &u}),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_mmio_add(&m, &(struct disco_mmio_window){{0}, 8, NULL, &u}),
                     DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(add(BASE + 0x38, 8), DISCO_ERR_BUSY);
    ck_assert_int_eq(add(BASE - 8, 16), DISCO_ERR_BUSY);
    ck_assert_int_eq(add(BASE - 8, 4096), DISCO_ERR_BUSY);
    ck_assert_int_eq(add(BASE - 8, 8), 0);
    ck_assert_int_eq(add(BASE + 0x40, 8), 0);
    for (unsigned i = 3; i < DISCO_MMIO_WINDOWS; i++)
        ck_assert_int_eq(add(i * 0x1000, 8), 0);
    ck_assert_int_eq(add(0x100000, 8), DISCO_ERR_NO_SPACE);
}
END_TEST

/* Every size and place around a window of 12 bytes; the last four hold no 8. */
START_TEST(accesses)
{
    static const unsigned sizes[] = {0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 16, 64, UINT32_MAX};
    uint64_t wild = 0;

    ck_assert_int_eq(add(0x1000, 12), 0);
    for (uint64_t pa = 0xff0; pa < 0x1020; pa++) {
        for (unsigned i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
            unsigned size = sizes[i];
            bool inside = pa >= 0x1000 && pa < 0x100c, fits = false;
            uint64_t value = 0;
            int want;

            if (size == 1 || size == 2 || size == 4 || size == 8)
                fits = pa % size == 0 && pa + size <= 0x100c;
            want = !inside ? DISCO_ERR_NOT_FOUND : fits ? 0 : DISCO_ERR_BAD_ARG;
            ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){pa}, size, false, &value), want);
            ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){pa}, size, true, &value), want);
            wild += want ? 2 : 0;
        }
    }
    ck_assert_uint_eq(m.wild, wild);
    ck_assert_uint_eq(m.reads, 12 + 6 + 3 + 1);
    ck_assert_uint_eq(m.writes, m.reads);
}
END_TEST

/* A device sees as many bytes as are stored, and only so many of its answer reach the guest. */
static uint64_t seen;

static uint64_t answer_much(void *dev, uint64_t offset, unsigned size)
{
    (void)dev, (void)size;
    return UINT64_MAX - offset;
}

static void note(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    (void)dev, (void)offset, (void)size;
    seen = value;
}

START_TEST(values_are_cut)
{
    static const struct disco_mmio_ops ops = {answer_much, note};
    static const uint64_t masks[] = {0xff, 0xffff, 0xffffffff, UINT64_MAX};

    ck_assert_int_eq(disco_mmio_add(&m, &(struct disco_mmio_window){{0x1000}, 64, &ops, NULL}), 0);
    for (unsigned i = 0; i < 4; i++) {
        uint64_t value = 0x123456789abcdef0;

        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){0x1010}, 1u << i, true, &value), 0);
        ck_assert_uint_eq(seen, value & masks[i]);
        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){0x1010}, 1u << i, false, &value), 0);
        ck_assert_uint_eq(value, (UINT64_MAX - 0x10) & masks[i]);
    }
}
END_TEST

/* --- the serial port --- */

START_TEST(refuses)
{
    struct disco_line none = {0};

    ck_assert_int_eq(disco_uart16550_init(NULL, r.b, 0, on_put, NULL, none), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_uart16550_init(&u, NULL, 0, on_put, NULL, none), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_uart16550_init(&u, r.b, 4, on_put, NULL, none), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_uart16550_init(&u, r.b, 0, NULL, NULL, none), DISCO_ERR_BAD_ARG);
}
END_TEST

/* What drivers try, to see which kind of port this is. */
START_TEST(looks_like_a_16550a)
{
    set(1, 0);
    ck_assert_uint_eq(in(1), 0);
    set(1, 0xff); /* no sleep mode, no unit enable: no later kind */
    ck_assert_uint_eq(in(1), 0x0f);
    set(1, 0);
    set(4, 0x1a); /* loopback, OUT2, RTS: DCD and CTS */
    ck_assert_uint_eq(in(6) & 0xf0, 0x90);
    set(4, 0x15);
    ck_assert_uint_eq(in(6) & 0xf0, 0x60);
    set(4, 0x0b);
    ck_assert_uint_eq(in(6), 0xb0);
    for (unsigned v = 0; v < 256; v++) {
        set(7, v);
        ck_assert_uint_eq(in(7), v);
    }
    ck_assert_uint_eq(in(2), 0x01);
    set(2, 0x01);
    ck_assert_uint_eq(in(2), 0xc1);
    set(2, 0x21); /* no FIFO of 64 bytes, with DLAB or without */
    ck_assert_uint_eq(in(2) >> 5, 6);
    set(3, 0x80);
    set(2, 0x21);
    ck_assert_uint_eq(in(2) >> 5, 6);
    set(0, 0x34);
    set(1, 0x12);
    ck_assert(in(0) == 0x34 && in(1) == 0x12);
    set(3, 0x03);
    ck_assert(in(0) == 0 && in(1) == 0);
    ck_assert_uint_eq(out_n, 0);
    ck_assert(!line_up);
}
END_TEST

START_TEST(output)
{
    for (const char *p = "hello"; *p; p++) {
        ck_assert_uint_eq(in(5), 0x60);
        set(0, (uint8_t)*p | 0x4100); /* a register is a byte */
    }
    ck_assert_uint_eq(out_n, 5);
    ck_assert_mem_eq(out, "hello", 5);
    ck_assert(u.out == 5 && u.accesses == 10);
}
END_TEST

/* "Empty" is reported when it is enabled, and after each byte, until IIR is read. */
START_TEST(empty_interrupt)
{
    for (unsigned i = 0; i < 3; i++) {
        set(1, 2);
        ck_assert(line_up);
        ck_assert_uint_eq(in(2), 0x02);
        ck_assert(!line_up);
        ck_assert_uint_eq(in(2), 0x01);
        set(0, 'x');
        ck_assert(line_up);
        set(1, 0);
        ck_assert(!line_up);
        ck_assert_uint_eq(in(2), 0x01);
    }
    set(1, 2);
    (void)in(2);
    set(1, 2); /* it was enabled already */
    ck_assert(!line_up);
}
END_TEST

static size_t type(const char *text)
{
    return disco_uart16550_input(&u, (const uint8_t *)text, strlen(text));
}

START_TEST(input)
{
    ck_assert(!disco_uart16550_listens(&u));
    set(2, 0xc1);
    ck_assert_uint_eq(type("ab"), 2);
    ck_assert(!line_up);
    set(1, 1);
    ck_assert(disco_uart16550_listens(&u));
    ck_assert(line_up);
    ck_assert_uint_eq(in(2), 0xcc); /* two of fourteen: timed out */
    ck_assert_uint_eq(in(5), 0x61);
    ck_assert_uint_eq(in(0), 'a');
    ck_assert(line_up);
    ck_assert_uint_eq(in(0), 'b');
    ck_assert(!line_up);
    ck_assert_uint_eq(in(0), 0);
    ck_assert_uint_eq(in(5), 0x60);
    type("fourteen bytes");
    ck_assert_uint_eq(in(2), 0xc4);
    set(2, 0x03);
    ck_assert(!line_up);
    ck_assert_uint_eq(in(5), 0x60);
    type("x");
    set(2, 0x00); /* without FIFO, what was in it is gone */
    ck_assert_uint_eq(in(5), 0x60);
    type("x");
    ck_assert_uint_eq(in(2), 0x04);
}
END_TEST

START_TEST(input_that_finds_no_room)
{
    static uint8_t many[DISCO_CONSOLE_INPUT + 5];

    for (size_t i = 0; i < sizeof many; i++)
        many[i] = (uint8_t)(i * 7);
    u.head = u.tail = UINT32_MAX - 300;
    set(1, 5);
    ck_assert_uint_eq(disco_uart16550_input(&u, many, sizeof many), DISCO_CONSOLE_INPUT);
    ck_assert_uint_eq(in(2), 0x06);
    ck_assert_uint_eq(in(5), 0x63);
    ck_assert_uint_eq(in(5), 0x61);
    ck_assert_uint_eq(in(2), 0x04);
    for (size_t i = 0; i < DISCO_CONSOLE_INPUT; i++)
        ck_assert_uint_eq(in(0), many[i]);
    ck_assert(!line_up);
    ck_assert(u.in == DISCO_CONSOLE_INPUT && u.dropped == 5);
}
END_TEST

START_TEST(loopback)
{
    set(4, 0x10);
    set(0, 'z');
    ck_assert_uint_eq(out_n, 0);
    ck_assert_uint_eq(type("a"), 0);
    ck_assert_uint_eq(in(5), 0x61);
    ck_assert_uint_eq(in(0), 'z');
    ck_assert_uint_eq(in(5), 0x60);
    set(4, 0);
    ck_assert_uint_eq(type("a"), 1);
    ck_assert_uint_eq(in(0), 'a');
}
END_TEST

/* A register is one number, whatever size it is read in; beside it there is nothing. */
START_TEST(widths)
{
    for (unsigned size = 1; size <= 8; size *= 2) {
        uint64_t value = 0x5a5a5a5a5a5a5a5a;

        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + 7 * 8}, size, true, &value), 0);
        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + 7 * 8}, size, false, &value), 0);
        ck_assert_uint_eq(value, 0x5a);
    }
    for (uint64_t i = 1; i < 8; i++) {
        uint64_t value = 0xff;

        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + 7 * 8 + i}, 1, true, &value), 0);
        ck_assert_int_eq(disco_mmio_access(&m, (disco_pa){BASE + 7 * 8 + i}, 1, false, &value), 0);
        ck_assert_uint_eq(value, 0);
    }
    ck_assert_uint_eq(in(7), 0x5a);
}
END_TEST

/* --- against a model that keeps its input in a plain array --- */

static struct model {
    uint8_t ier, lcr, mcr, scr, dll, dlm, trigger;
    bool fifo, empty, lost;
    uint8_t queue[DISCO_CONSOLE_INPUT];
    unsigned n;
    uint64_t sent;
} want;

static void model_put(uint8_t byte)
{
    if (want.n == DISCO_CONSOLE_INPUT)
        want.lost = true;
    else
        want.queue[want.n++] = byte;
}

static unsigned model_cause(void)
{
    static const unsigned level[] = {1, 4, 8, 14};

    if (want.lost && want.ier & 4)
        return 6;
    if (want.n && want.ier & 1)
        return want.n >= level[want.trigger] ? 4 : 12;
    return want.empty && want.ier & 2 ? 2 : 1;
}

static unsigned model_take(void)
{
    unsigned byte = want.queue[0];

    if (!want.n)
        return 0;
    memmove(want.queue, want.queue + 1, --want.n);
    return byte;
}

static unsigned model_modem(void)
{
    unsigned c = want.mcr;

    if (!(c & 16))
        return 0xb0;
    return (c & 2) << 3 | (c & 1) << 5 | (c & 4) << 4 | (c & 8) << 4;
}

static unsigned model_in(unsigned reg)
{
    unsigned value;

    switch (reg) {
    case 0: return want.lcr & 128 ? want.dll : model_take();
    case 1: return want.lcr & 128 ? want.dlm : want.ier;
    case 2:
        value = model_cause();
        want.empty &= value != 2;
        return value | (want.fifo ? 0xc0 : 0);
    case 3: return want.lcr;
    case 4: return want.mcr;
    case 5:
        value = 0x60 | (want.n != 0) | (want.lost ? 2 : 0);
        want.lost = false;
        return value;
    case 6: return model_modem();
    default: return want.scr;
    }
}

static void model_fcr(unsigned value)
{
    if ((value & 1) != want.fifo || value & 2)
        want.n = 0, want.lost = false;
    want.fifo = value & 1;
    want.trigger = want.fifo ? value >> 6 & 3 : 0;
}

static void model_set(unsigned reg, uint8_t value)
{
    if (reg < 2 && want.lcr & 128) {
        *(reg ? &want.dlm : &want.dll) = value;
        return;
    }
    switch (reg) {
    case 0:
        if (want.mcr & 16)
            model_put(value);
        else
            want.sent++;
        want.empty = true;
        break;
    case 1:
        if (value & 2 && !(want.ier & 2))
            want.empty = true;
        want.ier = value & 15;
        break;
    case 2: model_fcr(value); break;
    case 3: want.lcr = value; break;
    case 4: want.mcr = value & 31; break;
    case 7: want.scr = value; break;
    default: break;
    }
}

static uint64_t next_random(uint64_t *s)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return *s >> 16;
}

static void model_type(uint64_t random)
{
    uint8_t bytes[64];
    size_t n = random % (random % 8 ? 4 : 64), taken = 0;

    for (size_t i = 0; i < n; i++) {
        bytes[i] = (uint8_t)(random + i);
        if (want.mcr & 16)
            continue;
        taken += want.n < DISCO_CONSOLE_INPUT;
        model_put(bytes[i]);
    }
    ck_assert_uint_eq(disco_uart16550_input(&u, bytes, n), taken);
}

/* DLAB and loopback seldom, or nothing else would happen. */
static uint8_t some_value(unsigned reg, uint64_t random)
{
    uint8_t value = (uint8_t)(random >> 8);

    if (reg == 3 && random % 4)
        value &= 0x7f;
    if (reg == 4 && random % 4)
        value &= 0x0f;
    if (reg == 2 && random % 16)
        value = (value & ~2) | 1;
    return value;
}

START_TEST(random_accesses)
{
    uint64_t s = 88172645463325252u;
    unsigned full = 0;

    want = (struct model){0};
    for (unsigned i = 0; i < 300000; i++) {
        uint64_t random = next_random(&s);
        unsigned reg = random % 8, what = random / 8 % 16;

        random /= 128;
        if (what < 6) {
            unsigned value = model_in(reg), got = in(reg);

            if (got != value)
                ck_abort_msg("access %u: register %u is %02x, not %02x", i, reg, got, value);
        } else if (what < 12) {
            uint8_t value = some_value(reg, random);

            model_set(reg, value);
            set(reg, value);
        } else {
            model_type(random);
        }
        full += want.n == DISCO_CONSOLE_INPUT;
        if (line_up != (model_cause() != 1) || out_n != want.sent)
            ck_abort_msg("access %u: line %d, %zu sent", i, line_up, out_n);
    }
    ck_assert_uint_gt(full, 0); /* or the inputs were too dull */
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        windows,
        accesses,
        values_are_cut,
        refuses,
        looks_like_a_16550a,
        output,
        empty_interrupt,
        input,
        input_that_finds_no_room,
        loopback,
        widths,
        random_accesses,
    };

    return SUITE_RUN("uart", tests, setup_uart, teardown);
}
