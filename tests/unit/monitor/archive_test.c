/* SPDX-License-Identifier: BSD-2-Clause */
/* The boot archive: what is found, and how archives fail that are damaged. */
#include "fence.h"
#include "samples.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

static struct cpio a;

static void setup(void) { cpio_sample(&a); }

static bool find(struct bytes archive, const char *name, struct bytes *file)
{
    return archive_find(archive, name, strlen(name), file);
}

static bool found(const char *name)
{
    struct bytes file;

    return find(fenced(a.bytes, a.len), name, &file);
}

static void is(const char *name, const char *contents)
{
    struct bytes archive = fenced(a.bytes, a.len), file = {NULL, 1};

    ck_assert_msg(find(archive, name, &file), "%s", name);
    ck_assert_uint_eq(file.len, strlen(contents));
    ck_assert(file.at >= archive.at && file.at <= archive.at + archive.len);
    ck_assert(memcmp(file.at, contents, file.len) == 0);
}

START_TEST(every_file)
{
    is("vms.conf", "[vm0]\nmemory = 32M\nkernel = vmlinux\n");
    is("a", "1");
    is("vmlinux", "kernel");
    is("folder/file", "");
    is("vms.conf.old", "old");
}
END_TEST

START_TEST(names_are_whole)
{
    const char *const wrong[] = {"",         "vms", "vms.con", "vms.conf.", "ms.conf",
                                 "VMS.CONF", "b",   "folder",  "file"};

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        ck_assert_msg(!found(wrong[i]), "%s", wrong[i]);
}
END_TEST

/* Names and contents of every length, so that all paddings occur. */
START_TEST(every_padding)
{
    for (size_t n = 1; n < 10; n++) {
        for (size_t len = 0; len < 10; len++) {
            char name[16] = "", data[16] = "";

            memset(name, 'n', n);
            memset(data, 'd', len);
            a.len = 0;
            cpio_add(&a, "first", data, len);
            cpio_add(&a, name, data, len);
            cpio_add(&a, "last", "end", 3);
            is("first", data);
            is(name, data);
            is("last", "end");
        }
    }
}
END_TEST

START_TEST(first_of_two)
{
    a.len = 0;
    cpio_add(&a, "twice", "one", 3);
    cpio_add(&a, "twice", "two", 3);
    is("twice", "one");
}
END_TEST

/* Without an end the file is whole or not there: nothing is half there. */
START_TEST(cut_anywhere)
{
    const char *const name[] = {"vms.conf", "a", "vmlinux", "folder/file", "vms.conf.old", "none"};

    for (size_t len = 0; len < a.len; len++) {
        struct bytes cut = fenced(a.bytes, len), file, whole;

        for (size_t i = 0; i < sizeof name / sizeof name[0]; i++) {
            if (!find(cut, name[i], &file))
                continue;
            ck_assert(file.at <= cut.at + len && file.len <= (size_t)(cut.at + len - file.at));
            ck_assert(find((struct bytes){a.bytes, a.len}, name[i], &whole));
            ck_assert_uint_eq(file.len, whole.len);
        }
    }
    ck_assert(found("vms.conf.old"));
}
END_TEST

START_TEST(cut_before_contents)
{
    struct bytes file;
    size_t end;

    a.len = 0;
    cpio_add(&a, "file", "12345678", 8);
    end = a.len;
    for (size_t len = 0; len < end; len++)
        ck_assert_msg(!find(fenced(a.bytes, len), "file", &file), "%zu", len);
    ck_assert(find(fenced(a.bytes, end), "file", &file));
}
END_TEST

/* What stands before a damaged header is found, nothing behind it. */
START_TEST(damaged_magic)
{
    for (size_t i = 0; i < 6; i++) {
        size_t second;

        a.len = 0;
        cpio_add(&a, "before", "", 0);
        second = cpio_add(&a, "damaged", "", 0);
        cpio_add(&a, "behind", "", 0);
        a.bytes[second + i] ^= 2;
        ck_assert(found("before"));
        ck_assert(!found("damaged"));
        ck_assert(!found("behind"));
    }
}
END_TEST

