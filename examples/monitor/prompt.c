/* SPDX-License-Identifier: BSD-2-Clause */
#include "prompt.h"

#include <string.h>

#include "console.h"
#include "log.h"
#include "network.h"
#include "vm.h"

static void answer(const struct prompt_out *out, const char *f, ...)
{
    char text[128];
    va_list args;

    va_start(args, f);
    log_text(text, sizeof text, f, &args);
    va_end(args);
    out->line(text);
}

static bool same(const char *a, const char *b)
{
    while (*a && *a == *b)
        a++, b++;
    return *a == *b;
}

/* The word at *at, cut off; *at is then behind it. "" when none is left. */
static char *word(char **at)
{
    char *w = *at, *end;

    while (*w == ' ')
        w++;
    for (end = w; *end && *end != ' '; end++)
        ;
    *at = *end ? end + 1 : end;
    *end = 0;
    return w;
}

static const char *focus(struct vm *vm)
{
    console_focus(vm);
    return NULL;
}

/* Commands that are about one virtual machine. */
static const struct {
    const char *name;
    const char *(*run)(struct vm *vm);
} verbs[] = {
    {"start", life_start}, {"stop", life_stop},     {"reset", life_reset},
    {"pause", life_pause}, {"resume", life_resume}, {"focus", focus},
};

static void one_vm(const struct prompt_out *out, const char *name,
                   const char *(*run)(struct vm *vm))
{
    struct vm *vm = life_find(name);
    const char *wrong = vm ? run(vm) : NULL;

    if (!*name)
        answer(out, "error: which virtual machine? (vm list)");
    else if (!vm)
        answer(out, "error: no virtual machine '%s'", name);
    else if (wrong)
        answer(out, "error: %s %s", vm->config->name, wrong);
    else
        answer(out, "ok");
}

static const char *link_up(struct vm *vm) { return network_link(vm, true); }
static const char *link_down(struct vm *vm) { return network_link(vm, false); }

static void link(const struct prompt_out *out, const char *name, const char *state)
{
    bool up = same(state, "up");

    if (up || same(state, "down"))
        one_vm(out, name, up ? link_up : link_down);
    else
        answer(out, "error: link NAME up, or down");
}

static void list(const struct prompt_out *out)
{
    struct disco_pmap_stats s;
    struct vm *vm;

    for (unsigned i = 0; (vm = life_vm(i)); i++) {
        disco_pmap_stats(&vm->pmap, &s);
        answer(out, "%u %s: %s, cpus %u, memory %lu MiB, of it in use %lu MiB", i + 1,
               vm->config->name, life_word(vm), vm->config->cpus, vm->config->memory >> 20,
               s.present >> (20 - DISCO_PAGE_SHIFT));
    }
}

static void help(const struct prompt_out *out)
{
    answer(out, "vm list");
    answer(out, "vm start|stop|reset|pause|resume NAME   or its number");
    answer(out, "vm link NAME up|down   its cable on the virtual subnet");
    answer(out, "focus NAME   show its console");
    answer(out, "stats");
    answer(out, "quit   end every virtual machine and leave");
}

static void quit(const struct prompt_out *out)
{
    (void)out;
    life_quit();
}

static void stats(const struct prompt_out *out) { out->stats(); }

/* Commands of one word. */
static const struct {
    const char *name;
    void (*run)(const struct prompt_out *out);
} plain[] = {{"help", help}, {"stats", stats}, {"quit", quit}, {"list", list}};

static void run_words(const char *first, const char *name, const struct prompt_out *out)
{
    for (unsigned i = 0; i < sizeof verbs / sizeof verbs[0]; i++) {
        if (same(first, verbs[i].name)) {
            one_vm(out, name, verbs[i].run);
            return;
        }
    }
    for (unsigned i = 0; i < sizeof plain / sizeof plain[0]; i++) {
        if (same(first, plain[i].name) && !*name) {
            plain[i].run(out);
            answer(out, "ok");
            return;
        }
    }
    answer(out, "error: unknown command '%s' (help lists them)", first);
}

/* "vm" in front may be left out. */
void prompt_run(char *command, const struct prompt_out *out)
{
    char *first = word(&command), *name, *state;

    if (same(first, "vm"))
        first = word(&command);
    name = word(&command);
    state = word(&command);
    if (same(first, "link") && !*word(&command))
        link(out, name, state);
    else if (*state)
        answer(out, "error: too many words (help lists the commands)");
    else
        run_words(first, name, out);
}

/* What does not fit is dropped. */
bool prompt_type(struct prompt_line *l, char c)
{
    if (c == '\r' || c == '\n') {
        l->text[l->n] = 0;
        l->n = 0;
        return true;
    }
    if (c == '\b' || c == 127)
        l->n -= l->n > 0;
    else if (c >= ' ' && l->n < sizeof l->text - 1)
        l->text[l->n++] = c;
    return false;
}
