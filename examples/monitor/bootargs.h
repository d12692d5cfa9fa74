/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_BOOTARGS_H
#define MONITOR_BOOTARGS_H

/*
 * What the boot loader gave us: bytes of RAM and a seed for random numbers in its environment, the
 * place of the boot archive on the command line, with the monitor's own options. Read into `mon`.
 *
 *   vectors=c             answer every TLB miss in C
 *   tlb=flush|tagged      how virtual CPUs share a TLB
 *   slice=MS              time slice
 *   stats=MS              write statistics to the log this often
 *   console=framed        the terminal carries the output of every VM, in frames: console.h
 *   on-reset=stop|restart what a guest's reset does
 *   net=copy              frames on the virtual subnet never share pages
 *   gateway               the virtual subnet has a port to the machine's network device
 *   nodes=N               the machine has so many nodes: parts, each with processors and memory
 *   numa=off|migrate|replicate|on   pages follow those who use them: memory.h says where the node controllers tell of hot ones
 *   numa-KEY=N            a number of the policy: trigger, sharing, write, migrate, cap, copy; interval, in ms
 *   short-turns           the processors of an emulator that counts instructions shall take turns often
 *   stay                  do not power off when every VM has ended
 */

#include <stdint.h>

void bootargs_read(int argc, uint64_t argv, uint64_t envp, uint64_t ram);

#endif
