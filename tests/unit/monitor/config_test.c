/* SPDX-License-Identifier: BSD-2-Clause */
/* vms.conf: what it may hold, and for each mistake its text and its line. */
#include "monitor/config.h"

#include "fence.h"
#include "suite.h"

#include <stdio.h>
#include <string.h>

#define VM "[vm]\nmemory = 32M\nkernel = vmlinux\n"
#define DISK "[disk d]\nunit = 3\n"

static const char whole[] = "# two machines, two disks\n"
                            "\n"
                            "[first]\r\n"
                            "  cpus=3\t\r\n"
                            "memory = 128M\n"
                            "\tkernel\t=\tvmlinux  \n"
                            "initrd = initramfs.gz\n"
                            "append = console=ttyS0 root=/dev/ram0  # 1\n"
                            "disks = root\tdata\nnet = yes\nuart = yes\n"
                            "   # and\n"
                            "[disk\t data ]\n"
                            "changes=visible\nkeep=yes\nunit = 1\nlog = 8K\ncopy = yes\n"
                            "[ second-one_2 ]\n"
                            "memory = 8K\n"
                            "kernel = hello.elf\n"
                            "[disk root]\n"
                            "unit = 0";

static struct config c;

static struct config_error parse(const char *text, size_t len)
{
    memset(&c, 0xa5, sizeof c);
    return config_parse(fenced(text, len), &c);
}

static void fails(const char *text, unsigned line, const char *what)
{
    struct config_error e = parse(text, strlen(text));

    ck_assert_msg(e.what, "accepted:\n%s", text);
    ck_assert_str_eq(e.what, what);
    ck_assert_msg(e.line == line, "line %u instead of %u:\n%s", e.line, line, text);
}

static void works(const char *text)
{
    struct config_error e = parse(text, strlen(text));

    ck_assert_msg(!e.what, "line %u: %s:\n%s", e.line, e.what, text);
}

START_TEST(everything)
{
    works(whole);
    ck_assert_uint_eq(c.vms, 2);
    ck_assert_str_eq(c.vm[0].name, "first");
    ck_assert_uint_eq(c.vm[0].cpus, 3);
    ck_assert_uint_eq(c.vm[0].memory, 128 << 20);
    ck_assert_str_eq(c.vm[0].kernel, "vmlinux");
    ck_assert_str_eq(c.vm[0].initrd, "initramfs.gz");
    ck_assert_str_eq(c.vm[0].append, "console=ttyS0 root=/dev/ram0  # 1");
    ck_assert_str_eq(c.vm[1].name, "second-one_2");
    ck_assert_uint_eq(c.vm[1].cpus, 1);
    ck_assert_uint_eq(c.vm[1].memory, 8192);
    ck_assert_str_eq(c.vm[1].kernel, "hello.elf");
    ck_assert_str_eq(c.vm[1].initrd, "");
    ck_assert_str_eq(c.vm[1].append, "");
}
END_TEST

START_TEST(everything_of_disks)
{
    works(whole);
    ck_assert_uint_eq(c.disks, 2);
    ck_assert_str_eq(c.disk[0].name, "data");
    ck_assert_uint_eq(c.disk[0].unit, 1);
    ck_assert(c.disk[0].visible && c.disk[0].keep && c.disk[0].copy);
    ck_assert_uint_eq(c.disk[0].log, 8192);
    ck_assert_str_eq(c.disk[1].name, "root");
    ck_assert_uint_eq(c.disk[1].unit, 0);
    ck_assert(!c.disk[1].visible && !c.disk[1].keep && !c.disk[1].copy);
    ck_assert_uint_eq(c.disk[1].log, 64 << 20);
    ck_assert_uint_eq(c.vm[0].disks, 2);
    ck_assert_uint_eq(c.vm[0].disk[0], 1);
    ck_assert_uint_eq(c.vm[0].disk[1], 0);
    ck_assert(c.vm[0].net && c.vm[0].uart);
    ck_assert_uint_eq(c.vm[1].disks, 0);
    ck_assert(!c.vm[1].net && !c.vm[1].uart);
}
END_TEST

