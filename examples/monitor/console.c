/* SPDX-License-Identifier: BSD-2-Clause */
#include "console.h"

#include "board.h"
#include "escape.h"
#include "log.h"
#include "monitor.h"
#include "prompt.h"
#include "stats.h"
#include "uart.h"

#define FRAME 0x10
#define KEPT 2048
#define READ_MAX 256 /* bytes taken from a serial port at one look */

static struct {
    struct disco_lock lock; /* of the port, of `shown` and `kept` */
    struct vm *shown;       /* whose output goes to the terminal; NULL: nobody's */
    struct kept {
        uint32_t n; /* bytes ever put in; the last KEPT of them are there */
        uint8_t bytes[KEPT];
    } kept[CONFIG_VMS];
    struct vm *focus; /* who gets what is typed; processor 0, as all below */
    bool prompt;      /* the prompt gets it */
    struct escape escape;
    struct prompt_line typed, control;
} con;

static void lock(void) { disco_lock(&con.lock, &mon.machine.backend); }
static void unlock(void) { disco_unlock(&con.lock); }

/* --- output --- */

static void put(const void *bytes, size_t n) { board_put(BOARD_CONSOLE, bytes, n); }

static void put_frames(unsigned number, const uint8_t *bytes, size_t n)
{
    while (n) {
        size_t now = n < 255 ? n : 255;
        const uint8_t head[3] = {FRAME, (uint8_t)('A' + number), (uint8_t)now};

        put(head, sizeof head);
        put(bytes, now);
        bytes += now;
        n -= now;
    }
}

static void keep(struct kept *k, const uint8_t *bytes, size_t n)
{
    while (n--)
        k->bytes[k->n++ % KEPT] = *bytes++;
}

void console_put(void *ctx, const uint8_t *bytes, size_t n)
{
    struct vm *vm = ctx;
    unsigned number = vm->number;

    lock();
    if (mon.options.framed)
        put_frames(number, bytes, n);
    else if (vm == con.shown)
        put(bytes, n);
    else
        keep(&con.kept[number], bytes, n);
    unlock();
}

static void put_kept(struct kept *k)
{
    uint32_t n = k->n < KEPT ? k->n : KEPT, at = (k->n - n) % KEPT, first = KEPT - at;

    if (first > n)
        first = n;
    put(k->bytes + at, first);
    put(k->bytes, n - first);
    k->n = 0;
}

/* --- the monitor's own words on the terminal --- */

static void print_bytes(const char *text, size_t n)
{
    lock();
    if (!mon.options.framed)
        put(text, n);
    unlock();
}

static void print(const char *f, ...)
{
    char text[256];
    va_list args;
    size_t n;

    va_start(args, f);
    n = log_text(text, sizeof text, f, &args);
    va_end(args);
    print_bytes(text, n);
}

static void print_line(const char *text) { print("%s\r\n", text); }

static void print_stat(const char *of, const char *name, uint64_t value)
{
    if (value)
        print("%s.%s %lu\r\n", of, name, value);
}

static void print_stats(void) { stats_walk(con.focus, print_stat); }

void console_note(struct vm *vm, const char *cause)
{
    if (mon.config.vms > 1 && vm == con.shown)
        print("\r\n[%s ended: %s]\r\n", vm->config->name, cause);
}

static void show(struct vm *vm)
{
    if (mon.config.vms > 1)
        print("\r\n[%s]\r\n", vm->config->name);
    lock();
    if (!mon.options.framed)
        put_kept(&con.kept[vm->number]);
    con.shown = vm;
    unlock();
}

static void hide(void)
{
    lock();
    con.shown = NULL;
    unlock();
}

void console_focus(struct vm *vm)
{
    con.prompt = false;
    con.focus = vm;
    if (vm != con.shown)
        show(vm);
}

/* --- input --- */

static const struct prompt_out on_terminal = {print_line, print_stats};

static void open_prompt(void)
{
    hide();
    con.prompt = true;
    con.typed.n = 0;
    print("\r\ndisco> ");
}

static void run_typed(void)
{
    print("\r\n");
    if (!con.typed.text[0]) {
        console_focus(con.focus);
        return;
    }
    prompt_run(con.typed.text, &on_terminal);
    if (con.prompt)
        print("disco> ");
}

/* An empty line, Ctrl-C, Ctrl-D or Escape go back to the guest. */
static void prompt_key(char c)
{
    unsigned n = con.typed.n;

    if (c == 3 || c == 4 || c == 27)
        con.typed.n = 0, c = '\r';
    if (prompt_type(&con.typed, c))
        run_typed();
    else if (con.typed.n > n)
        print("%c", c);
    else if (con.typed.n < n)
        print("\b \b");
}

/* The next VM, or with `step` -1 the previous one. */
static struct vm *beside(int step)
{
    int vms = (int)mon.config.vms, now = (int)con.focus->number;

    return mon.vm[(now + step + vms) % vms];
}

static void list(void)
{
    char command[] = "list";

    prompt_run(command, &on_terminal);
}

/* Keys of the monitor that show something; a terminal of frames has no place for it. */
static void escape_key(enum escape_key key, uint8_t c)
{
    struct vm *vm;

    if (key == ESCAPE_STATS || key == ESCAPE_LIST)
        print("\r\n");
    switch (key) {
    case ESCAPE_STATS: print_stats(); break;
    case ESCAPE_LIST: list(); break;
    case ESCAPE_HELP: print_bytes(escape_help, escape_help_size); break;
    case ESCAPE_SELECT:
        vm = life_vm(c - '1');
        if (vm)
            console_focus(vm);
        break;
    case ESCAPE_NEXT: console_focus(beside(1)); break;
    case ESCAPE_PREVIOUS: console_focus(beside(-1)); break;
    case ESCAPE_PROMPT: open_prompt(); break;
    default: break;
    }
}

static void guest_key(uint8_t c)
{
    if (con.prompt)
        prompt_key((char)c);
    else if (con.focus->life.state == LIFE_ON && !uart_input(con.focus, c))
        disco_console_input(&con.focus->console, &c, 1);
}

static void key(uint8_t c)
{
    enum escape_key k = escape_feed(&con.escape, c);

    if (k == ESCAPE_GUEST)
        guest_key(c);
    else if (k == ESCAPE_LEAVE)
        life_quit();
    else if (!mon.options.framed)
        escape_key(k, c);
}

/* --- control --- */

static void log_line(const char *text) { say("> %s", text); }

static const struct prompt_out on_log = {log_line, stats_all};

static void control(uint8_t c)
{
    if (prompt_type(&con.control, (char)c) && con.control.text[0])
        prompt_run(con.control.text, &on_log);
}

static unsigned look_at(enum board_uart uart, void (*take)(uint8_t))
{
    unsigned n = 0;
    int c;

    while (n < READ_MAX && (c = board_get(uart)) >= 0) {
        take((uint8_t)c);
        n++;
    }
    return n;
}

bool console_poll(void)
{
    unsigned typed = look_at(BOARD_CONSOLE, key);

    return look_at(BOARD_LOG, control) + typed > 0;
}
