/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * What the core relies on: VFIO's counts of users, the bus driver
 * (vfio_mdev_main.c on the parent-ops door, the vendor's own on the other),
 * device locks, and users that open and close.
 */

inline device_lock()
{
	atomic { !md.lock -> md.lock = true }
}

inline device_unlock()
{
	md.lock = false
}

/* No callback may begin or end after the vendor may be gone. */
inline vendor_code()
{
	LAW(no_vendor_code_after_unregistration, !returned)
}

/*
 * Plain reads of counts, with at most two openers: they miss what is still in a
 * CPU's store buffer. On the parent-ops door vfio_mdev's own flag counts; a
 * reference without that flag or an open file is a file that is not bound.
 */
#define seen(n, mask)	(m[n].mask & ~m[n].unseen)
#define seen_refs(n)	((m[n].reg && seen(n, held)) || seen(n, held) == 3)
#define seen_used(n)	(m[n].used && !(m[n].unseen & USED))
#if DOOR == 2
#define seen_users(n)	(m[n].bound && (seen_used(n) || \
			 (seen_refs(n) && !seen(n, open))))
#else
#define seen_users(n)	(m[n].bound && (seen(n, open) || seen_refs(n)))
#endif

/*
 * device_trylock(), then read the users. A contended lock counts as users that
 * can be asked.
 */
inline mdev_get_users()
{
	d_step { contended = true; busy = true };
	if
	:: atomic { !md.lock -> md.lock = true; contended = false };
		vendor_code();
		busy = seen_users(u);
		device_unlock()
	:: else
	fi
}

/* The vendor's state: mdev_ops_create(), or probe on the parent-driver door. */
inline vendor_create()
{
	d_step {
		vendor_code();
		LAW(vendor_state_is_made_and_undone_once, !md.vendor);
		md.vendor = true
	}
}

/* mdev_ops_remove(), or remove of the vendor's bus driver; it takes a while. */
inline vendor_remove()
{
	vendor_code();
	d_step {
		vendor_code();
		LAW(vendor_state_is_made_and_undone_once, md.vendor);
		LAW(vendor_remove_finds_no_user, !md.inside);
		LAW(visible_only_with_vendor_state, DOOR == 1 || !md.in_sysfs);
		md.vendor = false
	}
}

/* A successful probe: vfio_register_emulated_iommu_dev(); users may come. */
inline bus_probe()
{
	LAW(bound_only_to_a_registered_driver, !driver_gone);
#if DOOR == 1
	vendor_create();
#endif
	d_step {
		md.reg = true;
		md.listed = true;
		md.bound = true
	}
}

/*
 * device_release_driver(), vfio_mdev_remove(), vfio_unregister_group_dev():
 * drops the registration's reference, waits for those of users, then takes the
 * device off its group's list, under the lock that lookups hold.
 */
inline device_release_driver()
{
	device_lock();
	if
	:: md.bound ->
		LAW(links_stay_while_users_are_waited_for,
		    md.links && md.in_sysfs);
		md.reg = false;
#ifndef BREAK_UNBIND_DOES_NOT_WAIT
		md.held == 0;
#endif
		atomic { md.looking == 0 -> md.listed = false };
#if DOOR == 1
		vendor_remove();
#endif
		md.bound = false
	:: else
	fi;
	device_unlock()
}

/* Does nothing if the device lock is contended. */
inline mdev_request_users(done)
{
	if
#ifdef BREAK_REQUEST_WITHOUT_LOCK
	:: md.bound ->
#else
	:: atomic { !md.lock -> md.lock = true };
#endif
		if
		:: md.bound && request ->
			vendor_code();
			LAW(request_finds_vendor_state, md.bound && md.vendor)
		:: else
		fi;
#ifndef BREAK_REQUEST_WITHOUT_LOCK
		device_unlock();
#endif
		done = true
	:: else
	fi
}

#ifdef BREAK_BARRIER_IN_CLAIM
#define open_allowed	(md.state == LIVE || md.claim_unseen)
#else
#define open_allowed	(md.state == LIVE)
#endif

#if OPENERS > 0
/* Begins a lookup of the device by name, under the group's lock. */
inline look_up()
{
	md.looking = md.looking | BIT(o);
	if
	:: DOOR == 2 && (md.state == REMOVING || evicting) -> md.late = md.late | BIT(o)
	:: else
	fi
}

/*
 * A user: VFIO_GROUP_GET_DEVICE_FD and close, in a loop. Two openers are two
 * files of one user: only the first open reaches open_device().
 */
