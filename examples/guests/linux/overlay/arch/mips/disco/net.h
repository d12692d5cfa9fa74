/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _ARCH_MIPS_DISCO_NET_H
#define _ARCH_MIPS_DISCO_NET_H

#include <linux/etherdevice.h>
#include <linux/netdevice.h>

#include <disco/io.h>

struct disco_nic {
	struct net_device *dev;
	struct napi_struct napi;

	/* What a call takes, one at a time: sending is under the queue's lock, receiving in the poll. */
	struct disco_net_packet *packet;
	struct disco_net_recv *recv;
	/* The pages whose addresses are in recv->page. */
	struct page *page[DISCO_NET_FRAGS];

	/* The receiver's queue was full: see net-send.c. */
	struct timer_list again;
	unsigned long patience_ends;
	bool waiting;
};

int disco_net_prepare_send(struct disco_nic *nic);
int disco_net_prepare_recv(struct disco_nic *nic);
netdev_tx_t disco_net_xmit(struct sk_buff *skb, struct net_device *dev);

#endif
