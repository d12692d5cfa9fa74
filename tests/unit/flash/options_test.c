/* SPDX-License-Identifier: BSD-2-Clause */
/* Options, and machines that cannot be. */
#include <string.h>

#include "machine.h"

static struct options o;

static bool option(const char *text)
{
    static char copy[100];

    strncpy(copy, text, sizeof copy - 1);
    return options_parse(&o, copy);
}

static void defaults(void) { options_default(&o); }

START_TEST(what_they_mean)
{
    ck_assert(option("ram=1G") && o.c.ram == 1 << 30);
    ck_assert(option("nodes=16") && o.c.nodes == 16);
    ck_assert(option("l2=256K") && o.c.second.bytes == 256 << 10);
    ck_assert(option("l2ways=4") && o.c.second.ways == 4);
    ck_assert(option("line=64") && o.c.line_shift == 6);
    ck_assert(option("cycle=5000") && o.c.cycle == 5000);
    ck_assert(option("remote=1200") && o.c.remote == 1200000);
    ck_assert(option("uma=on") && o.c.uma);
    ck_assert(option("uma=off") && !o.c.uma);
    ck_assert(!o.sleep && option("sleep=on") && o.sleep);
    ck_assert(option("area=0x100000") && o.has_area && o.area == 1 << 20);
    ck_assert(option("out=a=b") && strcmp(o.out, "a=b") == 0);
}
END_TEST

START_TEST(what_means_nothing)
{
    static const char *const texts[] = {"",
                                        "ram",
                                        "ram=",
                                        "ram=1Q",
                                        "ram=1GG",
                                        "ram=-1",
                                        "nodes=5G",
                                        "line=96",
                                        "line=0",
                                        "uma=yes",
                                        "=3",
                                        "colour=blue",
                                        "area=x",
                                        "ram=99999999999999999G",
                                        "local=9999999999999"};

    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(!option(texts[i]), "\"%s\"", texts[i]);
}
END_TEST

static void refused(struct config c)
{
    struct flash none;

    ck_assert_ptr_nonnull(flash_init(&none, &c));
}

START_TEST(machines_that_cannot_be)
{
#define WITH(change)                                                                               \
    do {                                                                                           \
        struct config c = small_machine();                                                         \
        c.change;                                                                                  \
        refused(c);                                                                                \
    } while (0)
    WITH(cpus = 0);
    WITH(cpus = 65);
    WITH(nodes = 0);
    WITH(nodes = 65);
    WITH(nodes = 17); /* fewer pages than nodes */
    WITH(ram = 0);
    WITH(ram = UINT64_MAX);
    WITH(line_shift = 3);
    WITH(line_shift = 13);
    WITH(first.ways = 0);
    WITH(first.ways = 3);
    WITH(second.bytes = 0);
    WITH(second.bytes = 3 << 10);
    WITH(sample = 0);
    WITH(slots = 0);
    WITH(slots = 3);
    WITH(slots = 131072);
}
END_TEST

START_TEST(more_nodes_than_processors)
{
    struct config c = small_machine();

    c.nodes = 16;
    start_with(&c);
    ck_assert_uint_eq(f.cpu[3].node, 12);
    teardown();
}
END_TEST

int main(void)
{
    const TTest *tests[] = {what_they_mean, what_means_nothing, machines_that_cannot_be,
                            more_nodes_than_processors};

    return SUITE_RUN("flash-options", tests, defaults, NULL);
}
