/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_MMIO_H
#define DISCO_MMIO_H

/**
 * @file mmio.h
 * @brief Devices at guest-physical addresses, each access trapped and emulated.
 *
 * The way Disco did not go: its guests got drivers that call the monitor (section 4.3). Here to be measured against
 * monitor calls, and for guests whose drivers cannot be changed. A device is a table of two operations.
 */

#include <disco/pvio.h>

#ifdef __cplusplus
extern "C" {
#endif

/**
 * A device's registers: all that an embedder writes. Functions lock themselves; they are called on the processor of
 * the virtual CPU that loads or stores, which waits meanwhile. Values are numbers, as a register of the processor
 * holds them: no byte order is to be seen here.
 */
struct disco_mmio_ops {
    /** Read @p size (1, 2, 4, 8) bytes at @p offset, naturally aligned, inside the window; more is cut off. */
    uint64_t (*read)(void *dev, uint64_t offset, unsigned size);
    /** The same, written. */
    void (*write)(void *dev, uint64_t offset, unsigned size, uint64_t value);
};

/** Windows of one VM at most. */
#define DISCO_MMIO_WINDOWS 8

/** One device: where it is. */
struct disco_mmio_window {
    disco_pa base; /**< a multiple of 8; memory of the VM that lies there hides the device */
    uint64_t len;
    const struct disco_mmio_ops *ops;
    void *dev;
};

/** A VM's devices at addresses. Plain data, the caller's; zeroed it is empty. */
struct disco_mmio {
    struct disco_mmio_window window[DISCO_MMIO_WINDOWS];
    unsigned windows;
    uint64_t reads, writes; /**< that a device served; accessed atomically */
    uint64_t wild;          /**< accesses that no device served; the same */
};

/**
 * Add a window, before the VM runs. @return 0; DISCO_ERR_BAD_ARG, DISCO_ERR_BUSY (overlaps another),
 * DISCO_ERR_NO_SPACE.
 */
int disco_mmio_add(struct disco_mmio *m, const struct disco_mmio_window *w);
/**
 * Load or, with @p write, store @p size bytes at @p pa: *value. What a monitor's `mapped` hook calls (vcpu.h).
 * @return 0; DISCO_ERR_NOT_FOUND (no device there), DISCO_ERR_BAD_ARG (size, alignment, across the end).
 */
int disco_mmio_access(struct disco_mmio *m, disco_pa pa, unsigned size, bool write,
                      uint64_t *value);

/* --- a serial port --- */

/**
 * A 16550A UART, as far as a driver can tell that never waits: it sends at once, its FIFO holds what the input ring
 * holds, a byte below the trigger level times out at once, and its modem lines are up for ever. A register is
 * one number at its address, of whatever size the access is; between registers there is nothing. Locks itself.
 */
struct disco_uart16550 {
    struct disco_lock lock;
    struct disco_backend *backend;
    void (*put)(void *ctx, const uint8_t *bytes, size_t n); /**< never blocks for long */
    void *put_ctx;
    struct disco_line line;
    unsigned shift; /**< registers lie 1 << shift bytes apart */
    uint8_t ier;    /**< accessed atomically, as disco_uart16550_listens() takes no lock */
    uint8_t lcr, mcr, scr, fcr, dll, dlm;
    bool thr_empty; /**< "transmitter empty" has not been reported yet */
    bool overrun;   /**< input was lost, which has not been reported yet */
    bool up;        /**< the line */
    uint32_t head, tail;
    uint8_t input[DISCO_CONSOLE_INPUT];
    uint64_t in, out, dropped; /**< bytes; dropped: input that found the ring full */
    uint64_t accesses;         /**< of registers, each of which was a trap */
};

/** Operations on a disco_uart16550, for a window of 8 << shift bytes. */
extern const struct disco_mmio_ops disco_uart16550_ops;
/** @p put takes the output. @p shift: at most 3. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_uart16550_init(struct disco_uart16550 *u, struct disco_backend *backend, unsigned shift,
                         void (*put)(void *, const uint8_t *, size_t), void *put_ctx,
                         struct disco_line line);
/** Bytes from the person at the console. @return how many were taken: none in loopback. */
size_t disco_uart16550_input(struct disco_uart16550 *u, const uint8_t *bytes, size_t n);
/** Does the guest want to hear of input (the receive interrupt is enabled)? Any processor. */
bool disco_uart16550_listens(const struct disco_uart16550 *u);

#ifdef __cplusplus
}
#endif
#endif
