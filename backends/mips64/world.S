/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The world switch: in by mips_world_enter(), out through mips_exit_save.
 *
 * Most exits are settled by the backend alone: mips_exit() returns 0 and the guest goes on, with
 * Status.EXL set all the while, so that Status need not be written. Only when the libraries are
 * needed does mips_world_enter() return, with EXL clear.
 */
#include "offsets.h"
#include "regs.h"

    .set noreorder
    .set noat
    .section .text.mips_world, "ax"

#define HOST_FRAME (12 * 8)

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
     move   $s0, $a0
    move    $k0, $s0

resume:                             /* k0 = struct mips_vcpu */
    ld      $t0, VCPU_PC($k0)
    dmtc0   $k0, KS_VCPU
    dmtc0   $t0, C0_EPC
    ld      $1, VCPU_GPR + 1 * 8($k0)
    ld      $2, VCPU_GPR + 2 * 8($k0)
    ld      $3, VCPU_GPR + 3 * 8($k0)
    ld      $4, VCPU_GPR + 4 * 8($k0)
    ld      $5, VCPU_GPR + 5 * 8($k0)
    ld      $6, VCPU_GPR + 6 * 8($k0)
    ld      $7, VCPU_GPR + 7 * 8($k0)
    ld      $8, VCPU_GPR + 8 * 8($k0)
    ld      $9, VCPU_GPR + 9 * 8($k0)
    ld      $10, VCPU_GPR + 10 * 8($k0)
    ld      $11, VCPU_GPR + 11 * 8($k0)
    ld      $12, VCPU_GPR + 12 * 8($k0)
    ld      $13, VCPU_GPR + 13 * 8($k0)
    ld      $14, VCPU_GPR + 14 * 8($k0)
    ld      $15, VCPU_GPR + 15 * 8($k0)
    ld      $16, VCPU_GPR + 16 * 8($k0)
    ld      $17, VCPU_GPR + 17 * 8($k0)
    ld      $18, VCPU_GPR + 18 * 8($k0)
    ld      $19, VCPU_GPR + 19 * 8($k0)
    ld      $20, VCPU_GPR + 20 * 8($k0)
    ld      $21, VCPU_GPR + 21 * 8($k0)
    ld      $22, VCPU_GPR + 22 * 8($k0)
    ld      $23, VCPU_GPR + 23 * 8($k0)
    ld      $24, VCPU_GPR + 24 * 8($k0)
    ld      $25, VCPU_GPR + 25 * 8($k0)
    ld      $27, VCPU_GPR + 27 * 8($k0)
    ld      $28, VCPU_GPR + 28 * 8($k0)
    ld      $29, VCPU_GPR + 29 * 8($k0)
    ld      $30, VCPU_GPR + 30 * 8($k0)
    ld      $31, VCPU_GPR + 31 * 8($k0)
    ld      $26, VCPU_GPR + 26 * 8($k0)
    eret

/* From the vectors: k0 = struct mips_vcpu, the guest's k0 in KS_K0, every other register live. */
    .globl mips_exit_save
mips_exit_save:
    sd      $1, VCPU_GPR + 1 * 8($k0)
    sd      $2, VCPU_GPR + 2 * 8($k0)
    sd      $3, VCPU_GPR + 3 * 8($k0)
    sd      $4, VCPU_GPR + 4 * 8($k0)
    sd      $5, VCPU_GPR + 5 * 8($k0)
    sd      $6, VCPU_GPR + 6 * 8($k0)
    sd      $7, VCPU_GPR + 7 * 8($k0)
    sd      $8, VCPU_GPR + 8 * 8($k0)
    sd      $9, VCPU_GPR + 9 * 8($k0)
    sd      $10, VCPU_GPR + 10 * 8($k0)
    sd      $11, VCPU_GPR + 11 * 8($k0)
    sd      $12, VCPU_GPR + 12 * 8($k0)
    sd      $13, VCPU_GPR + 13 * 8($k0)
    sd      $14, VCPU_GPR + 14 * 8($k0)
    sd      $15, VCPU_GPR + 15 * 8($k0)
    sd      $16, VCPU_GPR + 16 * 8($k0)
    sd      $17, VCPU_GPR + 17 * 8($k0)
    sd      $18, VCPU_GPR + 18 * 8($k0)
    sd      $19, VCPU_GPR + 19 * 8($k0)
    sd      $20, VCPU_GPR + 20 * 8($k0)
    sd      $21, VCPU_GPR + 21 * 8($k0)
    sd      $22, VCPU_GPR + 22 * 8($k0)
    sd      $23, VCPU_GPR + 23 * 8($k0)
    sd      $24, VCPU_GPR + 24 * 8($k0)
    sd      $25, VCPU_GPR + 25 * 8($k0)
    sd      $27, VCPU_GPR + 27 * 8($k0)
    sd      $28, VCPU_GPR + 28 * 8($k0)
    sd      $29, VCPU_GPR + 29 * 8($k0)
    sd      $30, VCPU_GPR + 30 * 8($k0)
    sd      $31, VCPU_GPR + 31 * 8($k0)
    dmfc0   $t0, KS_K0
    dmfc0   $t1, C0_EPC
    sd      $t0, VCPU_GPR + 26 * 8($k0)
    sd      $t1, VCPU_PC($k0)
    dmtc0   $zero, KS_VCPU          /* the monitor has the processor */
    ld      $sp, VCPU_HOST_SP($k0)
    move    $s0, $k0
    jal     mips_exit               /* int mips_exit(struct mips_vcpu *): 0 = go on */
     move   $a0, $k0
    beqz    $v0, resume
     move   $k0, $s0

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
