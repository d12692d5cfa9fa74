/* SPDX-License-Identifier: BSD-2-Clause */
/* The device tree writer: what it writes is read back by libfdt. */
#include <libfdt.h>

/* Two functions of the writer have names of libfdt; meson.build renames them in the same way. */
#define fdt_string writer_string
#define fdt_finish writer_finish
#include "monitor/fdt.h"

#include "fence.h"
#include "suite.h"

#include <string.h>

static struct fdt f;

/* As a seed is: some bytes of any value, zero among them. */
static const uint8_t seed[32] = {0xd0, 0x0d, 0xfe, 0xed, 0, 0, 0, 9, [30] = 0xff};

/* Everything the monitor writes: nodes in nodes, values of every kind and padding. */
static size_t write_tree(void *at, size_t size)
{
    fdt_start(&f, at, size);
    fdt_begin(&f, "");
    fdt_u32(&f, "#address-cells", 2);
    fdt_u32(&f, "#size-cells", 2);
    fdt_string(&f, "model", "four");
    fdt_begin(&f, "memory@0");
    fdt_string(&f, "device_type", "memory");
    fdt_reg(&f, UINT64_C(0x0123456789abcdef), UINT64_C(0xfedcba9876543210));
    fdt_end(&f);
    fdt_begin(&f, "cpus");
    fdt_bytes(&f, "ranges", NULL, 0);
    fdt_begin(&f, "cpu@0");
    fdt_string(&f, "device_type", "cpu");
    fdt_u32(&f, "reg", 0x80000001);
    fdt_end(&f);
    fdt_end(&f);
    fdt_begin(&f, "chosen");
    fdt_string(&f, "bootargs", "");
    fdt_u64(&f, "linux,initrd-start", UINT64_C(0x8877665544332211));
    fdt_bytes(&f, "five", "\x01\x02\x03\x04\x05", 5);
    fdt_bytes(&f, "rng-seed", seed, sizeof seed);
    fdt_end(&f);
    fdt_end(&f);
    return fdt_finish(&f);
}

static int node(const void *tree, const char *path)
{
    int n = fdt_path_offset(tree, path);

    ck_assert_msg(n >= 0, "%s: %s", path, fdt_strerror(n));
    return n;
}

static void has(const void *tree, const char *path, const char *name, const void *value, int len)
{
    int got;
    const void *p = fdt_getprop(tree, node(tree, path), name, &got);

    ck_assert_msg(p, "%s:%s: %s", path, name, fdt_strerror(got));
    ck_assert_int_eq(got, len);
    ck_assert(memcmp(p, value, (size_t)len) == 0);
}

static int properties(const void *tree, const char *path)
{
    int n = 0, p;

    fdt_for_each_property_offset(p, tree, node(tree, path)) n++;
    return n;
}

static int nodes(const void *tree)
{
    int n = 0, depth = 0;

    for (int at = 0; at >= 0 && depth >= 0; at = fdt_next_node(tree, at, &depth))
        n++;
    return n;
}

START_TEST(read_back)
{
    static uint32_t room[1024];
    const uint8_t *t = (const uint8_t *)room;
    size_t size = write_tree(room, sizeof room);

    ck_assert_uint_gt(size, 0);
    ck_assert_int_eq(fdt_check_full(t, size), 0);
    ck_assert_uint_eq(fdt_totalsize(t), size);
    ck_assert_uint_eq(fdt_version(t), 17);
    ck_assert_int_eq(fdt_num_mem_rsv(t), 0);
    ck_assert_int_eq(nodes(t), 5);
    has(t, "/", "#address-cells", "\0\0\0\2", 4);
    has(t, "/", "#size-cells", "\0\0\0\2", 4);
    has(t, "/", "model", "four", 5);
    has(t, "/memory@0", "device_type", "memory", 7);
    has(t, "/memory@0", "reg", "\x01\x23\x45\x67\x89\xab\xcd\xef\xfe\xdc\xba\x98\x76\x54\x32\x10",
        16);
    has(t, "/cpus", "ranges", "", 0);
    has(t, "/cpus/cpu@0", "device_type", "cpu", 4);
    has(t, "/cpus/cpu@0", "reg", "\x80\0\0\1", 4);
    has(t, "/chosen", "bootargs", "", 1);
    has(t, "/chosen", "linux,initrd-start", "\x88\x77\x66\x55\x44\x33\x22\x11", 8);
    has(t, "/chosen", "five", "\x01\x02\x03\x04\x05", 5);
    has(t, "/chosen", "rng-seed", seed, sizeof seed);
    ck_assert_int_eq(properties(t, "/"), 3);
    ck_assert_int_eq(properties(t, "/memory@0"), 2);
    ck_assert_int_eq(properties(t, "/cpus"), 1);
    ck_assert_int_eq(properties(t, "/cpus/cpu@0"), 2);
    ck_assert_int_eq(properties(t, "/chosen"), 4);
}
END_TEST

