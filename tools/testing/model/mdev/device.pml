/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Creating and removing devices: mdev_device.c and what it needs of kernfs, the
 * driver core and mdev_index.c. The calling tasks have "u", the UUID, and
 * writers have "id".
 */

inline event_add()
{
	LAW(add_event_finds_all_in_place,
	    md.in_sysfs && md.remove_there && md.links && (md.bound || DRIVER));
	LAW(one_add_then_one_remove_event, !md.added && !md.removed);
	md.added = true
}

inline event_remove()
{
	LAW(one_add_then_one_remove_event, md.added && !md.removed);
	md.removed = true
}

inline device_add()
{
	d_step {
		LAW(uuid_is_given_back_last, !md.in_sysfs);
		LAW(visible_only_with_vendor_state, DOOR == 1 || md.vendor);
		md.in_sysfs = true;
		md.remove_there = true;
		if
		:: !md.suppress -> event_add()
		:: else
		fi
	}
}

/* Takes the device lock briefly, and waits for writers of "remove". */
inline device_del()
{
	!md.lock;
	md.remove_there = false;
	md.remove_active == 0;
	d_step {
		if
		:: !md.suppress -> event_remove()
		:: else
		fi;
		md.in_sysfs = false
	}
}

inline mdev_instance_give()
{
	atomic {
		LAW(instances_balance, instances < INSTANCES && md.instance);
		instances++;
		md.instance = false
	}
}

/* The state of the slot after kzalloc() and a successful mdev_index_claim(). */
inline new_device()
{
	LAW(uuid_is_given_back_last, !md.in_sysfs && !md.remove_active &&
	    !md.links && !md.bound && !md.listed && !md.vendor &&
	    !md.instance && !md.inside && !md.held);
	md.claimed = true;
	md.state = CREATING;
	md.doomed = 0;
	md.added = false;
	md.removed = false;
	md.suppress = false
}

/* A remover needs the device lock, so it cannot overtake the event. */
inline mdev_device_announce()
{
#ifndef BREAK_ANNOUNCE_WITHOUT_LOCK
	device_lock();
#endif
	md.suppress = false;
	md.state = LIVE;
	d_step { event_add() };
#ifndef BREAK_ANNOUNCE_WITHOUT_LOCK
	device_unlock();
#endif
	skip
}

/* mdev_driver_attach(): in a section of the driver's guard */
inline mdev_bind_driver()
{
	if
	:: atomic { driver_listed -> driver_users++ }
	:: else -> goto remove_links
	fi;
	device_lock();
	if
	:: bus_probe()
	:: skip
	fi;
	device_unlock();
	if
	:: md.bound -> driver_users--
	:: else -> driver_users--; goto remove_links
	fi
}

/* mdev_device_create() and __mdev_device_create(), with create_store() */
inline mdev_device_create()
{
	mdev_guard_enter();
	if
	:: self
	:: else ->
		LAW(create_is_refused_only_when_closing, closing);
		gone = true;
		goto leave
	fi;
#ifdef BREAK_GUARD_LEFT_EARLY
	mdev_guard_leave();
#endif
	LAW(no_create_starts_after_drain, !drained);
	if
	:: d_step { !md.claimed -> new_device() }
	:: atomic { md.claimed -> goto leave }
	fi;
	if
	:: d_step { instances > 0 -> instances--; md.instance = true }
	:: atomic { instances == 0 -> goto release_uuid }
	fi;
#ifdef BREAK_ADD_BEFORE_VENDOR_CREATE
	md.suppress = true;
	device_add();
#endif
#if DOOR == 2
	/* mdev_ops_create() */
	vendor_code();
	if
	:: vendor_create()
	:: vendor_code(); goto give_instance
	fi;
#endif
#ifndef BREAK_ADD_BEFORE_VENDOR_CREATE
#ifndef BREAK_EVENT_NOT_HELD_BACK
	md.suppress = true;
#endif
	if
	:: device_add()
	:: goto undo_create
	fi;
#endif
	/* mdev_links_create() */
	if
	:: md.links = true
	:: goto del
	fi;
#ifdef BREAK_LIVE_BEFORE_BOUND
	mdev_device_announce();
#endif
	mdev_bind_driver();
#ifndef BREAK_LIVE_BEFORE_BOUND
	mdev_device_announce();
#endif
	LAW(no_create_succeeds_after_unregistration, !returned);
	goto leave;

remove_links:
	md.links = false;
del:
	device_del();
undo_create:
	LAW(failed_create_sends_no_event, !md.added && !md.removed);
#if DOOR == 2
#ifndef BREAK_UNWIND_SKIPS_VENDOR_REMOVE
	vendor_remove();
#endif
#endif
give_instance:
#ifndef BREAK_UNWIND_KEEPS_INSTANCE
	mdev_instance_give();
#endif
release_uuid:
	md.claimed = false;
leave:
#ifdef BREAK_GUARD_LEFT_EARLY
	inside = inside & ~BIT(id);
#else
	mdev_guard_leave();
#endif
	/* create_store() returns: kernfs drops its active reference. */
	create_active--
}

