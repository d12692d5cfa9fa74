/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef UART_H
#define UART_H

/* The emulated 16550 of a virtual machine that has one (uart = yes), reached by loads and stores. */

#include <stdint.h>

#define UART_PA UINT64_C(0x1f000900)
#define UART_LEN 0x40 /* bytes: eight registers, eight bytes apart */
#define UART_VA (UINT64_C(0x4000000000000000) + UART_PA)
#define UART_AT(n) (UART_VA + (n) * 8)

enum { UART_DATA, UART_IER, UART_IIR, UART_LCR, UART_MCR, UART_LSR, UART_MSR, UART_SCR };
#define UART_FCR UART_IIR
#define UART_LSR_EMPTY 0x20

static inline uint8_t uart_in(unsigned n) { return *(volatile uint8_t *)UART_AT(n); }
static inline void uart_out(unsigned n, uint8_t value) { *(volatile uint8_t *)UART_AT(n) = value; }

/* As a driver without interrupts does it. */
static inline void uart_print(const char *text)
{
    for (; *text; text++) {
        while (!(uart_in(UART_LSR) & UART_LSR_EMPTY))
            ;
        uart_out(UART_DATA, (uint8_t)*text);
    }
}

#endif
