/* SPDX-License-Identifier: BSD-2-Clause */
/* From the first instruction, which is in start.S of the tiny guests, to the program; interrupts. */
#include "inside.h"
#include "mark.h"
#include "tree.h"

static void drop_console_input(void)
{
    static char dropped[64];

    while (hypcall(DISCO_CALL_CONSOLE_READ, physical(dropped), sizeof dropped, 0, 0, 0) > 0)
        ;
}

/* An interrupt has no other effect than to end a `wait`: what it is about is found in memory. */
uint64_t tiny_exception(uint64_t cause, uint64_t epc, uint64_t badvaddr, uint64_t vector)
{
    if (EXC_CODE(cause) != 0)
        tiny_unexpected(cause, epc, badvaddr, vector);
    if (cause & CAUSE_LINE(DISCO_LINE_IPI))
        (void)hypcall(DISCO_CALL_IPI_ACK, 0, 0, 0, 0, 0);
    if (cause & CAUSE_LINE(DISCO_LINE_DEVICE)) {
        disk_interrupt();
        drop_console_input();
    }
    return epc;
}

int guest_main(void)
{
    memory_init();
    threads_open();
    return program();
}

uint64_t os_number(const char *key, uint64_t otherwise) { return tree_number(key, otherwise); }
unsigned os_text(const char *key, char *text, unsigned size) { return tree_text(key, text, size); }
uint64_t os_now(void) { return now(); }

void os_mark(int end)
{
    if (end)
        mark_end();
    else
        mark_begin();
}
