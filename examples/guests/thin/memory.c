/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Memory is what lies behind the image and the device tree. No page of it is there before it is
 * touched, and then it is zeroed: that is the monitor's work.
 */
#include "inside.h"
#include "tree.h"

static struct os_lock lock;
static uint64_t next, end; /* guest-physical */

void memory_init(void)
{
    next = (pa_of(tree_end()) + OS_PAGE - 1) & -(uint64_t)OS_PAGE;
    end = tree_memory() & -(uint64_t)OS_PAGE;
}

void *os_pages(uint64_t bytes)
{
    void *pages = 0;

    os_lock(&lock);
    if (next < end && bytes <= end - next) {
        pages = (void *)(DIRECT + next);
        next += (bytes + OS_PAGE - 1) & -(uint64_t)OS_PAGE;
    }
    os_unlock(&lock);
    return pages;
}