START_TEST(mistakes)
{
    const struct {
        const char *text, *what;
        unsigned line;
    } row[] = {
        {"", "no virtual machine in it", 0},
        {"\n\n\n", "no virtual machine in it", 0},
        {"# only\n# words", "no virtual machine in it", 0},
        {"cpus = 1\n" VM, "a setting before the first [name]", 1},
        {"\n#\ncpus = 1", "a setting before the first [name]", 3},
        {VM "what\n", "neither [name] nor key = value", 4},
        {VM "[", "neither [name] nor key = value", 4},
        {VM "[\n", "neither [name] nor key = value", 4},
        {VM "]\n", "neither [name] nor key = value", 4},
        {VM "[]\n", "a section is [name] or [disk name]", 4},
        {VM "[  ]\n", "a section is [name] or [disk name]", 4},
        {VM "[two\n", "a section is [name] or [disk name]", 4},
        {VM "[two] x\n", "a section is [name] or [disk name]", 4},
        {VM "[two = 2\n", "a section is [name] or [disk name]", 4},
        {VM "\n[vm]\n", "two virtual machines of one name", 5},
        {VM "[ vm ]", "two virtual machines of one name", 4},
        {VM "colour = red\n", "unknown key", 4},
        {VM "CPUS = 1\n", "unknown key", 4},
        {VM "cpu = 1\n", "unknown key", 4},
        {VM "cpuss = 1\n", "unknown key", 4},
        {VM "= 1\n", "unknown key", 4},
        {"[vm]\n[two]\n", "the virtual machine above has no memory", 2},
        {"[vm]\nkernel = k", "the virtual machine above has no memory", 2},
        {"[vm]\nmemory = 8M\n\n[two]\n", "the virtual machine above has no kernel", 4},
        {"[vm]\nmemory = 8M\nkernel =\n", "the virtual machine above has no kernel", 3},
        {"[vm]\nmemory = 8M\n" DISK, "the virtual machine above has no kernel", 3},
        {VM "net = on\n", "net is yes or no", 4},
        {VM "net =\n", "net is yes or no", 4},
        {VM "uart = YES\n", "uart is yes or no", 4},
        {VM "unit = 0\n", "unknown key", 4},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        fails(row[i].text, row[i].line, row[i].what);
}
END_TEST

START_TEST(mistakes_about_disks)
{
    const struct {
        const char *text, *what;
        unsigned line;
    } row[] = {
        {DISK, "no virtual machine in it", 0},
        {DISK DISK, "two disks of one name", 3},
        {DISK "[disk e]\n", "the disk above has no unit", 3},
        {"[disk e]\n" VM, "the disk above has no unit", 2},
        {DISK "[disk e]\nunit = 3\n" VM, "the disk above has the unit of another", 5},
        {VM DISK "[disk e]\nunit = 3\n", "the disk above has the unit of another", 7},
        {VM DISK "memory = 8K\n", "unknown key", 6},
        {VM DISK "disks = d\n", "unknown key", 6},
        {VM DISK "changes = shared\n", "changes is private or visible", 6},
        {VM DISK "keep = maybe\n", "keep is yes or no", 6},
        {VM DISK "copy = 1\n", "copy is yes or no", 6},
        {VM DISK "unit = 8\n", "unit is a number from 0 to 7", 6},
        {VM DISK "unit = -1\n", "unit is a number from 0 to 7", 6},
        {VM DISK "unit =\n", "unit is a number from 0 to 7", 6},
        {VM DISK "unit = 18446744073709551616\n", "unit is a number from 0 to 7", 6},
        {VM DISK "log = 64MB\n", "log is a number with K, M or G", 6},
        {VM DISK "log = 0\n", "log is a multiple of 4K, at most 1G", 6},
        {VM DISK "log = 6K\n", "log is a multiple of 4K, at most 1G", 6},
        {VM DISK "log = 2G\n", "log is a multiple of 4K, at most 1G", 6},
        {VM "disks = d\n\n", "no disk of that name", 4},
        {VM "\ndisks = vm\n" DISK, "no disk of that name", 5},
        {VM "disks = dd\n" DISK, "no disk of that name", 4},
        {VM "disks = d d\n" DISK, "one disk twice in a virtual machine", 4},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++)
        fails(row[i].text, row[i].line, row[i].what);
}
END_TEST

START_TEST(who_has_which_disk)
{
    static const char five[] = "[disk a]\nunit=0\n[disk b]\nunit=1\n[disk c]\nunit=2\n[disk "
                               "d]\nunit=3\n[disk e]\nunit=7\n";
    char text[256];

    snprintf(text, sizeof text, "%s" VM "disks = e d a b\n", five);
    works(text);
    ck_assert_uint_eq(c.vm[0].disks, 4);
    ck_assert(c.vm[0].disk[0] == 4 && c.vm[0].disk[1] == 3);
    ck_assert(c.vm[0].disk[2] == 0 && c.vm[0].disk[3] == 1);
    snprintf(text, sizeof text, "%s" VM "disks = e d a b c\n", five);
    fails(text, 14, "a virtual machine has at most 4 disks");
    /* Whether two may have it at once is for the monitor to say when the second starts. */
    works(VM "disks = d\n[two]\nmemory=8K\nkernel=k\ndisks=d\n" DISK "changes=visible\nkeep=yes\n");
    ck_assert(c.vm[0].disks == 1 && c.vm[1].disks == 1);
    works(VM "disks = x\ndisks =\n");
    ck_assert_uint_eq(c.vm[0].disks, 0);
}
END_TEST

START_TEST(cpus)
{
    const char *const wrong[] = {"",
                                 "0",
                                 "17",
                                 "64",
                                 "1000",
                                 "-1",
                                 "+1",
                                 "1 2",
                                 "1x",
                                 "x",
                                 "0x1",
                                 "1.0",
                                 "18446744073709551615",
                                 "18446744073709551616",
                                 "18446744073709551617",
                                 "340282366920938463463374607431768211457"};
    char text[128];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, VM "cpus = %s\n", wrong[i]);
        fails(text, 4, "cpus is a number from 1 to 16");
    }
    for (unsigned n = 1; n <= CONFIG_CPUS; n++) {
        snprintf(text, sizeof text, VM "cpus = %u", n);
        works(text);
        ck_assert_uint_eq(c.vm[0].cpus, n);
    }
    works(VM "cpus = 0008");
    ck_assert_uint_eq(c.vm[0].cpus, 8);
}
END_TEST

