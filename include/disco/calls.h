/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * Numbers of the monitor calls (paper section 4: one trap carries a whole command).
 *
 * Plain numbers, for C and for assembly, on both sides of the machine: the monitor's call table and the
 * drivers of a guest kernel include this file. A number is never given a second meaning.
 *
 * A guest puts the number into v0 ($2) and up to six arguments into $4 to $9, executes the instruction
 * DISCO_HYPCALL_INSN and finds the result in v0: zero or more, or a negative `enum disco_err`. All other
 * registers are kept. Buffers are given as guest-physical addresses. In user mode the instruction is a
 * Coprocessor Unusable exception for the guest's own kernel.
 */
#ifndef DISCO_CALLS_H
#define DISCO_CALLS_H

/** The instruction that traps to the monitor: COP0, function 0x28, which no MIPS processor implements. */
#define DISCO_HYPCALL_INSN 0x42000028

/** () Does nothing: the price of a call. */
#define DISCO_CALL_NOP 0
/** (gpa, length) Writes bytes to the console; returns how many were taken. */
#define DISCO_CALL_CONSOLE_WRITE 1
/**
 * (gpa, length) Reads waiting console input; returns how many bytes, 0 when nothing waits. From the first one on input
 * that waits holds the device line up.
 */
#define DISCO_CALL_CONSOLE_READ 2
/** (character) Writes one byte, before a guest has memory to speak of. */
#define DISCO_CALL_CONSOLE_PUTC 3
/** (code) Ends the virtual machine with an exit code of 0 to 255; does not return. */
#define DISCO_CALL_POWEROFF 4
/** () Starts the virtual machine anew; does not return. */
#define DISCO_CALL_RESET 5
/** () Nanoseconds since the virtual machine started. */
#define DISCO_CALL_TIME 6
/** (nanoseconds) Sets the interval timer to an absolute time; ~0 turns it off. */
#define DISCO_CALL_TIMER_SET 7
/** () Gives the rest of the time slice away. */
#define DISCO_CALL_YIELD 8
/** (id, pc, sp, gp) Starts another virtual processor. */
#define DISCO_CALL_VCPU_START 9
/** (mask) Raises the inter-processor interrupt line of the virtual processors in the mask. */
#define DISCO_CALL_IPI 10
/** () Lowers the caller's inter-processor interrupt line. */
#define DISCO_CALL_IPI_ACK 11
/** (gpa, length) The guest reports that it died, with its last words; does not return. */
#define DISCO_CALL_PANIC 12
/** () Stops the calling virtual processor, which another may start again; does not return. */
#define DISCO_CALL_VCPU_STOP 13
/**
 * (gpa, length) Pages that the guest has no use for now: the monitor takes their memory back at once, and the next
 * access to each finds it zeroed. Both page-aligned. Returns how many pages had memory.
 */
#define DISCO_CALL_PAGES_FREE 14
/** (gpa) Makes one page, page-aligned, read as zeros; costs the monitor nothing if it has no memory yet. */
#define DISCO_CALL_PAGE_ZERO 15
/** (disk) Size of a disk in sectors of 512 bytes; DISCO_ERR_NOT_FOUND if the VM has no such disk. */
#define DISCO_CALL_DISK_SIZE 16
/** (disk, gpa, length) One request: a struct disco_disk_request and its segments, io.h. */
#define DISCO_CALL_DISK_REQUEST 17
/** (gpa, length) Takes finished requests: writes an array of struct disco_disk_done; returns how many. */
#define DISCO_CALL_DISK_DONE 18
/** (gpa, length) Sends one frame: a struct disco_net_send and its segments, io.h. */
#define DISCO_CALL_NET_SEND 19
/** (gpa, length) Takes one frame into pages that the guest offers: struct disco_net_recv, io.h. */
#define DISCO_CALL_NET_RECV 20
/**
 * () State of the network interface: DISCO_NET_UP or 0; lowers its part of the device line. The interface has nothing to
 * do with the line before the first NET_STATE or NET_RECV.
 */
#define DISCO_CALL_NET_STATE 21
/** (to, from) Makes page `to` read as page `from` does, by sharing; both page-aligned gpas. */
#define DISCO_CALL_REMAP 22
/** (gpa, length) The same for an array of struct disco_remap, io.h; returns how many were done, in order. */
#define DISCO_CALL_REMAP_MANY 23
/**
 * (gpa, length) Where the guest marks pages whose contents it has no use for: one byte a page, nonzero = dead, a
 * plain store by the guest, cleared by the monitor when it gives the page contents. Length 0: no more.
 */
#define DISCO_CALL_DEAD_PAGES 24

/** Interrupt line of the devices, as the number of its Cause.IP bit. */
#define DISCO_LINE_DEVICE 2
/** Interrupt line of the other virtual processors' calls. */
#define DISCO_LINE_IPI 3
/** Interrupt line of the Count/Compare timer. */
#define DISCO_LINE_TIMER 7

#endif
