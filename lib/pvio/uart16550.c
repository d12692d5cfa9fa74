/* SPDX-License-Identifier: BSD-2-Clause */
#include <disco/atomic.h>
#include <disco/mmio.h>

#include <string.h>

/* Registers in the order of their addresses. With DLAB the first two are the divisor's halves. */
enum { DATA, IER, IIR_FCR, LCR, MCR, LSR, MSR, SCR, REGISTERS };

#define IER_INPUT 0x01
#define IER_EMPTY 0x02
#define IER_STATUS 0x04
#define IER_ALL 0x0f
/* What IIR reports, the most urgent first: overrun, input, input below the trigger level, empty. */
#define IIR_STATUS 0x06
#define IIR_INPUT 0x04
#define IIR_TIMEOUT 0x0c
#define IIR_EMPTY 0x02
#define IIR_NONE 0x01
#define IIR_FIFO 0xc0
#define FCR_FIFO 0x01
#define FCR_CLEAR_INPUT 0x02
#define FCR_TRIGGER 0xc0
#define LCR_DLAB 0x80
#define MCR_DTR 0x01
#define MCR_RTS 0x02
#define MCR_OUT1 0x04
#define MCR_OUT2 0x08
#define MCR_LOOP 0x10
#define MCR_ALL 0x1f
#define LSR_INPUT 0x01
#define LSR_OVERRUN 0x02
#define LSR_EMPTY 0x60 /* FIFO and shift register both */
#define MSR_CTS 0x10
#define MSR_DSR 0x20
#define MSR_RI 0x40
#define MSR_DCD 0x80

int disco_uart16550_init(struct disco_uart16550 *u, struct disco_backend *backend, unsigned shift,
                         void (*put)(void *, const uint8_t *, size_t), void *put_ctx,
                         struct disco_line line)
{
    if (!u || !backend || !put || shift > 3)
        return DISCO_ERR_BAD_ARG;
    memset(u, 0, sizeof *u);
    u->backend = backend;
    u->put = put;
    u->put_ctx = put_ctx;
    u->line = line;
    u->shift = shift;
    return DISCO_OK;
}

bool disco_uart16550_listens(const struct disco_uart16550 *u)
{
    return __atomic_load_n(&u->ier, __ATOMIC_RELAXED) & IER_INPUT;
}

/* --- lock held from here on --- */

/* head and tail only grow (and wrap at 2^32, a multiple of the ring's size): no place is wasted. */
static uint32_t waiting(const struct disco_uart16550 *u) { return u->tail - u->head; }

static uint8_t input_cause(const struct disco_uart16550 *u)
{
    static const uint8_t level[] = {1, 4, 8, 14};

    return waiting(u) < level[u->fcr >> 6] ? IIR_TIMEOUT : IIR_INPUT;
}

/* The most urgent of what waits and is enabled. */
static uint8_t cause(const struct disco_uart16550 *u)
{
    if (u->overrun && u->ier & IER_STATUS)
        return IIR_STATUS;
    if (waiting(u) && u->ier & IER_INPUT)
        return input_cause(u);
    return u->thr_empty && u->ier & IER_EMPTY ? IIR_EMPTY : IIR_NONE;
}

static void set_line(struct disco_uart16550 *u)
{
    bool up = cause(u) != IIR_NONE;

    if (up != u->up && u->line.set)
        u->line.set(u->line.ctx, up);
    u->up = up;
}

static size_t receive(struct disco_uart16550 *u, const uint8_t *bytes, size_t n)
{
    size_t room = DISCO_CONSOLE_INPUT - waiting(u), taken = n < room ? n : room;

    for (size_t i = 0; i < taken; i++)
        u->input[(u->tail + i) % DISCO_CONSOLE_INPUT] = bytes[i];
    u->tail += (uint32_t)taken;
    u->overrun |= taken < n;
    disco_count_own(&u->in, taken);
    disco_count_own(&u->dropped, n - taken);
    return taken;
}

static void forget_input(struct disco_uart16550 *u)
{
    u->head = u->tail;
    u->overrun = false;
}

/* --- reading --- */

static uint8_t take(struct disco_uart16550 *u)
{
    return waiting(u) ? u->input[u->head++ % DISCO_CONSOLE_INPUT] : 0;
}

/* Reading it is what ends "empty". */
static uint8_t read_iir(struct disco_uart16550 *u)
{
    uint8_t why = cause(u);

    if (why == IIR_EMPTY)
        u->thr_empty = false;
    return why | (u->fcr & FCR_FIFO ? IIR_FIFO : 0);
}

