/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The guard of an object that callbacks work on: an SRCU-protected pointer to the
 * object itself.
 *
 * Users enter a section and load the pointer. If it is not NULL, the object stays
 * until they leave the section. The owner revokes the pointer and then drains the
 * guard: it waits for all sections that may have loaded it.
 *
 * A drain inside a section of the same guard deadlocks. A lockdep map finds that:
 * sections take it as readers, a drain takes it as a writer. Entering a section
 * never blocks, so it counts as a trylock. Otherwise one guard's section would hide
 * another one around it, and so would SRCU's own map, which exists since Linux 6.4.
 */
#ifndef _MDEV_GUARD_H
#define _MDEV_GUARD_H

#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/srcu.h>

/* How often a wait for somebody else is logged. */
#define MDEV_LOG_PERIOD		(10 * HZ)

struct mdev_guard {
	struct srcu_struct srcu;
	void __rcu *self;
	struct lockdep_map dep_map;
	struct lock_class_key key;
};

int mdev_guard_init(struct mdev_guard *guard);
void mdev_guard_destroy(struct mdev_guard *guard);
void mdev_guard_drain(struct mdev_guard *guard, const char *name);

/* Let mdev_guard_self() return @self from now on. */
static inline void mdev_guard_publish(struct mdev_guard *guard, void *self)
{
	rcu_assign_pointer(guard->self, self);
}

/* Enter a section; it may sleep. Pass the result to mdev_guard_leave(). */
static inline int mdev_guard_enter(struct mdev_guard *guard)
	__acquires(&guard->srcu)
{
	int idx = srcu_read_lock_notrace(&guard->srcu);

	lock_acquire_shared_recursive(&guard->dep_map, 0, 1, NULL, _THIS_IP_);
	return idx;
}

static inline void mdev_guard_leave(struct mdev_guard *guard, int idx)
	__releases(&guard->srcu)
{
	/* The owner may free the guard as soon as SRCU lets go of it. */
	lock_map_release(&guard->dep_map);
	srcu_read_unlock_notrace(&guard->srcu, idx);
}

/* In a section: the object, or NULL if it is going away. */
static inline void *mdev_guard_self(struct mdev_guard *guard)
{
	/* Not srcu_dereference(), which relies on SRCU's lockdep map. */
	return rcu_dereference_raw(guard->self);
}

/* In a section: has the pointer been revoked since? For waits. */
static inline bool mdev_guard_revoked(struct mdev_guard *guard)
{
	return !rcu_access_pointer(guard->self);
}

/* Let mdev_guard_self() return NULL from now on. Follow with a drain. */
static inline void mdev_guard_revoke(struct mdev_guard *guard)
{
	rcu_assign_pointer(guard->self, NULL);
}

#endif /* _MDEV_GUARD_H */
