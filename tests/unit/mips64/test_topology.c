/* SPDX-License-Identifier: BSD-2-Clause */
/* How a machine is divided among nodes: every processor and every page has one, evenly and in order. */
#include "flash/topology.h"

#include "rng.h"

static void divided_evenly(unsigned cpus, unsigned nodes)
{
    struct disco_backend b = {.cpus = cpus};
    unsigned has[DISCO_MAX_NODES] = {0}, least = cpus / nodes;

    ck_assert_int_eq(flash_divide(&b, nodes, 1000), 0);
    ck_assert_uint_eq(b.nodes, nodes);
    for (unsigned i = 0; i < cpus; i++) {
        ck_assert_uint_lt(b.node_of_cpu[i], nodes);
        if (i)
            ck_assert_uint_ge(b.node_of_cpu[i], b.node_of_cpu[i - 1]);
        has[b.node_of_cpu[i]]++;
    }
    for (unsigned n = 0; n < nodes; n++)
        ck_assert(has[n] == least || has[n] == least + 1);
}

START_TEST(processors)
{
    struct disco_backend b = {.cpus = 8};

    for (unsigned cpus = 1; cpus <= DISCO_MAX_CPUS; cpus++) {
        for (unsigned nodes = 1; nodes <= DISCO_MAX_NODES; nodes++)
            divided_evenly(cpus, nodes);
    }
    ck_assert_int_eq(flash_divide(&b, 4, 1000), 0);
    ck_assert_uint_eq(b.node_of_cpu[1], 0);
    ck_assert_uint_eq(b.node_of_cpu[2], 1);
    ck_assert_uint_eq(b.node_of_cpu[7], 3);
}
END_TEST

START_TEST(memory)
{
    ck_assert_uint_eq(flash_node_begin(1003, 4, 0), 0);
    ck_assert_uint_eq(flash_node_begin(1003, 4, 1), 250);
    ck_assert_uint_eq(flash_node_begin(1003, 4, 3), 750);
    ck_assert_uint_eq(flash_node_begin(1003, 4, 4), 1003); /* the last has what is left over */
}
END_TEST

START_TEST(impossible)
{
    struct disco_backend b = {.cpus = 8}, none = {.cpus = 0};

    ck_assert_int_eq(flash_divide(&b, 0, 1000), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(flash_divide(&b, DISCO_MAX_NODES + 1, 1000), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(flash_divide(&b, 4, 3), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(flash_divide(&none, 1, 3), DISCO_ERR_BAD_ARG);
}
END_TEST

int main(void)
{
    TCase *t = tcase_create("topology");

    tcase_add_test(t, processors);
    tcase_add_test(t, memory);
    tcase_add_test(t, impossible);
    return run_case("flash topology", t);
}
