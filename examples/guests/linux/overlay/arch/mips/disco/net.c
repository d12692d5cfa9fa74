// SPDX-License-Identifier: GPL-2.0-only
/*
 * The network interface over monitor calls: what it is to Linux. The ways of frames are in net-send.c and net-recv.c.
 *
 * There is no limit to a packet but IP's own, so that a packet is what the protocol above made: it is never cut in
 * pieces that are no whole pages, and needs no segmentation. Checksums between guests of one machine are not made
 * at all, only handed on as still to be made.
 */
#include <linux/ethtool.h>
#include <linux/init.h>
#include <linux/of.h>
#include <linux/of_net.h>

#include <hypcall.h>

#include "disco.h"
#include "net.h"

static int net_open(struct net_device *dev)
{
	netif_start_queue(dev);
	return 0;
}

static int net_stop(struct net_device *dev)
{
	netif_stop_queue(dev);
	return 0;
}

static const struct net_device_ops net_ops = {
	.ndo_open = net_open,
	.ndo_stop = net_stop,
	.ndo_start_xmit = disco_net_xmit,
	.ndo_set_mac_address = eth_mac_addr,
	.ndo_validate_addr = eth_validate_addr,
};

static void net_drvinfo(struct net_device *dev, struct ethtool_drvinfo *info)
{
	strscpy(info->driver, "disco", sizeof(info->driver));
	strscpy(info->bus_info, "disco", sizeof(info->bus_info));
}

static const struct ethtool_ops net_ethtool_ops = {
	.get_drvinfo = net_drvinfo,
	.get_link = ethtool_op_get_link,
};

static void note_link(struct net_device *dev)
{
	long state = disco_call(DISCO_CALL_NET_STATE, 0, 0);

	if (state > 0 && state & DISCO_NET_UP)
		netif_carrier_on(dev);
	else
		netif_carrier_off(dev);
}

/* A frame waits, a full queue has room again, or the link came or went: the line does not say which. */
static irqreturn_t net_interrupt(int irq, void *arg)
{
	struct disco_nic *nic = arg;

	note_link(nic->dev);
	if (netif_running(nic->dev))
		netif_wake_queue(nic->dev);
	disco_line_hold();
	napi_schedule(&nic->napi);
	return IRQ_HANDLED;
}

static void __init set_features(struct net_device *dev)
{
	dev->netdev_ops = &net_ops;
	dev->ethtool_ops = &net_ethtool_ops;
	dev->hw_features = NETIF_F_SG | NETIF_F_HW_CSUM | NETIF_F_RXCSUM;
	dev->features = dev->hw_features | NETIF_F_HIGHDMA;
	dev->min_mtu = ETH_MIN_MTU;
	dev->max_mtu = ETH_MAX_MTU;
	dev->mtu = ETH_MAX_MTU;
}

static int __init add_nic(struct device_node *node)
{
	struct net_device *dev = alloc_etherdev(sizeof(struct disco_nic));
	struct disco_nic *nic;
	int err;

	if (!dev)
		return -ENOMEM;
	nic = netdev_priv(dev);
	nic->dev = dev;
	set_features(dev);
	if (of_get_ethdev_address(node, dev))
		eth_hw_addr_random(dev);
	err = disco_net_prepare_send(nic);
	if (!err)
		err = disco_net_prepare_recv(nic);
	if (!err)
		err = register_netdev(dev);
	if (err)
		return err;
	err = disco_request_line(node, net_interrupt, "disco net", nic);
	/* The first question opens the line to the interface. */
	note_link(dev);
	return err;
}

static int __init disco_net_init(void)
{
	struct device_node *node = of_find_compatible_node(NULL, NULL, "disco,net");
	int err;

	if (!node)
		return 0;
	err = add_nic(node);
	of_node_put(node);
	if (err)
		pr_err("disco: network interface: error %d\n", err);
	return err;
}
device_initcall(disco_net_init);
