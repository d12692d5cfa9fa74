/* SPDX-License-Identifier: BSD-2-Clause */
#include "board.h"

/* XKPHYS, uncached */
#define UNCACHED UINT64_C(0x9000000000000000)
#define ISA_IO UINT64_C(0x18000000)
#define SOFTRES UINT64_C(0x1f000500)
#define SOFTRES_GO 0x42

enum { UART_DATA = 0, UART_FCR = 2, UART_LCR = 3, UART_MCR = 4, UART_LSR = 5 };
#define PIT_CONTROL 3
#define PIT_PERIODIC 0x34 /* counter 0, both bytes, mode 2 */
#define PIT_HZ 1193182u
#define TURNS_A_SECOND 40000u
#define LSR_READY 0x01
#define LSR_THRE 0x20

static volatile uint8_t *port(enum board_uart uart)
{
    return (volatile uint8_t *)(UNCACHED + ISA_IO + (uart == BOARD_CONSOLE ? 0x3f8 : 0x2f8));
}

static void uart_init(enum board_uart uart)
{
    volatile uint8_t *p = port(uart);

    p[UART_LCR] = 0x03; /* 8 bits, no parity */
    p[UART_FCR] = 0x07; /* FIFOs on and empty */
    p[UART_MCR] = 0x03;
}

void board_init(void)
{
    uart_init(BOARD_CONSOLE);
    uart_init(BOARD_LOG);
}

void board_put(enum board_uart uart, const uint8_t *bytes, size_t n)
{
    volatile uint8_t *p = port(uart);

    for (size_t i = 0; i < n; i++) {
        while (!(p[UART_LSR] & LSR_THRE))
            ;
        p[UART_DATA] = bytes[i];
    }
}

int board_get(enum board_uart uart)
{
    volatile uint8_t *p = port(uart);

    return p[UART_LSR] & LSR_READY ? p[UART_DATA] : -1;
}

/* The interval timer, which then counts down again and again by itself; its interrupt is masked (irq.c). */
void board_short_turns(void)
{
    volatile uint8_t *p = (volatile uint8_t *)(UNCACHED + ISA_IO + 0x40);
    unsigned count = PIT_HZ / TURNS_A_SECOND;

    p[PIT_CONTROL] = PIT_PERIODIC;
    p[0] = (uint8_t)count;
    p[0] = (uint8_t)(count >> 8);
}

void board_power_off(void)
{
    *(volatile uint32_t *)(UNCACHED + SOFTRES) = SOFTRES_GO;
    for (;;)
        __asm__ volatile("wait");
}
