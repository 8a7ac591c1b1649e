/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of the mdev core: the guard (mdev_guard.h), the states of a device
 * (mdev_device.c), registering and unregistering a parent (mdev_parent.c). The
 * model's functions have the names of those in the source; a step of the model
 * is a change that other tasks can observe.
 *
 * Two tasks write to "create" and "remove" for as long as they like, any step
 * of a create may fail, one task registers the parent and unregisters it at any
 * time, users open and close. "make check-model" visits every state that these
 * can reach.
 *
 *	mdev.pml	state; the guard; the parent
 *	device.pml	create and remove
 *	vfio.pml	what the core relies on: VFIO, bus driver, users
 *	laws.pml	what must hold
 *	configurations	definitions to run it with
 *	breakages	mistakes that the laws must catch
 *
 *	DOOR		2: parent ops, 1: parent driver
 *	UUIDS		1 or 2 in use
 *	INSTANCES	of the parent's type
 *	OPENERS		0, 1 or 2 files of one user
 *	WRITERS		1 or 2 tasks that create and remove
 *	DRIVER		1: another task unregisters the bus driver
 *	BREAK_<what>	one small mistake; see breakages
 *
 * A grace period waits only for the sections that began before it. Memory is
 * sequentially consistent except in the handshake of an open with a claim,
 * where stores may stay in a store buffer.
 *
 * Not modelled: failures before the UUID is claimed (nothing to undo),
 * references to dead devices (they lead nowhere), binding by hand, the "bind"
 * event (sent right after "add", in the same way).
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
	/* Only for the laws. */
	bool vendor;			/* the vendor has state for it */
	bool instance;
	unsigned doomed : 2;		/* who owns the teardown, or 0 */
	bool added;			/* uevents sent */
	bool removed;
	unsigned inside : 2;		/* users whose open succeeded */
	unsigned late : 2;		/* users that came after the claim */
};

Mdev m[UUIDS];
#define md	m[u]

/* struct mdev_guard */
bool self;
unsigned inside : 2;	/* mask of writers in a section */
unsigned grace : 2;	/* writers that the grace period still waits for */
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
 * Chosen once: the bus driver has a request op; users close only after all
 * removers have left their sections. Not the latter on the parent-driver door,
 * where VFIO waits for a user that opens just before the unbind.
 */
bool request;
bool stubborn;
/* One signal may reach a waiting remover, at any time. */
bool signal = true;

/* The progress of unregistration. */
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

/* Waits only for the sections that began before. */
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
