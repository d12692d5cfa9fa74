// SPDX-License-Identifier: GPL-2.0-only
#include <linux/init.h>

#include <asm/setup.h>

#include <hypcall.h>

void prom_putchar(char c)
{
	disco_call(DISCO_CALL_CONSOLE_PUTC, (unsigned char)c, 0);
}
