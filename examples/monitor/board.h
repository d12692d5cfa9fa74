/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_BOARD_H
#define MONITOR_BOARD_H

/* The Malta board: where RAM is, two serial ports, the reset register. */

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* All RAM, as physical addresses; the first 256 MiB also appear at 0. */
#define BOARD_RAM UINT64_C(0x80000000)
#define BOARD_RAM_MAX UINT64_C(0x80000000)

enum board_uart { BOARD_CONSOLE, BOARD_LOG };

void board_init(void);
void board_put(enum board_uart uart, const uint8_t *bytes, size_t n);
/* A byte that waits at a serial port, or -1. */
int board_get(enum board_uart uart);
/*
 * Where an emulator runs the processors in turn and counts instructions as time, a turn lasts until the next timer of
 * the machine, and who waits for others waits for all their turns. From now on one lasts 25 us at most.
 */
void board_short_turns(void);
/* Resets the board, which ends QEMU when it was started with -no-reboot. */
void board_power_off(void) __attribute__((noreturn));

#endif
