/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Fuzz target: bytes are declarations of monitor calls, plain and typed, then calls with any arguments. Held against it is
 * the rule, written once more in 128 bits: what is refused, and with what; that a handler gets nothing its declaration
 * does not allow; that it reads and writes the VM's memory where its buffers are and nowhere else.
 */
#include "damage.h"

#include "mock_backend.h"

#include <disco/ffi.h>

#include <stdlib.h>
#include <string.h>

enum { PAGES = 4, CALLS = 8, SEGS = 4, PIECE = 48 };
#define SIZE (PAGES * DISCO_PAGE_SIZE)
#define RULE(x) demand(x, #x)

static const struct disco_segs_limits limits = {SEGS, DISCO_PAGE_SIZE, 16, UINT64_C(1) << 63};

struct declared {
    struct disco_call call; /* as it was given to the table */
    bool added;
    _Alignas(max_align_t) uint8_t storage[DISCO_FFI_SIZE];
};

static struct mock mock;
static struct disco_memmap *mm;
static struct disco_pmap pm;
static struct disco_calls table;
static struct disco_calls_counters counters[MOCK_CPUS];
static struct declared declared[CALLS];
static uint8_t memory[SIZE]; /* what the VM's should be */
static const uint8_t *input;
static size_t left;
static const struct disco_arg_desc
    *expected; /* of the call that is made; NULL: no handler may run */
static const uint64_t *given;
static int64_t answer;
static bool ran;

/* --- input --- */

static uint8_t byte(void) { return left ? left--, *input++ : 0; }

/* A number near something that matters, or any. */
static uint64_t number(void)
{
    static const uint64_t edge[] = {0, 1, 16, 255, 256, 4096, SIZE, 65536, 1ull << 32, 1ull << 63};
    uint8_t what = byte();
    uint64_t v = 0;

    if (what < 160)
        return edge[what % 10] + what / 10 % 4 - 1;
    if (what < 224)
        return byte() * UINT64_C(67);
    for (unsigned i = 0; i < 8; i++)
        v = v << 8 | byte();
    return v;
}

/* --- the rule --- */

static bool is_buf(enum disco_arg_kind k)
{
    return k == DISCO_ARG_BUF_IN || k == DISCO_ARG_BUF_OUT;
}

static bool good_declaration(const struct disco_call *c)
{
    unsigned registers = 0;
    bool end = false;

    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++) {
        const struct disco_arg_desc *d = &c->arg[i];

        end |= d->kind == DISCO_ARG_NONE;
        if (end ? d->kind != DISCO_ARG_NONE : d->kind > DISCO_ARG_BUF_OUT || d->min > d->max)
            return false;
        registers += end ? 0 : is_buf(d->kind) ? 2 : 1;
    }
    return c->number < DISCO_CALLS_MAX && registers <= DISCO_CALL_ARGS;
}

static int in_memory(uint64_t pa, uint64_t len)
{
    unsigned __int128 end = (unsigned __int128)pa + len;

    return end > UINT64_MAX ? DISCO_ERR_OVERFLOW : end > SIZE ? DISCO_ERR_BAD_ADDRESS : 0;
}

static int good_arguments(const struct disco_arg_desc *d, const uint64_t *raw)
{
    for (unsigned i = 0; i < DISCO_CALL_ARGS && d[i].kind != DISCO_ARG_NONE; i++) {
        uint64_t v = is_buf(d[i].kind) ? raw[1] : raw[0];

        if (v < d[i].min || v > d[i].max)
            return DISCO_ERR_BAD_ARG;
        if (is_buf(d[i].kind) && in_memory(raw[0], raw[1]))
            return in_memory(raw[0], raw[1]);
        raw += is_buf(d[i].kind) ? 2 : 1;
    }
    return 0;
}

static int good_list(const struct disco_buf *b, uint64_t offset, uint32_t n, uint64_t *sum)
{
    struct disco_io_seg s;

    *sum = 0;
    if (n > SEGS || (unsigned __int128)offset + n * sizeof s > b->len)
        return DISCO_ERR_BAD_ARG;
    for (uint32_t i = 0; i < n; i++) {
        memcpy(&s, memory + b->pa.v + offset + i * sizeof s, sizeof s);
        s.len &= ~limits.flags;
        if (s.len > limits.bytes - *sum || s.len % limits.unit)
            return DISCO_ERR_BAD_ARG;
        if (in_memory(s.pa, s.len))
            return in_memory(s.pa, s.len);
        *sum += s.len;
    }
    return 0;
}

/* --- the handler --- */

static void read_all_ways(const struct disco_buf *b)
{
    struct disco_io_seg seg[SEGS];
    uint64_t offset = number(), len = byte() % PIECE, total = 77, sum;
    uint8_t bytes[PIECE];
    bool inside = (unsigned __int128)offset + len <= b->len;
    uint32_t n = byte() % (SEGS + 2);
    int want;

    RULE(disco_buf_write(b, 0, bytes, 0) == DISCO_ERR_READ_ONLY);
    RULE(disco_buf_read(b, offset, bytes, len) == (inside ? 0 : DISCO_ERR_BAD_ARG));
    RULE(!inside || !memcmp(bytes, memory + b->pa.v + offset, len));
    offset = byte() % 2 ? 0 : offset;
    want = good_list(b, offset, n, &sum);
    RULE(disco_segs_read(b, offset, n, &limits, seg, &total) == want);
    RULE(total == (want ? 77 : sum));
    RULE(want || !n || !memcmp(seg, memory + b->pa.v + offset, n * sizeof *seg));
}

