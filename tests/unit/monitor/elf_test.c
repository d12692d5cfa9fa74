/* SPDX-License-Identifier: BSD-2-Clause */
/* Guest kernels: a good one is described rightly, and each kind of bad one gets its own words. */
#include "monitor/elf.h"

#include "fence.h"
#include "samples.h"
#include "suite.h"

#include <string.h>

static struct kernel k;
static struct elf_image image;

static void setup(void) { kernel_sample(&k); }

static const char *check_size(size_t len, uint64_t memory)
{
    memset(&image, 0xa5, sizeof image);
    return elf_check(fenced(&k, len), memory, &image);
}

static const char *check(void) { return check_size(sizeof k, KERNEL_MEMORY); }

static void says(const char *wrong, const char *expect)
{
    ck_assert_str_eq(wrong ? wrong : "nothing wrong", expect ? expect : "nothing wrong");
}

static void fails(const char *expect) { says(check(), expect); }
static void works(void) { says(check(), NULL); }

START_TEST(good)
{
    const struct elf_segment *s = image.segment;

    works();
    ck_assert_uint_eq(image.entry, KSEG0 + 0x100010);
    ck_assert_uint_eq(image.segments, 2);
    ck_assert_uint_eq(image.end, 0x102080);
    ck_assert_uint_eq(s[0].pa, 0x100000);
    ck_assert_uint_eq(s[0].size, 0x1000);
    ck_assert_uint_eq(s[0].contents.len, 128);
    ck_assert(memcmp(s[0].contents.at, k.contents, 128) == 0);
    ck_assert_uint_eq(s[1].pa, 0x102000);
    ck_assert_uint_eq(s[1].size, 128);
    ck_assert(memcmp(s[1].contents.at, k.contents + 128, 128) == 0);
}
END_TEST

START_TEST(end_is_the_highest)
{
    k.segment[0].p_vaddr = KSEG0 + 0x200000;
    works();
    ck_assert_uint_eq(image.end, 0x201000);
}
END_TEST

START_TEST(cut_anywhere)
{
    const size_t headers = offsetof(struct kernel, segment[3]);

    for (size_t len = 0; len <= sizeof k; len++)
        says(check_size(len, KERNEL_MEMORY),
             len < sizeof k.header ? "truncated ELF file (header)"
             : len < headers       ? "truncated ELF file (program headers)"
             : len < sizeof k      ? "truncated ELF file (segment contents)"
                                   : NULL);
}
END_TEST

START_TEST(identity)
{
    for (size_t i = 0; i < 4; i++) {
        k.header.e_ident[i] ^= 1;
        fails("not an ELF file");
        k.header.e_ident[i] ^= 1;
    }
    for (unsigned c = 0; c < 256; c++) {
        k.header.e_ident[EI_CLASS] = (unsigned char)c;
        says(check(), c == ELFCLASS64 ? NULL : "not a 64-bit ELF file");
    }
}
END_TEST

START_TEST(byte_order)
{
    unsigned char own = k.header.e_ident[EI_DATA];

    for (unsigned c = 0; c < 256; c++) {
        k.header.e_ident[EI_DATA] = (unsigned char)c;
        says(check(), c == own ? NULL : "ELF file of the other byte order");
    }
}
END_TEST

START_TEST(machine_and_type)
{
    for (unsigned c = 0; c < 65536; c++) {
        k.header.e_machine = (uint16_t)c;
        says(check(), c == EM_MIPS ? NULL : "ELF file for another machine than MIPS");
    }
    k.header.e_machine = EM_MIPS;
    for (unsigned c = 0; c < 65536; c++) {
        k.header.e_type = (uint16_t)c;
        says(check(), c == ET_EXEC ? NULL : "not an executable ELF file");
    }
}
END_TEST

