// SPDX-License-Identifier: GPL-2.0-only
/*
 * bench_guard.ko: the cost of entering and leaving our core's guard, and the lock
 * that the stock core uses in its place. Reading one of the parameters "guard",
 * "rwsem" and "nothing" runs it 1000 times and returns the clock's ticks, the
 * least of 20 such rounds. If the clock counts instructions, so do the ticks.
 */
#include <linux/minmax.h>
#include <linux/module.h>
#include <linux/rwsem.h>
#include <linux/timex.h>

/* Compile a copy, because the core does not export it. */
#include "mdev_guard.c"

#define ROUNDS	20
#define TIMES	1000

static struct mdev_guard guard;
static DECLARE_RWSEM(rwsem);

static noinline bool enter_guard(void)
{
	int idx = mdev_guard_enter(&guard);
	bool entered = mdev_guard_self(&guard);

	mdev_guard_leave(&guard, idx);
	return entered;
}

static noinline bool enter_rwsem(void)
{
	if (!down_read_trylock(&rwsem))
		return false;
	up_read(&rwsem);
	return true;
}

static noinline bool enter_nothing(void)
{
	barrier();
	return true;
}

static int ticks_get(char *buf, const struct kernel_param *kp)
{
	bool (*enter)(void) = kp->arg;
	cycles_t least = ~0ULL;
	int round, i;

	for (round = 0; round < ROUNDS; round++) {
		cycles_t start = get_cycles();

		for (i = 0; i < TIMES; i++) {
			if (!enter())
				return -EIO;
		}
		least = min(least, get_cycles() - start);
	}
	return sysfs_emit(buf, "%llu\n", (unsigned long long)least);
}

static const struct kernel_param_ops ticks_ops = {
	.get = ticks_get,
};

module_param_cb(guard, &ticks_ops, enter_guard, 0400);
MODULE_PARM_DESC(guard, "ticks of a thousand stays inside the guard");
module_param_cb(rwsem, &ticks_ops, enter_rwsem, 0400);
MODULE_PARM_DESC(rwsem, "ticks of taking and releasing an rwsem as often");
module_param_cb(nothing, &ticks_ops, enter_nothing, 0400);
MODULE_PARM_DESC(nothing, "ticks of the loop itself");

static int __init bench_guard_init(void)
{
	int ret = mdev_guard_init(&guard);

	if (!ret)
		mdev_guard_publish(&guard, &guard);
	return ret;
}

static void __exit bench_guard_exit(void)
{
	mdev_guard_destroy(&guard);
}

module_init(bench_guard_init);
module_exit(bench_guard_exit);
MODULE_LICENSE("GPL");
MODULE_DESCRIPTION("The guard of a parent beside a lock");
