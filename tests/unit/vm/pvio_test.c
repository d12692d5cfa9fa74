/* SPDX-License-Identifier: BSD-2-Clause */
/* Monitor calls: what a table refuses, what is checked before a handler runs; and the devices. */
#include "../mm/suite.h"
#include "rig.h"

#include <string.h>

#define PAGES 4
#define END (PAGES * DISCO_PAGE_SIZE)

static struct rig r;
static struct rig_vm *vm;
static struct disco_calls t;

static const struct sim_insn spin[] = {{SIM_BEQ, 0, 0, 0}};

static void setup(void)
{
    static const struct rig_config c = {.cpus = 1, .nodes = 1, .pages = 16};

    rig_init(&r, &c);
    vm = RIG_ADD(&r, PAGES, 1, spin);
    memset(&t, 0, sizeof t);
}

static void teardown(void) { rig_fini(&r); }

/* --- the table --- */

static unsigned ran;
static union disco_arg got[DISCO_CALL_ARGS];
static void *got_caller;

static int64_t handler(void *dev, void *caller, const union disco_arg *a)
{
    ran++;
    got_caller = caller;
    memcpy(got, a, sizeof got);
    return *(int64_t *)dev;
}

static int64_t answer = 5;

#define VALUE(min, max) {DISCO_ARG_VALUE, min, max}
#define IN(max) {DISCO_ARG_BUF_IN, 0, max}
#define OUT(max) {DISCO_ARG_BUF_OUT, 0, max}
#define NONE {DISCO_ARG_NONE, 0, 0}

static int add(uint32_t number, const struct disco_arg_desc arg[DISCO_CALL_ARGS])
{
    struct disco_call c = {.number = number, .name = "test", .fn = handler, .dev = &answer};

    memcpy(c.arg, arg, sizeof c.arg);
    return disco_calls_add(&t, &c);
}

#define ADD(number, ...) add(number, (const struct disco_arg_desc[DISCO_CALL_ARGS]){__VA_ARGS__})

static int64_t call(uint64_t number, uint64_t a, uint64_t b, uint64_t c)
{
    const uint64_t raw[DISCO_CALL_ARGS] = {a, b, c};

    return disco_calls_run(&t, number, raw, &vm->pmap, 0, &ran);
}

