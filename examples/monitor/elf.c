/* SPDX-License-Identifier: BSD-2-Clause */
#include "elf.h"

#include <string.h>

#define KSEG0 UINT64_C(0xffffffffc0000000)
#define KSEG0_SIZE UINT64_C(0x10000000)
#define DIRECT UINT64_C(0x4000000000000000)
#define DATA_OWN (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? 2 : 1)

enum { CLASS64 = 2, TYPE_EXEC = 2, MACHINE_MIPS = 8, LOAD = 1 };

struct header {
    uint8_t ident[16];
    uint16_t type, machine;
    uint32_t version;
    uint64_t entry, phoff, shoff;
    uint32_t flags;
    uint16_t ehsize, phentsize, phnum, shentsize, shnum, shstrndx;
};

struct program {
    uint32_t type, flags;
    uint64_t offset, vaddr, paddr, filesz, memsz, align;
};

static const char *check_header(struct bytes file, const struct header *h)
{
    if (memcmp(h->ident, "\177ELF", 4) != 0)
        return "not an ELF file";
    if (h->ident[4] != CLASS64)
        return "not a 64-bit ELF file";
    if (h->ident[5] != DATA_OWN)
        return "ELF file of the other byte order";
    if (h->machine != MACHINE_MIPS)
        return "ELF file for another machine than MIPS";
    if (h->type != TYPE_EXEC)
        return "not an executable ELF file";
    if (h->phnum && h->phentsize != sizeof(struct program))
        return "malformed ELF file (size of program headers)";
    if (h->phoff > file.len || (uint64_t)h->phnum * sizeof(struct program) > file.len - h->phoff)
        return "truncated ELF file (program headers)";
    return NULL;
}

/* Where `size` bytes of one of the guest kernel's segments lie in guest-physical memory. */
static bool physical(uint64_t va, uint64_t size, uint64_t *pa)
{
    if (va - KSEG0 < KSEG0_SIZE && size <= KSEG0_SIZE - (va - KSEG0))
        *pa = va - KSEG0;
    else if (va >> 60 == DIRECT >> 60)
        *pa = va - DIRECT;
    else
        return false;
    return true;
}

static bool overlaps(const struct elf_image *image, uint64_t pa, uint64_t size)
{
    for (unsigned i = 0; i < image->segments; i++) {
        const struct elf_segment *s = &image->segment[i];

        if (pa < s->pa + s->size && s->pa < pa + size)
            return true;
    }
    return false;
}

static const char *add(struct bytes file, const struct program *p, uint64_t memory,
                       struct elf_image *image)
{
    uint64_t pa;

    if (p->offset > file.len || p->filesz > file.len - p->offset)
        return "truncated ELF file (segment contents)";
    if (p->filesz > p->memsz)
        return "malformed ELF file (segment longer in the file than in memory)";
    if (image->segments == ELF_SEGMENTS)
        return "ELF file with more segments than the monitor loads";
    if (!physical(p->vaddr, p->memsz, &pa))
        return "segment outside the guest's kernel segments (linked for bare hardware?)";
    if (pa > memory || p->memsz > memory - pa)
        return "segment outside the virtual machine's memory";
    if (overlaps(image, pa, p->memsz))
        return "overlapping segments";
    image->segment[image->segments++] =
        (struct elf_segment){pa, {file.at + p->offset, p->filesz}, p->memsz};
    if (pa + p->memsz > image->end)
        image->end = pa + p->memsz;
    return NULL;
}

const char *elf_check(struct bytes file, uint64_t memory, struct elf_image *image)
{
    const char *wrong;
    struct header h;
    uint64_t pa;

    if (file.len < sizeof h)
        return "truncated ELF file (header)";
    memcpy(&h, file.at, sizeof h);
    wrong = check_header(file, &h);
    *image = (struct elf_image){.entry = h.entry};
    for (unsigned i = 0; i < h.phnum && !wrong; i++) {
        struct program p;

        memcpy(&p, file.at + h.phoff + i * sizeof p, sizeof p);
        if (p.type == LOAD && (p.memsz || p.filesz))
            wrong = add(file, &p, memory, image);
    }
    if (!wrong && !image->segments)
        wrong = "ELF file without anything to load";
    if (!wrong && (!physical(h.entry, 1, &pa) || pa >= memory))
        wrong = "entry point outside the virtual machine's memory";
    return wrong;
}
