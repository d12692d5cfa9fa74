/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A disk comes filled with words that tell where they stand; the lower half is only read, the upper half is written
 * with other such words, which the Python side looks for afterwards.
 */
#include <string.h>

#include "bare.h"
#include "device.h"

#define IOS 300
#define PER_PAGE (DISCO_PAGE_SIZE / DISCO_SECTOR)
#define WRITTEN UINT64_C(0x5757000000000000)

static struct disco_store_io io[IOS];
static uint32_t ended, failed;
static unsigned unit;
static struct disco_store *disk;
static char name[8] = "disk 0";

static void done(struct disco_store_io *i, int status)
{
    i->ctx = (void *)(intptr_t)(status ? status : 1);
    failed += status != 0;
    __atomic_add_fetch(&ended, 1, __ATOMIC_SEQ_CST);
}

static uint64_t word_at(uint64_t sector, unsigned i, uint64_t mark)
{
    return le64(mark | (uint64_t)unit << 40 | (sector * DISCO_SECTOR + i * 8));
}

static void fill(void *bytes, uint64_t sector, uint64_t sectors, uint64_t mark)
{
    for (unsigned i = 0; i < sectors * DISCO_SECTOR / 8; i++)
        ((uint64_t *)bytes)[i] = word_at(sector, i, mark);
}

static bool filled(const void *bytes, uint64_t sector, uint64_t sectors, uint64_t mark)
{
    for (unsigned i = 0; i < sectors * DISCO_SECTOR / 8; i++) {
        if (((const uint64_t *)bytes)[i] != word_at(sector, i, mark))
            return false;
    }
    return true;
}

static struct disco_store_io *make(unsigned n, uint32_t op, uint64_t sector)
{
    io[n] = (struct disco_store_io){.op = op, .sector = sector, .done = done};
    return &io[n];
}

static void add(struct disco_store_io *i, disco_mpn mpn, uint32_t offset, uint32_t len)
{
    i->seg[i->segs++] = (struct disco_store_seg){mpn, offset, len};
}

static int submit(struct disco_store_io *i) { return disk->submit(disk, i); }

/* Submit one and wait. */
static bool run(struct disco_store_io *i)
{
    ended = failed = 0;
    return !submit(i) && bare_wait(&ended, 1) && !failed;
}

/* --- */

/* One request over `pages` pages that lie far apart, the last of them at the end of RAM. */
static bool scattered(uint32_t op, uint64_t sector, unsigned pages, uint64_t mark)
{
    struct disco_store_io *i = make(0, op, sector);
    bool good;

    for (unsigned p = 0; p < pages; p++) {
        disco_mpn mpn = bare_page(BARE_PAGES - 1 - p * (BARE_PAGES / 40));

        memset(bare_bytes(mpn), 0xee, DISCO_PAGE_SIZE);
        if (op == DISCO_DISK_WRITE)
            fill(bare_bytes(mpn), sector + p * PER_PAGE, PER_PAGE, mark);
        add(i, mpn, 0, DISCO_PAGE_SIZE);
    }
    good = run(i);
    for (unsigned p = 0; p < pages; p++)
        good = good && filled(bare_bytes(i->seg[p].mpn), sector + p * PER_PAGE, PER_PAGE, mark);
    return good;
}

static bool untouched(const uint8_t *bytes, unsigned n)
{
    for (unsigned i = 0; i < n; i++) {
        if (bytes[i] != 0xee)
            return false;
    }
    return true;
}

/* A few sectors into the middle of a page, in two pieces that touch and one that does not; the rest stays. */
static bool small(void)
{
    disco_mpn far = bare_page(BARE_PAGES - 1), near = bare_page(0);
    struct disco_store_io *i = make(0, DISCO_DISK_READ, 9);
    uint8_t *a = bare_bytes(far), *b = bare_bytes(near);

    memset(a, 0xee, DISCO_PAGE_SIZE);
    memset(b, 0xee, DISCO_PAGE_SIZE);
    add(i, far, 512, 512);
    add(i, far, 1024, 1024);
    add(i, near, 3584, 512);
    return run(i) && filled(a + 512, 9, 3, 0) && filled(b + 3584, 12, 1, 0) && untouched(a, 512) &&
           untouched(a + 2048, 2048) && untouched(b, 3584);
}

