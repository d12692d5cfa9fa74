/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_MMIO_H
#define DISCO_MMIO_H

/**
 * @file mmio.h
 * @brief Devices at guest-physical addresses, each access trapped and emulated.
 *
 * The way Disco did not go ("unclean", section 4.2): here to be measured against monitor calls, and for guests whose
 * drivers cannot be changed. A device is a small table of operations that an embedder can write.
 */

#include <disco/pvio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** A device's registers. Functions lock themselves; they may be called from any processor. */
struct disco_mmio_ops {
    /** Read @p size (1, 2, 4, 8) bytes at @p offset, naturally aligned, inside the window. */
    uint64_t (*read)(void *dev, uint64_t offset, unsigned size);
    /** The same, written. */
    void (*write)(void *dev, uint64_t offset, unsigned size, uint64_t value);
};

/** Windows of one VM at most. */
#define DISCO_MMIO_WINDOWS 8

/** One device: where it is. */
struct disco_mmio_window {
    disco_pa base;
    uint64_t len;
    const struct disco_mmio_ops *ops;
    void *dev;
};

/** A VM's devices at addresses. Plain data, the caller's; zeroed it is empty. */
struct disco_mmio {
    struct disco_mmio_window window[DISCO_MMIO_WINDOWS];
    unsigned windows;
    uint64_t reads, writes, wild; /**< accessed atomically; wild: accesses that met no device */
};

/**
 * Add a window; it must not overlap another and begins behind the VM's memory.
 * @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_BUSY (overlaps), DISCO_ERR_NO_SPACE.
 */
int disco_mmio_add(struct disco_mmio *m, const struct disco_mmio_window *w);
/** Is the page of @p pa that of a device? */
bool disco_mmio_has(const struct disco_mmio *m, disco_pa pa);
/** Read at @p pa. @return 0; DISCO_ERR_NOT_FOUND (no device), DISCO_ERR_BAD_ARG (size, alignment, across the end). */
int disco_mmio_read(struct disco_mmio *m, disco_pa pa, unsigned size, uint64_t *value);
/** The same, written. */
int disco_mmio_write(struct disco_mmio *m, disco_pa pa, unsigned size, uint64_t value);

/** A 16550 UART: what Linux's 8250 driver drives. Locks itself. */
struct disco_uart16550 {
    struct disco_lock lock;
    struct disco_backend *backend;
    void (*put)(void *ctx, const uint8_t *bytes, size_t n);
    void *put_ctx;
    struct disco_line line;
    unsigned shift; /**< registers lie 1 << shift bytes apart */
    uint8_t ier, lcr, mcr, scr, fcr, dll, dlm;
    bool thr_empty; /**< "transmitter empty" has not been reported yet */
    uint32_t head, tail;
    uint8_t input[DISCO_CONSOLE_INPUT];
    uint64_t in, out, dropped, accesses; /**< counters */
};
/** Operations of disco_uart16550. */
extern const struct disco_mmio_ops disco_uart16550_ops;
/** @return 0 or DISCO_ERR_BAD_ARG. */
int disco_uart16550_init(struct disco_uart16550 *u, struct disco_backend *backend, unsigned shift,
                         void (*put)(void *, const uint8_t *, size_t), void *put_ctx,
                         struct disco_line line);
/** Bytes from the person at the console. @return how many were taken. */
size_t disco_uart16550_input(struct disco_uart16550 *u, const uint8_t *bytes, size_t n);

#ifdef __cplusplus
}
#endif
#endif
