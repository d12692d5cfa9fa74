/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * What every tiny guest has: a stack, exception vectors that call tiny_exception(), and calls to
 * the monitor. The monitor starts a guest in supervisor mode with a0 = -2 and a1 = device tree.
 */
    .set noreorder
    .set noat
    .section .text.start, "ax"
    .globl _start
_start:
    dla     $sp, stack_top
    dla     $t0, vectors
    li      $t1, 0x800              /* EBase.WG: all address bits may be written */
    or      $t0, $t0, $t1
    dmtc0   $t0, $15, 1
    dla     $t9, guest_main
    jalr    $t9
     nop
    move    $a0, $v0                /* its result is the exit code */
    li      $v0, 4
    .word   0x42000028
1:  b       1b
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
    dla     $k0, exception_stack_top - 32 * 8
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
    dla     $k0, exception_stack_top - 32 * 8
    .irp r, 1,2,3,4,5,6,7,8,9,10,11,12,13,14,15,24,25,29,31
    ld      $\r, \r * 8($k0)
    .endr
    eret

    .bss
    .balign 16
    .space  8192
stack_top:
    .space  4096
exception_stack_top:
