/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: vms.conf, as it comes and made of words that belong into one. */
#include "monitor/config.h"

#include "damage.h"
#include "fence.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static unsigned lines_of(struct bytes text)
{
    unsigned n = 1;

    for (size_t i = 0; i < text.len; i++)
        n += text.at[i] == '\n';
    return n;
}

static void check_text(const char *s, size_t size, int wanted)
{
    size_t n = 0;

    while (n < size && s[n])
        demand((unsigned char)s[n] >= ' ' || s[n] == '\t' || s[n] == '\r', "no control character"),
            n++;
    demand(n < size, "text ends");
    demand(n > 0 || !wanted, "text is there");
}

static void check_vm(const struct config *c, unsigned n)
{
    const struct vm_config *vm = &c->vm[n];

    check_text(vm->name, sizeof vm->name, 1);
    check_text(vm->kernel, sizeof vm->kernel, 1);
    check_text(vm->initrd, sizeof vm->initrd, 0);
    check_text(vm->append, sizeof vm->append, 0);
    demand(vm->cpus >= 1 && vm->cpus <= CONFIG_CPUS, "1 to 16 processors");
    demand(vm->memory && vm->memory % 8192 == 0, "memory in pairs of pages");
    for (unsigned i = 0; i < n; i++)
        demand(strcmp(c->vm[i].name, vm->name) != 0, "each name once");
    demand(vm->disks <= CONFIG_VM_DISKS, "disks that fit");
    for (unsigned i = 0; i < vm->disks; i++) {
        demand(vm->disk[i] < c->disks, "disks that are there");
        for (unsigned j = 0; j < i; j++)
            demand(vm->disk[i] != vm->disk[j], "each disk once");
    }
}

static void check_disk(const struct config *c, unsigned n)
{
    const struct disk_config *d = &c->disk[n];

    check_text(d->name, sizeof d->name, 1);
    demand(d->unit < CONFIG_DISKS, "a unit that can be");
    demand(d->log && d->log % 4096 == 0 && d->log <= CONFIG_LOG_MAX, "a log in pages");
    for (unsigned i = 0; i < n; i++) {
        demand(strcmp(c->disk[i].name, d->name) != 0, "each name of a disk once");
        demand(c->disk[i].unit != d->unit, "each unit once");
    }
}

static void check(struct bytes text)
{
    static struct config c;
    struct config_error e;

    memset(&c, 0xff, sizeof c);
    e = config_parse(text, &c);
    if (e.what) {
        demand(e.line <= lines_of(text), "the line is one of the file");
        return;
    }
    demand(c.vms >= 1 && c.vms <= CONFIG_VMS, "some virtual machines");
    for (unsigned i = 0; i < c.vms; i++)
        check_vm(&c, i);
    demand(c.disks <= CONFIG_DISKS, "disks that the machine has");
    for (unsigned i = 0; i < c.disks; i++)
        check_disk(&c, i);
}

static size_t append(char *to, const char *word)
{
    size_t n = strlen(word);

    memcpy(to, word, n);
    return n;
}

/* Most bytes are a word each, a few a control character: mostly right texts with few mistakes. */
static size_t words(const uint8_t *data, size_t size, char *text, size_t max)
{
    /* clang-format off */
    static const char *const word[] = {
        "[a]\nkernel = k\nmemory = 8K\n", "[b]\nmemory = 1G\nkernel = l\n", "[c]\n", "[", "]\n",
        "[d]\nkernel = ", "\nmemory = ", "\ncpus = ", "\ninitrd=", "\nappend=", "\n", " = ", "# ",
        "\r\n", "\t", "1", "4", "8", "64", "65", "8192", "0", "K\n", "M\n", "G\n", "vmlinux\n",
        "18446744073709551616", "17179869183", "0123456789012345678901234567890",
        "[disk a]\nunit = 0\n", "[disk b]\nunit=1\nkeep=yes\n", "[disk ", "\nunit = ", "\nlog = ",
        "\nchanges = visible\n", "\ncopy = yes\n", "\ndisks = ", "a ", "b ", "c ", "\nnet = yes\n",
    };
    /* clang-format on */
    const size_t n = sizeof word / sizeof word[0];
    size_t len = 0;

    for (; size && len < max - 64; data++, size--) {
        const char *w = word[*data % n];

        if (*data >= 0xf8)
            text[len++] = (char)(*data & 7);
        else
            len += append(text + len, w);
    }
    return len;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static char text[8192];
    size_t most = size ? 1 + data[0] / 4 % 16 : 0;

    if (!size || size > FENCE_MAX)
        return 0;
    if (data[0] % 4 == 0)
        check(fenced(data + 1, size - 1));
    else
        check(fenced(text, words(data + 1, size - 1 < most ? size - 1 : most, text, sizeof text)));
    return 0;
}