/* Names stand in the log in front of a dot, and where cpu0 and machine could stand. */
START_TEST(names)
{
    static const char bad_name[] = "a name has letters, digits, - and _, is not machine, disk, "
                                   "net or numa and does not begin with cpu";
    const char *const wrong[] = {"two words", "a.b",      "machine",   "cpu",       "cpu0",
                                 "cpux",      "a/b",      "a:b",       "disk",      "net",
                                 "numa",      "disk a b", "disk cpu1", "disk disk", "\xc3\xa4",
                                 "[v",        "v]",       "a@b",       "a`b",       "a{b"};
    const char *const right[] = {"0",    "-",  "_",     "aZ09",  "machine2", "Machine",
                                 "CPU0", "cp", "vmcpu", "disk0", "nets"};
    char text[128];

    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        snprintf(text, sizeof text, VM "[%s]\nmemory=8K\nkernel=k\n", wrong[i]);
        fails(text, 4, bad_name);
    }
    for (size_t i = 0; i < sizeof right / sizeof right[0]; i++) {
        snprintf(text, sizeof text, VM "[%s]\nmemory=8K\nkernel=k\n", right[i]);
        works(text);
        ck_assert_str_eq(c.vm[1].name, right[i]);
    }
}
END_TEST

START_TEST(memory_sizes)
{
    const struct {
        const char *text;
        uint64_t bytes;
    } row[] = {
        {"8192", 8192},
        {"8K", 8192},
        {"16384", 16384},
        {"131072K", 128 << 20},
        {"1M", 1 << 20},
        {"1G", 1 << 30},
        {"2047M", 2047ull << 20},
        {"17179869183G", UINT64_MAX << 30},
        {"17179869176", 17179869176},
    };
    char text[128];

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        snprintf(text, sizeof text, "[v]\nkernel = k\nmemory = %s", row[i].text);
        if (row[i].bytes % 8192) {
            fails(text, 3, "memory is a multiple of 8K");
            continue;
        }
        works(text);
        ck_assert_uint_eq(c.vm[0].memory, row[i].bytes);
    }
}
END_TEST

START_TEST(memory_mistakes)
{
    const char *const form[] = {"",
                                "K",
                                "-8K",
                                "8k",
                                "8 K",
                                "8KB",
                                "8T",
                                "8G1",
                                "all",
                                "0x2000",
                                "17179869184",
                                "17179869184G",
                                "18446744073709551615",
                                "18446744073709551616",
                                "18446744073709559808",
                                "36893488147419103232K"};
    const char *const whole_pages[] = {"0", "0G", "1", "1K", "4K", "4096", "8191", "8193", "12K"};
    char text[128];

    for (size_t i = 0; i < sizeof form / sizeof form[0]; i++) {
        snprintf(text, sizeof text, "[v]\nmemory = %s\n", form[i]);
        fails(text, 2, "memory is a number with K, M or G");
    }
    for (size_t i = 0; i < sizeof whole_pages / sizeof whole_pages[0]; i++) {
        snprintf(text, sizeof text, "[v]\nmemory = %s\n", whole_pages[i]);
        fails(text, 2, "memory is a multiple of 8K");
    }
}
END_TEST

