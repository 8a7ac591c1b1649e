/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The SRCU self-pointer: what lets many creates and removes of a parent run in
 * parallel, and lets none start once its unregistration has begun.
 *
 * The owner publishes a pointer to itself. Who wants to work on it enters a
 * read section and looks at the pointer: as long as it is there, the owner
 * stays until the section is left. Revoking publishes NULL and then waits for
 * the sections that may still have seen the pointer.
 *
 * SRCU does not tell lockdep before Linux 6.4 that such a wait inside a section
 * is a deadlock, so the guard carries a lockdep map: readers in the sections,
 * a writer at the wait. For kernels without lockdep it also notes which tasks
 * are inside, to name a vendor who would wait for himself before he does so.
 * There is room for as many tasks as are ever inside but under a flood of
 * writers; one that finds none is not noted.
 */
#ifndef _MDEV_GUARD_H
#define _MDEV_GUARD_H

#include <linux/device.h>
#include <linux/jiffies.h>
#include <linux/lockdep.h>
#include <linux/rcupdate_wait.h>
#include <linux/sched.h>
#include <linux/srcu.h>

/* How often a wait that depends on somebody else says what it waits for. */
#define MDEV_LOG_PERIOD		(10 * HZ)

#define MDEV_GUARD_NOTES	16

struct mdev_guard {
	struct srcu_struct srcu;
	void __rcu *self;
	/* The last is a spare one, which stays NULL. */
	struct task_struct *inside[MDEV_GUARD_NOTES + 1];
	struct lockdep_map dep_map;
	struct lock_class_key key;
};

/* One task's stay inside, on its stack. */
struct mdev_section {
	struct task_struct **note;	/* in the guard's @inside */
	int idx;
};

/* Prepare @guard, not yet enterable. Returns 0 or -ENOMEM. */
static inline int mdev_guard_init(struct mdev_guard *guard)
{
	static const char name[] __maybe_unused = "mdev_guard";
	int ret;

	RCU_INIT_POINTER(guard->self, NULL);
	memset(guard->inside, 0, sizeof(guard->inside));
	ret = init_srcu_struct(&guard->srcu);
	if (ret)
		return ret;
	/* A class of its own: a callback of one parent may unregister another. */
	lockdep_register_key(&guard->key);
	/* SRCU's own class is that of all guards. It is used since Linux 6.4. */
	lockdep_set_class_and_name(&guard->srcu, &guard->key, name);
	lockdep_init_map(&guard->dep_map, name, &guard->key, 0);
	return 0;
}

/* Nobody may be inside, nor come any more. May sleep. */
static inline void mdev_guard_destroy(struct mdev_guard *guard)
{
	cleanup_srcu_struct(&guard->srcu);
	lockdep_unregister_key(&guard->key);
}

/* From here on mdev_guard_self() finds @self. */
static inline void mdev_guard_publish(struct mdev_guard *guard, void *self)
{
	rcu_assign_pointer(guard->self, self);
}

/*
 * What runs until mdev_guard_forget() is something that unregistration waits
 * for, if not in mdev_guard_drain(): it must not unregister either.
 */
static inline void mdev_guard_note(struct mdev_guard *guard,
				   struct mdev_section *section)
{
	struct task_struct **note = guard->inside;

	lock_map_acquire_read(&guard->dep_map);
	for (; note < &guard->inside[MDEV_GUARD_NOTES]; note++) {
		struct task_struct *free = NULL;

		if (likely(try_cmpxchg_relaxed(note, &free, current)))
			break;
	}
	section->note = note;
}

static inline void mdev_guard_forget(struct mdev_guard *guard,
				     struct mdev_section *section)
{
	WRITE_ONCE(*section->note, NULL);
	lock_map_release(&guard->dep_map);
}

/*
 * Is the calling task inside? Then it must not wait for those who are. Only the
 * task itself writes a note about it, so no order is needed to read it.
 */
static inline bool mdev_guard_inside(struct mdev_guard *guard)
{
	unsigned int i;

	for (i = 0; i < MDEV_GUARD_NOTES; i++) {
		if (READ_ONCE(guard->inside[i]) == current)
			return true;
	}
	return false;
}

/* Enter a section; it may sleep. Pair with mdev_guard_leave(). */
static inline void mdev_guard_enter(struct mdev_guard *guard,
				    struct mdev_section *section)
	__acquires(&guard->srcu)
{
	mdev_guard_note(guard, section);
	section->idx = srcu_read_lock(&guard->srcu);
}

static inline void mdev_guard_leave(struct mdev_guard *guard,
				    struct mdev_section *section)
	__releases(&guard->srcu)
{
	/* Once the section is left, the guard may be gone. */
	mdev_guard_forget(guard, section);
	srcu_read_unlock(&guard->srcu, section->idx);
}

/*
 * Inside a section: the owner, which stays until the section is left, or NULL
 * if it is going away.
 */
static inline void *mdev_guard_self(struct mdev_guard *guard)
{
	return srcu_dereference(guard->self, &guard->srcu);
}

/* True once mdev_guard_revoke() has been called; for waits inside a section. */
static inline bool mdev_guard_revoked(struct mdev_guard *guard)
{
	return !rcu_access_pointer(guard->self);
}

/* Sections entered from now on find NULL. Follow with mdev_guard_drain(). */
static inline void mdev_guard_revoke(struct mdev_guard *guard)
{
	rcu_assign_pointer(guard->self, NULL);
}

/* Let lockdep judge what mdev_guard_drain() would wait for. */
static inline void mdev_guard_might_drain(struct mdev_guard *guard)
{
	lock_map_acquire(&guard->dep_map);
	lock_map_release(&guard->dep_map);
}

/* Is a task noted? One that is not may be inside nevertheless. */
static inline bool mdev_guard_noted(struct mdev_guard *guard)
{
	unsigned int i;

	for (i = 0; i < MDEV_GUARD_NOTES; i++) {
		if (READ_ONCE(guard->inside[i]))
			return true;
	}
	return false;
}

/*
 * Wait until every section that may have seen the owner has been left. Must not
 * be called inside a section, nor under a lock that is taken inside one.
 *
 * With nobody noted there is hardly anything to wait for, and an expedited grace
 * period takes microseconds where another takes several ticks. The wait for a
 * vendor may be long, and is told to the log.
 */
static inline void mdev_guard_drain(struct mdev_guard *guard,
				    struct device *dev)
{
	struct rcu_synchronize gp;

	mdev_guard_might_drain(guard);
	if (!mdev_guard_noted(guard)) {
		synchronize_srcu_expedited(&guard->srcu);
		return;
	}
	init_rcu_head_on_stack(&gp.head);
	init_completion(&gp.completion);
	call_srcu(&guard->srcu, &gp.head, wakeme_after_rcu);
	while (!wait_for_completion_timeout(&gp.completion, MDEV_LOG_PERIOD))
		dev_info(dev, "mdev: waiting for a create or remove to end\n");
	destroy_rcu_head_on_stack(&gp.head);
}

#endif /* _MDEV_GUARD_H */
