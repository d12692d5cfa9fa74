/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_DISCO_H
#define DISCO_DISCO_H

/**
 * @file disco.h
 * @brief Everything of libdisco at once, but ffi.h, whose library is not always freestanding. Each header also stands
 * alone.
 */

#include <disco/arch.h>
#include <disco/base.h>
#include <disco/calls.h>
#include <disco/disk.h>
#include <disco/io.h>
#include <disco/l2tlb.h>
#include <disco/lock.h>
#include <disco/memmap.h>
#include <disco/mmio.h>
#include <disco/net.h>
#include <disco/numa.h>
#include <disco/pmap.h>
#include <disco/pvio.h>
#include <disco/ranges.h>
#include <disco/vcpu.h>

#endif
