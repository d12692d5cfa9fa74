/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/atomic.h>
#include <disco/pvio.h>

#include <string.h>

/* Bytes that one call moves at most: the console's lock is held meanwhile. The guest asks again. */
#define MOVE_MAX 4096
#define CHUNK 256
/* A guest may offer this much; it is told how much was taken. */
#define LENGTH_MAX (UINT64_C(1) << 30)

int disco_console_init(struct disco_console *c, struct disco_backend *backend,
                       void (*put)(void *, const uint8_t *, size_t), void *put_ctx,
                       struct disco_line line)
{
    if (!c || !backend || !put)
        return DISCO_ERR_BAD_ARG;
    memset(c, 0, sizeof *c);
    c->put = put;
    c->put_ctx = put_ctx;
    c->line = line;
    c->backend = backend;
    return DISCO_OK;
}

static void set_line(struct disco_console *c)
{
    if (c->line.set)
        c->line.set(c->line.ctx, c->asked && c->head != c->tail);
}

/* head and tail only grow (and wrap at 2^32, a multiple of the ring's size): no place is wasted. */
static size_t room(const struct disco_console *c)
{
    return DISCO_CONSOLE_INPUT - (c->tail - c->head);
}

size_t disco_console_input(struct disco_console *c, const uint8_t *bytes, size_t n)
{
    size_t taken;

    disco_lock(&c->lock, c->backend);
    taken = n < room(c) ? n : room(c);
    for (size_t i = 0; i < taken; i++)
        c->input[(c->tail + i) % DISCO_CONSOLE_INPUT] = bytes[i];
    c->tail += (uint32_t)taken;
    disco_count_own(&c->in, taken);
    disco_count_own(&c->dropped, n - taken);
    set_line(c);
    disco_unlock(&c->lock);
    return taken;
}

/* Under the lock, so that what several virtual CPUs write at once comes out one after another. */
static int64_t write_out(struct disco_console *c, const struct disco_buf *b)
{
    uint64_t len = b->len < MOVE_MAX ? b->len : MOVE_MAX, done = 0;
    uint8_t chunk[CHUNK];

    while (done < len) {
        uint64_t n = len - done < CHUNK ? len - done : CHUNK;
        int err = disco_buf_read(b, done, chunk, n);

        if (err)
            return done ? (int64_t)done : err;
        c->put(c->put_ctx, chunk, n);
        disco_count_own(&c->out, n);
        done += n;
    }
    return (int64_t)done;
}

static int64_t console_write(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_console *c = dev;
    int64_t n;

    (void)caller;
    disco_lock(&c->lock, c->backend);
    n = write_out(c, &a[0].buf);
    disco_unlock(&c->lock);
    return n;
}

/* Input leaves the ring only once it has reached the guest. */
static int64_t read_in(struct disco_console *c, const struct disco_buf *b)
{
    uint64_t waiting = c->tail - c->head, len = b->len < waiting ? b->len : waiting;
    uint64_t at = c->head % DISCO_CONSOLE_INPUT, first = DISCO_CONSOLE_INPUT - at;
    int err;

    if (first > len)
        first = len;
    err = disco_buf_write(b, 0, &c->input[at], first);
    if (!err && first < len)
        err = disco_buf_write(b, first, c->input, len - first);
    if (err)
        return err;
    c->head += (uint32_t)len;
    return (int64_t)len;
}

static int64_t console_read(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_console *c = dev;
    int64_t n;

    (void)caller;
    disco_lock(&c->lock, c->backend);
    c->asked = true;
    n = read_in(c, &a[0].buf);
    set_line(c);
    disco_unlock(&c->lock);
    return n;
}

static int64_t console_putc(void *dev, void *caller, const union disco_arg *a)
{
    struct disco_console *c = dev;
    uint8_t byte = (uint8_t)a[0].value;

    (void)caller;
    disco_lock(&c->lock, c->backend);
    c->put(c->put_ctx, &byte, 1);
    disco_count_own(&c->out, 1);
    disco_unlock(&c->lock);
    return 0;
}

int disco_console_calls(struct disco_console *c, struct disco_calls *t)
{
    const struct disco_call call[] = {
        {DISCO_CALL_CONSOLE_WRITE,
         "console_write",
         console_write,
         c,
         {{DISCO_ARG_BUF_IN, 0, LENGTH_MAX}}},
        {DISCO_CALL_CONSOLE_READ,
         "console_read",
         console_read,
         c,
         {{DISCO_ARG_BUF_OUT, 0, LENGTH_MAX}}},
        {DISCO_CALL_CONSOLE_PUTC, "console_putc", console_putc, c, {{DISCO_ARG_VALUE, 0, 255}}},
    };

    return disco_calls_add_all(t, call, sizeof call / sizeof call[0]);
}
