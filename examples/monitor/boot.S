/* SPDX-License-Identifier: BSD-2-Clause */
/*
 * The first instructions of the monitor. The boot loader enters with a0 = argc, a1 = argv,
 * a2 = envp, a3 = bytes of RAM. Every processor comes through here: number 0 from the boot loader, the
 * others, on their stacks, when smp_start() lets them run.
 */
#include "smp.h"

    .set noreorder
    .text
    .globl _start
    .ent _start
_start:
    li      $k0, 0x040000e0         /* FR, KX, SX, UX; kernel mode, interrupts off */
    mtc0    $k0, $12
    ehb
    dla     $gp, _gp
    mfc0    $k0, $15, 1             /* EBase: processor number in the low bits */
    andi    $k0, $k0, 0x3ff
    bnez    $k0, 2f
     nop
    dla     $sp, boot_stack_top
    dla     $t0, __bss_start
    dla     $t1, __bss_end
1:  sd      $zero, 0($t0)
    daddiu  $t0, $t0, 8
    bne     $t0, $t1, 1b
     nop
    dla     $t9, monitor_main
    jalr    $t9
     nop
2:  dsll    $t0, $k0, 3
    dla     $t1, smp_stack_top
    daddu   $t1, $t1, $t0
    ld      $sp, 0($t1)
    dla     $t9, smp_main
    jalr    $t9
     move   $a0, $k0
3:  wait
    b       3b
     nop
    .end _start

    .section .bss.stack, "aw", @nobits
    .balign 4096
    .space  32768
boot_stack_top:
