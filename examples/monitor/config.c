/* SPDX-License-Identifier: BSD-2-Clause */
#include "config.h"

#include <string.h>

#include "text.h"

#define NO_UNIT UINT32_MAX

/* A place in the file, and the section it belongs to. */
struct parser {
    struct config *c;
    struct vm_config *vm;     /* the section is a virtual machine's, */
    struct disk_config *disk; /* or a disk's; both NULL: none has begun */
    unsigned line;
    struct {
        struct bytes names;
        unsigned line;
    } disks[CONFIG_VMS]; /* of each virtual machine: looked up when all disks are known */
};

/* --- settings --- */

static const char *parse_cpus(struct bytes b, unsigned *cpus)
{
    uint64_t n;

    if (!text_number(b, &n) || n < 1 || n > CONFIG_CPUS)
        return "cpus is a number from 1 to 16";
    *cpus = (unsigned)n;
    return NULL;
}

static const char *parse_memory(struct bytes b, uint64_t *memory)
{
    if (!text_size(b, memory))
        return "memory is a number with K, M or G";
    return *memory && !(*memory & 0x1fff) ? NULL : "memory is a multiple of 8K";
}

static const char *parse_unit(struct bytes b, unsigned *unit)
{
    uint64_t n;

    if (!text_number(b, &n) || n >= CONFIG_DISKS)
        return "unit is a number from 0 to 7";
    *unit = (unsigned)n;
    return NULL;
}

static const char *parse_log(struct bytes b, uint64_t *log)
{
    if (!text_size(b, log))
        return "log is a number with K, M or G";
    return *log && *log <= CONFIG_LOG_MAX && !(*log & 0xfff)
               ? NULL
               : "log is a multiple of 4K, at most 1G";
}

static const char *parse_choice(struct bytes b, const char *no, const char *yes, const char *wrong,
                                bool *value)
{
    *value = text_equals(b, yes);
    return *value || text_equals(b, no) ? NULL : wrong;
}

static const char *set_vm(struct parser *p, struct bytes key, struct bytes value)
{
    struct vm_config *vm = p->vm;

    if (text_equals(key, "cpus"))
        return parse_cpus(value, &vm->cpus);
    if (text_equals(key, "memory"))
        return parse_memory(value, &vm->memory);
    if (text_equals(key, "kernel"))
        return text_copy(value, vm->kernel, sizeof vm->kernel);
    if (text_equals(key, "initrd"))
        return text_copy(value, vm->initrd, sizeof vm->initrd);
    if (text_equals(key, "append"))
        return text_copy(value, vm->append, sizeof vm->append);
    if (text_equals(key, "net"))
        return parse_choice(value, "no", "yes", "net is yes or no", &vm->net);
    if (text_equals(key, "uart"))
        return parse_choice(value, "no", "yes", "uart is yes or no", &vm->uart);
    if (!text_equals(key, "disks"))
        return "unknown key";
    p->disks[vm - p->c->vm].names = value;
    p->disks[vm - p->c->vm].line = p->line;
    return NULL;
}

static const char *set_disk(struct disk_config *d, struct bytes key, struct bytes value)
{
    if (text_equals(key, "unit"))
        return parse_unit(value, &d->unit);
    if (text_equals(key, "changes"))
        return parse_choice(value, "private", "visible", "changes is private or visible",
                            &d->visible);
    if (text_equals(key, "keep"))
        return parse_choice(value, "no", "yes", "keep is yes or no", &d->keep);
    if (text_equals(key, "log"))
        return parse_log(value, &d->log);
    if (text_equals(key, "copy"))
        return parse_choice(value, "no", "yes", "copy is yes or no", &d->copy);
    return "unknown key";
}

static const char *setting(struct parser *p, struct bytes line)
{
    struct bytes key = {line.at, 0}, value;

    while (key.len < line.len && key.at[key.len] != '=')
        key.len++;
    if (key.len == line.len)
        return "neither [name] nor key = value";
    value = text_trim((struct bytes){key.at + key.len + 1, line.len - key.len - 1});
    key = text_trim(key);
    if (p->vm)
        return set_vm(p, key, value);
    return p->disk ? set_disk(p->disk, key, value) : "a setting before the first [name]";
}

/* --- sections --- */

static const char *complete_disk(const struct config *c, const struct disk_config *d)
{
    if (d->unit == NO_UNIT)
        return "the disk above has no unit";
    for (const struct disk_config *other = c->disk; other < d; other++) {
        if (other->unit == d->unit)
            return "the disk above has the unit of another";
    }
    return NULL;
}

