/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef BARE_H
#define BARE_H

/* What the test program on the bare machine has instead of a monitor. */

#include "drivers.h"
#include "log.h"
#include "mips64.h"

extern struct mips_machine machine;

/* Pages of the machine, `n` of them from everywhere, the last ones at the end of RAM; never given back. */
disco_mpn bare_page(unsigned i);
void *bare_bytes(disco_mpn mpn);
#define BARE_PAGES 512
/* Other pages, for those who allocate. */
struct disco_memmap *bare_memmap(void);
uint64_t bare_free_pages(void);
uint64_t bare_now(void);

/*
 * Idle until the devices' work has made *word at least `value`. False: it has not for long. Nothing but a device's
 * interrupt ends an idle wait.
 */
bool bare_wait(const uint32_t *word, uint32_t value);
/* Times that the processor idled. */
extern unsigned bare_idles;

/* One line of result; the Python side knows which there must be. */
void bare_result(const char *of, const char *test, bool good);

void bare_main(unsigned udp_port);
void disks_test(unsigned unit);
void subnet_test(unsigned udp_port);

#endif
