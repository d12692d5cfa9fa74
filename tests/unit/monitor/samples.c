/* SPDX-License-Identifier: BSD-2-Clause */
#include "samples.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void append(struct cpio *a, const void *data, size_t len)
{
    if (len > sizeof a->bytes - 4 - a->len)
        abort();
    if (len)
        memcpy(a->bytes + a->len, data, len);
    for (a->len += len; a->len % 4; a->len++)
        a->bytes[a->len] = 0;
}

size_t cpio_add(struct cpio *a, const char *name, const void *data, size_t len)
{
    char head[CPIO_HEADER + 64];
    size_t at = a->len;
    int n = snprintf(head, sizeof head,
                     "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%s", 1, 0100644, 0,
                     0, 1, 0, (unsigned)len, 0, 0, 0, 0, (unsigned)strlen(name) + 1, 0, name);

    append(a, head, (size_t)n + 1);
    append(a, data, len);
    return at;
}

void cpio_sample(struct cpio *a)
{
    const char conf[] = "[vm0]\nmemory = 32M\nkernel = vmlinux\n";

    a->len = 0;
    cpio_add(a, "vms.conf", conf, sizeof conf - 1);
    cpio_add(a, "a", "1", 1);
    cpio_add(a, "vmlinux", "kernel", 6);
    cpio_add(a, "folder/file", "", 0);
    cpio_add(a, "vms.conf.old", "old", 3);
    cpio_add(a, "TRAILER!!!", "", 0);
}

static struct elf64_phdr load(uint64_t offset, uint64_t vaddr, uint64_t filesz, uint64_t memsz)
{
    return (struct elf64_phdr){
        .p_type = PT_LOAD,
        .p_flags = PF_R | PF_W | PF_X,
        .p_offset = offset,
        .p_vaddr = vaddr,
        .p_paddr = vaddr,
        .p_filesz = filesz,
        .p_memsz = memsz,
    };
}

static unsigned char native_order(void)
{
    return __BYTE_ORDER__ == __ORDER_BIG_ENDIAN__ ? ELFDATA2MSB : ELFDATA2LSB;
}

void kernel_sample(struct kernel *k)
{
    const uint64_t data = offsetof(struct kernel, contents);

    memset(k, 0, sizeof *k);
    k->header = (struct elf64_hdr){
        .e_ident = {0x7f, 'E', 'L', 'F', ELFCLASS64, native_order(), EV_CURRENT},
        .e_type = ET_EXEC,
        .e_machine = EM_MIPS,
        .e_version = EV_CURRENT,
        .e_entry = KSEG0 + 0x100010,
        .e_phoff = offsetof(struct kernel, segment),
        .e_ehsize = sizeof k->header,
        .e_phentsize = sizeof k->segment[0],
        .e_phnum = 3,
    };
    k->segment[0] = load(data, KSEG0 + 0x100000, 128, 0x1000);
    k->segment[1] = load(data, KSEG0 + 1, 16, 16);
    k->segment[1].p_type = PT_NOTE;
    k->segment[2] = load(data + 128, DIRECT + 0x102000, 128, 128);
    for (size_t i = 0; i < sizeof k->contents; i++)
        k->contents[i] = (uint8_t)(i + 1);
}
