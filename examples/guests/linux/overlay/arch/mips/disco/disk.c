// SPDX-License-Identifier: GPL-2.0-only
/*
 * Disks over monitor calls: /dev/dd0, /dev/dd1, ...
 *
 * One trap a request. What the monitor has in memory is done when the call returns; the rest comes out of DISK_DONE
 * after an interrupt. A block is a page: file systems then read whole pages into whole pages, which the monitor
 * maps instead of copying.
 */
#include <linux/blk-mq.h>
#include <linux/init.h>
#include <linux/interrupt.h>
#include <linux/of.h>

#include <hypcall.h>

#include "disco.h"

#define BLOCK_SECTORS (PAGE_SIZE / DISCO_SECTOR)
#define MOST_DISKS 4

/* A request as the monitor wants it, in the memory that the block layer keeps behind each of its own. */
struct command {
	struct disco_disk_request head;
	struct disco_io_seg seg[DISCO_DISK_SEGS];
};

struct disk {
	u32 number;
	struct gendisk *gd;
	struct blk_mq_tag_set tags;
};

static int major;

static const struct block_device_operations disk_fops = {
	.owner = THIS_MODULE,
};

/* Pieces that follow each other in memory are one segment; there are never more than the limits set below allow. */
static u32 fill_segments(struct request *rq, struct disco_io_seg *seg)
{
	struct req_iterator it;
	struct bio_vec piece;
	u32 n = 0;

	rq_for_each_bvec(piece, rq, it) {
		phys_addr_t pa = page_to_phys(piece.bv_page) + piece.bv_offset;

		if (n > 0 && seg[n - 1].pa + seg[n - 1].len == pa) {
			seg[n - 1].len += piece.bv_len;
			continue;
		}
		seg[n].pa = pa;
		seg[n].len = piece.bv_len;
		n++;
	}
	return n;
}

static blk_status_t fill_command(struct request *rq, struct command *c)
{
	c->head.tag = (unsigned long)rq;
	c->head.sector = blk_rq_pos(rq);
	c->head.segs = 0;
	switch (req_op(rq)) {
	case REQ_OP_READ:
		c->head.op = DISCO_DISK_READ;
		break;
	case REQ_OP_WRITE:
		c->head.op = DISCO_DISK_WRITE;
		break;
	case REQ_OP_FLUSH:
		c->head.op = DISCO_DISK_FLUSH;
		c->head.sector = 0;
		return BLK_STS_OK;
	default:
		return BLK_STS_NOTSUPP;
	}
	c->head.segs = fill_segments(rq, c->seg);
	return BLK_STS_OK;
}

static blk_status_t status_of(long err)
{
	switch (err) {
	case 0:
		return BLK_STS_OK;
	case DISCO_ERR_NO_SPACE:
		return BLK_STS_NOSPC;
	default:
		return BLK_STS_IOERR;
	}
}

static blk_status_t queue_rq(struct blk_mq_hw_ctx *hctx, const struct blk_mq_queue_data *bd)
{
	struct disk *d = hctx->queue->queuedata;
	struct command *c = blk_mq_rq_to_pdu(bd->rq);
	blk_status_t status = fill_command(bd->rq, c);
	long result;

	if (status != BLK_STS_OK)
		return status;
	/* From here on its end may come from another processor, before the call has returned. */
	blk_mq_start_request(bd->rq);
	result = disco_call4(DISCO_CALL_DISK_REQUEST, d->number, __pa(c), offsetof(struct command, seg[c->head.segs]), 0);
	switch (result) {
	case 1:
		blk_mq_end_request(bd->rq, BLK_STS_OK);
		return BLK_STS_OK;
	case 0:
		return BLK_STS_OK;
	case DISCO_ERR_BUSY:
	case DISCO_ERR_NO_MEMORY:
		/* The block layer asks again in a few milliseconds, whether or not anything of ours is at work. */
		return BLK_STS_RESOURCE;
	default:
		return status_of(result);
	}
}

static const struct blk_mq_ops disk_ops = {
	.queue_rq = queue_rq,
};

