/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_NET_H
#define DISCO_NET_H

/**
 * @file net.h
 * @brief A virtual subnet: a learning switch whose frames carry machine pages (Disco, section 4.2.3).
 *
 * There is no limit to a frame but DISCO_NET_FRAME_MAX, which is what IP can carry. A whole aligned page that its sender
 * calls stable is not copied: the frame holds a reference to the machine page, read-only from then on for its sender
 * (DISCO_PMAP_NET), and the receiver gets it mapped read-only. Other bytes are copied into pages of the monitor's,
 * zeroed behind the last byte, which are mapped in the same way and are the receiver's own at its first store.
 *
 * The first bytes, the *head*, are always copied beside: all before the first page that is shared, if these are no
 * more than DISCO_NET_HEAD (protocol headers, and behind them whole pages), else DISCO_NET_HEAD of them. A small
 * frame is all head and costs no page. The Ethernet header and a checksum that is still to be made lie in it, so a
 * page that begins before their end is copied. A frame that would have more than DISCO_NET_FRAGS parts shares nothing
 * and is copied densely.
 *
 * A frame whose only part is no longer than DISCO_NET_LONE is copied once more, into the page that the receiver offers: a
 * mapping costs a revocation, two misses and, when the page is used again, a write fault, which is more. Where a frame
 * has more parts they share one revocation, and all of them are mapped.
 *
 * A port has a queue of bounded length, in frames and in pages. A frame to one receiver whose queue is full is refused
 * (back-pressure), and its sender's line rises when the queue is half empty. A receiver that has taken nothing for
 * DISCO_NET_STUCK_NS since it first refused is *stuck*: nobody waits for it, frames for it are dropped and counted. A
 * flooded frame (broadcast, multicast, unknown) reaches those who have room, and the others' loss is counted.
 *
 * The switch learns who sends where. Its table is bounded: who fills it with addresses displaces its own first.
 *
 * Locking: the network's lock is a device's (lock.h, 0); it is not held while pages are shared or copied. Lines are set
 * under it: a line's function calls nothing here. Calls may be made from any processor, with interrupts off.
 */

#include <disco/io.h>
#include <disco/pvio.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Frames that wait in one port at most. */
#define DISCO_NET_QUEUE 64
/** Pages that wait in one port at most. */
#define DISCO_NET_QUEUE_PAGES 512
/** Addresses that the switch remembers. */
#define DISCO_NET_ADDRESSES 256
/** Ports of a network at most. */
#define DISCO_NET_PORTS 64
/** Bytes of an Ethernet header: what a frame has at least. */
#define DISCO_NET_HEADER 14
/** A frame's only part is copied by the receiver up to this length, and mapped beyond. */
#define DISCO_NET_LONE 2048
/** How long a receiver may leave its full queue alone before its senders stop to wait for it. */
#define DISCO_NET_STUCK_NS UINT64_C(1000000000)

/** A part of a frame: @c len bytes at @c off of a machine page, to which the frame has a reference. */
struct disco_net_part {
    disco_mpn mpn;
    uint32_t off, len;
};

/** A frame on its way: its head, then its parts. */
struct disco_frame {
    uint32_t head_len, parts;
    uint16_t csum_start, csum_offset; /**< a checksum still to be made, in the head; 0, 0: none */
    struct disco_net_part part[DISCO_NET_FRAGS];
    uint8_t head[DISCO_NET_HEAD];
};

/** Counters of one port: written under the network's lock; disco_net_stats() reads. */
struct disco_net_stats {
    uint64_t sent, received; /**< frames */
    uint64_t sent_bytes, received_bytes;
    uint64_t remapped, copied_bytes; /**< pages shared by the sender; bytes copied by it */
    uint64_t refused;                /**< frames of this sender that found a queue full */
    uint64_t dropped; /**< frames for this port that found no place: queue or pages */
    uint64_t bad;     /**< frames of this sender that were none */
};

struct disco_net;

/** What disco_net_init() makes. */
struct disco_net_config {
    struct disco_memmap *mm;
    struct disco_backend *backend; /**< of its operations: page, now, relax */
    unsigned ports;                /**< at most DISCO_NET_PORTS */
    bool copy;                     /**< never share, always copy: for comparison */
};

/** Bytes of storage for @p c, about 36 KiB a port. 0 if the configuration is bad. */
size_t disco_net_size(const struct disco_net_config *c);
/**
 * *out lies in @p storage (aligned to DISCO_CACHE_LINE). All ports are closed; a network whose ports are closed again
 * has no page and needs no end. @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE.
 */
int disco_net_init(struct disco_net **out, void *storage, size_t size,
                   const struct disco_net_config *c);

/**
 * Port @p port gets a receiver; the link is up. @p line is up while frames wait, or disco_net_is_up() has something to
 * tell: the link changed, or a sender that was refused may try again. It stays down until the receiver is there, which
 * its first disco_net_is_up() or disco_net_recv() says: a guest that still boots could not lower it.
 * @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_BUSY (it is open).
 */
