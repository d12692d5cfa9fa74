/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * Exception vectors. Two answers are given right here, because they are most of all exits once a
 * guest kernel lives in mapped memory (Disco, section 4.1.2):
 *
 *   1. a miss that the L2TLB can answer,
 *   2. a miss in a segment that the guest believes unmapped: the pmap's precomputed entries, where these are marked the
 *      replica that is nearest, or a superpage.
 *
 * Both do what disco_vcpu_handle() would do, without a stack: three registers are parked in
 * KScratch. An entry of 0 is loaded like any other: the access then faults again as "invalid",
 * through the general vector, and C looks into it.
 *
 * The guest always runs with Status.EXL clear, so every refill comes through 0x080; the monitor
 * never touches a mapped address, so a refill is always the guest's.
 *
 * init.c changes instructions here before the vectors are used: for vectors=c, and for tagged TLBs.
 */
#include "offsets.h"
#include "regs.h"

    .set noreorder
    .set noat

/* Everything but a refill: to C, by way of world.S. */
    .macro  general_vector
    dmtc0   $k0, KS_K0
    dmfc0   $k0, KS_VCPU
    beqz    $k0, monitor_fault
     nop
    b       mips_exit_general
     sd     $zero, VCPU_REFILL($k0)
    .endm

/*
 * at = a key, k1 = the head of a table: k1 := the entry that has the key, or else to refill_slow. k0 is lost.
 */
    .macro  find_entry set_mask
    ld      $k1, L2TLB_SETPTR($k1)
    dsrl    $k0, $at, 7
    andi    $k0, $k0, \set_mask
    daddu   $k1, $k1, $k0
    ld      $k0, ENTRY_KEY($k1)
    beq     $k0, $at, .Lfound\@
     ld     $k0, ENTRY_SIZE + ENTRY_KEY($k1)
    bne     $k0, $at, refill_slow
     daddiu $k1, $k1, ENTRY_SIZE
.Lfound\@:
    .endm

/* Into the TLB with the pair in k0, k1. The guest's at is back; k0 and k1 are by back_to_guest. */
    .macro  load_pair
    dmtc0   $k0, C0_ENTRYLO0
    dmtc0   $k1, C0_ENTRYLO1
    dmfc0   $at, KS_AT
    ehb
    tlbwr
    .endm

    .macro  back_to_guest
    dmfc0   $k0, KS_K0
    dmfc0   $k1, KS_K1
    eret
    .endm

/* at := the pair of physical pages behind EntryHi, an address of a segment believed unmapped; k1 := struct mips_vcpu. k0 is lost. */
    .macro  physical_pair
    dmfc0   $k0, C0_ENTRYHI
    dmfc0   $k1, KS_VCPU
    bltz    $k0, .Limage\@
     dext   $at, $k0, 13, 15
    dext    $at, $k0, 13, 35
.Limage\@:
    .endm

/* A linker script puts .vectors at a multiple of 4096; aligned here, the section would be padded to as much. */
    .section .vectors, "ax"
    .balign 16
    .globl mips_vectors
mips_vectors:
    b       monitor_fault           /* 32-bit refill: UX, SX, KX are always set */
     nop

    .org    mips_vectors + 0x080
    .globl mips_vector_refill
mips_vector_refill:
    dmtc0   $k0, KS_K0
    dmfc0   $k0, C0_ENTRYHI         /* faulting pair and the real ASID */
    dmtc0   $k1, KS_K1
    dsll    $k1, $k0, 1
    bltz    $k1, refill_kernel      /* bit 62: a segment of the guest's kernel */
     dmtc0  $at, KS_AT
refill_l2tlb:
    dmfc0   $k1, KS_L2TLB
    ld      $at, L2TLB_FLIP($k1)
    xor     $at, $at, $k0           /* the key: pair and context */
    find_entry L2TLB_SET_MASK
    ld      $k0, ENTRY_EVEN($k1)
    ld      $k1, ENTRY_ODD($k1)
    dmtc0   $k0, C0_ENTRYLO0
    dmtc0   $k1, C0_ENTRYLO1
    dmfc0   $k1, KS_L2TLB
    ld      $k0, L2TLB_HITS($k1)
    daddiu  $k0, $k0, 1
    sd      $k0, L2TLB_HITS($k1)
    dmfc0   $at, KS_AT
    ehb
    tlbwr
    back_to_guest
    .globl mips_vector_refill_end
mips_vector_refill_end:

    .org    mips_vectors + 0x100
    b       monitor_fault           /* cache error */
     nop

    .org    mips_vectors + 0x180
    general_vector

    .org    mips_vectors + 0x200
    b       monitor_fault           /* Cause.IV is clear */
     nop

