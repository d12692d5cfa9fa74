/* SPDX-License-Identifier: BSD-2-Clause */
#include "count.h"

#define FULL_TURN ((uint64_t)1 << 32)

void mips_count_init(struct mips_count *c, uint64_t now, uint32_t value)
{
    *c = (struct mips_count){.bias = value - now};
}

uint32_t mips_count_read(const struct mips_count *c, uint64_t now)
{
    return c->stopped ? c->value : (uint32_t)(now + c->bias);
}

void mips_count_set(struct mips_count *c, uint64_t now, uint32_t value)
{
    if (c->stopped) {
        c->value = value;
    } else {
        c->bias = value - now;
    }
}

uint64_t mips_count_until(const struct mips_count *c, uint64_t now, uint32_t compare)
{
    uint32_t delta = compare - mips_count_read(c, now);

    if (c->stopped) {
        return MIPS_COUNT_NEVER;
    }
    return delta == 0 ? FULL_TURN : delta;
}

uint64_t mips_count_deadline(const struct mips_count *c, uint64_t now, uint32_t compare)
{
    uint64_t until = mips_count_until(c, now, compare);

    return until > MIPS_COUNT_NEVER - now ? MIPS_COUNT_NEVER : now + until;
}

bool mips_count_matched(const struct mips_count *c, uint64_t from, uint64_t to, uint32_t compare)
{
    if (c->stopped || to <= from) {
        return false;
    }
    return to - from >= mips_count_until(c, from, compare);
}

void mips_count_pause(struct mips_count *c, uint64_t now)
{
    c->value = mips_count_read(c, now);
    c->stopped = true;
}

void mips_count_resume(struct mips_count *c, uint64_t now)
{
    if (c->stopped) {
        c->stopped = false;
        mips_count_set(c, now, c->value);
    }
}
