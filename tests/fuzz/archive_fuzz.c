/* SPDX-License-Identifier: BSD-2-Clause */
/* Fuzz target: the monitor's boot archive, as it comes and as a damaged good one. */
#include "damage.h"
#include "fence.h"
#include "samples.h"

#include <string.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* What is found lies within the archive. */
static void search(struct bytes archive)
{
    static const char *const names[] = {"vms.conf",     "a", "vmlinux", "folder/file",
                                        "vms.conf.old", "",  "nowhere"};

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++) {
        struct bytes f;

        if (!archive_find(archive, names[i], strlen(names[i]), &f))
            continue;
        demand(f.at >= archive.at && f.at <= archive.at + archive.len,
               "file begins in the archive");
        demand(f.len <= (size_t)(archive.at + archive.len - f.at), "file ends in the archive");
        demand(i < 5 || archive.len > 0, "nothing is found in nothing");
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct cpio a;

    if (!size || size > FENCE_MAX)
        return 0;
    if (data[0] % 4 == 0) {
        search(fenced(data + 1, size - 1));
        return 0;
    }
    cpio_sample(&a);
    a.len = damage(a.bytes, a.len, data + 1, size - 1);
    search(fenced(a.bytes, a.len));
    return 0;
}