/* As many at once as the queue takes, then the rest; each into a page of its own. */
static bool many(uint32_t op, uint64_t first, uint64_t mark)
{
    unsigned given = 0, busy = 0;
    bool good = true;

    ended = failed = 0;
    while (given < IOS && good) {
        struct disco_store_io *i = make(given, op, first + given * PER_PAGE);
        int err;

        add(i, bare_page(given), 0, DISCO_PAGE_SIZE);
        if (op == DISCO_DISK_WRITE)
            fill(bare_bytes(bare_page(given)), i->sector, PER_PAGE, mark);
        while ((err = submit(i)) == DISCO_ERR_BUSY && good) {
            busy++;
            good = bare_wait(&ended, ended + 1);
        }
        good = good && !err;
        given++;
    }
    good = good && bare_wait(&ended, IOS) && !failed && busy;
    for (unsigned n = 0; n < IOS; n++)
        good = good && filled(bare_bytes(bare_page(n)), first + n * PER_PAGE, PER_PAGE, mark);
    return good;
}

static bool refused(uint32_t op, uint64_t sector, uint32_t offset, uint32_t len, int err)
{
    struct disco_store_io *i = make(0, op, sector);

    add(i, bare_page(0), offset, len);
    return submit(i) == err;
}

static bool refusals(void)
{
    uint64_t end = disk->sectors;

    return refused(DISCO_DISK_READ, end, 0, 512, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, end - 1, 0, 1024, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, UINT64_MAX, 0, 512, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, 0, 0, 100, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, 0, 4096, 512, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, 0, 3584, 1024, DISCO_ERR_BAD_ARG) &&
           refused(DISCO_DISK_READ, 0, 0, 0, DISCO_ERR_BAD_ARG) &&
           refused(7, 0, 0, 512, DISCO_ERR_UNSUPPORTED);
}

static bool write_sector(uint64_t sector)
{
    struct disco_store_io *i = make(0, DISCO_DISK_WRITE, sector);

    add(i, bare_page(5), 512, 512);
    fill((uint8_t *)bare_bytes(bare_page(5)) + 512, sector, 1, WRITTEN);
    return run(i);
}

static void written(uint64_t half)
{
    bare_result(name, "write 32 pages", scattered(DISCO_DISK_WRITE, half, 32, WRITTEN));
    bare_result(name, "write many", many(DISCO_DISK_WRITE, half + 1024, WRITTEN));
    bare_result(name, "write a sector", write_sector(half + 8193));
    bare_result(name, "flush", run(make(0, DISCO_DISK_FLUSH, 0)));
    bare_result(name, "read back",
                scattered(DISCO_DISK_READ, half, 32, WRITTEN) &&
                    many(DISCO_DISK_READ, half + 1024, WRITTEN));
}

void disks_test(unsigned number)
{
    unit = number;
    name[5] = (char)('0' + unit);
    disk = drivers_disk(unit);
    bare_result(name, "small", small());
    bare_result(name, "read a page", scattered(DISCO_DISK_READ, 16, 1, 0));
    bare_result(name, "read 32 pages", scattered(DISCO_DISK_READ, 64, 32, 0));
    bare_result(name, "read many", many(DISCO_DISK_READ, 0, 0));
    bare_result(name, "refusals", refusals());
    if (disk->read_only)
        bare_result(name, "read-only",
                    refused(DISCO_DISK_WRITE, 0, 0, 512, DISCO_ERR_READ_ONLY) &&
                        submit(make(0, DISCO_DISK_FLUSH, 0)) == 1);
    else
        written(disk->sectors / 2);
}
