/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of the monitor. The boot loader enters with a0 = argc, a1 = argv,
 * a2 = envp, a3 = bytes of RAM. Every processor comes through here; only number 0 goes on.
 */
    .set noreorder
    .text
    .globl _start
    .ent _start
_start:
    mfc0    $k0, $15, 1             /* EBase: processor number in the low bits */
    andi    $k0, $k0, 0x3ff
1:  bnez    $k0, 1b
     nop
    li      $k0, 0x040000e0         /* FR, KX, SX, UX; kernel mode, interrupts off */
    mtc0    $k0, $12
    ehb
    dla     $gp, _gp
    dla     $sp, boot_stack_top
    dla     $t0, __bss_start
    dla     $t1, __bss_end
2:  sd      $zero, 0($t0)
    daddiu  $t0, $t0, 8
    bne     $t0, $t1, 2b
     nop
    dla     $t9, monitor_main
    jalr    $t9
     nop
3:  wait
    b       3b
     nop
    .end _start

    .section .bss.stack, "aw", @nobits
    .balign 4096
    .space  32768
boot_stack_top:
