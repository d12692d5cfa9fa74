/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A constant table in the image, large enough for superpages, in the segment that a kernel believes unmapped. All
 * virtual CPUs read all of it, over and over. Then one of them writes to single pages of two superpages while the
 * others go on reading: the superpages fall apart, and not a word but those that were written may look different to
 * anybody.
 */
#include "tree.h"
#include "vcpus.h"

#define PAGE 4096
#define ROW (128 * PAGE)      /* a superpage: of the backend */
#define WORDS 262144          /* of the table: 2 MiB */
#define TEXT_(...) #__VA_ARGS__
#define TEXT(x) TEXT_(x)

#define FACTOR 0x9e3779b1     /* so that every word is another, and so is every page */
__asm__(".section .rodata.table, \"a\"\n"
        ".balign 4096\n"
        "table: .set i, 0\n"
        ".rept " TEXT(WORDS) "\n"
        ".dword i * " TEXT(FACTOR) "\n"
        ".set i, i + 1\n"
        ".endr\n"
        ".previous");
extern const char table[];

#define DIRECT UINT64_C(0x4000000000000000)

/* Words that are written: from the first whole superpage on, by superpage and page; the last page is an edge. */
static const struct {
    unsigned row, page, word;
} written[] = {{0, 5, 17}, {2, 127, 511}, {0, 77, 0}, {2, 0, 1}};
#define WRITTEN (sizeof written / sizeof written[0])

#define MEANWHILE 16          /* times that the others read it all, at most, so that counters tell the rounds before */

static struct barrier meeting;
static volatile uint64_t wrong, all_written;
static unsigned vcpus;
static uint64_t rounds;

static uint64_t place(unsigned n)
{
    uint64_t first = (physical(table) + ROW - 1) / ROW * ROW;

    return (first + written[n].row * ROW + written[n].page * PAGE - physical(table)) / 8 + written[n].word;
}

/* The table's word @p i, at one of its two addresses. */
static volatile uint64_t *word(uint64_t i, uint64_t way)
{
    return (volatile uint64_t *)((way % 2 ? DIRECT + physical(table) : (uint64_t)table) + i * 8);
}

static uint64_t original(uint64_t i) { return i * FACTOR; }

static int is_written(uint64_t i)
{
    for (unsigned n = 0; n < WRITTEN; n++) {
        if (place(n) == i)
            return 1;
    }
    return 0;
}

/* How many words are not what they were. Those that are written, or are about to be, are looked at apart. */
static uint64_t changed(uint64_t way)
{
    uint64_t n = 0;

    for (uint64_t i = 0; i < WORDS; i++) {
        if (*word(i, way) != original(i))
            n += !is_written(i) || *word(i, way) != ~original(i);
    }
    return n;
}

static uint64_t not_as_written(int now)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < 2 * WRITTEN; i++) {
        uint64_t v = original(place(i / 2));

        n += *word(place(i / 2), i) != (now ? ~v : v);
    }
    return n;
}

static void write_all(void)
{
    for (unsigned n = 0; n < WRITTEN; n++) {
        *word(place(n), n) = ~original(place(n));
        add(&wrong, changed(n));
    }
    store(&all_written, 1);
}

static void member(void)
{
    barrier_wait(&meeting, vcpus);
    for (uint64_t round = 0; round < rounds; round++)
        add(&wrong, changed(round / 2));
    add(&wrong, not_as_written(0));
    barrier_wait(&meeting, vcpus);
    if (vcpu_id() == 0)
        write_all();
    for (unsigned n = 0; n < MEANWHILE && !load(&all_written); n++)
        add(&wrong, changed(vcpu_id()));
    barrier_wait(&meeting, vcpus);
    add(&wrong, changed(0) + changed(1) + not_as_written(1));
    barrier_wait(&meeting, vcpus);
}

int guest_main(void)
{
    vcpus = tree_vcpus();
    rounds = tree_number("rounds", 8);
    if (!vcpu_start_all(member))
        return 1;
    member();
    print(load(&wrong) ? "superpage: a word is wrong\n" : "superpage: all words are right\n");
    return load(&wrong) != 0;
}
