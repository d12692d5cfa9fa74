/* SPDX-License-Identifier: BSD-2-Clause */
/**
 * @file
 * Count and Compare as arithmetic over a host time base: nothing ticks.
 *
 * Time is a 64-bit number of Count ticks that never runs backwards. Compare matches by equality: a
 * value just passed comes round again only after 2^32 ticks. Pure; the state is plain data.
 */
#ifndef MIPS64_PURE_COUNT_H
#define MIPS64_PURE_COUNT_H

#include <stdbool.h>
#include <stdint.h>

/** Never: the answer of mips_count_until() for a stopped clock. */
#define MIPS_COUNT_NEVER UINT64_MAX

/** One virtual Count. All zero is a running clock equal to the low half of the time base. */
struct mips_count {
    uint64_t bias;  /**< Count is the low half of time + bias while running */
    uint32_t value; /**< Count while stopped */
    bool stopped;
};

/** Start a running clock that reads @p value at time @p now. */
void mips_count_init(struct mips_count *c, uint64_t now, uint32_t value);

/** Count at time @p now. */
uint32_t mips_count_read(const struct mips_count *c, uint64_t now);

/** Make Count read @p value at time @p now; a stopped clock stays stopped. */
void mips_count_set(struct mips_count *c, uint64_t now, uint32_t value);

/** Ticks after @p now until Count next becomes equal to @p compare: 1..2^32, or MIPS_COUNT_NEVER.
 * If they are equal now, that match has happened and the next is 2^32 away. */
uint64_t mips_count_until(const struct mips_count *c, uint64_t now, uint32_t compare);

/** Time of the next match, MIPS_COUNT_NEVER if there is none that a 64-bit time can name. */
uint64_t mips_count_deadline(const struct mips_count *c, uint64_t now, uint32_t compare);

/** Whether the timer's line rose in (@p from, @p to]; false if that interval is empty or reversed.
 * Consecutive intervals neither lose nor repeat a match; Count must not be set within one. */
bool mips_count_matched(const struct mips_count *c, uint64_t from, uint64_t to, uint32_t compare);

/** Stop (Cause.DC, a paused VM); Count keeps its value. Idempotent. */
void mips_count_pause(struct mips_count *c, uint64_t now);

/** Go on from the value kept. Idempotent. */
void mips_count_resume(struct mips_count *c, uint64_t now);

#endif
