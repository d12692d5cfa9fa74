/* SPDX-License-Identifier: BSD-2-Clause */
#include "images.h"

#include <string.h>

#include "memory.h"
#include "monitor.h"

#define NONE UINT64_MAX

/* A kernel as its file has it, page by page; pages between segments are NONE. */
struct image {
    const uint8_t *file; /* which kernel: where its file lies in the boot archive */
    uint64_t first, pages;
    uint64_t *mpn;
    bool whole; /* every page is there and filled */
};

static struct image images[CONFIG_VMS];
static unsigned known;

static struct image *find(const struct vm *vm)
{
    for (unsigned i = 0; i < known; i++) {
        if (images[i].file == vm->kernel.at)
            return &images[i];
    }
    return NULL;
}

void images_reserve(struct vm *vm)
{
    uint64_t first = UINT64_MAX, end = (vm->image.end + DISCO_PAGE_MASK) >> DISCO_PAGE_SHIFT;
    struct image *im = &images[known];

    if (find(vm))
        return;
    for (unsigned i = 0; i < vm->image.segments; i++) {
        uint64_t page = vm->image.segment[i].pa >> DISCO_PAGE_SHIFT;

        first = page < first ? page : first;
    }
    *im = (struct image){.file = vm->kernel.at, .first = first, .pages = end - first};
    im->mpn = memory_storage(im->pages * sizeof *im->mpn);
    for (uint64_t i = 0; i < im->pages; i++)
        im->mpn[i] = NONE;
    known++;
}

/* --- filling --- */

#define ROW (1u << SUPERPAGE_SHIFT) /* pages of a superpage */

/* Where a segment's contents fill superpages. With several nodes there are none: pages move one by one. */
static void place_superpages(struct image *im, const struct elf_segment *s)
{
    uint64_t end = (s->pa + s->contents.len) >> DISCO_PAGE_SHIFT;
    uint64_t ppn = (s->pa + DISCO_PAGE_MASK) >> DISCO_PAGE_SHIFT;
    disco_mpn first;

    if (mon.machine.backend.nodes > 1)
        return;
    for (ppn = (ppn + ROW - 1) & ~(uint64_t)(ROW - 1); ppn + ROW <= end; ppn += ROW) {
        uint64_t *slot = &im->mpn[ppn - im->first];

        if (*slot != NONE || disco_memmap_alloc_row(mon.mm, 0, DISCO_PAGE_MONITOR, ROW, &first))
            continue;
        for (uint64_t i = 0; i < ROW; i++)
            slot[i] = first.v + i;
    }
}

static int page_of(struct image *im, uint64_t ppn, uint8_t **at)
{
    struct disco_backend *b = &mon.machine.backend;
    uint64_t *slot = &im->mpn[ppn - im->first];
    disco_mpn mpn;
    int err;

    if (*slot == NONE) {
        err = disco_memmap_alloc(mon.mm, 0, DISCO_PAGE_MONITOR, &mpn);
        if (err)
            return err;
        b->ops->page_zero(b, mpn);
        *slot = mpn.v;
    }
    *at = b->ops->page(b, (disco_mpn){*slot});
    return DISCO_OK;
}

static int fill_segment(struct image *im, const struct elf_segment *s)
{
    uint64_t pa = s->pa, done = 0;
    uint8_t *at;

    while (done < s->contents.len) {
        uint64_t room = DISCO_PAGE_SIZE - (pa & DISCO_PAGE_MASK), left = s->contents.len - done;
        uint64_t n = left < room ? left : room;
        int err = page_of(im, pa >> DISCO_PAGE_SHIFT, &at);

        if (err)
            return err;
        memcpy(at + (pa & DISCO_PAGE_MASK), s->contents.at + done, n);
        pa += n;
        done += n;
    }
    return DISCO_OK;
}

/* Tried again from the start if memory ran out: nobody maps an image that is not whole. */
static int fill(struct image *im, const struct elf_image *elf)
{
    int err = DISCO_OK;

    for (unsigned i = 0; i < elf->segments && !err; i++) {
        place_superpages(im, &elf->segment[i]);
        err = fill_segment(im, &elf->segment[i]);
    }
    im->whole = !err;
    return err;
}

/* --- mapping --- */

static int share(struct vm *vm, struct disco_pmap_place *p, size_t n)
{
    disco_pmap_share_many(&vm->pmap, p, n, DISCO_PMAP_COW);
    for (size_t i = 0; i < n; i++) {
        if (p[i].err)
            return p[i].err;
    }
    return DISCO_OK;
}

/* What is no superpage in machine memory, pmap refuses. */
static void promote(struct vm *vm, const struct image *im)
{
    uint64_t ppn = (im->first + ROW - 1) & ~(uint64_t)(ROW - 1);

    for (; ppn + ROW <= im->first + im->pages; ppn += ROW)
        (void)disco_pmap_promote(&vm->pmap, (disco_ppn){ppn});
}

int images_load(struct vm *vm)
{
    struct disco_pmap_place p[DISCO_PMAP_MANY];
    struct image *im = find(vm);
    int err = im->whole ? DISCO_OK : fill(im, &vm->image);
    size_t n = 0;

    for (uint64_t i = 0; i < im->pages && !err; i++) {
        if (im->mpn[i] != NONE)
            p[n++] = (struct disco_pmap_place){{im->first + i}, {im->mpn[i]}, DISCO_OK};
        if (n == DISCO_PMAP_MANY || i + 1 == im->pages) {
            err = share(vm, p, n);
            n = 0;
        }
    }
    if (!err)
        promote(vm, im);
    return err;
}

/* --- the whole --- */

/* Pages with at least so many references; one is ours. */
static uint64_t count(uint32_t refs)
{
    uint64_t n = 0;

    for (unsigned i = 0; i < known; i++) {
        for (uint64_t k = 0; k < images[i].pages; k++)
            n += images[i].mpn[k] != NONE &&
                 disco_memmap_refs(mon.mm, (disco_mpn){images[i].mpn[k]}) >= refs;
    }
    return n;
}

uint64_t images_pages(void) { return count(1); }
uint64_t images_used(void) { return count(2); }

void images_fini(void)
{
    for (unsigned i = 0; i < known; i++) {
        for (uint64_t k = 0; k < images[i].pages; k++) {
            if (images[i].mpn[k] != NONE)
                (void)disco_memmap_put(mon.mm, (disco_mpn){images[i].mpn[k]});
        }
        images[i].pages = 0;
    }
}
