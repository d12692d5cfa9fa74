/* SPDX-License-Identifier: BSD-2-Clause */
/* What the engine remembers of pages: found again within an interval, gone after it, bounded. */
#include "mock_backend.h"
#include "numa_private.h"
#include "suite.h"

#include <string.h>

#define SETS 4

static struct note notes[SETS * HISTORY_WAYS];
static struct history h;
static uint64_t evicted;

static void begin(void)
{
    memset(notes, 0, sizeof notes);
    h = (struct history){.note = notes, .sets = SETS, .generation = 1};
    evicted = 0;
}

START_TEST(found_again)
{
    struct note *n = disco_history_note(&h, 42, &evicted);

    ck_assert_ptr_null(disco_history_find(&h, 43));
    n->moves = 3;
    ck_assert_ptr_eq(disco_history_note(&h, 42, &evicted), n);
    ck_assert_ptr_eq(disco_history_find(&h, 42), n);
    ck_assert_uint_eq(disco_history_find(&h, 42)->moves, 3);
    ck_assert_uint_eq(evicted, 0);
}
END_TEST

/* Nothing is ever in an empty table, not even key 0. */
START_TEST(empty)
{
    for (uint64_t k = 0; k < 100; k++)
        ck_assert_ptr_null(disco_history_find(&h, k));
}
END_TEST

START_TEST(an_interval_forgets)
{
    for (uint64_t k = 0; k < 8; k++)
        disco_history_note(&h, k, &evicted)->moves = 7;
    h.generation++;
    evicted = 0;
    for (uint64_t k = 0; k < 8; k++) {
        struct note *n;

        ck_assert_ptr_null(disco_history_find(&h, k));
        n = disco_history_note(&h, k, &evicted);
        ck_assert(n->moves == 0 && !n->replicated && n->base == 0 && n->when == 0 &&
                  n->copier == 0);
    }
    ck_assert_uint_eq(evicted, 0);
}
END_TEST

/* Five pages in a set of four: that which moved least goes; of two, the one that moved first. */
START_TEST(least_loss)
{
    static const uint16_t moves[] = {3, 1, 2, 1};
    uint64_t key[5], found = 0;

    h.sets = 1;
    for (uint64_t k = 0; k < 5; k++)
        key[k] = 1000 + k;
    for (unsigned i = 0; i < 4; i++) {
        struct note *n = disco_history_note(&h, key[i], &evicted);

        n->moves = moves[i];
        n->when = i;
    }
    ck_assert_uint_eq(evicted, 0);
    disco_history_note(&h, key[4], &evicted)->moves = 9;
    ck_assert_uint_eq(evicted, 1);
    ck_assert_ptr_null(disco_history_find(&h, key[1]));
    for (unsigned i = 0; i < 5; i++)
        found += disco_history_find(&h, key[i]) != NULL;
    ck_assert_uint_eq(found, 4);
    disco_history_note(&h, key[1], &evicted)->moves = 9;
    ck_assert_ptr_null(disco_history_find(&h, key[3]));
}
END_TEST

/* Against a list that remembers everything: what the table knows is right, and it loses only what it says. */
START_TEST(against_a_list)
{
    static uint16_t moves[256];
    uint64_t seed = 99 + (uint64_t)_i;

    memset(moves, 0, sizeof moves);
    for (unsigned i = 0; i < 20000; i++) {
        uint64_t key = mock_random(&seed) % 256, lost = evicted;
        const struct note *known = disco_history_find(&h, key);

        if (mock_random(&seed) % 500 == 0) {
            h.generation++;
            memset(moves, 0, sizeof moves);
            continue;
        }
        if (known)
            ck_assert_uint_eq(known->moves, moves[key]);
        else
            moves[key] = 0;
        disco_history_note(&h, key, &evicted)->moves = ++moves[key];
        ck_assert_uint_le(evicted - lost, known ? 0 : 1);
    }
    ck_assert_uint_gt(evicted, 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {found_again, empty, an_interval_forgets, least_loss, against_a_list};

    return SUITE_RUN("numa history", tests, begin, NULL);
}
