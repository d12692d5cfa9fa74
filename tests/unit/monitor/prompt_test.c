/* SPDX-License-Identifier: BSD-2-Clause */
/* The monitor's prompt: which words do what, to which virtual machine, and what is answered. */
#include "monitor/board.h"
#include "monitor/console.h"
#include "monitor/network.h"
#include "monitor/prompt.h"
#include "suite.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* The log, of which only the formats are used, wants a board. */
void board_put(enum board_uart uart, const uint8_t *bytes, size_t n)
{
    (void)uart, (void)bytes, (void)n;
    abort();
}

void board_power_off(void) { abort(); }

/* --- a monitor that only remembers: two virtual machines, "one" and "7" --- */

static const struct vm_config config[2] = {{.name = "one", .cpus = 2, .memory = 64 << 20},
                                           {.name = "7", .cpus = 1, .memory = 8 << 20}};
static struct vm vms[2];
static char did[256];      /* "start one;" for each request */
static const char *refuse; /* what the next requests are answered with */
static char said[2048];    /* answer lines, each with its end */

static const char *request(const char *what, const struct vm *vm)
{
    size_t n = strlen(did);

    snprintf(did + n, sizeof did - n, "%s %s;", what, vm->config->name);
    return refuse;
}

const char *life_start(struct vm *vm) { return request("start", vm); }
const char *life_stop(struct vm *vm) { return request("stop", vm); }
const char *life_reset(struct vm *vm) { return request("reset", vm); }
const char *life_pause(struct vm *vm) { return request("pause", vm); }
const char *life_resume(struct vm *vm) { return request("resume", vm); }
const char *network_link(struct vm *vm, bool up) { return request(up ? "up" : "down", vm); }
void console_focus(struct vm *vm) { request("focus", vm); }
void life_quit(void) { strcat(did, "quit;"); }
const char *life_word(const struct vm *vm) { return vm == vms ? "running" : "off"; }
struct vm *life_vm(unsigned i) { return i < 2 ? &vms[i] : NULL; }

struct vm *life_find(const char *word)
{
    return strcmp(word, "one") == 0 ? vms : strcmp(word, "7") == 0 ? vms + 1 : NULL;
}

/* "one" has 3 MiB. */
void disco_pmap_stats(const struct disco_pmap *pm, struct disco_pmap_stats *out)
{
    *out = (struct disco_pmap_stats){.present = pm == &vms[0].pmap ? 3 << 8 : 0};
}

static void on_line(const char *text)
{
    strcat(said, text);
    strcat(said, "\n");
}

static void on_stats(void) { strcat(did, "stats;"); }

static void run(const char *command)
{
    static const struct prompt_out out = {on_line, on_stats};
    char text[128];

    vms[0].config = &config[0];
    vms[1].config = &config[1];
    did[0] = said[0] = 0;
    strcpy(text, command);
    prompt_run(text, &out);
}

/* --- */

START_TEST(about_one)
{
    const char *const verb[] = {"start", "stop", "reset", "pause", "resume", "focus"};
    char text[64], expect[64];

    for (size_t i = 0; i < sizeof verb / sizeof verb[0]; i++) {
        snprintf(text, sizeof text, "vm %s one", verb[i]);
        snprintf(expect, sizeof expect, "%s one;", verb[i]);
        run(text);
        ck_assert_str_eq(did, expect);
        ck_assert_str_eq(said, "ok\n");
        snprintf(text, sizeof text, "  %s   7  ", verb[i]);
        snprintf(expect, sizeof expect, "%s 7;", verb[i]);
        run(text);
        ck_assert_str_eq(did, expect);
    }
}
END_TEST

START_TEST(links)
{
    run("vm link one down");
    ck_assert_str_eq(did, "down one;");
    ck_assert_str_eq(said, "ok\n");
    run("link 7 up");
    ck_assert_str_eq(did, "up 7;");
}
END_TEST

START_TEST(refused)
{
    refuse = "is running";
    run("vm start one");
    ck_assert_str_eq(said, "error: one is running\n");
    refuse = NULL;
}
END_TEST

START_TEST(mistakes)
{
    static const struct {
        const char *command, *answer;
    } row[] = {
        {"vm stop x", "error: no virtual machine 'x'\n"},
        {"vm stop", "error: which virtual machine? (vm list)\n"},
        {"focus", "error: which virtual machine? (vm list)\n"},
        {"vm", "error: unknown command '' (help lists them)\n"},
        {"vm vm list", "error: unknown command 'vm' (help lists them)\n"},
        {"list all", "error: unknown command 'list' (help lists them)\n"},
        {"sto one", "error: unknown command 'sto' (help lists them)\n"},
        {"stopp one", "error: unknown command 'stopp' (help lists them)\n"},
        {"link one", "error: link NAME up, or down\n"},
        {"link", "error: link NAME up, or down\n"},
        {"link one upp", "error: link NAME up, or down\n"},
        {"link x up", "error: no virtual machine 'x'\n"},
        {"link one up now", "error: too many words (help lists the commands)\n"},
        {"stop one up", "error: too many words (help lists the commands)\n"},
        {"vm stop one now", "error: too many words (help lists the commands)\n"},
    };

    for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
        run(row[i].command);
        ck_assert_str_eq(said, row[i].answer);
        ck_assert_str_eq(did, "");
    }
}
END_TEST

START_TEST(plain)
{
    run("stats");
    ck_assert_str_eq(did, "stats;");
    run("quit");
    ck_assert_str_eq(did, "quit;");
    ck_assert_str_eq(said, "ok\n");
    run("help");
    ck_assert_ptr_nonnull(strstr(said, "start|stop|reset|pause|resume"));
    ck_assert_str_eq(said + strlen(said) - 4, "\nok\n");
}
END_TEST

START_TEST(list)
{
    run("vm list");
    ck_assert_str_eq(said, "1 one: running, cpus 2, memory 64 MiB, of it in use 3 MiB\n"
                           "2 7: off, cpus 1, memory 8 MiB, of it in use 0 MiB\n"
                           "ok\n");
}
END_TEST

static bool type(struct prompt_line *l, const char *keys)
{
    bool done = false;

    for (; *keys; keys++)
        done = prompt_type(l, *keys);
    return done;
}

START_TEST(typing)
{
    struct prompt_line l = {.n = 0};

    ck_assert(!type(&l, "vm lisx\b"));
    ck_assert(type(&l, "t\177t\r"));
    ck_assert_str_eq(l.text, "vm list");
    ck_assert(type(&l, "\b\b\t\033a\n"));
    ck_assert_str_eq(l.text, "a");
    ck_assert(type(&l, "\n"));
    ck_assert_str_eq(l.text, "");
    for (unsigned i = 0; i < 1000; i++)
        ck_assert(!prompt_type(&l, 'x'));
    ck_assert(prompt_type(&l, '\r'));
    ck_assert_uint_eq(strlen(l.text), sizeof l.text - 1);
}
END_TEST

int main(void)
{
    const TTest *tests[] = {about_one, links, refused, mistakes, plain, list, typing};

    return SUITE_RUN("prompt", tests, NULL, NULL);
}