/* A machine that had no memory at that moment may have some later: nothing has been lost. */
static void end_request(struct request *rq, int status)
{
	if (status == DISCO_ERR_NO_MEMORY || status == DISCO_ERR_BUSY)
		blk_mq_requeue_request(rq, true);
	else
		blk_mq_end_request(rq, status_of(status));
}

/* What is finished, of all disks: the tag is the request. */
static irqreturn_t disk_interrupt(int irq, void *unused)
{
	static struct disco_disk_done done[16];
	irqreturn_t seen = IRQ_NONE;
	long i, n;

	do {
		n = disco_call(DISCO_CALL_DISK_DONE, __pa(done), sizeof(done));
		for (i = 0; i < n; i++) {
			end_request((struct request *)(unsigned long)done[i].tag, done[i].status);
			seen = IRQ_HANDLED;
		}
	} while (n == ARRAY_SIZE(done));
	return seen;
}

static void __init set_limits(struct request_queue *q)
{
	blk_queue_logical_block_size(q, PAGE_SIZE);
	blk_queue_physical_block_size(q, PAGE_SIZE);
	blk_queue_io_min(q, PAGE_SIZE);
	blk_queue_max_segments(q, DISCO_DISK_SEGS);
	blk_queue_max_segment_size(q, DISCO_DISK_BYTES);
	blk_queue_max_hw_sectors(q, DISCO_DISK_BYTES / DISCO_SECTOR);
	blk_queue_flag_set(QUEUE_FLAG_NONROT, q);
	blk_queue_flag_clear(QUEUE_FLAG_ADD_RANDOM, q);
	blk_queue_write_cache(q, true, false);
}

static int __init add_tags(struct disk *d)
{
	d->tags.ops = &disk_ops;
	d->tags.nr_hw_queues = 1;
	d->tags.queue_depth = 32;
	d->tags.numa_node = NUMA_NO_NODE;
	d->tags.cmd_size = sizeof(struct command);
	d->tags.flags = BLK_MQ_F_SHOULD_MERGE;
	return blk_mq_alloc_tag_set(&d->tags);
}

static int __init add_gendisk(struct disk *d, u64 sectors, bool read_only)
{
	struct gendisk *gd = blk_mq_alloc_disk(&d->tags, d);

	if (IS_ERR(gd))
		return PTR_ERR(gd);
	d->gd = gd;
	gd->major = major;
	gd->first_minor = d->number;
	gd->minors = 1;
	gd->flags |= GENHD_FL_NO_PART;
	gd->fops = &disk_fops;
	snprintf(gd->disk_name, sizeof(gd->disk_name), "dd%u", d->number);
	set_limits(gd->queue);
	set_capacity(gd, round_down(sectors, BLOCK_SECTORS));
	set_disk_ro(gd, read_only);
	return add_disk(gd);
}

static void __init add_one(const struct device_node *node)
{
	static struct disk disks[MOST_DISKS];
	struct disk *d;
	long sectors;
	u32 number;
	int err;

	if (of_property_read_u32(node, "reg", &number) || number >= MOST_DISKS)
		return;
	sectors = disco_call(DISCO_CALL_DISK_SIZE, number, 0);
	if (sectors < 0)
		return;
	d = &disks[number];
	d->number = number;
	err = add_tags(d);
	if (!err)
		err = add_gendisk(d, sectors, of_property_read_bool(node, "disco,read-only"));
	if (err)
		pr_err("disco: disk %u: error %d\n", number, err);
}

static int __init disco_disk_init(void)
{
	struct device_node *first = of_find_compatible_node(NULL, NULL, "disco,disk"), *node;

	if (!first)
		return 0;
	major = register_blkdev(0, "dd");
	if (major < 0 || disco_request_line(first, disk_interrupt, "disco disk", disk_interrupt))
		pr_err("disco: no disks\n");
	else
		for_each_compatible_node(node, NULL, "disco,disk")
			add_one(node);
	of_node_put(first);
	return 0;
}
device_initcall(disco_disk_init);