int disco_net_open(struct disco_net *n, unsigned port, struct disco_line line);
/** Its frames and addresses are forgotten; the port is closed, its line down. Counters stay. */
void disco_net_close(struct disco_net *n, unsigned port);
/**
 * A person pulls the cable, or puts it back: while it is down nothing is sent or received, and what waited is
 * forgotten. The line rises, if that was a change.
 */
void disco_net_link(struct disco_net *n, unsigned port, bool up);
/** Is the link up? Lowers the line, if no frame waits. */
bool disco_net_is_up(struct disco_net *n, unsigned port);

/**
 * Send the frame described at @p in (struct disco_net_send) from guest memory through @p port, on behalf of @p node.
 * What lies at @p in is read once. @return 0: it is on its way, or went nowhere as frames do; DISCO_ERR_BUSY,
 * DISCO_ERR_STATE as struct disco_net_send says; DISCO_ERR_BAD_ARG: shorter than an Ethernet header, longer than
 * DISCO_NET_FRAME_MAX, too many segments, a checksum beyond the head; DISCO_ERR_BAD_ADDRESS,
 * DISCO_ERR_OVERFLOW: a segment outside the VM; DISCO_ERR_NO_MEMORY.
 */
int disco_net_send(struct disco_net *n, unsigned port, const struct disco_buf *in, unsigned node);
/**
 * Take a frame into the pages offered at @p io (struct disco_net_recv; a buffer for reading and writing). Pages that are
 * not used stay as they are, and may be anything. @return 1, 0 and DISCO_ERR_NO_SPACE as that says; with the frame
 * still waiting DISCO_ERR_BAD_ARG (too many pages, or not aligned), DISCO_ERR_BAD_ADDRESS, DISCO_ERR_OVERFLOW
 * (outside the VM), DISCO_ERR_STATE (closed); with the frame lost DISCO_ERR_BAD_ARG (the same page twice),
 * DISCO_ERR_NO_MEMORY.
 */
int disco_net_recv(struct disco_net *n, unsigned port, const struct disco_buf *io, unsigned node);

/*
 * The same for the monitor's own: a gateway to a real network is a port whose receiver is a driver. The frame is the
 * caller's; its pages' references go over to the network when sent, and to the caller when received. A page
 * that is sent may be mapped into guests whole: it holds zeros, or nothing secret, around the part, and nobody
 * writes to it any more.
 */
/**
 * Send @p f. The head holds the Ethernet header, and the checksum if one is to be made. @return 0 (the references are the
 * network's), DISCO_ERR_BUSY, DISCO_ERR_STATE, DISCO_ERR_BAD_ARG (they stay the caller's).
 */
int disco_net_send_frame(struct disco_net *n, unsigned port, const struct disco_frame *f);
/** @return whether there was one, in *f. */
bool disco_net_take_frame(struct disco_net *n, unsigned port, struct disco_frame *f);
/** Give a frame's references back; it has no parts after. */
void disco_net_free_frame(struct disco_net *n, struct disco_frame *f);
/** Bytes of a frame in all. */
uint32_t disco_frame_len(const struct disco_frame *f);
/** Copy a frame's bytes from @p off on. @return 0 or DISCO_ERR_BAD_ARG (not all inside). */
int disco_frame_read(struct disco_net *n, const struct disco_frame *f, uint32_t off, void *to,
                     uint32_t len);
/**
 * Make the checksum that is still to be made, for a network that cannot: reads the whole frame, writes to its head,
 * which is the caller's alone. None to be made: 0. @return 0 or DISCO_ERR_BAD_ARG (not in the head: no frame of the
 * network's).
 */
int disco_frame_checksum(struct disco_net *n, struct disco_frame *f);

/**
 * Counters of @p port into *out: each is read atomically, not all of them together. Lock-free, any processor.
 * @return 0 or DISCO_ERR_BAD_ARG.
 */
int disco_net_stats(const struct disco_net *n, unsigned port, struct disco_net_stats *out);

/** A VM's network interface, as monitor calls. */
struct disco_nic {
    struct disco_net *net;
    unsigned port;
};
/** Add NET_SEND, NET_RECV and NET_STATE to @p t; @p nic stays the caller's and must outlive @p t. */
int disco_net_calls(struct disco_nic *nic, struct disco_calls *t);

/** Whose pages REMAP and REMAP_MANY share. Needs no init. */
struct disco_remapper {
    struct disco_pmap *pmap;
    struct disco_calls *calls; /**< private: where it counts */
};
/**
 * Add REMAP, REMAP_MANY and DEAD_PAGES to @p t; @p r stays the caller's and must outlive @p t.
 *
 * `from` may be any page of the VM's: one that was never touched is made, zeroed; one that is the VM's alone becomes
 * read-only for DISCO_PMAP_NET; one that is shared already, or replicated, stays what it is, and `to` is shared for the
 * same reason. `to` equal to `from` is done.
 */
int disco_remap_calls(struct disco_remapper *r, struct disco_calls *t);

#ifdef __cplusplus
}
#endif
#endif
