/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Channels: dm_user_channel.c, dm_user_stream.c, dm_user_batch.c, and daemons. The calling
 * tasks have "c", the channel, and "n", the request.
 */

inline take(i)
{
	LAW(request_has_one_executor, !(in_any(slots) & BIT(i)));
	LAW(revoked_channel_gets_nothing, !ch.revoked);
	queue = queue & ~BIT(i);
	ch.slots = ch.slots | BIT(i);
	ch.live = ch.live | BIT(i);
#ifdef UNMAP
	ch.unmapped = ch.unmapped & ~BIT(i);
	old = (unmapping -> old & ~BIT(i) : old | BIT(i));
#endif
	n = i
}

/* dmu_channel_error() and dmu_fetch() */
inline dmu_fetch()
{
	atomic {
		if
#if (TIMEOUT || FAIL) && !defined(BREAK_REVOKED_CHANNEL_FETCHES)
		:: ch.revoked -> status = STALE
#endif
		:: else ->
			if
			:: !queue -> status = AGAIN
			:: queue & BIT(0) -> take(0)
#if REQUESTS > 1
			:: queue & BIT(1) -> take(1)
#endif
#if REQUESTS > 2
			:: queue & BIT(2) -> take(2)
#endif
			fi
		fi
	}
}

inline dmu_pin()
{
	d_step {
		slot_is_there;
		if
		:: ch.live & BIT(n) -> ch.pinned = ch.pinned | BIT(n)
#if TIMEOUT || FAIL
		:: else ->
#ifdef BREAK_PIN_UNCHECKED
			ch.pinned = ch.pinned | BIT(n)
#else
			status = STALE
#endif
#endif
		fi
	}
}

/*
 * A copy, then dmu_unpin(). Nothing completes a request twice or revives it, so that it is
 * enough to look at the end of the copy.
 */
inline copy_and_unpin()
{
	d_step {
		slot_is_there;
		LAW(no_completed_bio_is_touched, mapped & BIT(n));
		ch.pinned = ch.pinned & ~BIT(n);
#if TIMEOUT || FAIL
		if
		:: ch.ended & BIT(n) ->
			ch.ended = ch.ended & ~BIT(n);
			ch.live = ch.live & ~BIT(n);
#ifndef BREAK_UNPIN_COMPLETES_NOTHING
			ended = BIT(n)
#endif
		:: else
		fi
#endif
	};
#if TIMEOUT || FAIL
	if
	:: ended ->
#ifndef BREAK_PINNED_WRITE_FAILS_FIRST
		!c_lock;
#endif
		dmu_end_all(ERROR)
	:: else
	fi
#endif
}

/* The caller makes it one step. */
inline dmu_delivered()
{
	slot_is_there;
	ch.answerable = ch.answerable | BIT(n)
}

inline dmu_answer()
{
	d_step {
		slot_is_there;
		if
#ifndef BREAK_ANSWER_UNCHECKED
		:: ch.live & BIT(n) ->
#else
		:: true ->
#endif
#ifndef BREAK_ANSWERED_SLOT_STAYS
			ch.slots = ch.slots & ~BIT(n);
			ch.live = ch.live & ~BIT(n);
#endif
			ended = BIT(n);
			beaten = beaten | (overlapping(BIT(n)) & lost & ~BIT(n))
#if TIMEOUT || FAIL
#ifndef BREAK_ANSWER_UNCHECKED
		:: else -> status = STALE
#endif
#endif
		fi
	};
	dmu_end_all(OK)
}

#ifdef BATCH
inline dmu_put_back()
{
	d_step {
		slot_is_there;
		if
		:: ch.live & BIT(n) ->
			ch.slots = ch.slots & ~BIT(n);
			ch.live = ch.live & ~BIT(n);
			dmu_requeue(n)
#if TIMEOUT || FAIL
		:: else -> status = STALE
#endif
		fi
	};
	atomic { wake_one() }
#if TIMEOUT || FAIL
	;
	dmu_end_all(ERROR)
#endif
}
#endif

/* dmu_channel_ready() */
#define ready		(ch.out || queue || ch.revoked)
#define is_waiting	waiters??[eval(me)]

/* dmu_channel_wait() with ___wait_event(); the caller sees a signal by itself. */
inline dmu_channel_wait()
{
	atomic {
		ch.waiting++;
		if
		:: ready -> goto woken
		:: else
		fi
	};
prepare:
	/* prepare_to_wait_event() */
	atomic {
		if
		:: !ch.dying -> waiters!me
		:: else
		fi
	};
	if
	:: ready || ch.dying -> goto woken
	:: else
	fi;
end_asleep:
	if
	:: !is_waiting -> goto prepare
#if LIVES || defined(RESTART)
	:: ch.dying -> goto woken
#endif
	:: timeout -> LAW(no_reader_sleeps_over_a_request, !ready)
	fi;
end_asleep_for_good:
	if
	:: !is_waiting -> goto prepare
#if LIVES || defined(RESTART)
	:: ch.dying -> goto woken
#endif
	fi;
woken:
	atomic {
		if
		:: is_waiting -> waiters??eval(me)
		:: else
		fi;
		ch.waiting--
	}
}

#if HANGS
#define may_hang()						\
	if							\
	:: atomic { hangs > 0 -> hangs--; goto hang }		\
	:: true							\
	fi
#else
#define may_hang()	skip
#endif

#if LIVES || defined(RESTART)
#define leave_if_killed()					\
	if							\
	:: ch.dying -> goto leave				\
	:: else							\
	fi
#else
#define leave_if_killed()	skip
#endif

#if TIMEOUT || FAIL
#define goto_if_stale(where)					\
	if							\
	:: status == STALE -> goto where			\
	:: else							\
	fi
