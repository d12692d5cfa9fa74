/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every tiny guest has: stacks, exception vectors that call tiny_exception(), and calls to
 * the monitor. The monitor starts a guest in supervisor mode with a0 = -2 and a1 = device tree.
 *
 * gp, which compiled code leaves alone here (-G0), is the top of a virtual CPU's stacks: 4 KiB for
 * exceptions, then a word for vcpus.c, below it the one it normally runs on.
 */
#define STACKS 16384        /* bytes for each virtual CPU; tiny.h knows it too */
#define EXCEPTIONS (4096 + 16) /* and what another virtual CPU is to do: vcpus.c */
#define SAVED (32 * 8)

    .set noreorder
    .set noat
    .section .text.start, "ax"
    .globl _start
_start:
    dla     $gp, tiny_stacks + STACKS
    daddiu  $sp, $gp, -EXCEPTIONS
    dla     $t0, tiny_device_tree
    sd      $a1, 0($t0)
    dla     $t9, guest_main
    bal     set_vectors
     nop
    jalr    $t9
     nop
    move    $a0, $v0                /* its result is the exit code */
    li      $v0, 4
    .word   0x42000028
1:  b       1b
     nop

/* Where another virtual CPU starts: gp and sp are set, what it is to do lies on its stack. */
    .globl tiny_second
tiny_second:
    bal     set_vectors
     ld     $t9, 0($sp)
    jalr    $t9
     nop
1:  li      $v0, 13                 /* it has done it, and stops */
    .word   0x42000028
    b       1b
     nop

set_vectors:
    dla     $t0, vectors
    ori     $t0, $t0, 0x800         /* EBase.WG: all address bits may be written */
    dmtc0   $t0, $15, 1
    jr      $ra
     nop

/* int64_t hypcall(number, a0, a1, a2, a3, a4): the arguments move up by one. */
    .globl hypcall
hypcall:
    move    $v0, $a0
    move    $a0, $a1
    move    $a1, $a2
    move    $a2, $a3
    move    $a3, $8
    move    $8, $9
    .word   0x42000028
    jr      $ra
     nop

/* Accesses that may fault: never in a delay slot, so that a handler can go on at EPC + 4. */
    .globl tiny_load, tiny_store
tiny_load:
    ld      $v0, 0($a0)
    jr      $ra
     nop
tiny_store:
    sd      $a1, 0($a0)
    jr      $ra
     nop

/* void enter_user(pc, sp): does not return. */
    .globl enter_user
enter_user:
    dmtc0   $a0, $14
    mfc0    $t0, $12
    ori     $t0, $t0, 0xf2          /* KSU = user, EXL, UX, SX, KX */
    mtc0    $t0, $12
    ehb
    move    $sp, $a1
    eret

    .balign 4096
    .globl  vectors
vectors:
    b       exception
     nop
    .org    vectors + 0x080
    b       exception
     li     $k1, 0x80
    .org    vectors + 0x180
    b       exception
     li     $k1, 0x180
    .org    vectors + 0x200
exception:                          /* k1 = vector; saves what a C function may change */
    daddiu  $k0, $gp, -SAVED
    .irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,24,25,29,31
    sd      $\r, \r * 8($k0)
    .endr
    move    $sp, $k0
    mfc0    $a0, $13                /* Cause */
    dmfc0   $a1, $14                /* EPC */
    dmfc0   $a2, $8                 /* BadVAddr */
    dla     $t9, tiny_exception
    jalr    $t9
     move   $a3, $k1
    dmtc0   $v0, $14                /* where to go on */
    daddiu  $k0, $gp, -SAVED
    .irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,24,25,29,31
    ld      $\r, \r * 8($k0)
    .endr
    eret

    .bss
    .balign 16
    .globl tiny_stacks, tiny_device_tree
tiny_stacks:
    .space  8 * STACKS
tiny_device_tree:
    .space  8
