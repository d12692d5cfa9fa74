/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The plugin: what QEMU is asked to do for each block of instructions it translates.
 *
 * A block may be left half-way by an exception, so blocks are not the unit: counts are added at
 * every point behind which the block may have been left, for the words up to the next such point.
 * With one processor the additions are part of the translated code; with several, which may run in
 * parallel and need counts of their own, they are calls.
 */
#define _POSIX_C_SOURCE 200809L
#include "icount.h"

#include <stdlib.h>
#include <string.h>

#include "qemu_plugin_api.h"

int qemu_plugin_version = QEMU_PLUGIN_VERSION;
static struct icount all;

/* --- while the machine runs --- */

static void *number(uint64_t n) { return (void *)(uintptr_t)n; }

static void on_run(unsigned cpu, void *data)
{
    uint64_t run = (uintptr_t)data, *executed = &all.cpu[cpu].executed[run & 3];

    __atomic_store_n(executed, *executed + (run >> 2), __ATOMIC_RELAXED);
}

/* Index of a profile's word, number of instructions (QEMU has at most 512 in a block), profile. */
#define AT_PROFILE(p, index, n) ((uint64_t)(index) << 12 | (n) << 2 | (p))

static void on_profile(unsigned cpu, void *data)
{
    uint64_t at = (uintptr_t)data;

    (void)cpu;
    __atomic_fetch_add(&all.profile[at & 3].word[at >> 12], at >> 2 & 0x3ff, __ATOMIC_RELAXED);
}

static void on_entry(unsigned cpu, void *data)
{
    trace_begin(&all.cpu[cpu], (unsigned)(uintptr_t)data);
}

static void on_tag(unsigned cpu, void *data) { all.cpu[cpu].key.tags |= 1u << (uintptr_t)data; }

static void on_trap(unsigned cpu, void *data) { all.cpu[cpu].trapped = (uint32_t)(uintptr_t)data; }

/* Rare enough to take turns: traces are short. */
static bool busy;

static void lock(void)
{
    while (__atomic_test_and_set(&busy, __ATOMIC_ACQUIRE))
        ;
}

static void unlock(void) { __atomic_clear(&busy, __ATOMIC_RELEASE); }

static void on_eret(unsigned cpu, void *data)
{
    lock();
    all.traces_lost += !trace_end(all.trace, &all.cpu[cpu], (uintptr_t)data);
    unlock();
}

static void add_up(uint64_t sum[MODES])
{
    for (unsigned i = 0; i < all.cpus; i++) {
        for (unsigned s = 0; s < MODES; s++)
            sum[s] += __atomic_load_n(&all.cpu[i].executed[s], __ATOMIC_RELAXED);
    }
}

static void on_mark(unsigned cpu, void *data)
{
    struct mark *m;

    lock();
    if (all.marks < MAX_MARKS) {
        m = &all.mark[all.marks++];
        m->cpu = cpu;
        m->number = (unsigned)(uintptr_t)data;
        m->traces = all.cpu[cpu].traces;
        memcpy(m->executed, all.cpu[cpu].executed, sizeof m->executed);
        add_up(m->machine);
    } else {
        all.marks_lost++;
    }
    unlock();
}

/* --- while it is translated --- */

static void call(struct qemu_plugin_insn *insn, qemu_plugin_vcpu_udata_cb_t cb, uint64_t data)
{
    qemu_plugin_register_vcpu_insn_exec_cb(insn, cb, QEMU_PLUGIN_CB_NO_REGS, number(data));
}

static int place_at(const struct place *places, unsigned n, uint64_t va)
{
    for (unsigned i = 0; i < n; i++) {
        if (places[i].addr == va)
            return (int)i;
    }
    return -1;
}

/* Calls for an instruction that means something to us. @return whether it does. */
static bool watch(struct qemu_plugin_insn *insn, uint64_t va, uint32_t word)
{
    enum mode mode = mode_of(va);
    int entry = place_at(all.entry, all.entries, va), tag = place_at(all.tag, all.tags, va);
    uint32_t trap = all.entries ? decode_trap(word, mode) : 0;
    bool eret = all.entries && word == ERET_WORD && mode == MODE_KERNEL;
    bool mark = is_mark(word);

    if (entry >= 0)
        call(insn, on_entry, (uint64_t)entry);
    if (tag >= 0)
        call(insn, on_tag, (uint64_t)tag);
    if (trap)
        call(insn, on_trap, trap);
    if (eret)
        call(insn, on_eret, va);
    if (mark)
        call(insn, on_mark, word & ~MARK_MASK);
    return entry >= 0 || eret || mark;
}

static void add_inline(struct qemu_plugin_insn *insn, uint64_t *counter, uint64_t n)
{
    qemu_plugin_register_vcpu_insn_exec_inline(insn, QEMU_PLUGIN_INLINE_ADD_U64, counter, n);
}

static void count_profile(struct qemu_plugin_insn *first, uint64_t va, uint64_t n)
{
    for (unsigned i = 0; i < all.profiles; i++) {
        struct profile *p = &all.profile[i];
        uint64_t index = (va - p->start) / 4;

        if (va < p->start || va >= p->end)
            continue;
        if (all.cpus > 1)
            call(first, on_profile, AT_PROFILE(i, index, n));
        else
            add_inline(first, &p->word[index], n);
    }
}

