/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * A second-level TLB on its own, built as any program outside the tree would be:
 *     cc l2tlb.c $(pkg-config --cflags --libs disco-l2tlb) -o l2tlb
 */
#include <disco/l2tlb.h>
#include <stdio.h>

static _Alignas(64) unsigned char storage[1 << 16];

int main(void)
{
    struct disco_l2tlb tlb;
    /* An even and an odd page, in any format you like */
    const disco_tlbe pair[2] = {0x1007, 0x2007};
    const disco_va va = {0x400000};

    if (disco_l2tlb_init(&tlb, storage, sizeof storage, 256, 256, UINT64_MAX) < 0)
        return 1;
    disco_l2tlb_insert(&tlb, va, 7, false, pair, 0);
    const struct disco_l2tlb_entry *hit = disco_l2tlb_lookup(&tlb, va, 7);
    printf("ASID 7: %s\n", hit && hit->e[1] == 0x2007 ? "found" : "not there");
    disco_l2tlb_forget_asid(&tlb, 7);
    printf("after it was dropped: %s\n", disco_l2tlb_lookup(&tlb, va, 7) ? "found" : "not there");
    return 0;
}