#else
#define goto_if_stale(where)	skip
#endif

/* A thread of a daemon: dmu_stream_read(), its work, dmu_stream_write(); or dmu_xfer() */
proctype Thread(byte c; byte me)
{
	byte n = 0, ended = 0;
	bool missing = false;
	mtype status = NONE;

end_idle:
	atomic { ch.open && !ch.dying -> ch.users++ };
read:
	leave_if_killed();
#ifndef BATCH
	/* read_message() */
#if THREADS > 1
	atomic { !ch.read_lock -> ch.read_lock = true };
#endif
	atomic {
		if
		:: ch.out -> n = ch.out - 1
		:: else ->
			dmu_fetch();
			if
			:: status == NONE -> ch.out = n + 1
			:: else -> goto read_over
			fi
		fi
	};
	dmu_pin();
	goto_if_stale(read_over);
	copy_and_unpin();
	if
	:: d_step { dmu_delivered(); ch.out = 0 }
#if HANGS
	:: missing = true
#endif
	fi;
read_over:
#if THREADS > 1
	atomic {
		ch.read_lock = false;
#ifndef BREAK_REST_OF_A_MESSAGE_NOT_PASSED_ON
		if
		:: ch.out && ch.waiting -> wake_all()
		:: else
		fi
#endif
	};
#endif
#else
	/* fetch_one() */
	dmu_fetch();
	if
	:: status != NONE -> goto read_over
	:: else
	fi;
copy_all:
	dmu_pin();
	goto_if_stale(read_over);
	copy_and_unpin();
	if
	:: d_step { dmu_delivered() }
	:: may_hang(); goto copy_all
	:: dmu_put_back(); missing = true
	fi;
	if
	:: missing ->
		d_step { missing = false; wake_all() };
		goto_if_stale(stale);
		goto read
	:: else
	fi;
read_over:
#endif
	if
	:: status == AGAIN ->
		status = NONE;
		dmu_channel_wait();
		goto read
#if TIMEOUT || FAIL
	:: status == STALE -> goto stale
#endif
#if HANGS && !defined(BATCH)
	/* Fault the page in. This may never end. */
	:: status == NONE && missing ->
		missing = false;
		may_hang();
		goto read
#endif
	:: status == NONE && !missing
	fi;

	/* The daemon carries it out, at any time up to the reply. */
	leave_if_killed();
	may_hang();
	d_step {
		LAW(no_lost_write_lands_after_a_newer_one, !(beaten & BIT(n)));
		/* dmu_take_answerable() */
		if
#if TIMEOUT || FAIL
#ifndef BREAK_REVOKED_CHANNEL_ANSWERS
		:: ch.revoked -> status = STALE
#endif
#endif
		:: else -> ch.answerable = ch.answerable & ~BIT(n)
		fi
	};
	goto_if_stale(stale);
#ifdef BATCH
	if
	:: dmu_answer()
	:: dmu_put_back()
#ifdef REMAP
	:: dmu_remap()
#endif
	fi;
#else
	/* begin_reply() or take_data() */
	dmu_pin();
	goto_if_stale(stale);
	copy_and_unpin();
	dmu_answer();
#endif
	goto_if_stale(stale);
	n = 0;
	goto read;

#if TIMEOUT || FAIL
stale:
	atomic {
#ifndef BREAK_ERROR_KEEPS_THE_WAKE_UP
		wake_all();
#endif
		status = NONE
	};
#endif
#if HANGS
hang:
#endif
#if TIMEOUT || FAIL || HANGS
	atomic { missing = false; n = 0; ch.stuck++ };
end_stuck:
#if LIVES || defined(RESTART)
	atomic { ch.dying -> ch.stuck-- };
#else
	false;
#endif
#endif
#if LIVES || defined(RESTART)
leave:
	atomic { n = 0; ch.users--; goto end_idle }
#endif
}

#if LIVES || defined(RESTART)
/* A daemon that is killed: dmu_release(), dmu_channel_close(); and dmu_open() */
proctype Daemon(byte c)
{
	byte n = 0, ended = 0;
	byte lives = LIVES;

end:
	if
#if LIVES
	:: atomic { lives > 0 -> lives--; ch.dying = true }
#endif
#ifdef RESTART
	:: atomic { timeout && ch.stuck && completed != ALL -> ch.dying = true }
#endif
	fi;
	atomic { !ch.users && !c_lock -> c_lock = true };
	d_step {
		ch.open = false;
#ifndef BREAK_CLOSED_STAYS_STALE
		ch.stale = 0;
#endif
#if defined(ON_EXIT_ERROR) || defined(BREAK_CLOSE_FAILS_REQUESTS)
		ended = ch.live;
#elif !defined(BREAK_CLOSE_DROPS_REQUESTS)
		for (n : 0 .. REQUESTS - 1) {
			if
			:: ch.live & BIT(n) -> dmu_requeue(n)
			:: else
			fi
		};
		n = 0;
#endif
		ch.slots = 0;
		ch.live = 0;
		ch.answerable = 0;
		ch.out = 0
	};
	c_lock = false;
#ifndef BREAK_CLOSE_WAKES_NOBODY
	d_step { wake_all() };
#endif
#if defined(ON_EXIT_ERROR) || defined(BREAK_CLOSE_FAILS_REQUESTS)
	dmu_end_all(ERROR);
#endif
	if
	:: atomic {
			!c_lock -> ch.open = true;
			ch.dying = false;
			ch.revoked = false;
			goto end
		}
#if CHANNELS > 1
	/* This one does not come again; another one is there. */
	:: c == 0
#endif
	fi
}
#endif
