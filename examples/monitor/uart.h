/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_UART_H
#define MONITOR_UART_H

/*
 * The emulated 16550 of a VM that has one, beside its console: for drivers that know nothing of a monitor, and
 * to compare. What it sends appears on the VM's console, between what the guest prints there by monitor calls.
 * What is typed goes to the port while the guest has its receive interrupt enabled, which is while something in
 * the guest has it open; else to the console.
 */

#include "fdt.h"
#include "vm.h"

/* NULL, or why the VM cannot have it. */
const char *uart_check(const struct vm_config *config);
/* Nothing, if the VM has none. `line`: its interrupt. */
int uart_make(struct vm *vm, struct disco_line line);
/* The root node's part of the device tree. */
void uart_describe(struct fdt *f, const struct vm *vm);
/* The VM's `mapped` hook. */
int uart_mapped(struct disco_vcpu *v, disco_pa pa, unsigned size, bool write, uint64_t *value);
/* Offer a byte of input. False: it is the console's. */
bool uart_input(struct vm *vm, uint8_t byte);

#endif