static void set_field(size_t at, unsigned value)
{
    char digits[9];

    snprintf(digits, sizeof digits, "%08x", value);
    memcpy(a.bytes + at, digits, 8);
}

START_TEST(sizes_that_lie)
{
    const unsigned lie[] = {0x7fffffff, 0x80000000, 0xfffffff0, 0xffffff91, 0xfffffffc, 0xffffffff};

    for (size_t i = 0; i < sizeof lie / sizeof lie[0]; i++) {
        cpio_sample(&a);
        set_field(CPIO_FILESIZE, lie[i]);
        ck_assert(!found("vms.conf") && !found("a"));
        cpio_sample(&a);
        set_field(CPIO_NAMESIZE, lie[i]);
        ck_assert(!found("vms.conf") && !found("a"));
    }
}
END_TEST

/* A file of as many bytes as there are, and of one more. */
START_TEST(size_at_its_limit)
{
    a.len = 0;
    cpio_add(&a, "file", "12345678", 8);
    set_field(CPIO_FILESIZE, 9);
    ck_assert(!found("file"));
    set_field(CPIO_FILESIZE, 8);
    is("file", "12345678");
    set_field(CPIO_FILESIZE, 0);
    is("file", "");
}
END_TEST

START_TEST(name_at_its_limit)
{
    a.len = 0;
    cpio_add(&a, "12345", "", 0); /* with its end exactly to the end of the archive */
    ck_assert_uint_eq(a.len, CPIO_HEADER + 6);
    ck_assert(found("12345"));
    set_field(CPIO_NAMESIZE, 7);
    ck_assert(!found("12345"));
    set_field(CPIO_NAMESIZE, 0);
    ck_assert(!found("12345") && !found(""));
    a.len = 0;
    cpio_add(&a, "", "", 0);
    cpio_add(&a, "behind", "", 0);
    ck_assert(found("behind"));
    set_field(CPIO_NAMESIZE, 0);
    a.bytes[CPIO_HEADER - 1] = 0; /* a name of no bytes has no end either */
    ck_assert(!found("behind"));
}
END_TEST

START_TEST(name_without_end)
{
    a.len = 0;
    cpio_add(&a, "12345", "", 0);
    cpio_add(&a, "behind", "", 0);
    a.bytes[CPIO_HEADER + 5] = '6';
    ck_assert(!found("12345") && !found("123456") && !found("behind"));
}
END_TEST

/* Digits in both cases are numbers; anything else is damage. */
START_TEST(digits)
{
    const char bad[] = "/:@G`g \0-x\xb0";

    a.len = 0;
    cpio_add(&a, "ten bytes", "1234567890", 10);
    memcpy(a.bytes + CPIO_NAMESIZE, "0000000A", 8);
    memcpy(a.bytes + CPIO_FILESIZE, "0000000A", 8);
    is("ten bytes", "1234567890");
    for (size_t i = 0; i < sizeof bad; i++) {
        for (size_t d = 0; d < 8; d++) {
            set_field(CPIO_FILESIZE, 10);
            a.bytes[CPIO_FILESIZE + d] = (uint8_t)bad[i];
            ck_assert(!found("ten bytes"));
            set_field(CPIO_FILESIZE, 10);
            a.bytes[CPIO_NAMESIZE + d] = (uint8_t)bad[i];
            ck_assert(!found("ten bytes"));
            set_field(CPIO_NAMESIZE, 10);
        }
    }
    ck_assert(found("ten bytes"));
}
END_TEST

int main(void)
{
    const TTest *tests[] = {every_file,        names_are_whole,  every_padding,
                            first_of_two,      cut_anywhere,     cut_before_contents,
                            damaged_magic,     sizes_that_lie,   size_at_its_limit,
                            name_at_its_limit, name_without_end, digits};

    return SUITE_RUN("archive", tests, setup, NULL);
}
