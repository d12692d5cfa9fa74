/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Disks: each thread has one request at a time. Most are done when the call returns; for the others
 * the device interrupt, which only virtual CPU 0 gets, finds out whose they were and wakes him.
 */
#include "inside.h"

#include <disco/base.h>
#include <disco/io.h>

#define UNDER_WAY 1
#define TRIES 100000 /* with the rest of a time slice between two of them */

static struct {
    struct disco_disk_request head;
    struct disco_io_seg seg;
} request[OS_THREADS];
static volatile uint64_t answer[OS_THREADS]; /* by the request's tag: UNDER_WAY, 0 or an error */

int64_t disk_size(unsigned disk) { return hypcall(DISCO_CALL_DISK_SIZE, disk, 0, 0, 0, 0); }

void disk_interrupt(void)
{
    static struct disco_disk_done done[OS_THREADS];
    int64_t n;

    while ((n = hypcall(DISCO_CALL_DISK_DONE, physical(done), sizeof done, 0, 0, 0)) > 0) {
        for (int64_t i = 0; i < n; i++) {
            store(&answer[done[i].tag % OS_THREADS], (uint64_t)(int64_t)done[i].status);
            threads_wake(UINT64_C(1) << done[i].tag % OS_THREADS);
        }
    }
}

/* The monitor may have too much at work, or no memory, at this moment. */
static int64_t ask(unsigned disk, unsigned me)
{
    int64_t said;
    unsigned tries = 0;

    do {
        if (tries++)
            relax();
        said = hypcall(DISCO_CALL_DISK_REQUEST, disk, physical(&request[me]), sizeof request[me], 0,
                       0);
    } while ((said == DISCO_ERR_BUSY || said == DISCO_ERR_NO_MEMORY) && tries < TRIES);
    return said;
}

int disk_read(unsigned disk, uint64_t sector, void *to, uint64_t bytes)
{
    unsigned me = os_me();
    int64_t said;

    request[me].head = (struct disco_disk_request){DISCO_DISK_READ, 1, sector, me};
    request[me].seg = (struct disco_io_seg){pa_of(to), bytes};
    store(&answer[me], UNDER_WAY);
    said = ask(disk, me);
    if (said == 1)
        return 0;
    while (said == 0 && load(&answer[me]) == UNDER_WAY)
        threads_sleep(&answer[me], UNDER_WAY);
    return said == 0 && load(&answer[me]) == 0 ? 0 : OS_IO;
}