/* A run of n instructions begins here. */
static void count(struct qemu_plugin_insn *first, uint64_t n)
{
    uint64_t va = qemu_plugin_insn_vaddr(first);
    enum mode mode = mode_of(va);

    if (all.cpus > 1)
        call(first, on_run, n << 2 | mode);
    else
        add_inline(first, &all.cpu[0].executed[mode], n);
    count_profile(first, va, n);
}

/* QEMU gives the bytes as they lie in the machine's memory. */
static uint32_t word_of(const struct qemu_plugin_insn *insn)
{
    const uint8_t *b = qemu_plugin_insn_data(insn);
    uint32_t big = (uint32_t)b[0] << 24 | (uint32_t)b[1] << 16 | (uint32_t)b[2] << 8 | b[3];

    return all.big_endian ? big : __builtin_bswap32(big);
}

static void on_translate(qemu_plugin_id_t id, struct qemu_plugin_tb *tb)
{
    size_t n = qemu_plugin_tb_n_insns(tb), first = 0;
    bool ends = false;

    (void)id;
    for (size_t i = 0; i < n; i++) {
        struct qemu_plugin_insn *insn = qemu_plugin_tb_get_insn(tb, i);
        uint64_t va = qemu_plugin_insn_vaddr(insn);
        uint32_t word = word_of(insn);

        /* What is watched is watched before it is counted, so that counts are those before it. */
        if ((watch(insn, va, word) || ends) && i > first) {
            count(qemu_plugin_tb_get_insn(tb, first), i - first);
            first = i;
        }
        ends = !decode_plain(word);
    }
    count(qemu_plugin_tb_get_insn(tb, first), n - first);
}

/* --- at the start and at the end --- */

static void at_exit(qemu_plugin_id_t id, void *data)
{
    FILE *out = all.out ? fopen(all.out, "w") : stderr;

    (void)id, (void)data;
    if (!out) {
        fprintf(stderr, "icount: %s cannot be written\n", all.out);
        return;
    }
    report(&all, out);
    if (fclose(out))
        fprintf(stderr, "icount: %s could not be written\n", all.out);
}

static bool parse_number(const char *text, char end, uint64_t *n, const char **rest)
{
    char *stop;

    *n = strtoull(text, &stop, 0);
    if (stop == text || *stop != end)
        return false;
    *rest = stop + 1;
    return true;
}

/* NAME:ADDRESS */
static bool add_place(struct place *places, unsigned *n, unsigned max, char *text)
{
    char *colon = strchr(text, ':');
    const char *rest;

    if (!colon || *n == max || !parse_number(colon + 1, 0, &places[*n].addr, &rest))
        return false;
    *colon = 0;
    places[(*n)++].name = text;
    return true;
}

/* START:END */
static bool add_profile(const char *text)
{
    struct profile *p = &all.profile[all.profiles];

    if (all.profiles == MAX_PROFILES || !parse_number(text, ':', &p->start, &text) ||
        !parse_number(text, 0, &p->end, &text) || p->end <= p->start || (p->start | p->end) & 3)
        return false;
    p->word = calloc((p->end - p->start) / 4, sizeof *p->word);
    if (!p->word)
        return false;
    all.profiles++;
    return true;
}

static bool is_key(const char *option, const char *key)
{
    return strncmp(option, key, strlen(key)) == 0;
}

/* QEMU keeps its list of options no longer than the installation: what is kept is copied. */
static bool option(const char *original)
{
    char *text = strdup(original);
    char *value = text ? strchr(text, '=') : NULL;

    if (!value)
        return false;
    value++;
    if (is_key(text, "out="))
        return (all.out = value);
    if (is_key(text, "entry="))
        return add_place(all.entry, &all.entries, MAX_ENTRIES, value);
    if (is_key(text, "tag="))
        return add_place(all.tag, &all.tags, MAX_TAGS, value);
    return is_key(text, "profile=") && add_profile(value);
}

int qemu_plugin_install(qemu_plugin_id_t id, const qemu_info_t *info, int argc, char **argv)
{
    if (!info->system_emulation || info->system.max_vcpus > MAX_CPUS ||
        strncmp(info->target_name, "mips64", 6) != 0) {
        fprintf(stderr, "icount: this counts what MIPS64 machines execute\n");
        return -1;
    }
    for (int i = 0; i < argc; i++) {
        if (!option(argv[i])) {
            fprintf(stderr, "icount: what does \"%s\" mean?\n", argv[i]);
            return -1;
        }
    }
    all.target = strdup(info->target_name);
    all.big_endian = strcmp(info->target_name, "mips64") == 0;
    all.cpus = (unsigned)info->system.smp_vcpus;
    all.mark = calloc(MAX_MARKS, sizeof *all.mark);
    if (!all.target || !all.mark)
        return -1;
    qemu_plugin_register_vcpu_tb_trans_cb(id, on_translate);
    qemu_plugin_register_atexit_cb(id, at_exit, NULL);
    return 0;
}