static uint8_t read_lsr(struct disco_uart16550 *u)
{
    uint8_t lsr = LSR_EMPTY | (waiting(u) ? LSR_INPUT : 0) | (u->overrun ? LSR_OVERRUN : 0);

    u->overrun = false;
    return lsr;
}

/* In loopback the modem's lines are what the driver sets itself. */
static uint8_t read_msr(const struct disco_uart16550 *u)
{
    if (!(u->mcr & MCR_LOOP))
        return MSR_CTS | MSR_DSR | MSR_DCD;
    return (uint8_t)((u->mcr & MCR_RTS ? MSR_CTS : 0) | (u->mcr & MCR_DTR ? MSR_DSR : 0) |
                     (u->mcr & MCR_OUT1 ? MSR_RI : 0) | (u->mcr & MCR_OUT2 ? MSR_DCD : 0));
}

static uint8_t read_register(struct disco_uart16550 *u, uint64_t number)
{
    bool divisor = u->lcr & LCR_DLAB;

    switch (number) {
    case DATA: return divisor ? u->dll : take(u);
    case IER: return divisor ? u->dlm : u->ier;
    case IIR_FCR: return read_iir(u);
    case LCR: return u->lcr;
    case MCR: return u->mcr;
    case LSR: return read_lsr(u);
    case MSR: return read_msr(u);
    default: return u->scr;
    }
}

/* --- writing --- */

/* What is sent has left at once: the transmitter is empty again. */
static void send(struct disco_uart16550 *u, uint8_t byte)
{
    if (u->mcr & MCR_LOOP)
        (void)receive(u, &byte, 1);
    else
        u->put(u->put_ctx, &byte, 1);
    disco_count_own(&u->out, !(u->mcr & MCR_LOOP));
    u->thr_empty = true;
}

/* Who enables "empty" is told of it anew: drivers test for that. */
static void write_ier(struct disco_uart16550 *u, uint8_t value)
{
    u->thr_empty |= value & ~u->ier & IER_EMPTY;
    __atomic_store_n(&u->ier, value & IER_ALL, __ATOMIC_RELAXED);
}

static void write_fcr(struct disco_uart16550 *u, uint8_t value)
{
    if ((value ^ u->fcr) & FCR_FIFO || value & FCR_CLEAR_INPUT)
        forget_input(u);
    u->fcr = value & FCR_FIFO ? value & (FCR_FIFO | FCR_TRIGGER) : 0;
}

static void write_register(struct disco_uart16550 *u, uint64_t number, uint8_t value)
{
    bool divisor = u->lcr & LCR_DLAB;

    switch (number) {
    case DATA:
        if (divisor)
            u->dll = value;
        else
            send(u, value);
        break;
    case IER:
        if (divisor)
            u->dlm = value;
        else
            write_ier(u, value);
        break;
    case IIR_FCR: write_fcr(u, value); break;
    case LCR: u->lcr = value; break;
    case MCR: u->mcr = value & MCR_ALL; break;
    case SCR: u->scr = value; break;
    default: break;
    }
}

/* --- from outside --- */

/* Which register is at @p offset? REGISTERS: none. */
static uint64_t number_of(const struct disco_uart16550 *u, uint64_t offset)
{
    uint64_t number = offset >> u->shift;

    return number << u->shift == offset && number < REGISTERS ? number : REGISTERS;
}

static uint64_t uart_read(void *dev, uint64_t offset, unsigned size)
{
    struct disco_uart16550 *u = dev;
    uint64_t number = number_of(u, offset);
    uint8_t value = 0;

    (void)size;
    disco_lock(&u->lock, u->backend);
    disco_count_own(&u->accesses, 1);
    if (number < REGISTERS)
        value = read_register(u, number);
    set_line(u);
    disco_unlock(&u->lock);
    return value;
}

static void uart_write(void *dev, uint64_t offset, unsigned size, uint64_t value)
{
    struct disco_uart16550 *u = dev;
    uint64_t number = number_of(u, offset);

    (void)size;
    disco_lock(&u->lock, u->backend);
    disco_count_own(&u->accesses, 1);
    if (number < REGISTERS)
        write_register(u, number, (uint8_t)value);
    set_line(u);
    disco_unlock(&u->lock);
}

const struct disco_mmio_ops disco_uart16550_ops = {uart_read, uart_write};

size_t disco_uart16550_input(struct disco_uart16550 *u, const uint8_t *bytes, size_t n)
{
    size_t taken;

    disco_lock(&u->lock, u->backend);
    taken = u->mcr & MCR_LOOP ? 0 : receive(u, bytes, n);
    set_line(u);
    disco_unlock(&u->lock);
    return taken;
}