START_TEST(bad_declarations)
{
    struct disco_call c = {.number = 1, .name = "test", .fn = handler};

    ck_assert_int_eq(disco_calls_add(NULL, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_calls_add(&t, NULL), DISCO_ERR_BAD_ARG);
    c.fn = NULL;
    ck_assert_int_eq(disco_calls_add(&t, &c), DISCO_ERR_BAD_ARG);
    c.fn = handler;
    c.name = NULL;
    ck_assert_int_eq(disco_calls_add(&t, &c), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(DISCO_CALLS_MAX, NONE), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, VALUE(2, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, NONE, VALUE(0, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, {(enum disco_arg_kind)9, 0, 0}), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, IN(1), OUT(1), IN(1), VALUE(0, 1)), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(ADD(0, IN(1), OUT(1), IN(1)), 0);
    ck_assert_int_eq(ADD(0, NONE), DISCO_ERR_BUSY);
    ck_assert_int_eq(ADD(DISCO_CALLS_MAX - 1, NONE), 0);
}
END_TEST

START_TEST(calls_that_do_not_exist)
{
    ck_assert_int_eq(ADD(3, NONE), 0);
    ck_assert_int_eq(call(2, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(DISCO_CALLS_MAX, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(UINT64_C(0x100000003), 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_int_eq(call(UINT64_MAX, 0, 0, 0), DISCO_ERR_BAD_CALL);
    ck_assert_uint_eq(t.bad, 4);
    ck_assert_int_eq(call(3, 0, 0, 0), 5);
    ck_assert_uint_eq(t.count[3], 1);
    ck_assert_ptr_eq(got_caller, &ran);
}
END_TEST

START_TEST(values_are_checked)
{
    ran = 0;
    ck_assert_int_eq(ADD(1, VALUE(3, 9), VALUE(0, UINT64_MAX)), 0);
    ck_assert_int_eq(call(1, 2, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, 10, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, UINT64_MAX, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(ran, 0);
    ck_assert_int_eq(call(1, 3, UINT64_MAX, 0), 5);
    ck_assert_int_eq(call(1, 9, 1, 0), 5);
    ck_assert_uint_eq(got[0].value, 9);
    ck_assert_uint_eq(got[1].value, 1);
    ck_assert_uint_eq(ran, 2);
    ck_assert_uint_eq(t.bad, 3);
}
END_TEST

START_TEST(buffers_are_checked)
{
    ran = 0;
    ck_assert_int_eq(ADD(1, IN(8192), VALUE(7, 7)), 0);
    ck_assert_int_eq(call(1, 0, 8193, 7), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(call(1, END - 16, 17, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, END, 1, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, UINT64_MAX - 3, 8, 7), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(call(1, UINT64_MAX, 1, 7), DISCO_ERR_OVERFLOW);
    ck_assert_int_eq(call(1, UINT64_MAX - 8, 8, 7), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(1, 0, 16, 8), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(ran, 0);
    ck_assert_int_eq(call(1, END - 16, 16, 7), 5);
    ck_assert_uint_eq(got[0].buf.pa.v, END - 16);
    ck_assert_uint_eq(got[0].buf.len, 16);
    ck_assert_uint_eq(got[0].buf.access, DISCO_READ);
    ck_assert_uint_eq(got[1].value, 7);
}
END_TEST

START_TEST(buffers_have_a_direction_and_an_end)
{
    uint8_t bytes[4] = {1, 2, 3, 4};
    struct disco_buf b = {&vm->pmap, {DISCO_PAGE_SIZE - 2}, 4, 0, DISCO_WRITE};

    ck_assert_int_eq(disco_buf_read(&b, 0, bytes, 4), DISCO_ERR_READ_ONLY);
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 5), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 5, bytes, 0), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 2, bytes, UINT64_MAX), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_buf_write(&b, 4, bytes, 0), 0);
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 4), 0); /* across two pages */
    b.access = DISCO_READ;
    ck_assert_int_eq(disco_buf_write(&b, 0, bytes, 4), DISCO_ERR_READ_ONLY);
    memset(bytes, 0, 4);
    ck_assert_int_eq(disco_buf_read(&b, 1, bytes, 3), 0);
    ck_assert_uint_eq(bytes[0], 2);
    ck_assert_uint_eq(bytes[2], 4);
}
END_TEST

/* --- console --- */

static bool line_up;
static unsigned line_set;

static void on_line(void *ctx, bool up)
{
    (void)ctx;
    line_up = up;
    line_set++;
}

static char out[20000];
static size_t out_n;

static void on_put(void *ctx, const uint8_t *bytes, size_t n)
{
    (void)ctx;
    memcpy(out + out_n, bytes, n);
    out_n += n;
}

static struct disco_console con;

static void make_console(void)
{
    struct disco_line line = {on_line, NULL};

    line_up = false;
    out_n = 0;
    ck_assert_int_eq(disco_console_init(&con, r.b, on_put, NULL, line), 0);
    ck_assert_int_eq(disco_console_calls(&con, &t), 0);
}

START_TEST(console_refuses)
{
    struct disco_line line = {0};

    ck_assert_int_eq(disco_console_init(NULL, r.b, on_put, NULL, line), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_console_init(&con, r.b, NULL, NULL, line), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_console_init(&con, NULL, on_put, NULL, line), DISCO_ERR_BAD_ARG);
    make_console();
    ck_assert_int_eq(disco_console_calls(&con, &t), DISCO_ERR_BUSY);
}
END_TEST

START_TEST(console_output)
{
    char text[6000];

    make_console();
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)('a' + i % 26);
    ck_assert_int_eq(disco_pmap_write(&vm->pmap, (disco_pa){100}, text, sizeof text, 0), 0);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_WRITE, 100, 0, 0), 0);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_WRITE, 100, 700, 0), 700);
    ck_assert_uint_eq(out_n, 700);
    ck_assert_mem_eq(out, text, 700);
    /* More than one call moves: the guest is told, and asks again. */
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_WRITE, 800, 5300, 0), 4096);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_WRITE, 4896, 1204, 0), 1204);
    ck_assert_uint_eq(out_n, 6000);
    ck_assert_mem_eq(out, text, 6000);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_WRITE, END - 1, 2, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_PUTC, '!', 0, 0), 0);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_PUTC, 256, 0, 0), DISCO_ERR_BAD_ARG);
    ck_assert_uint_eq(out_n, 6001);
    ck_assert_uint_eq(con.out, 6001);
}
END_TEST