static void write_somewhere(const struct disco_buf *b)
{
    uint64_t offset = number(), len = byte() % PIECE;
    uint8_t bytes[PIECE];
    bool inside = (unsigned __int128)offset + len <= b->len;

    for (unsigned i = 0; i < PIECE; i++)
        bytes[i] = i < len ? byte() : 0;
    RULE(disco_buf_read(b, 0, bytes, 0) == DISCO_ERR_READ_ONLY);
    RULE(disco_buf_write(b, offset, bytes, len) == (inside ? 0 : DISCO_ERR_BAD_ARG));
    if (inside)
        memcpy(memory + b->pa.v + offset, bytes, len);
}

static int64_t handler(void *dev, void *caller, const union disco_arg *a)
{
    const uint64_t *raw = given;

    RULE(expected && dev == &pm && caller == &mock);
    ran = true;
    for (unsigned i = 0; i < DISCO_CALL_ARGS && expected[i].kind != DISCO_ARG_NONE; i++) {
        if (!is_buf(expected[i].kind)) {
            RULE(a[i].value == *raw++);
            continue;
        }
        RULE(a[i].buf.pmap == &pm && a[i].buf.pa.v == raw[0] && a[i].buf.len == raw[1]);
        if (expected[i].kind == DISCO_ARG_BUF_IN)
            read_all_ways(&a[i].buf);
        else
            write_somewhere(&a[i].buf);
        raw += 2;
    }
    return answer;
}

/* --- steps --- */

static struct disco_call plain(void)
{
    struct disco_call c = {.name = "plain", .fn = handler, .dev = &pm};

    c.number = byte() % (DISCO_CALLS_MAX + 4);
    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++) {
        uint8_t what = byte();

        c.arg[i].kind = (enum disco_arg_kind)(what % 32 == 31 ? 9 : what % 4);
        c.arg[i].min = what & 0x80 ? number() : 0;
        c.arg[i].max = number();
        if (what & 0x40)
            break;
    }
    return c;
}

/* What comes of a typed declaration is good, or there is nothing. Signed ranges over zero are ffi_test.c's. */
static bool typed(struct declared *d)
{
    struct disco_ffi_decl decl = {.name = "typed", .uniform = handler, .dev = &pm};

    decl.number = byte() % DISCO_CALLS_MAX;
    for (unsigned i = 0; i < DISCO_FFI_PARAMS; i++) {
        uint8_t what = byte();

        decl.param[i].type = (enum disco_ffi_type)(what % 16);
        if (what & 0x40)
            decl.param[i].max = number();
        if (what & 0x80 && decl.param[i].type != DISCO_FFI_I64)
            decl.param[i].min = number();
    }
    if (disco_ffi_prepare(&decl, d->storage, sizeof d->storage, &d->call))
        return false;
    RULE(good_declaration(&d->call));
    return true;
}

static void declare(struct declared *d)
{
    struct disco_call *at;
    int want;

    if (byte() % 2)
        d->call = plain();
    else if (!typed(d))
        return;
    at = d->call.number < DISCO_CALLS_MAX ? &table.call[d->call.number] : NULL;
    want = !good_declaration(&d->call) ? DISCO_ERR_BAD_ARG : at->fn ? DISCO_ERR_BUSY : 0;
    RULE(disco_calls_add(&table, &d->call) == want);
    d->added = !want;
}

static const struct declared *by_number(uint64_t n)
{
    for (unsigned i = 0; i < CALLS; i++) {
        if (declared[i].added && declared[i].call.number == n)
            return &declared[i];
    }
    return NULL;
}

static uint64_t refused(void)
{
    struct disco_calls_stats s;

    disco_calls_stats(&table, &s);
    return s.bad;
}

static void call(void)
{
    uint8_t which = byte();
    uint64_t n = which < 250 ? declared[which % CALLS].call.number : number();
    uint64_t raw[DISCO_CALL_ARGS], bad = refused();
    const struct declared *d = by_number(n);
    int want;

    for (unsigned i = 0; i < DISCO_CALL_ARGS; i++)
        raw[i] = number();
    want = d ? good_arguments(d->call.arg, raw) : DISCO_ERR_BAD_CALL;
    expected = want ? NULL : d->call.arg;
    given = raw;
    answer = (int64_t)number();
    ran = false;
    RULE(disco_calls_run(&table, n, raw, &pm, 0, &mock) == (want ? want : answer));
    RULE(ran == !want && refused() == bad + (want != 0));
}

/* --- the world --- */

static void *make(void **mm_storage)
{
    struct disco_pmap_config c = {.pages = PAGES, .sets = 1, .backend = &mock.b};
    void *storage;

    mock_init(&mock, 1, 32, PAGES);
    mm = mock_memmap(&mock, 1, 0, mm_storage);
    c.mm = mm;
    storage = mock_storage(disco_pmap_size(&c));
    RULE(!disco_pmap_init(&pm, storage, disco_pmap_size(&c), &c));
    RULE(!disco_calls_init(&table, counters, &mock.b));
    memset(declared, 0, sizeof declared);
    memset(memory, 0, sizeof memory);
    return storage;
}

static void check_memory(void)
{
    static uint8_t real[SIZE];

    RULE(!disco_pmap_read(&pm, (disco_pa){0}, real, SIZE, 0));
    RULE(!memcmp(real, memory, SIZE));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    void *mm_storage, *storage = make(&mm_storage);

    input = data;
    left = size;
    for (unsigned i = 0; i < CALLS; i++)
        declare(&declared[i]);
    while (left)
        call();
    check_memory();
    disco_pmap_fini(&pm);
    RULE(mock_free_pages(&mock, mm) == PAGES);
    free(storage);
    free(mm_storage);
    mock_fini(&mock);
    return 0;
}
