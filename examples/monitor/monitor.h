/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef MONITOR_MONITOR_H
#define MONITOR_MONITOR_H

/*
 * What the parts of the monitor share. Written before other processors start; afterwards each part
 * says itself who may write what.
 */

#include <disco/numa.h>

#include "config.h"
#include "mips64.h"
#include "seed.h"
#include "vm.h"

struct options {
    bool framed; /* console=framed: the terminal carries frames of every VM */
    bool stay;   /* go on when every VM has ended */
    bool stop_on_reset;
    bool net_copy;    /* net=copy: frames never share pages */
    bool gateway;     /* the subnet has a port to the machine's network device */
    unsigned nodes;   /* nodes=N: parts of the machine, each with processors and memory */
    bool short_turns; /* an emulator runs processors in turn: board.h */
    bool with_numa;   /* numa=MODE was given: what the policy goes by */
    struct disco_numa_params numa;
    uint64_t slice_ns; /* 0: the scheduler's own */
    uint64_t stats_ns; /* write the statistics this often; 0: not */
    struct seed seed;  /* of the machine's firmware */
};

struct monitor {
    struct mips_machine machine;
    struct disco_memmap *mm;
    struct disco_sched *sched;
    struct config config;
    struct vm *vm[CONFIG_VMS]; /* each in its node */
    struct options options;
    struct bytes archive;
    uint64_t ram;                      /* bytes */
    uint32_t over;                     /* the processors' loops end: atomically */
    DISCO_OWN_LINE uint32_t attention; /* processor 0 is wanted: accessed atomically */
};

extern struct monitor mon;

static inline uint64_t monitor_now(void)
{
    return mon.machine.backend.ops->now(&mon.machine.backend);
}

/* Processor 0 shall look after the VMs soon. From any processor. */
void monitor_attention(void);
/* The loop of a processor. */
void monitor_processor(void);

#endif