proctype Opener(byte o)
{
	byte u = 0;
	bool first = false;

end:
	if
	:: d_step { m[0].listed -> u = 0; look_up() }
#if UUIDS > 1
	:: d_step { m[1].listed -> u = 1; look_up() }
#endif
	fi;
#if DOOR == 2 && !defined(BREAK_MATCH_UNCHECKED)
	/* vfio_mdev_match(); its barrier comes too early to help here. */
	if
	:: open_allowed
	:: else -> goto looked
	fi;
#endif
	/* vfio_device_try_get_registration(); the store may stay buffered. */
	atomic {
		if
		:: md.reg || md.held ->
			md.held = md.held | BIT(o);
#if DOOR == 2
			md.unseen = md.unseen | BIT(o)
#endif
		:: else -> goto looked
		fi
	};
	md.looking = md.looking & ~BIT(o);
	/* The lock of the device set. */
	atomic {
		!md.set_lock -> md.set_lock = true;
		/* open_count++, another store that may stay buffered. */
		first = !md.open;
		md.open = md.open | BIT(o)
	};
#if DOOR == 2
	/* vfio_mdev_open_device(), the flag @used */
	if
	:: first ->
		atomic { md.used = true; md.unseen = md.unseen | USED };
#ifndef BREAK_BARRIER_IN_OPEN
		/* smp_mb() */
		md.unseen = md.unseen & ~(BIT(o) | USED);
#endif
#ifndef BREAK_OPEN_UNCHECKED
		if
		:: open_allowed
		:: else -> goto close
		fi;
#endif
		vendor_code();
		LAW(user_enters_only_what_is_announced, md.state != CREATING)
	:: else
	fi;
#endif
	d_step {
		LAW(user_finds_vendor_state, md.bound && md.vendor);
#if DOOR == 2
		LAW(remove_is_never_stuck_behind_a_user, !md.doomed);
		LAW(new_opens_fail_while_a_remove_waits, !(md.late & BIT(o)));
#endif
		md.inside = md.inside | BIT(o);
		first = false;
		md.set_lock = false
	};
	/* Uses the device. A stubborn user ignores all requests of removers. */
	atomic { !stubborn || drained };
	d_step { vendor_code(); LAW(user_finds_vendor_state, md.bound && md.vendor) };
	atomic { !md.set_lock -> md.set_lock = true };
	/* vfio_mdev_close_device() by the last, up to vfio_mdev_end_use() */
	if
	:: md.open == BIT(o) -> vendor_code()
	:: else
	fi;
	md.inside = md.inside & ~BIT(o);
close:
	if
	:: md.open == BIT(o) ->
		atomic { md.used = false; md.unseen = md.unseen & ~USED }
	:: else
	fi;
	/* open_count--: a store to the same location flushes earlier ones. */
	atomic {
		md.unseen = md.unseen & ~md.open;
		md.open = md.open & ~BIT(o);
		md.set_lock = false
	};
	/* vfio_device_put_registration() */
	d_step {
		first = false;
		md.held = md.held & ~BIT(o);
		md.late = md.late & ~BIT(o);
		md.unseen = md.unseen & ~BIT(o)
	};
	goto out;
looked:
	atomic {
		md.looking = md.looking & ~BIT(o);
		md.late = md.late & ~BIT(o)
	};
out:
	/* Try once more after closing began, so that no deadlock is missed. */
	if
	:: closing
	:: !closing -> goto end
	fi
}
#endif

/*
 * Store buffers drain at any time. Only the handshake of vfio_mdev_may_open()
 * with mdev_device_claim() depends on that; locks, fully ordered atomics or the
 * grace period order everything else.
 */
#define DRAIN(u, o) \
	:: d_step { m[u].unseen & BIT(o) -> \
		    m[u].unseen = m[u].unseen & ~BIT(o) }
#define DRAIN_CLAIM(u) \
	:: d_step { m[u].claim_unseen -> m[u].claim_unseen = false }

#if DOOR == 2 && OPENERS > 0
active proctype Store_buffers()
{
end:
	do
	DRAIN(0, 0)
	DRAIN(0, 2)
#if OPENERS > 1
	DRAIN(0, 1)
#endif
#if UUIDS > 1
	DRAIN(1, 0)
	DRAIN(1, 2)
#if OPENERS > 1
	DRAIN(1, 1)
#endif
#endif
#ifdef BREAK_BARRIER_IN_CLAIM
	DRAIN_CLAIM(0)
#endif
	od
}
#endif

#if DRIVER
/* mdev_unregister_driver(), at any time; may wait for users, like an unbind. */
proctype Driver_unregisterer()
{
	byte u;

	/* mdev_driver_unlist() */
	driver_listed = false;
#ifndef BREAK_DRIVER_GOES_WHILE_BINDING
	driver_users == 0;
#endif
	/* driver_unregister(), driver_detach() */
	for (u : 0 .. UUIDS - 1) {
		device_release_driver()
	}
	driver_gone = true
}
#endif
