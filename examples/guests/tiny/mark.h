/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MARK_H
#define MARK_H

/*
 * Marks for tools/icount: instructions that do nothing, at which the counts are noted down.
 * 0 begins a measured piece, 1 ends it.
 */
#define MARK_BEGIN ".word 0x3400d150\n" /* ori $0, $0, 0xd150 */
#define MARK_END ".word 0x3400d151\n"

#define mark_begin() __asm__ volatile(MARK_BEGIN ::: "memory")
#define mark_end() __asm__ volatile(MARK_END ::: "memory")

#endif
