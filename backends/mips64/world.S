/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch: in by mips_world_enter(), out through mips_exit_general or mips_exit_refill.
 *
 * Most exits are settled by the backend alone: mips_exit() says so and the guest goes on, with
 * Status.EXL set all the while, so that Status need not be written. Only when the libraries are
 * needed does mips_world_enter() return, with EXL clear.
 *
 * Registers are of two kinds: KEPT, which C gives back as it found them or never touches, and CHANGED.
 * Instructions are emulated on struct mips_vcpu, so an exit by the general vector stores all, and those
 * that are kept are loaded again if one was changed there. A TLB refill needs no register of the guest's:
 * what is kept is stored only if the libraries are needed. While the monitor is in C, k0 stays
 * struct mips_vcpu: compilers leave it alone, and nothing interrupts.
 */
#include "offsets.h"
#include "regs.h"

    .set noreorder
    .set noat
    .section .text.mips_world, "ax"

#define HOST_FRAME (12 * 8)
#define KEPT 16,17,18,19,20,21,22,23,27,28,30
#define CHANGED 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,24,25,29,31

    /* Load or store registers of the guest; k0 = struct mips_vcpu. */
    .macro  guest op, registers:vararg
    .irp    r, \registers
    \op     $\r, VCPU_GPR + \r * 8($k0)
    .endr
    .endm

/* void mips_world_enter(struct mips_vcpu *) */
    .globl mips_world_enter
    .ent mips_world_enter
mips_world_enter:
    daddiu  $sp, $sp, -HOST_FRAME
    sd      $s0, 0($sp)
    sd      $s1, 8($sp)
    sd      $s2, 16($sp)
    sd      $s3, 24($sp)
    sd      $s4, 32($sp)
    sd      $s5, 40($sp)
    sd      $s6, 48($sp)
    sd      $s7, 56($sp)
    sd      $gp, 64($sp)
    sd      $fp, 72($sp)
    sd      $ra, 80($sp)
    sd      $sp, VCPU_HOST_SP($a0)
    /* EXL before anything of the guest's is in place: nothing may interrupt from here on. */
    mfc0    $t0, C0_STATUS
    ori     $t0, $t0, ST_EXL
    mtc0    $t0, C0_STATUS
    ehb
    jal     mips_entry
     move   $k0, $a0
    b       resume
     nop

/* From the vectors: k0 = struct mips_vcpu, the guest's k0 in KS_K0, every other register live. */
    .globl mips_exit_general, mips_exit_refill
mips_exit_general:
    guest   sd, KEPT
mips_exit_refill:
    guest   sd, CHANGED
    dmfc0   $t0, KS_K0
    dmfc0   $t1, C0_EPC
    sd      $t0, VCPU_GPR + 26 * 8($k0)
    sd      $t1, VCPU_PC($k0)
    dmtc0   $zero, KS_VCPU          /* the monitor has the processor */
    ld      $sp, VCPU_HOST_SP($k0)
    jal     mips_exit               /* int mips_exit(struct mips_vcpu *) */
     move   $a0, $k0
    beqz    $v0, resume_changed     /* MIPS_RESUME */
     addiu  $v0, $v0, -1
    bnez    $v0, leave              /* neither MIPS_RELOAD */
     ld     $t0, VCPU_REFILL($k0)
resume:
    guest   ld, KEPT
resume_changed:
    ld      $t0, VCPU_PC($k0)
    dmtc0   $k0, KS_VCPU
    dmtc0   $t0, C0_EPC
    guest   ld, CHANGED
    ld      $k0, VCPU_GPR + 26 * 8($k0)
    eret

leave:
    beqz    $t0, 1f
     nop
    guest   sd, KEPT
1:
    /* Back to the libraries, with a clean kernel-mode Status. */
    li      $t0, ST_KX | ST_SX | ST_UX | ST_FR
    mtc0    $t0, C0_STATUS
    ehb
    ld      $s0, 0($sp)
    ld      $s1, 8($sp)
    ld      $s2, 16($sp)
    ld      $s3, 24($sp)
    ld      $s4, 32($sp)
    ld      $s5, 40($sp)
    ld      $s6, 48($sp)
    ld      $s7, 56($sp)
    ld      $gp, 64($sp)
    ld      $fp, 72($sp)
    ld      $ra, 80($sp)
    jr      $ra
     daddiu $sp, $sp, HOST_FRAME
    .end mips_world_enter

/* void mips_fpu_load(const uint64_t fpr[32], uint32_t fcsr), void mips_fpu_save(uint64_t *): CU1 set */
    .set hardfloat
    .globl mips_fpu_load
mips_fpu_load:
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    ldc1    $f\r, \r * 8($a0)
    .endr
    jr      $ra
     ctc1   $a1, $31

    .globl mips_fpu_save
mips_fpu_save:                      /* returns FCSR */
    .irp r, 0,1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,16,17,18,19,20,21,22,23,24,25,26,27,28,29,30,31
    sdc1    $f\r, \r * 8($a0)
    .endr
    jr      $ra
     cfc1   $v0, $31
