// SPDX-License-Identifier: GPL-2.0-only
/* What mdev_guard.h describes, as far as it is not inline. */
#include <linux/completion.h>
#include <linux/printk.h>
#include <linux/rcupdate_wait.h>

#include "mdev_guard.h"

/* Prepare a guard that shows no object yet. Returns 0 or -ENOMEM. */
int mdev_guard_init(struct mdev_guard *guard)
{
	static const char name[] __maybe_unused = "mdev_guard";
	int ret;

	RCU_INIT_POINTER(guard->self, NULL);
	ret = init_srcu_struct(&guard->srcu);
	if (ret)
		return ret;
	/* One class each: a callback of one parent may unregister another. */
	lockdep_register_key(&guard->key);
	lockdep_init_map(&guard->dep_map, name, &guard->key, 0);
	return 0;
}

/* No section may be in flight, nor be entered later. May sleep. */
void mdev_guard_destroy(struct mdev_guard *guard)
{
	cleanup_srcu_struct(&guard->srcu);
	lockdep_unregister_key(&guard->key);
}

/*
 * Wait until all sections have been left that were entered before, and log every
 * 10 seconds that @name waits. Not in a section, nor under a lock that is taken
 * in one.
 */
void mdev_guard_drain(struct mdev_guard *guard, const char *name)
{
	struct rcu_synchronize gp;

	lock_map_acquire(&guard->dep_map);
	lock_map_release(&guard->dep_map);
	init_rcu_head_on_stack(&gp.head);
	init_completion(&gp.completion);
	call_srcu(&guard->srcu, &gp.head, wakeme_after_rcu);
	while (!wait_for_completion_timeout(&gp.completion, MDEV_LOG_PERIOD))
		pr_info("mdev: %s: waiting for a create or remove to end\n",
			name);
	destroy_rcu_head_on_stack(&gp.head);
}
