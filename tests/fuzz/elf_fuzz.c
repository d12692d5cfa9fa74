/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: the monitor's check of guest kernels, on what comes and on damaged good ones. */
#include "damage.h"
#include "fence.h"
#include "monitor/elf.h"
#include "samples.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_segment(const struct elf_image *image, unsigned n, struct bytes file,
                          uint64_t memory)
{
    const struct elf_segment *s = &image->segment[n];

    demand(s->size > 0 && s->pa < memory && s->size <= memory - s->pa, "segment lies in memory");
    demand(s->contents.len <= s->size, "contents fit in their segment");
    demand(s->contents.at >= file.at && s->contents.at <= file.at + file.len &&
               s->contents.len <= (size_t)(file.at + file.len - s->contents.at),
           "contents lie in the file");
    demand(s->pa + s->size <= image->end, "the end is behind each segment");
    for (unsigned i = 0; i < n; i++) {
        const struct elf_segment *o = &image->segment[i];

        demand(o->pa + o->size <= s->pa || s->pa + s->size <= o->pa, "segments do not overlap");
    }
}

/* What is accepted can be loaded without another look at it. */
static void check(struct bytes file, uint64_t memory)
{
    struct elf_image image;

    if (elf_check(file, memory, &image))
        return;
    demand(image.segments > 0 && image.segments <= ELF_SEGMENTS, "a few segments");
    demand(image.end <= memory, "the end is in memory");
    for (unsigned i = 0; i < image.segments; i++)
        check_segment(&image, i, file, memory);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const uint64_t memories[] = {0, 0x102080, KERNEL_MEMORY, UINT64_C(1) << 60, UINT64_MAX};
    struct kernel k;

    if (size < 2 || size > FENCE_MAX)
        return 0;
    if (data[0] % 8 == 0) {
        check(fenced(data + 2, size - 2), memories[data[1] % 5]);
        return 0;
    }
    kernel_sample(&k);
    check(fenced(&k, damage((uint8_t *)&k, sizeof k, data + 2, size - 2)), memories[data[1] % 5]);
    return 0;
}