START_TEST(console_input)
{
    uint8_t bytes[8] = {0};

    make_console();
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 8, 0), 0);
    ck_assert(!line_up);
    ck_assert_uint_eq(disco_console_input(&con, (const uint8_t *)"hello", 5), 5);
    ck_assert(line_up);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, END - 2, 4, 0), DISCO_ERR_BAD_ADDRESS);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 2, 0), 2);
    ck_assert(line_up); /* three wait still */
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 2, 100, 0), 3);
    ck_assert(!line_up);
    ck_assert_int_eq(disco_pmap_read(&vm->pmap, (disco_pa){0}, bytes, 8, 0), 0);
    ck_assert_str_eq((char *)bytes, "hello");
}
END_TEST

START_TEST(console_ring_is_full_and_wraps)
{
    uint8_t in[DISCO_CONSOLE_INPUT + 10], back[DISCO_CONSOLE_INPUT];

    make_console();
    for (size_t i = 0; i < sizeof in; i++)
        in[i] = (uint8_t)(i * 7);
    con.head = con.tail = UINT32_MAX - 500; /* and the counters wrap, too */
    ck_assert_uint_eq(disco_console_input(&con, in, 600), 600);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 599, 0), 599);
    ck_assert_uint_eq(disco_console_input(&con, in, sizeof in), DISCO_CONSOLE_INPUT - 1);
    ck_assert_uint_eq(disco_console_input(&con, in, 1), 0);
    ck_assert_uint_eq(con.dropped, 12);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 4096, 0), DISCO_CONSOLE_INPUT);
    ck_assert_int_eq(disco_pmap_read(&vm->pmap, (disco_pa){0}, back, sizeof back, 0), 0);
    ck_assert_uint_eq(back[0], in[599]);
    ck_assert_mem_eq(back + 1, in, DISCO_CONSOLE_INPUT - 1);
    ck_assert(!line_up);
}
END_TEST

/* --- timer --- */

static struct disco_timer timer;

static void make_timer(void)
{
    struct disco_line line = {on_line, NULL};

    line_up = false;
    sim_advance(r.m, 1000000); /* the machine is older than the VM */
    ck_assert_int_eq(disco_timer_init(&timer, r.b, line), 0);
    ck_assert_int_eq(disco_timer_calls(&timer, &t), 0);
}

static uint64_t machine_now(void) { return r.b->ops->now(r.b); }

START_TEST(timer_fires_once)
{
    make_timer();
    ck_assert_uint_eq(disco_timer_now(&timer), 0);
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    sim_advance(r.m, 50);
    ck_assert_int_eq(call(DISCO_CALL_TIME, 0, 0, 0), 50);
    ck_assert_int_eq(call(DISCO_CALL_TIMER_SET, 80, 0, 0), 0);
    ck_assert_uint_eq(disco_timer_poll(&timer), machine_now() + 30);
    sim_advance(r.m, 29);
    ck_assert_uint_eq(disco_timer_poll(&timer), machine_now() + 1);
    ck_assert(!line_up);
    sim_advance(r.m, 1);
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    ck_assert(line_up);
    line_set = 0;
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    ck_assert_uint_eq(line_set, 0);
}
END_TEST