/*
 * k0 = EntryHi. Is it 0x4xxx... (direct map), 0xffffffffcxxxxxxx (kernel
 * image), or a mapped segment of the guest's kernel? EntryHi has all the bits that tell. The first two
 * the L2TLB never holds.
 */
    .globl mips_refill_kernel
mips_refill_kernel:
refill_kernel:
    bltz    $k0, 2f
     dext   $at, $k0, 13, 35        /* pair of the direct map */
1:  dmfc0   $k1, KS_VCPU
    ld      $k0, VCPU_PAIRS($k1)
    sltu    $k0, $at, $k0
    beqz    $k0, refill_slow        /* beyond the VM's memory */
     dsll   $at, $at, 5
    ld      $k0, VCPU_PMAP_HITS($k1)
    daddiu  $k0, $k0, 1
    sd      $k0, VCPU_PMAP_HITS($k1)
    ld      $k1, VCPU_PMAP($k1)
    daddu   $k1, $k1, $at
    ld      $k0, PMAP_TLBE($k1)
    ld      $k1, PMAP_ENTRY_SIZE + PMAP_TLBE($k1)
    or      $at, $k0, $k1
    bltz    $at, refill_marked      /* bit 63: replicas, or a superpage */
    .globl mips_patch_global0, mips_patch_global1, mips_patch_global2, mips_patch_global3
refill_load:
mips_patch_global0:
     ori    $k0, $k0, 1             /* global: every address space has it; nothing when tagged */
mips_patch_global1:
    ori     $k1, $k1, 1
    load_pair
    back_to_guest
    .globl mips_refill_kernel_end
mips_refill_kernel_end:

2:  dsll    $at, $k0, 16            /* address bits 47..28 all ones but for the last two? */
    dsra    $at, $at, 44
    daddiu  $at, $at, 4
    beqz    $at, 1b
     dext   $at, $k0, 13, 15        /* pair of the image window: 256 MiB */
    b       refill_l2tlb
     nop

/*
 * Bit 61: a superpage, if its first word says so, too. It is aligned and contiguous: one pair of large pages for all of it.
 * Whoever takes a page of it away takes that mark first, and asks this processor after that (lib/pmap/super.c).
 */
    .globl mips_refill_marked
mips_refill_marked:
refill_marked:
    dsll    $at, $at, 2
    bgez    $at, refill_near
     nop
    physical_pair
    dins    $at, $zero, 0, SUPERPAGE_SHIFT - 1
    dsll    $at, $at, 5
    ld      $k1, VCPU_PMAP($k1)
    daddu   $k1, $k1, $at
    ld      $k0, PMAP_TLBE($k1)
    dsll    $at, $k0, 2
    bgez    $at, refill_slow
     dins   $k0, $zero, LO_PFN_SHIFT + LO_PFN_BITS, 64 - LO_PFN_SHIFT - LO_PFN_BITS
    li      $at, SUPERPAGE_MASK
    mtc0    $at, C0_PAGEMASK
    daddiu  $k1, $k0, SUPERPAGE_HALF
mips_patch_global2:
    ori     $k0, $k0, 1
mips_patch_global3:
    ori     $k1, $k1, 1
    load_pair
    mtc0    $zero, C0_PAGEMASK
    back_to_guest
    .globl mips_refill_marked_end
mips_refill_marked_end:

/* The word names the master: what is nearest to this processor, `near` knows (lib/vcpu/fill.c). */
refill_near:
    physical_pair
    ld      $k1, VCPU_NEAR($k1)
    dsll    $at, $at, 13
    ld      $k0, L2TLB_FLIP($k1)
    xor     $at, $at, $k0           /* the key: pair of physical pages, and context */
    find_entry NEAR_SET_MASK
    ld      $k0, ENTRY_EVEN($k1)
    b       refill_load
     ld     $k1, ENTRY_ODD($k1)

refill_slow:
    dmfc0   $at, KS_AT
    dmfc0   $k1, KS_K1
    dmfc0   $k0, KS_VCPU
    beqz    $k0, monitor_fault
     nop
    b       mips_exit_refill
     sd     $k0, VCPU_REFILL($k0)   /* anything but 0 */

/*
 * What the refill vector branches to when every miss goes to C. The monitor's option vectors=c asks for it; a
 * guest must not be able to tell (but for the time), and tests compare the two.
 */
    .globl mips_vector_c_only
mips_vector_c_only:
    dmtc0   $k1, KS_K1
    b       refill_slow
     dmtc0  $at, KS_AT

monitor_fault:
    mfc0    $a0, C0_CAUSE
    dmfc0   $a1, C0_EPC
    dmfc0   $a2, C0_BADVADDR
    move    $a3, $ra
    dla     $t9, mips64_monitor_fault
    jr      $t9
     nop