START_TEST(program_headers)
{
    const uint64_t far[] = {sizeof k + 1, sizeof k - 3 * 56 + 1, UINT64_MAX, UINT64_MAX - 55,
                            1ull << 63};

    for (size_t i = 0; i < sizeof far / sizeof far[0]; i++) {
        k.header.e_phoff = far[i];
        fails("truncated ELF file (program headers)");
    }
    k.header.e_phoff = sizeof k;
    k.header.e_phnum = 0;
    fails("ELF file without anything to load");
    kernel_sample(&k);
    k.header.e_phnum = 0xffff;
    fails("truncated ELF file (program headers)");
    k.header.e_phnum = 3;
    for (unsigned c = 0; c < 256; c++) {
        k.header.e_phentsize = (uint16_t)c;
        says(check(), c == 56 ? NULL : "malformed ELF file (size of program headers)");
    }
}
END_TEST

/* Headers at the very end, and at an odd place. */
START_TEST(program_headers_elsewhere)
{
    k.header.e_phoff = sizeof k - 56;
    k.header.e_phnum = 1;
    memcpy(k.contents + 200, &k.segment[0], 56);
    works();
    k.header.e_phoff -= 1;
    memcpy(k.contents + 199, &k.segment[0], 56);
    works();
}
END_TEST

START_TEST(nothing_to_load)
{
    k.segment[0].p_type = PT_NOTE;
    k.segment[2].p_type = PT_NULL;
    fails("ELF file without anything to load");
    kernel_sample(&k);
    k.segment[0].p_filesz = k.segment[0].p_memsz = 0;
    works();
    ck_assert_uint_eq(image.segments, 1);
}
END_TEST

START_TEST(contents)
{
    const struct {
        uint64_t offset, filesz;
    } row[] = {{sizeof k + 1, 1}, {sizeof k - 1, 2},        {sizeof k, 1},
               {UINT64_MAX, 1},   {UINT64_MAX - 127, 128},  {0, sizeof k + 1},
               {1, UINT64_MAX},   {UINT64_MAX, UINT64_MAX}, {128, UINT64_MAX - 127}};

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        k.segment[2].p_offset = row[i].offset;
        k.segment[2].p_filesz = k.segment[2].p_memsz = row[i].filesz;
        fails("truncated ELF file (segment contents)");
    }
    k.segment[2].p_offset = sizeof k - 1;
    k.segment[2].p_filesz = k.segment[2].p_memsz = 1;
    works();
    k.segment[2].p_offset = sizeof k;
    k.segment[2].p_filesz = 0;
    works();
}
END_TEST

START_TEST(longer_in_the_file)
{
    const char *const what = "malformed ELF file (segment longer in the file than in memory)";

    k.segment[2].p_memsz = 127;
    fails(what);
    k.segment[2].p_memsz = 0;
    fails(what);
    k.segment[2].p_filesz = 0;
    works();
}
END_TEST

/* Addresses in segments of other kinds, and just outside the two that are right. */
START_TEST(foreign_addresses)
{
    const uint64_t va[] = {0,
                           0x120000000,
                           KSEG0 - 1,
                           KSEG0 - 128,
                           KSEG0 + 0x10000000,
                           0xffffffff80100000,
                           UINT64_MAX,
                           UINT64_MAX - 127,
                           DIRECT - 1,
                           0x5000000000000000,
                           0x9800000000100000,
                           0xc000000000000000};

    for (size_t i = 0; i < sizeof va / sizeof va[0]; i++) {
        k.segment[2].p_vaddr = va[i];
        fails("segment outside the guest's kernel segments (linked for bare hardware?)");
    }
}
END_TEST

/* A segment may reach to the end of its window, not across. */
START_TEST(across_the_window)
{
    k.segment[2].p_vaddr = KSEG0 + 0x10000000 - 128;
    works();
    k.segment[2].p_memsz = 129;
    fails("segment outside the guest's kernel segments (linked for bare hardware?)");
    k.segment[2].p_vaddr = DIRECT + 0x10000000 - 128;
    works();
}
END_TEST

