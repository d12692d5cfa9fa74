// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network interface: sending.
 *
 * The monitor copies a frame's bytes before the call returns, but for whole pages that are called stable: these it
 * shares. Stable are pages of files, which stay what they are for longer than the frame travels. The data of
 * write() lies in pages that are used again at once: shared, each would be copied at the next write.
 */
#include <linux/mm.h>
#include <linux/pagemap.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include <hypcall.h>

#include "net.h"

/* How long a frame waits for its receiver, who may be a machine that stands still: the others wait behind it. */
#define PATIENCE (HZ / 10)

struct disco_net_packet {
	struct disco_net_send head;
	struct disco_io_seg seg[DISCO_NET_SEGS];
};

static bool add_segment(struct disco_net_packet *p, phys_addr_t pa, u64 len)
{
	if (p->head.segs == DISCO_NET_SEGS)
		return false;
	p->seg[p->head.segs].pa = pa;
	p->seg[p->head.segs].len = len;
	p->head.segs++;
	return true;
}

static bool is_stable(struct page *page)
{
	return !PageCompound(page) && folio_mapping(page_folio(page));
}

/* A fragment may be longer than a page, when its page is a compound one. */
static bool add_fragment(struct disco_net_packet *p, const skb_frag_t *frag)
{
	struct page *page = skb_frag_page(frag);
	u64 len = skb_frag_size(frag);

	if (len == PAGE_SIZE && skb_frag_off(frag) == 0 && is_stable(page))
		len |= DISCO_NET_STABLE;
	return add_segment(p, page_to_phys(page) + skb_frag_off(frag), len);
}

static bool fill_packet(struct disco_net_packet *p, const struct sk_buff *skb)
{
	int i;

	memset(&p->head, 0, sizeof(p->head));
	if (skb->ip_summed == CHECKSUM_PARTIAL) {
		p->head.csum_start = skb_checksum_start_offset(skb);
		p->head.csum_offset = skb->csum_offset;
	}
	if (!add_segment(p, virt_to_phys(skb->data), skb_headlen(skb)))
		return false;
	for (i = 0; i < skb_shinfo(skb)->nr_frags; i++)
		if (!add_fragment(p, &skb_shinfo(skb)->frags[i]))
			return false;
	return true;
}

/* A checksum that is still to be made lies in the part that the monitor copies as the frame's head, or is made here. */
static bool checksum_in_reach(struct sk_buff *skb)
{
	return skb->ip_summed != CHECKSUM_PARTIAL ||
	       skb_checksum_start_offset(skb) + skb->csum_offset + sizeof(__sum16) <= DISCO_NET_HEAD ||
	       skb_checksum_help(skb) == 0;
}

static long send(struct disco_net_packet *p)
{
	return disco_call(DISCO_CALL_NET_SEND, __pa(p), offsetof(struct disco_net_packet, seg[p->head.segs]));
}

static void send_again(struct timer_list *timer)
{
	struct disco_nic *nic = from_timer(nic, timer, again);

	if (netif_running(nic->dev))
		netif_wake_queue(nic->dev);
}

/*
 * The receiver's queue is full: the line rises when it has room again. The queue is stopped before the monitor is asked
 * once more, or room that came in between would wake nobody. Who has waited long enough is not waited for,
 * and neither are others until a frame got through again.
 */
static long wait_for_room(struct disco_nic *nic)
{
	long result;

	if (!nic->waiting) {
		nic->waiting = true;
		nic->patience_ends = jiffies + PATIENCE;
	}
	if (time_after_eq(jiffies, nic->patience_ends))
		return DISCO_ERR_BUSY;
	netif_stop_queue(nic->dev);
	result = send(nic->packet);
	if (result != DISCO_ERR_BUSY) {
		netif_wake_queue(nic->dev);
		return result;
	}
	mod_timer(&nic->again, nic->patience_ends);
	return NETDEV_TX_BUSY;
}

netdev_tx_t disco_net_xmit(struct sk_buff *skb, struct net_device *dev)
{
	struct disco_nic *nic = netdev_priv(dev);
	long result = DISCO_ERR_BAD_ARG;

	if (checksum_in_reach(skb) && fill_packet(nic->packet, skb))
		result = send(nic->packet);
	if (result == DISCO_ERR_BUSY)
		result = wait_for_room(nic);
	if (result == NETDEV_TX_BUSY)
		return NETDEV_TX_BUSY;
	if (result == 0) {
		nic->waiting = false;
		dev->stats.tx_packets++;
		dev->stats.tx_bytes += skb->len;
		dev_consume_skb_any(skb);
	} else {
		dev->stats.tx_dropped++;
		dev_kfree_skb_any(skb);
	}
	return NETDEV_TX_OK;
}

int disco_net_prepare_send(struct disco_nic *nic)
{
	timer_setup(&nic->again, send_again, 0);
	nic->packet = kmalloc(sizeof(*nic->packet), GFP_KERNEL);
	return nic->packet ? 0 : -ENOMEM;
}
