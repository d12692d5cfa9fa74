/* SPDX-License-Identifier: BSD-2-Clause */
#include "disks.h"

#include "drivers.h"
#include "log.h"
#include "memory.h"
#include "monitor.h"

/*
 * Index nodes of a disk, for cache and logs: each names up to 15 ranges of blocks. The pages of a machine that has run
 * for a while seldom follow each other, so a range is often one block, of 256 in a MiB. As many as the logs may ever
 * take, whatever guests write, and where these are small some for the cache; beyond the most a writer may find no space
 * before its log is full.
 */
#define NODES_PER_MIB 40
#define NODES_MIN 256
#define NODES_MOST (NODES_MIN + 256 * NODES_PER_MIB)

static uint64_t nodes_for(const struct disk_config *c, const struct disco_store *s)
{
    uint64_t blocks = s->sectors / (DISCO_PAGE_SIZE / DISCO_SECTOR) + 1, ports = mon.config.vms;
    uint64_t logged = c->log >> DISCO_PAGE_SHIFT < blocks ? c->log >> DISCO_PAGE_SHIFT : blocks;
    uint64_t logs = 2 * disco_ranges_nodes(ports * logged, ports);
    uint64_t n = NODES_MIN + (s->sectors >> 11) * NODES_PER_MIB;

    if (c->visible && c->keep)
        return 0;
    n = n > logs ? n : logs;
    return n < NODES_MOST ? n : NODES_MOST;
}

static struct disco_disk *disks[CONFIG_DISKS];
static const struct vm *owner[CONFIG_DISKS]; /* of a disk that only one VM can have at a time */

/* --- making --- */

static struct disco_store *store_of(const struct disk_config *c)
{
    struct disco_store *s = drivers_disk(c->unit);

    if (!s)
        die("disk %s: the machine has no disk number %u", c->name, c->unit);
    if (c->visible && c->keep && s->read_only)
        die("disk %s: changes are to be kept, but the machine's disk number %u is read-only",
            c->name, c->unit);
    return s;
}

static struct disco_disk_config config_of(const struct disk_config *c)
{
    struct disco_store *s = store_of(c);

    return (struct disco_disk_config){
        .store = s,
        .mm = mon.mm,
        .backend = &mon.machine.backend,
        .mode = (c->visible ? DISCO_DISK_VISIBLE : 0) | (c->keep ? DISCO_DISK_KEPT : 0),
        .ports = mon.config.vms,
        .log_pages = c->log >> DISCO_PAGE_SHIFT,
        .nodes = nodes_for(c, s),
        .copy = c->copy,
    };
}

void disks_make(void)
{
    for (unsigned i = 0; i < mon.config.disks; i++) {
        struct disco_disk_config c = config_of(&mon.config.disk[i]);
        size_t size = disco_disk_size(&c);
        int err =
            size ? disco_disk_init(&disks[i], memory_storage(size), size, &c) : DISCO_ERR_BAD_ARG;

        if (err)
            die("disk %s: %s", mon.config.disk[i].name, disco_strerror(err));
    }
}

/* --- of a VM --- */

static void disk_line(void *ctx, bool up)
{
    const struct disk_line *l = ctx;

    devices_line(l->vm, (uint32_t)DEVICE_DISK << l->n, up);
}

static int open_one(struct vm *vm, unsigned n)
{
    unsigned d = vm->config->disk[n], port = vm->number;
    const char *name = mon.config.disk[d].name;
    struct disco_line line = {disk_line, &vm->disk_line[n]};
    int err;

    vm->disk_line[n] = (struct disk_line){vm, n};
    err = disco_disk_open(disks[d], port, &vm->pmap, line, &vm->disks.port[n]);
    if (err == DISCO_ERR_BUSY && owner[d])
        say_error("vm %s: disk %s belongs to vm %s, and to one at a time", vm->config->name, name,
                  owner[d]->config->name);
    else if (err)
        say_error("vm %s: disk %s: %s", vm->config->name, name, disco_strerror(err));
    if (err)
        return err;
    vm->disks.disk[n] = disks[d];
    if (mon.config.disk[d].visible && mon.config.disk[d].keep)
        owner[d] = vm;
    return DISCO_OK;
}

int disks_open(struct vm *vm)
{
    int err = DISCO_OK;

    vm->disks = (struct disco_disks){{NULL}, {NULL}};
    for (unsigned n = 0; n < vm->config->disks && !err; n++)
        err = open_one(vm, n);
    return err;
}

bool disks_close(struct vm *vm)
{
    bool all = true;

    for (unsigned n = 0; n < vm->config->disks; n++) {
        struct disco_disk_port **p = &vm->disks.port[n];

        if (!*p)
            continue;
        if (disco_disk_close(*p)) {
            all = false;
            continue;
        }
        *p = NULL;
        if (owner[vm->config->disk[n]] == vm)
            owner[vm->config->disk[n]] = NULL;
    }
    return all;
}

/* --- all of them --- */

uint64_t disks_evict(uint64_t pages)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < mon.config.disks && n < pages; i++)
        n += disco_disk_evict(disks[i], pages - n);
    return n;
}

void disks_fini(void)
{
    for (unsigned i = 0; i < mon.config.disks; i++) {
        int err = disco_disk_fini(disks[i]);

        if (err)
            say_error("disk %s: %s", mon.config.disk[i].name, disco_strerror(err));
    }
}

static const struct {
    const char *name;
    size_t offset;
} names[] = {
#define OF(field)                                                                                  \
    {                                                                                              \
#field, offsetof(struct disco_disk_stats, field)                                           \
    }
    OF(reads), OF(writes), OF(flushes), OF(errors), OF(mapped),  OF(copied),
    OF(hits),  OF(misses), OF(lent),    OF(cached), OF(evicted), OF(logged),
#undef OF
};

void disks_stats(stats_put *put)
{
    for (unsigned i = 0; i < mon.config.disks; i++) {
        struct disco_disk_stats s;
        char of[CONFIG_NAME + 8];

        disco_disk_stats(disks[i], &s);
        log_format(of, sizeof of, "disk.%s", mon.config.disk[i].name);
        for (size_t k = 0; k < sizeof names / sizeof names[0]; k++)
            put(of, names[k].name, *(const uint64_t *)((const char *)&s + names[k].offset));
    }
}