START_TEST(outside_memory)
{
    const struct {
        uint64_t pa, size;
    } row[] = {{KERNEL_MEMORY, 128},
               {KERNEL_MEMORY - 127, 128},
               {0, KERNEL_MEMORY + 1},
               {0x102000, UINT64_MAX},
               {0x102000, UINT64_MAX - 0x102000},
               {0x102000, UINT64_MAX - 0x101fff},
               {0xfffffffffffffff, 128},
               {0xfffffffffffff80, 128}};

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        k.segment[2].p_vaddr = DIRECT + row[i].pa;
        k.segment[2].p_memsz = row[i].size;
        fails("segment outside the virtual machine's memory");
    }
    k.segment[2].p_vaddr = DIRECT + KERNEL_MEMORY - 128;
    k.segment[2].p_memsz = 128;
    works();
    ck_assert_uint_eq(image.end, KERNEL_MEMORY);
}
END_TEST

/* Memory as it comes from vms.conf, at every size around what the kernel needs. */
START_TEST(small_memory)
{
    for (uint64_t memory = 0; memory < 0x104000; memory += memory < 0xff000 ? 0xff1 : 1)
        says(check_size(sizeof k, memory),
             memory < 0x102080 ? "segment outside the virtual machine's memory" : NULL);
    says(check_size(sizeof k, UINT64_MAX), NULL);
}
END_TEST

START_TEST(overlapping)
{
    const struct {
        uint64_t pa, size;
        const char *wrong;
    } row[] = {{0x100000, 0x1000, "overlapping segments"},
               {0x100fff, 128, "overlapping segments"},
               {0x101000, 128, NULL},
               {0x0fff81, 128, "overlapping segments"},
               {0x0fff80, 128, NULL},
               {0, 0x200000, "overlapping segments"},
               {0x100800, 128, "overlapping segments"},
               {0, 0x100000, NULL}};

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        k.segment[2].p_vaddr = DIRECT + row[i].pa;
        k.segment[2].p_memsz = row[i].size;
        says(check(), row[i].wrong);
    }
}
END_TEST

START_TEST(many_segments)
{
    for (unsigned i = 0; i < KERNEL_SEGMENTS; i++) {
        k.segment[i] = k.segment[0];
        k.segment[i].p_vaddr = KSEG0 + 0x100000 + i * 0x1000;
    }
    k.header.e_phnum = ELF_SEGMENTS;
    works();
    ck_assert_uint_eq(image.segments, ELF_SEGMENTS);
    ck_assert_uint_eq(image.segment[ELF_SEGMENTS - 1].pa, 0x10f000);
    k.header.e_phnum = ELF_SEGMENTS + 1;
    fails("ELF file with more segments than the monitor loads");
    k.segment[3].p_type = PT_NULL;
    works();
}
END_TEST

START_TEST(entry_point)
{
    const uint64_t bad[] = {0,
                            0x120000000,
                            KSEG0 - 4,
                            KSEG0 + 0x10000000,
                            UINT64_MAX,
                            DIRECT - 4,
                            DIRECT + KERNEL_MEMORY,
                            0x5000000000000000,
                            0xffffffff80100000};
    const uint64_t ok[] = {KSEG0, KSEG0 + 0xffffffc, DIRECT, DIRECT + KERNEL_MEMORY - 4};

    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        k.header.e_entry = bad[i];
        fails("entry point outside the virtual machine's memory");
    }
    for (size_t i = 0; i < sizeof ok / sizeof ok[0]; i++) {
        k.header.e_entry = ok[i];
        works();
    }
}
END_TEST

int main(void)
{
    const TTest *tests[] = {good,
                            end_is_the_highest,
                            cut_anywhere,
                            identity,
                            byte_order,
                            machine_and_type,
                            program_headers,
                            program_headers_elsewhere,
                            nothing_to_load,
                            contents,
                            longer_in_the_file,
                            foreign_addresses,
                            across_the_window,
                            outside_memory,
                            small_memory,
                            overlapping,
                            many_segments,
                            entry_point};

    return SUITE_RUN("elf", tests, setup, NULL);
}
