// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network interface: receiving.
 *
 * The monitor is offered as many pages as a frame can have. It puts its own in their place where the frame has any;
 * those go up with the frame, and others take their turn. A frame that cannot be replaced its pages is dropped, so
 * that there are always enough.
 */
#include <linux/mm.h>
#include <linux/skbuff.h>
#include <linux/slab.h>

#include <hypcall.h>

#include "disco.h"
#include "net.h"

static_assert(DISCO_NET_FRAGS <= MAX_SKB_FRAGS);

static void offer(struct disco_nic *nic, int i, struct page *page)
{
	nic->page[i] = page;
	nic->recv->page[i] = page_to_phys(page);
}

/* Fragment i becomes the frame's. */
static bool take_fragment(struct disco_nic *nic, struct sk_buff *skb, int i)
{
	const struct disco_net_frag *frag = &nic->recv->frag[i];
	struct page *fresh = alloc_page(GFP_ATOMIC | __GFP_NOWARN);

	if (!fresh)
		return false;
	skb_add_rx_frag(skb, i, nic->page[frag->page], frag->off, frag->len, PAGE_SIZE);
	offer(nic, frag->page, fresh);
	return true;
}

static bool take_fragments(struct disco_nic *nic, struct sk_buff *skb)
{
	u32 i;

	for (i = 0; i < nic->recv->frags; i++)
		if (!take_fragment(nic, skb, i))
			return false;
	return true;
}

static struct sk_buff *build(struct disco_nic *nic)
{
	const struct disco_net_recv *r = nic->recv;
	struct sk_buff *skb = napi_alloc_skb(&nic->napi, r->head_len);

	if (!skb)
		return NULL;
	skb_put_data(skb, r->head, r->head_len);
	if (!take_fragments(nic, skb) ||
	    ((r->csum_start || r->csum_offset) && !skb_partial_csum_set(skb, r->csum_start, r->csum_offset))) {
		dev_kfree_skb_any(skb);
		return NULL;
	}
	return skb;
}

/*
 * A checksum that is still to be made says that the frame is from another guest, and is good. One that came made may
 * be from outside, and is checked.
 */
static void hand_up(struct disco_nic *nic)
{
	struct net_device *dev = nic->dev;
	struct sk_buff *skb = netif_running(dev) ? build(nic) : NULL;

	if (!skb) {
		dev->stats.rx_dropped++;
		return;
	}
	dev->stats.rx_packets++;
	dev->stats.rx_bytes += skb->len;
	skb->protocol = eth_type_trans(skb, dev);
	napi_gro_receive(&nic->napi, skb);
}

/*
 * The line is let go after each round, not only after the last: it is the other devices', too, and they have their
 * turn while frames keep coming.
 */
static int poll(struct napi_struct *napi, int budget)
{
	struct disco_nic *nic = container_of(napi, struct disco_nic, napi);
	int done = 0;

	while (done < budget &&
	       disco_call(DISCO_CALL_NET_RECV, __pa(nic->recv), sizeof(*nic->recv)) == 1) {
		hand_up(nic);
		done++;
	}
	if (done < budget)
		napi_complete_done(napi, done);
	disco_line_release();
	return done;
}

int disco_net_prepare_recv(struct disco_nic *nic)
{
	int i;

	nic->recv = kzalloc(sizeof(*nic->recv), GFP_KERNEL);
	if (!nic->recv)
		return -ENOMEM;
	nic->recv->pages = DISCO_NET_FRAGS;
	for (i = 0; i < DISCO_NET_FRAGS; i++) {
		struct page *page = alloc_page(GFP_KERNEL);

		if (!page)
			return -ENOMEM;
		offer(nic, i, page);
	}
	netif_napi_add(nic->dev, &nic->napi, poll);
	napi_enable(&nic->napi);
	return 0;
}
