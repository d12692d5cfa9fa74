/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What a character on the console costs: by monitor calls, and by the emulated 16550. Each piece prints "lines="
 * lines of LINE characters between marks, and is named before. tests/bench counts traps and instructions in it.
 */
#include "mark.h"
#include "tiny.h"
#include "tree.h"
#include "uart.h"

#define LINE 64
#define FIFO 16

static const char line[] = "a character is a byte, and a line of this guest's has 64 of it.\n";
_Static_assert(sizeof line == LINE + 1, "tests/bench knows the length");

static void nothing(void) {}

static void call_for_a_line(void)
{
    (void)hypcall(DISCO_CALL_CONSOLE_WRITE, physical(line), LINE, 0, 0, 0);
}

static void call_for_each(void)
{
    for (unsigned i = 0; i < LINE; i++)
        (void)hypcall(DISCO_CALL_CONSOLE_PUTC, (uint8_t)line[i], 0, 0, 0, 0);
}

/* As drivers do that have an interrupt: the FIFO is empty, sixteen fit. */
static void fill_the_fifo(void)
{
    for (unsigned i = 0; i < LINE; i++) {
        while (i % FIFO == 0 && !(uart_in(UART_LSR) & UART_LSR_EMPTY))
            ;
        uart_out(UART_DATA, (uint8_t)line[i]);
    }
}

/* As drivers do that have none. */
static void ask_for_each(void) { uart_print(line); }

static const struct piece {
    const char *name;
    void (*print_line)(void);
} pieces[] = {
    {"nothing", nothing},
    {"monitor call: a line", call_for_a_line},
    {"monitor call: a character", call_for_each},
    {"16550: 16 characters when it is empty", fill_the_fifo},
    {"16550: asked before each character", ask_for_each},
};

int guest_main(void)
{
    uint64_t lines = tree_number("lines", 4);

    for (unsigned i = 0; i < sizeof pieces / sizeof pieces[0]; i++) {
        print("piece ");
        print(pieces[i].name);
        print("\n");
        mark_begin();
        for (uint64_t n = 0; n < lines; n++)
            pieces[i].print_line();
        mark_end();
    }
    return 0;
}
