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
 * zeroed behind the last byte, which are mapped in the same way. The first DISCO_NET_HEAD bytes are always
 * copied beside, so that a small frame costs no page.
 *
 * A port has a queue of bounded length, in frames and in pages. A frame to one receiver whose queue is full is refused
 * (back-pressure); a flooded frame (broadcast, multicast, unknown) reaches those who have room, and the others' loss is
 * counted.
 *
 * Locking: the network's lock is a device's (lock.h, 0); it is not held while pages are shared or copied.
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

/** A part of a frame: @c len bytes at @c off of a machine page, to which the frame has a reference. */
struct disco_net_part {
    disco_mpn mpn;
    uint32_t off, len;
};

/** A frame on its way. */
struct disco_frame {
    uint32_t head_len, parts;
    uint16_t csum_start, csum_offset; /**< a checksum still to be made; 0, 0: none */
    struct disco_net_part part[DISCO_NET_FRAGS];
    uint8_t head[DISCO_NET_HEAD];
};

/** Counters of one port; accessed atomically. */
struct disco_net_stats {
    uint64_t sent, received;           /**< frames */
    uint64_t sent_bytes, received_bytes;
    uint64_t remapped, copied_bytes;   /**< pages shared by the sender; bytes copied by it */
    uint64_t refused;                  /**< frames of this sender that found a queue full */
    uint64_t dropped;                  /**< frames for this port that found its queue full */
    uint64_t bad;                      /**< frames that were none */
};

struct disco_net;

/** What disco_net_init() makes. */
struct disco_net_config {
    struct disco_memmap *mm;
    struct disco_backend *backend;
    unsigned ports; /**< at most 64 */
    bool copy;      /**< never share, always copy: for comparison */
};

/** Bytes of storage for @p c. 0 if the configuration is bad. */
size_t disco_net_size(const struct disco_net_config *c);
/** *out lies in @p storage (64-byte aligned). @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_NO_SPACE. */
int disco_net_init(struct disco_net **out, void *storage, size_t size, const struct disco_net_config *c);

/**
 * Port @p port gets a receiver; the link is up. @p line is up while frames wait, and rises for senders when
 * room has come back. @return 0, DISCO_ERR_BAD_ARG, DISCO_ERR_BUSY (it is open).
 */
int disco_net_open(struct disco_net *n, unsigned port, struct disco_line line);
/** Its frames and addresses are forgotten; the port is closed. */
void disco_net_close(struct disco_net *n, unsigned port);
/** A person pulls the cable, or puts it back: while it is down nothing is sent or received. The line rises. */
void disco_net_link(struct disco_net *n, unsigned port, bool up);
/** Is the link up? Lowers the line, if no frame waits. */
bool disco_net_is_up(struct disco_net *n, unsigned port);

/**
 * Send the frame described at @p in (struct disco_net_send) from guest memory through @p port. Errors as that says, and
 * those of memory accesses; frames shorter than an Ethernet header, longer than allowed or with too many segments are
 * DISCO_ERR_BAD_ARG.
 */
int disco_net_send(struct disco_net *n, unsigned port, const struct disco_buf *in, unsigned node);
/** Take a frame into the pages offered at @p io (struct disco_net_recv). Results and errors as that says. */
int disco_net_recv(struct disco_net *n, unsigned port, const struct disco_buf *io, unsigned node);

/*
 * The same for the monitor's own: a gateway to a real network is a port whose receiver is a driver. The frame is the
 * caller's; its pages' references go over to the network when sent, and to the caller when received.
 */
/** @return 0 (the references are the network's), DISCO_ERR_BUSY, DISCO_ERR_STATE, DISCO_ERR_BAD_ARG (they stay the caller's). */
int disco_net_send_frame(struct disco_net *n, unsigned port, const struct disco_frame *f);
/** @return whether there was one, in *f. */
bool disco_net_take_frame(struct disco_net *n, unsigned port, struct disco_frame *f);
/** Give a frame's references back. */
void disco_net_free_frame(struct disco_net *n, struct disco_frame *f);
/** Bytes of a frame in all. */
uint32_t disco_frame_len(const struct disco_frame *f);
/** Copy a frame's bytes from @p off on. @return 0 or DISCO_ERR_BAD_ARG (not all inside). */
int disco_frame_read(struct disco_net *n, const struct disco_frame *f, uint32_t off, void *to, uint32_t len);

/** Counters of @p port into *out. @return 0 or DISCO_ERR_BAD_ARG. */
int disco_net_stats(const struct disco_net *n, unsigned port, struct disco_net_stats *out);

/** A VM's network interface, as monitor calls. */
struct disco_nic {
    struct disco_net *net;
    unsigned port;
};
/** Add NET_SEND, NET_RECV and NET_STATE to @p t; @p nic stays the caller's and must outlive @p t. */
int disco_net_calls(struct disco_nic *nic, struct disco_calls *t);

/** Counters of REMAP; the pmap has the others. Needs no init. */
struct disco_remapper {
    struct disco_pmap *pmap;
    uint64_t calls, pages, failed; /**< accessed atomically */
};
/** Add REMAP, REMAP_MANY and DEAD_PAGES to @p t; @p r stays the caller's and must outlive @p t. */
int disco_remap_calls(struct disco_remapper *r, struct disco_calls *t);

#ifdef __cplusplus
}
#endif
#endif
