/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The core of mediated devices as a model: the guard (mdev_guard.h), the states
 * of a device (mdev_device.c), registering and unregistering a parent
 * (mdev_parent.c). Functions of the model are called like those of the source
 * that they stand for; a step of the model is what others can observe.
 *
 * Two tasks write to "create" and "remove" for as long as they like, any step
 * of a create may fail, one task registers the parent and unregisters it at any
 * time, users open and close. "make check-model" visits every state that these
 * can get into.
 *
 *	mdev.pml	what there is; the guard; the parent
 *	device.pml	create and remove
 *	vfio.pml	what the core relies on: VFIO, bus driver, users
 *	laws.pml	what must hold
 *	check.sh	runs; mistakes that must be noticed
 *
 *	DOOR		2: parent ops, 1: parent driver
 *	UUIDS		1 or 2 in use
 *	INSTANCES	of the parent's type
 *	OPENERS		0, 1 or 2 files of one user
 *	WRITERS		1 or 2 tasks that create and remove
 *	DRIVER		1: somebody unregisters the bus driver meanwhile
 *	BREAK_<what>	one small mistake; see check.sh
 *
 * A grace period waits for the sections that have begun before it, and for no
 * other. Memory is sequentially consistent but for the handshake of an open
 * with a claim, where stores linger in a buffer.
 *
 * Left out: what fails before the UUID is claimed (nothing is undone then),
 * lingering references on dead devices (they lead nowhere), binding by hand,
 * the event "bind" (sent like "add", right after it).
 */
#ifndef DOOR
#define DOOR 2
#endif
#ifndef UUIDS
#define UUIDS 1
#endif
#ifndef INSTANCES
#define INSTANCES 1
#endif
#ifndef OPENERS
#define OPENERS 1
#endif
#ifndef DRIVER
#define DRIVER 0
#endif
#ifndef WRITERS
#define WRITERS 2
#endif

#include "laws.pml"

#define BIT(n)	(1 << (n))
#define USED	BIT(2)

#define CREATING	0
#define LIVE		1
#define REMOVING	2

/* struct mdev_core_device; the slot of a UUID, reused by its next device. */
typedef Mdev {
	bool claimed;			/* in mdev_index.c's table */
	unsigned state : 2;
	bool in_sysfs;			/* device_add() to device_del() */
	bool remove_there;		/* the file "remove" */
	unsigned remove_active : 2;	/* writers that kernfs has let in */
	bool links;
	bool suppress;			/* uevents held back */
	bool lock;			/* the device lock */
	bool bound;
	/* struct vfio_device: see vfio.pml. Masks of openers. */
	bool listed;
	bool reg;			/* the registration's own reference */
	unsigned looking : 2;
	unsigned held : 2;		/* references of users */
	unsigned open : 2;		/* open_count */
	bool used;			/* as vfio_mdev says */
	unsigned unseen : 3;		/* in a store buffer: by opener; USED */
	bool set_lock;
	bool asked;			/* by unregistration */
#ifdef BREAK_BARRIER_IN_CLAIM
	bool claim_unseen;
#endif
	/* What only laws look at. */
	bool vendor;			/* the vendor has state for it */
	bool instance;
	unsigned doomed : 2;		/* who decided to tear it down, or 0 */
	bool added;			/* uevents sent */
	bool removed;
	unsigned inside : 2;		/* users that were let in */
	unsigned late : 2;		/* users that came after the claim */
};

Mdev m[UUIDS];
#define md	m[u]

/* struct mdev_guard */
bool self;
unsigned inside : 2;	/* mask of writers in a section */
unsigned grace : 2;	/* those that a grace period still waits for */
bool guard_alive;

/* struct mdev_core_parent and the file "create" */
unsigned instances : 2 = INSTANCES;
bool create_there;
unsigned create_active : 2;

/* mdev_driver.c */
bool driver_listed = true;
unsigned driver_users : 2;
bool driver_gone;

/*
 * Chosen once: the bus driver has a request op; users close only when all
 * removers have left their sections. The latter not on the parent-driver door,
 * where an open in the instant before the unbind makes VFIO wait for the user.
 */
bool request;
bool stubborn;
/* One signal reaches a waiting remover, at any time. */
bool signal = true;

/* How far unregistration is. */
bool closing;
bool drained;
bool evicting;		/* all devices have been claimed */
bool returned;

/* mdev_guard.h: a section is counted, not locked. */
inline mdev_guard_enter()
{
	d_step {
		LAW(guard_outlives_its_sections, guard_alive);
		inside = inside | BIT(id)
	}
}

inline mdev_guard_leave()
{
	atomic {
		LAW(guard_outlives_its_sections, guard_alive);
		inside = inside & ~BIT(id);
		grace = grace & ~BIT(id)
	}
}

/* Waits for the sections that began before, and only for those. */
inline mdev_guard_drain()
{
	grace = inside;
#ifdef BREAK_NO_GRACE_PERIOD
	grace = 0;
#endif
	grace == 0
}

#include "vfio.pml"

#include "device.pml"

/* mdev_parent_register(), then __mdev_unregister_parent() at any time */
active proctype Parent()
{
	byte u = 0;
	bool busy = false, contended = false;

	atomic {
		if :: request = true :: skip fi;
#if DOOR == 2
		if :: stubborn = true :: skip fi;
#endif
#ifdef ONLY
		ONLY = 0;
#endif
		run Writer(0);
#if WRITERS > 1
		run Writer(1);
#endif
#if OPENERS > 0
		run Opener(0);
#endif
#if OPENERS > 1
		run Opener(1);
#endif
#if DRIVER
		run Driver_unregisterer();
#endif
		guard_alive = true
	};
#ifdef BREAK_PUBLISHED_LATE
	create_there = true;
	self = true;
#else
	self = true;
	create_there = true;
#endif

	/* mdev_parent_teardown(), also when a later step of registering fails */
	d_step {
#ifndef BREAK_NOT_REVOKED
		self = false;
#endif
		closing = true
	};
	mdev_guard_drain();
	drained = true;
	mdev_devices_evict();
#ifdef BREAK_GUARD_GOES_BEFORE_TYPES
	guard_alive = false;
#endif
	/* mdev_types_remove() */
	create_there = false;
#ifndef BREAK_TYPES_DO_NOT_WAIT
	create_active == 0;
#endif
	/* mdev_parent_release() */
	d_step {
		LAW(guard_outlives_its_sections, !inside);
		guard_alive = false;
		returned = true;
		LAW(instances_balance, instances == INSTANCES);
		u = 0;
		do
		:: u < UUIDS ->
			LAW(unregistration_removes_every_device,
			    !md.claimed && !md.in_sysfs && !md.links &&
			    !md.bound && !md.listed && !md.vendor);
			u++
		:: else -> break
		od;
		u = 0
	}
}

#ifdef LIVENESS
ltl { [] (closing -> <> returned) }
#endif
