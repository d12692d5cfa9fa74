/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef TINY_H
#define TINY_H

/* A guest in a few dozen lines: implement guest_main(); its result is the exit code. */

#include <stdint.h>

#include <disco/calls.h>

/* start.S */
#define TINY_STACKS 16384 /* bytes of stack for each virtual CPU */
extern char tiny_stacks[8][TINY_STACKS];
int64_t hypcall(uint64_t number, uint64_t a0, uint64_t a1, uint64_t a2, uint64_t a3, uint64_t a4);
void enter_user(uint64_t pc, uint64_t sp);
/* Accesses that may fault; a handler skips them by going on at EPC + 4. */
uint64_t tiny_load(uint64_t va);
void tiny_store(uint64_t va, uint64_t value);

/* The guest's own. */
int guest_main(void);
/*
 * An exception: Cause, EPC, BadVAddr and the vector's offset. Returns the address to go on at.
 * A guest that defines none gets one that powers off with code 100 + ExcCode.
 */
uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector);

/* tiny.c */
void print(const char *text);
void print_hex(uint64_t value);
void power_off(int code) __attribute__((noreturn));
/* What tiny_exception() does by default. */
void tiny_unexpected(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
    __attribute__((noreturn));
/* Guest-physical address of something in the guest's image. */
static inline uint64_t physical(const void *p) { return (uint64_t)p - 0xffffffffc0000000; }
#define EXC_CODE(cause) ((cause) >> 2 & 31)

#endif
