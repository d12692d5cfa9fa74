/* SPDX-License-Identifier: BSD-2-Clause */
/* The devices of pvio: console, interval timer, power. */
#include "calls.h"

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
    ck_assert_uint_eq(disco_console_input(&con, (const uint8_t *)"early", 5), 5);
    ck_assert(!line_up); /* the guest still boots: nobody would lower it */
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 2, 0), 2);
    ck_assert(line_up);
    ck_assert_int_eq(call(DISCO_CALL_CONSOLE_READ, 0, 8, 0), 3);
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
        console_refuses,
        console_output,
        console_input,
        console_ring_is_full_and_wraps,
        timer_fires_once,
        timer_set_while_fired,
        timer_stands_still_while_paused,
        timer_beyond_counting,
        power,
    };

    return SUITE_RUN("devices", tests, setup, teardown);
}
