/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_CONSOLE_H
#define MONITOR_CONSOLE_H

/*
 * One terminal for the consoles of all virtual machines. It shows the VM in focus, which also gets
 * what is typed; the last output of each other one is kept, and shown when the focus comes to it.
 * While the prompt is open all output is kept.
 *
 * With console=framed nothing is kept and the terminal carries frames: byte 0x10, byte 'A' + number
 * of the VM, byte length (1 to 255), so many bytes; and nothing else.
 *
 * Virtual CPUs write from any processor. One lock, inside that of the VM's console device and
 * outside none, is held for what one call writes: a few hundred bytes, and what is kept of a VM
 * when the focus changes. All else is processor 0's.
 */

#include "vm.h"

/* Output of a VM (ctx); any processor. */
void console_put(void *ctx, const uint8_t *bytes, size_t n);
/* The VM has ended: says so on its console if there are others. */
void console_note(struct vm *vm, const char *cause);
/* Show `vm`, close the prompt. */
void console_focus(struct vm *vm);
/* Take what was typed, and commands from the second serial port. True: there was some. */
bool console_poll(void);

#endif