/* What is wrong with the section that ends here. */
static const char *complete(const struct parser *p)
{
    if (p->vm && !p->vm->memory)
        return "the virtual machine above has no memory";
    if (p->vm && !p->vm->kernel[0])
        return "the virtual machine above has no kernel";
    return p->disk ? complete_disk(p->c, p->disk) : NULL;
}

/* Names go into the log, where "cpu0", "machine", "disk", "net" and "numa" mean something else. */
static bool name_ok(struct bytes b)
{
    for (size_t i = 0; i < b.len; i++) {
        uint8_t c = b.at[i], low = c | 0x20;

        if (!(low >= 'a' && low <= 'z') && !(c >= '0' && c <= '9') && c != '-' && c != '_')
            return false;
    }
    return !text_equals(b, "machine") && !text_equals(b, "disk") && !text_equals(b, "net") &&
           !text_equals(b, "numa") && (b.len < 3 || memcmp(b.at, "cpu", 3) != 0);
}

static const char *begin_vm(struct parser *p, struct bytes name)
{
    struct config *c = p->c;

    if (c->vms == CONFIG_VMS)
        return "too many virtual machines";
    for (unsigned i = 0; i < c->vms; i++) {
        if (text_equals(name, c->vm[i].name))
            return "two virtual machines of one name";
    }
    p->vm = &c->vm[c->vms++];
    memset(p->vm, 0, sizeof *p->vm);
    p->vm->cpus = 1;
    return text_copy(name, p->vm->name, sizeof p->vm->name);
}

static const char *begin_disk(struct parser *p, struct bytes name)
{
    struct config *c = p->c;

    if (c->disks == CONFIG_DISKS)
        return "too many disks";
    for (unsigned i = 0; i < c->disks; i++) {
        if (text_equals(name, c->disk[i].name))
            return "two disks of one name";
    }
    p->disk = &c->disk[c->disks++];
    *p->disk = (struct disk_config){.unit = NO_UNIT, .log = CONFIG_LOG};
    return text_copy(name, p->disk->name, sizeof p->disk->name);
}

static const char *section(struct parser *p, struct bytes line)
{
    struct bytes name = text_trim((struct bytes){line.at + 1, line.len - 2}), rest = name;
    const char *wrong = complete(p);
    bool disk;

    if (wrong)
        return wrong;
    if (line.at[line.len - 1] != ']' || !name.len)
        return "a section is [name] or [disk name]";
    disk = text_equals(text_word(&rest), "disk") && rest.len;
    if (disk)
        name = text_trim(rest);
    if (!name_ok(name))
        return "a name has letters, digits, - and _, is not machine, disk, net or numa and does "
               "not "
               "begin with cpu";
    p->vm = NULL;
    p->disk = NULL;
    return disk ? begin_disk(p, name) : begin_vm(p, name);
}

/* --- the whole --- */

static const char *parse_line(struct parser *p, struct bytes line)
{
    for (size_t i = 0; i < line.len; i++) {
        if (text_is_control(line.at[i]))
            return "a control character";
    }
    line = text_trim(line);
    if (!line.len || line.at[0] == '#')
        return NULL;
    return line.at[0] == '[' && line.len > 1 ? section(p, line) : setting(p, line);
}

static const char *give_disk(const struct config *c, struct bytes name, struct vm_config *vm)
{
    unsigned disk = 0;

    while (disk < c->disks && !text_equals(name, c->disk[disk].name))
        disk++;
    if (disk == c->disks)
        return "no disk of that name";
    for (unsigned i = 0; i < vm->disks; i++) {
        if (vm->disk[i] == disk)
            return "one disk twice in a virtual machine";
    }
    if (vm->disks == CONFIG_VM_DISKS)
        return "a virtual machine has at most 4 disks";
    vm->disk[vm->disks++] = disk;
    return NULL;
}

static struct config_error give_disks(struct parser *p)
{
    const char *wrong = NULL;

    for (unsigned i = 0; i < p->c->vms; i++) {
        for (struct bytes name; (name = text_word(&p->disks[i].names)).len && !wrong;)
            wrong = give_disk(p->c, name, &p->c->vm[i]);
        if (wrong)
            return (struct config_error){p->disks[i].line, wrong};
    }
    return (struct config_error){0, NULL};
}

struct config_error config_parse(struct bytes text, struct config *out)
{
    struct parser p = {.c = out};
    const char *wrong = NULL;

    out->vms = 0;
    out->disks = 0;
    while (text.len && !wrong) {
        p.line++;
        wrong = parse_line(&p, text_line(&text));
    }
    if (!wrong)
        wrong = complete(&p);
    if (wrong)
        return (struct config_error){p.line, wrong};
    if (!out->vms)
        return (struct config_error){0, "no virtual machine in it"};
    return give_disks(&p);
}
