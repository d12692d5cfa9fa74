/* SPDX-License-Identifier: BSD-2-Clause */
#ifndef DISCO_NET_PRIVATE_H
#define DISCO_NET_PRIVATE_H

/*
 * A frame is built and taken apart without the network's lock, by whoever holds its references; under the lock it only
 * moves from one owner to another. So the lock is held for a bounded time: at most one copy of a struct
 * disco_frame, and one reference to each of its parts, for each port.
 */

#include <disco/atomic.h>
#include <disco/net.h>

/* An address the switch has seen: valid bit, port, address; 0 = unused. */
struct address {
    uint64_t key, seen;
};

struct port {
    struct disco_line line;
    bool open;
    bool asked;          /* the receiver is there: the line may rise */
    bool news;           /* disco_net_is_up() has something to tell */
    uint32_t head, tail; /* of the queue; they only grow, and wrap at a multiple of its length */
    uint32_t pages;      /* that wait in it */
    uint64_t waiting;    /* senders that were refused: bit = port */
    uint64_t refused_at; /* when the first was, since something was taken; 0: none */
    struct disco_net_stats stats;
    struct disco_frame queue[DISCO_NET_QUEUE];
};

struct disco_net {
    /* Read by everybody, without the lock. */
    unsigned ports;
    bool copy;
    struct disco_memmap *mm;
    struct disco_backend *backend;
    /* What the lock guards. */
    DISCO_OWN_LINE struct disco_lock lock;
    uint64_t linked; /* ports that are open and whose link is up */
    uint64_t clock;  /* frames seen: the age of addresses */
    struct address address[DISCO_NET_ADDRESSES];
    struct port port[];
};

static inline uint64_t port_bit(unsigned port) { return UINT64_C(1) << port; }

/* --- net_queue.c; the lock is held --- */

/* The line says what the port has to say. */
void disco_port_set_line(struct port *p);
/* Is there room for a frame of @p parts? */
bool disco_port_room(const struct port *p, uint32_t parts);
/* There is room; the frame's references are the queue's. */
void disco_port_push(struct port *p, const struct disco_frame *f);
/* There is a frame; its references are the caller's. Who was refused hears of it when the queue is half empty. */
void disco_port_pop(struct disco_net *n, struct port *p, struct disco_frame *f);
/* @p f was taken from it. */
void disco_port_received(struct port *p, const struct disco_frame *f);
/* The queue of @p p was full: is @p from to wait? Then its line will rise. */
bool disco_port_refuse(struct disco_net *n, struct port *p, unsigned from);

/* --- net_switch.c --- */

/* May a frame with this head and @p parts parts be sent from @p from now? 0, DISCO_ERR_STATE, DISCO_ERR_BUSY. */
int disco_switch_ready(struct disco_net *n, unsigned from, const uint8_t *head, uint32_t parts);
/*
 * Send it; 0: its references are the network's. The sender shared @p remapped pages of its guest's with it, and copied
 * @p copied bytes.
 */
int disco_switch_pass(struct disco_net *n, unsigned from, const struct disco_frame *f,
                      uint32_t remapped, uint32_t copied);
/* Forget the addresses of @p port; the lock is held. */
void disco_switch_forget(struct disco_net *n, unsigned port);

/* --- net_frame.c --- */

/* One of the frame's pieces, in order: 0 is the head, i its part i - 1. */
const uint8_t *disco_frame_piece(struct disco_net *n, const struct disco_frame *f, uint32_t i,
                                 uint32_t *len);
/* Without the lock: @p port sent something that is no frame. */
void disco_port_bad(struct disco_net *n, unsigned port);
/* Give the references back. */
void disco_frame_put(struct disco_net *n, const struct disco_frame *f);
/* Is there a checksum to be made, and is it not where it should be, in the first @p len bytes? */
bool disco_frame_csum_bad(uint16_t start, uint16_t offset, uint32_t len);

#endif
