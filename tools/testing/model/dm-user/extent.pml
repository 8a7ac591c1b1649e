/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Remapped requests: dm_user_extent.c. One extent holds all of them.
 */

/* struct dmu_extents */
byte remapped;		/* in flight to another device */
bool extent;		/* new requests go there without asking */
#if TIMEOUT || FAIL
byte undone;		/* remapped ones that fail, whatever the device says */
#endif
#ifdef UNMAP
bool extent_is_old;
bool unmapping;		/* DM_USER_UNMAP was called: from now on daemons know the new place */
bool has_unmapped;	/* it has returned */
#endif

/* Of a new request */
inline dmu_extents_map()
{
	d_step {
		if
#ifndef BREAK_EXTENT_IGNORES_STALE
		:: extent && !in_any(stale) ->
#else
		:: extent ->
#endif
			mapped = mapped | BIT(n);
#ifdef UNMAP
			old = (extent_is_old -> old | BIT(n) : old & ~BIT(n));
#endif
			remapped = remapped | BIT(n)
		:: else
		fi
	}
}

/* A reply of the channel "c" to the request "n" */
inline dmu_remap()
{
	d_step {
		slot_is_there;
		if
		:: ch.live & BIT(n) ->
#if defined(UNMAP) && !defined(BREAK_REMAP_IGNORES_UNMAP)
			if
			:: ch.unmapped & BIT(n) -> missing = true
			:: else ->
#endif
				ch.slots = ch.slots & ~BIT(n);
				ch.live = ch.live & ~BIT(n);
#ifdef UNMAP
				extent_is_old = old & BIT(n);
#endif
				remapped = remapped | BIT(n);
				extent = true
#if defined(UNMAP) && !defined(BREAK_REMAP_IGNORES_UNMAP)
			fi
#endif
#if TIMEOUT || FAIL
		:: else -> status = STALE
#endif
		fi
	}
#ifdef UNMAP
	;
	if
	:: missing ->
		missing = false;
		dmu_put_back()
	:: else
	fi
#endif
}

#if TIMEOUT || FAIL
inline dmu_extents_fail_stale()
{
	undone = undone | (remapped & overlapping(in_any(stale)))
}
#define status_of(n)	((undone & BIT(n)) -> ERROR : OK)
#else
#define status_of(n)	OK
#endif

/* The other device, which carries a request out at any time; dmu_extents_end() */
proctype Device()
{
	byte n = 0;

end:
	atomic {
		if
		:: remapped & BIT(0)
#if REQUESTS > 1
		:: remapped & BIT(1) -> n = 1
#endif
#if REQUESTS > 2
		:: remapped & BIT(2) -> n = 2
#endif
		fi;
#ifdef UNMAP
		LAW(dropped_mapping_is_not_used, !has_unmapped || !(old & BIT(n)));
#endif
		remapped = remapped & ~BIT(n);
		if
		:: status_of(n) == OK -> beaten = beaten | (overlapping(BIT(n)) & lost)
		:: else
		fi;
		complete(n, status_of(n));
		n = 0;
		goto end
	}
}

#ifdef UNMAP
inline mark_unmapped(c)
{
#ifndef BREAK_UNMAP_MARKS_NOTHING
	ch.unmapped = ch.slots
#else
	skip
#endif
}

/* dmu_unmap(). The daemon has moved the data, and knows the new place. */
proctype Unmapper()
{
	byte waits = 0;

	unmapping = true;
#ifndef BREAK_UNMAP_MARKS_LAST
	for_each_channel(mark_unmapped);
#endif
	d_step {
#ifndef BREAK_UNMAP_KEEPS_THE_EXTENT
		extent = false;
#endif
		waits = remapped
	};
#ifdef BREAK_UNMAP_MARKS_LAST
	for_each_channel(mark_unmapped);
#endif
#ifndef BREAK_UNMAP_DOES_NOT_WAIT
	!(remapped & waits);
#endif
	has_unmapped = true
}
#endif