/*
 * The caller has seen no users, and its claim makes it the only remover. From
 * here on the teardown may take long, but must not wait for a user.
 */
inline decide(who)
{
	atomic {
		LAW(one_remover_wins, !md.doomed);
		LAW(remove_is_never_stuck_behind_a_user,
		    DOOR == 1 || !md.inside);
		md.doomed = who
	}
}

inline __mdev_device_remove()
{
#ifdef BREAK_LINKS_BEFORE_UNBIND
	md.links = false;
#endif
#if DOOR == 2
#ifdef BREAK_VENDOR_REMOVE_BEFORE_UNBIND
	vendor_remove();
#endif
#endif
#ifdef BREAK_UUID_GIVEN_BACK_EARLY
	md.claimed = false;
#endif
	device_release_driver();
	md.links = false;
	device_del();
#if DOOR == 2
#ifndef BREAK_VENDOR_REMOVE_BEFORE_UNBIND
	vendor_remove();
#endif
#endif
#ifndef BREAK_INSTANCE_KEPT
	mdev_instance_give();
#endif
	LAW(one_add_then_one_remove_event, md.added && md.removed);
#ifndef BREAK_UUID_KEPT
	md.claimed = false
#endif
}

/* mdev_device_remove(), mdev_device_try_remove(), mdev_wait_for_users() */
inline mdev_device_remove()
{
	mdev_guard_enter();
	if
	:: self
	:: else -> gone = true; goto refused
	fi;
	/*
	 * Look before the claim: a failing remove must not refuse openers. LIVE may
	 * be seen late.
	 */
	busy = true;
	if
	:: true ->
		mdev_get_users();
		if
		:: busy && !contended && !request -> goto refused
		:: else
		fi
	:: md.state != LIVE
	fi;
#ifdef BREAK_FILE_REMOVED_FIRST
	d_step { md.remove_there = false; changed = true };
#endif
	/* mdev_device_claim() */
#ifdef BREAK_CLAIM_NOT_ATOMIC
	if
	:: md.state == LIVE
	:: else -> goto refused
	fi;
	d_step { md.state = REMOVING; changed = true };
#else
	atomic {
		if
		:: md.state == LIVE ->
			md.state = REMOVING;
#ifdef BREAK_BARRIER_IN_CLAIM
			md.claim_unseen = true;
#endif
			changed = true
		:: else -> goto refused
		fi
	};
#endif
	/* Users may have come since then. */
	if
	:: !busy && !seen_used(u) -> goto decided
	:: else
	fi;
look:
	mdev_get_users();
	if
	:: !busy -> goto decided
	:: busy && !contended && !request -> goto unclaim
	:: else
	fi;
	if
	:: !asked -> mdev_request_users(asked)
	:: else
	fi;
	/* wait_event_interruptible_timeout(); a poll that changes nothing is none */
	if
#ifndef BREAK_WAITER_IGNORES_UNREGISTRATION
	:: !self -> goto unclaim
#endif
	:: d_step { signal -> signal = false }; goto unclaim
	:: !md.lock && !(seen_users(u) && request && asked) -> goto look
	fi;
unclaim:
	/* mdev_device_unclaim() */
	atomic {
#ifndef BREAK_UNCLAIM_FORGOTTEN
		LAW(refused_remove_changes_nothing,
		    md.state == REMOVING && md.in_sysfs && md.remove_there &&
		    md.links && (md.bound || DRIVER) && !md.doomed);
		md.state = LIVE;
		md.late = 0;
		changed = false;
#endif
		skip
	};
refused:
	atomic {
		LAW(refused_remove_changes_nothing, !changed);
		asked = false;
		busy = false;
		contended = false;
		changed = false
	};
	mdev_guard_leave();
	md.remove_active--;
	goto out;
decided:
	decide(id + 1);
	/* sysfs_break_active_protection(): device_del() waits for other writers. */
	d_step {
		asked = false;
		busy = false;
		contended = false;
		changed = false;
#ifndef BREAK_REMOVE_WAITS_FOR_ITSELF
		md.remove_active--
#endif
	};
	__mdev_device_remove();
	mdev_guard_leave();
	LAW(remove_returns_with_uuid_free, !md.claimed || md.doomed != id + 1);
	LAW(remove_returns_with_instance_free, !md.instance || md.doomed != id + 1);
#ifdef BREAK_UUID_KEPT
	md.claimed = false;
#endif
out:
	skip
}

