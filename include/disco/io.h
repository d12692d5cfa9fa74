/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/**
 * @file
 * What a guest writes into its memory for the calls of disks and network (calls.h): for both sides of the machine.
 *
 * Numbers are in the byte order of the machine, which the monitor and its guests share. A structure may lie
 * anywhere in the guest's memory, in one piece of guest-physical addresses.
 */
#ifndef DISCO_IO_H
#define DISCO_IO_H

#ifdef __KERNEL__
#include <linux/types.h>
#else
#include <stdint.h>
#endif

/** Bytes of a sector: what disks count in. */
#define DISCO_SECTOR 512

/** A piece of guest memory. */
struct disco_io_seg {
    uint64_t pa;
    uint64_t len;
};

/** What a disk is asked for. */
#define DISCO_DISK_READ 0
#define DISCO_DISK_WRITE 1 /**< see DISCO_DISK_READ */
#define DISCO_DISK_FLUSH                                                                           \
    2 /**< what was written before, and is done, survives a crash; no segments */
/** Segments of one request at most. */
#define DISCO_DISK_SEGS 64
/** Bytes of one request at most. */
#define DISCO_DISK_BYTES (256 * 1024)

/**
 * DISK_REQUEST: this, and `segs` of struct disco_io_seg directly behind it. Lengths of segments are multiples of a sector; together they are the request. The result of the
 * call: 1 = done, 0 = accepted, will come out of DISK_DONE; else an error, and nothing will come. DISCO_ERR_BUSY:
 * too many at work already, DISCO_ERR_NO_MEMORY: no memory at this moment; ask again for both.
 */
struct disco_disk_request {
    uint32_t op;
    uint32_t segs;
    uint64_t sector;
    uint64_t tag; /**< the guest's own */
};

/** One finished request. */
struct disco_disk_done {
    uint32_t disk;
    /** 0 or an enum disco_err; DISCO_ERR_BUSY and DISCO_ERR_NO_MEMORY: ask again */
    int32_t status;
    uint64_t tag;
};

/** Result bits of NET_STATE. */
#define DISCO_NET_UP 1
/** Bytes of a frame at most, Ethernet header included: IPv4's 65535 and the header. */
#define DISCO_NET_FRAME_MAX 65549
/** Bytes at the beginning of a frame that are copied beside the pages. */
#define DISCO_NET_HEAD 256
/** Pieces of a frame at most as it is received, each in a page of its own. */
#define DISCO_NET_FRAGS 17
/** Segments of a frame at most as it is sent. */
#define DISCO_NET_SEGS 64

/** Flag in a segment's len, NET_SEND: the page will not change soon; share it if it is whole and aligned. */
#define DISCO_NET_STABLE ((uint64_t)1 << 63)

/**
 * NET_SEND: this, and `segs` of struct disco_io_seg directly behind it: a frame in segments. Whole, aligned pages that
 * the sender says are stable are shared, the rest is copied. `csum_start` and `csum_offset`: a checksum that is still to be
 * made, as in Linux's CHECKSUM_PARTIAL: over the bytes from csum_start (of the frame) to its end, to be put at
 * csum_start + csum_offset, which must lie in the first DISCO_NET_HEAD bytes; both 0 = none. Result: 0;
 * DISCO_ERR_BUSY = the receiver's queue is full (try again after the device line rises, or drop it; who waits does
 * so for a bounded time, for a receiver that has died raises no line); DISCO_ERR_STATE = the link is down.
 */
struct disco_net_send {
    uint32_t segs;
    uint16_t csum_start, csum_offset;
};

/** A piece of a received frame: at `off` of the page offered as number `page`. */
struct disco_net_frag {
    uint16_t page, off;
    uint32_t len;
};

/**
 * NET_RECV: the guest offers `pages` pages (page-aligned addresses of whole pages whose contents do not matter); the
 * monitor fills in the rest: fragments are in the order of the frame, behind the head, and use the pages in the order in
 * which they were offered. Result: 1 = a frame; 0 = none waits; DISCO_ERR_NO_SPACE = the frame that waits needs
 * more pages: `frags` says how many.
 */
struct disco_net_recv {
    uint32_t pages;
    uint32_t frags;
    uint32_t head_len;
    uint16_t csum_start, csum_offset;
    uint64_t page[DISCO_NET_FRAGS];
    struct disco_net_frag frag[DISCO_NET_FRAGS];
    uint8_t head[DISCO_NET_HEAD];
};

/**
 * REMAP_MANY: one pair of page-aligned addresses. A pair that cannot be done ends the call: its result is how many
 * were done before it, or its error if none was. Pairs behind it may have been done or not.
 */
struct disco_remap {
    uint64_t to;
    uint64_t from;
};

/** Pairs of one REMAP_MANY at most. */
#define DISCO_REMAP_MAX 64

#endif