/* Each text that is kept, as long as it may be, and one byte longer. */
START_TEST(long_values)
{
    const struct {
        const char *before, *after;
        size_t max;
    } row[] = {
        {VM "kernel =", "\n", CONFIG_NAME - 1},
        {VM "initrd = ", "\n", CONFIG_NAME - 1},
        {VM "append = ", "", CONFIG_APPEND - 1},
        {VM "[", "]\nmemory=8K\nkernel=k\n", CONFIG_NAME - 1},
        {VM "[disk ", "]\nunit=0\n", CONFIG_NAME - 1},
    };
    char value[CONFIG_APPEND + 1], text[CONFIG_APPEND + 128];

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        for (size_t len = row[i].max; len <= row[i].max + 1; len++) {
            memset(value, 'v', len);
            value[len] = 0;
            snprintf(text, sizeof text, "%s%s%s", row[i].before, value, row[i].after);
            if (len == row[i].max)
                works(text);
            else
                fails(text, 4, "value too long");
        }
    }
    ck_assert_uint_eq(strlen(c.vm[0].kernel), strlen("vmlinux"));
}
END_TEST

START_TEST(as_many_as_fit)
{
    char text[CONFIG_VMS * 64 + 64];
    size_t n = 0;

    for (unsigned i = 0; i < CONFIG_VMS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "[%u]\nmemory=8K\nkernel=k%u\n", i, i);
    works(text);
    ck_assert_uint_eq(c.vms, CONFIG_VMS);
    ck_assert_str_eq(c.vm[CONFIG_VMS - 1].kernel, "k15");
    snprintf(text + n, sizeof text - n, "[more]\n");
    fails(text, 3 * CONFIG_VMS + 1, "too many virtual machines");
    n = (size_t)snprintf(text, sizeof text, VM);
    for (unsigned i = 0; i < CONFIG_DISKS; i++)
        n += (size_t)snprintf(text + n, sizeof text - n, "[disk %u]\nunit=%u\n", i, i);
    works(text);
    ck_assert_uint_eq(c.disks, CONFIG_DISKS);
    snprintf(text + n, sizeof text - n, "[disk more]\n");
    fails(text, 3 + 2 * CONFIG_DISKS + 1, "too many disks");
}
END_TEST

/* Bytes that would end a name early or steer a terminal, in each place and in comments too. */
START_TEST(control_characters)
{
    static const char *const text[] = {"[v@]\n", VM "initrd = a@b\n", VM "@", VM "# @\n",
                                       VM "ap@pend = 1\n"};
    static const unsigned line[] = {1, 4, 4, 4, 4};

    for (size_t i = 0; i < sizeof text / sizeof text[0]; i++) {
        for (int ch = 0; ch < 256; ch++) {
            char copy[128];
            size_t len = strlen(text[i]);
            struct config_error e;

            memcpy(copy, text[i], len);
            *(char *)memchr(copy, '@', len) = (char)ch;
            e = parse(copy, len);
            if ((ch < 32 && ch != '\t' && ch != '\n' && ch != '\r') || ch == 127) {
                ck_assert_msg(e.what, "%zu: byte %d accepted", i, ch);
                ck_assert_str_eq(e.what, "a control character");
                ck_assert_uint_eq(e.line, line[i]);
            } else if (e.what) {
                ck_assert_str_ne(e.what, "a control character");
            }
        }
    }
}
END_TEST

START_TEST(later_settings_win)
{
    works(VM "memory = 8K\nkernel = other\ncpus = 2\ncpus = 5\n");
    ck_assert_uint_eq(c.vm[0].memory, 8192);
    ck_assert_str_eq(c.vm[0].kernel, "other");
    ck_assert_uint_eq(c.vm[0].cpus, 5);
}
END_TEST

/* Cut after any byte: something sensible or an error in a line that is there. */
START_TEST(cut_anywhere)
{
    unsigned lines = 1;

    for (size_t len = 0; len < sizeof whole - 1; len++) {
        struct config_error e = parse(whole, len);

        ck_assert_uint_le(e.line, lines);
        ck_assert(e.what || (c.vms >= 1 && c.vm[c.vms - 1].memory && c.vm[c.vms - 1].kernel[0]));
        lines += whole[len] == '\n';
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {everything,
                            everything_of_disks,
                            mistakes,
                            mistakes_about_disks,
                            who_has_which_disk,
                            cpus,
                            names,
                            memory_sizes,
                            memory_mistakes,
                            long_values,
                            as_many_as_fit,
                            control_characters,
                            later_settings_win,
                            cut_anywhere};

    return SUITE_RUN("config", tests, NULL, NULL);
}