START_TEST(timer_set_while_fired)
{
    make_timer();
    call(DISCO_CALL_TIMER_SET, 10, 0, 0);
    sim_advance(r.m, 10);
    disco_timer_poll(&timer);
    ck_assert(line_up);
    call(DISCO_CALL_TIMER_SET, 30, 0, 0);
    ck_assert(!line_up);
    ck_assert_uint_eq(disco_timer_poll(&timer), machine_now() + 20);
    call(DISCO_CALL_TIMER_SET, 5, 0, 0); /* in the past: at once */
    ck_assert(line_up);
    call(DISCO_CALL_TIMER_SET, UINT64_MAX, 0, 0);
    ck_assert(!line_up);
    sim_advance(r.m, 1000);
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    ck_assert(!line_up);
}
END_TEST

START_TEST(timer_stands_still_while_paused)
{
    make_timer();
    sim_advance(r.m, 100);
    call(DISCO_CALL_TIMER_SET, 150, 0, 0);
    disco_timer_pause(&timer);
    disco_timer_pause(&timer);
    sim_advance(r.m, 5000);
    ck_assert_uint_eq(disco_timer_now(&timer), 100);
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    ck_assert(!line_up);
    disco_timer_resume(&timer);
    disco_timer_resume(&timer);
    ck_assert_uint_eq(disco_timer_now(&timer), 100);
    ck_assert_uint_eq(disco_timer_poll(&timer), machine_now() + 50);
    sim_advance(r.m, 50);
    disco_timer_poll(&timer);
    ck_assert(line_up);
}
END_TEST

START_TEST(timer_beyond_counting)
{
    make_timer();
    call(DISCO_CALL_TIMER_SET, UINT64_MAX - 1, 0, 0);
    ck_assert_uint_eq(disco_timer_poll(&timer), UINT64_MAX);
    ck_assert(!line_up);
}
END_TEST

/* --- power --- */

static int code;
static char said[300];

static void on_poweroff(void *ctx, void *caller, int c)
{
    ck_assert_ptr_eq(caller, &ran);
    ck_assert_ptr_eq(ctx, &code);
    code = c;
}

static void on_reset(void *ctx, void *caller)
{
    (void)ctx, (void)caller;
    code = 1000;
}

static void on_panic(void *ctx, void *caller, const char *text)
{
    (void)ctx, (void)caller;
    strcpy(said, text);
}

START_TEST(power)
{
    struct disco_power p = {on_poweroff, on_reset, on_panic, &code};
    struct disco_power bad = {on_poweroff, NULL, on_panic, NULL};
    char text[4096];

    ck_assert_int_eq(disco_power_calls(&bad, &t), DISCO_ERR_BAD_ARG);
    ck_assert_int_eq(disco_power_calls(&p, &t), 0);
    ck_assert_int_eq(call(DISCO_CALL_NOP, 0, 0, 0), 0);
    ck_assert_int_eq(call(DISCO_CALL_POWEROFF, 256, 0, 0), DISCO_ERR_BAD_ARG);
    call(DISCO_CALL_POWEROFF, 255, 0, 0);
    ck_assert_int_eq(code, 255);
    call(DISCO_CALL_RESET, 0, 0, 0);
    ck_assert_int_eq(code, 1000);
    memset(text, 'x', sizeof text);
    memcpy(text, "oh\033[2J\nno", 9);
    disco_pmap_write(&vm->pmap, (disco_pa){0}, text, sizeof text, 0);
    call(DISCO_CALL_PANIC, 0, 9, 0);
    ck_assert_str_eq(said, "oh?[2J no");
    call(DISCO_CALL_PANIC, 0, 4096, 0);
    ck_assert_uint_eq(strlen(said), 256);
    call(DISCO_CALL_PANIC, 0, 0, 0);
    ck_assert_str_eq(said, "");
    ck_assert_int_eq(call(DISCO_CALL_PANIC, END, 5, 0), DISCO_ERR_BAD_ADDRESS);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {
        bad_declarations, calls_that_do_not_exist, values_are_checked, buffers_are_checked,
        buffers_have_a_direction_and_an_end, console_refuses, console_output, console_input,
        console_ring_is_full_and_wraps, timer_fires_once, timer_set_while_fired,
        timer_stands_still_while_paused, timer_beyond_counting, power,
    };

    return SUITE_RUN("pvio", tests, setup, teardown);
}