/* A name that occurs twice is one string; a name that begins like another is not the other. */
START_TEST(names_once)
{
    static uint32_t room[256];
    size_t size;

    fdt_start(&f, room, sizeof room);
    fdt_begin(&f, "");
    fdt_u32(&f, "reg", 1);
    fdt_u32(&f, "reg-io", 2);
    fdt_u32(&f, "r", 3);
    fdt_begin(&f, "n");
    fdt_u32(&f, "reg", 4);
    fdt_end(&f);
    fdt_end(&f);
    size = fdt_finish(&f);
    ck_assert_int_eq(fdt_check_full(room, size), 0);
    ck_assert_uint_eq(fdt_size_dt_strings(room), sizeof "reg" + sizeof "reg-io" + sizeof "r");
    has(room, "/", "reg", "\0\0\0\1", 4);
    has(room, "/", "reg-io", "\0\0\0\2", 4);
    has(room, "/", "r", "\0\0\0\3", 4);
    has(room, "/n", "reg", "\0\0\0\4", 4);
}
END_TEST

/* Values and node names of each length: padding never leaks into what is read. */
START_TEST(every_length)
{
    static uint32_t room[256];

    for (size_t len = 0; len < 40; len++) {
        char name[41] = "", path[43] = "/";

        memset(name, 'n', len);
        strcat(path, name);
        fdt_start(&f, room, sizeof room);
        fdt_begin(&f, "");
        fdt_begin(&f, len ? name : "n");
        fdt_bytes(&f, "value", name, len);
        fdt_string(&f, "string", name);
        fdt_end(&f);
        fdt_end(&f);
        ck_assert_int_eq(fdt_check_full(room, fdt_finish(&f)), 0);
        has(room, len ? path : "/n", "value", name, (int)len);
        has(room, len ? path : "/n", "string", name, (int)len + 1);
    }
}
END_TEST

/* At every size that is too small: 0, and nothing written outside. */
START_TEST(every_room)
{
    static uint32_t room[1024];
    size_t need = write_tree(room, sizeof room);

    for (size_t size = 0; size < need; size++) {
        uint8_t *at = (uint8_t *)fence(size + 16) + 8;

        memset(at - 8, 0x5a, size + 16);
        ck_assert_msg(write_tree(at, size) == 0, "%zu", size);
        for (size_t i = 0; i < 8; i++)
            ck_assert_msg(at[-1 - (int)i] == 0x5a && at[size + i] == 0x5a, "%zu", size);
        ck_assert_uint_eq(write_tree(fence(size), size), 0);
    }
    ck_assert_uint_eq(write_tree(fence(need), need), need);
    ck_assert(memcmp(fence(need), room, need) == 0);
}
END_TEST

/* Names up to what the table of names holds, and one byte more. */
START_TEST(room_for_names)
{
    static uint32_t room[1024];

    for (size_t last = 1; last <= 3; last++) {
        char name[256];
        size_t size;

        fdt_start(&f, room, sizeof room);
        fdt_begin(&f, "");
        for (int i = 0; i < 2; i++) {
            memset(name, 'a' + i, 254);
            name[254] = 0;
            fdt_u32(&f, name, 1);
        }
        memset(name, 'z', last);
        name[last] = 0;
        fdt_u32(&f, name, 1);
        fdt_end(&f);
        size = fdt_finish(&f);
        ck_assert_int_eq(size != 0, 2 * 255 + last + 1 <= FDT_STRINGS);
        ck_assert(!size || fdt_check_full(room, size) == 0);
    }
}
END_TEST

/* After a failure the same place serves again. */
START_TEST(start_again)
{
    static uint32_t room[1024];

    ck_assert_uint_eq(write_tree(room, 100), 0);
    ck_assert_uint_gt(write_tree(room, sizeof room), 0);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {read_back,  names_once,     every_length,
                            every_room, room_for_names, start_again};

    return SUITE_RUN("fdt", tests, NULL, NULL);
}
