// SPDX-License-Identifier: GPL-2.0-only
/*
 * Waiting for another processor by spinning. On virtual processors the other may have been taken off its
 * processor, and every turn round the loop only keeps it off longer: after a while the slice is given away.
 */
#include <linux/export.h>
#include <linux/percpu.h>
#include <linux/spinlock.h>

#include <hypcall.h>

/*
 * What is short stays a spin: longer than a lock is held by one that runs, shorter by far than a slice.
 */
#define SPINS_PER_YIELD 128

static DEFINE_PER_CPU(unsigned int, spins);

/*
 * Every loop that waits calls this: locks, answers to inter-processor calls, sequence counts. The count goes
 * on from one loop to the next, and an interrupt may disturb it; neither matters.
 */
void disco_relax(void)
{
	if (raw_cpu_inc_return(spins) % SPINS_PER_YIELD == 0)
		disco_call(DISCO_CALL_YIELD, 0, 0);
}
EXPORT_SYMBOL(disco_relax);

/*
 * The slow path of spin locks in place of the queue: a queue hands the lock to the one who came first, and
 * all wait if that one is not running. Here it is whoever runs.
 */
bool disco_spin_lock(struct qspinlock *lock)
{
	do {
		while (atomic_read(&lock->val) != 0)
			cpu_relax();
	} while (atomic_cmpxchg(&lock->val, 0, _Q_LOCKED_VAL) != 0);
	return true;
}
