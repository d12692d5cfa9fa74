/* SPDX-License-Identifier: BSD-2-Clause */
/* The parallel sort beside qsort(), with threads of the host as on_linux.c starts them. */
#include "sort.h"

#include "suite.h"

#include <string.h>

int program(void) { return 0; } /* there is none here */

static struct sort sorter;

static void thread(void *arg) { sort_thread(&sorter, (unsigned)(uintptr_t)arg); }

static void sort_in_threads(void)
{
    int other[OS_THREADS];

    for (unsigned i = 1; i < sorter.threads; i++) {
        other[i] = os_start(thread, (void *)(uintptr_t)i);
        ck_assert_int_gt(other[i], 0);
    }
    thread(NULL);
    for (unsigned i = 1; i < sorter.threads; i++)
        os_join(other[i]);
}

static int order(const void *a, const void *b)
{
    uint32_t x = *(const uint32_t *)a, y = *(const uint32_t *)b;

    return (x > y) - (x < y);
}

static uint32_t random_key(uint64_t *s, unsigned kind)
{
    *s ^= *s << 13;
    *s ^= *s >> 7;
    *s ^= *s << 17;
    return kind == 0   ? (uint32_t)*s
           : kind == 1 ? (uint32_t)*s % 5
                       : UINT32_MAX - (uint32_t)(*s % 300);
}

/* Words behind the arrays, which nobody may write. */
#define GUARD 0x9a4d9a4d

static uint32_t *array(uint64_t n, uint64_t *size)
{
    uint32_t *a = malloc((n + 1) * sizeof *a);

    *size = n * sizeof *a;
    memset(a, 0xee, *size);
    a[n] = GUARD;
    return a;
}

static void check(uint64_t keys, unsigned threads, unsigned bits, unsigned kind)
{
    uint64_t places = sort_places(threads, bits), size, seed = keys * 64 + threads * 8 + bits + 1;
    uint32_t *expected = array(keys, &size);

    sorter = (struct sort){.threads = threads, .bits = bits, .keys = keys};
    sorter.places = array(places, &size);
    sorter.other = array(keys, &size);
    sorter.key = array(keys, &size);
    for (uint64_t i = 0; i < keys; i++)
        sorter.key[i] = expected[i] = random_key(&seed, kind);
    qsort(expected, keys, sizeof *expected, order);
    sort_in_threads();
    ck_assert(memcmp(sort_result(&sorter), expected, size) == 0);
    ck_assert(sorter.key[keys] == GUARD && sorter.other[keys] == GUARD &&
              sorter.places[places] == GUARD);
    free(expected);
    free(sorter.key);
    free(sorter.other);
    free(sorter.places);
}

START_TEST(beside_qsort)
{
    static const uint64_t keys[] = {0, 1, 2, 7, 8, 100, 5003};
    static const unsigned bits[] = {1, 5, 8, 11, 16};

    for (unsigned threads = 1; threads <= OS_THREADS; threads++) {
        for (size_t k = 0; k < sizeof keys / sizeof keys[0]; k++) {
            for (size_t b = 0; b < sizeof bits / sizeof bits[0]; b++)
                check(keys[k], threads, bits[b], (unsigned)(k + b) % 3);
        }
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {beside_qsort};

    return SUITE_RUN("sort", tests, NULL, NULL);
}