/* Another round of mdev_device_evict() would see a change. */
#define worth_a_look(n) \
	(m[n].in_sysfs && !m[n].lock && !(seen_users(n) && m[n].asked))

/* mdev_device_doom() of each device, then mdev_device_evict() in any order */
inline mdev_devices_evict()
{
#ifdef BREAK_CLAIMED_ONE_BY_ONE
	evicting = true;
#endif
	for (u : 0 .. UUIDS - 1) {
		if
#ifndef BREAK_NO_EVICTION
		:: md.in_sysfs ->
			d_step {
				LAW(unregistration_finds_devices_live,
				    md.state == LIVE);
				md.state = REMOVING
			};
			mdev_request_users(md.asked)
#endif
		:: else
		fi
#ifdef BREAK_CLAIMED_ONE_BY_ONE
		;
		!md.in_sysfs || worth_a_look(u)
#endif
	};
	evicting = true;
	u = 0;
next:
	if
#ifndef BREAK_NO_EVICTION
	:: atomic { worth_a_look(0) -> u = 0 }
#if UUIDS > 1
	:: atomic { worth_a_look(1) -> u = 1 }
	:: !m[0].in_sysfs && !m[1].in_sysfs -> goto evicted
#else
	:: !m[0].in_sysfs -> goto evicted
#endif
#else
	:: goto evicted
#endif
	fi;
	mdev_get_users();
	if
	:: busy -> mdev_request_users(md.asked); goto next
	:: else
	fi;
	decide(3);
	d_step { busy = false; md.asked = false };
	__mdev_device_remove();
	goto next;
evicted:
	skip
}

/* Runs until the guard has refused it once, so that no deadlock is missed. */
proctype Writer(byte id)
{
	byte u = 0;
	bool gone = false, asked = false, busy = false, changed = false;
	bool contended = false;

end:
	if
	:: atomic { create_there -> create_active++; u = 0 };
create:
		mdev_device_create()
	:: atomic { m[0].remove_there -> m[0].remove_active++; u = 0 };
remove:
		mdev_device_remove()
#if UUIDS > 1
	:: atomic { create_there -> create_active++; u = 1 }; goto create
	:: atomic { m[1].remove_there -> m[1].remove_active++; u = 1 };
		goto remove
#endif
	fi;
	if
	:: gone
	:: !gone -> goto end
	fi
}
