/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * A model of who owns a request of dm-user (drivers/md/dm-user). The model's functions
 * have the names of those in the source; a step of the model is what happens under a
 * spinlock, or a change that other tasks can observe.
 *
 * Submitters send requests, daemons with several threads serve them, hang, are killed and
 * come again; deadlines pass, the administrator fails all requests or suspends the device,
 * all at any time. "make check-model S=dm-user" visits every state that these can reach.
 *
 *	dm-user.pml	state; the queue; ends and timeouts; submitters, suspends
 *	channel.pml	channels and their threads
 *	extent.pml	remapped requests
 *	laws.pml	what must hold
 *	configurations	definitions to run it with
 *	breakages	mistakes that the laws must catch
 *
 *	REQUESTS	1 to 3 writes; each overlaps those with the next numbers
 *	APART		the writes do not overlap
 *	CHANNELS	1 to 3; each has its own daemon
 *	THREADS		1 or 2 of the first channel; the others have one
 *	LIVES		how often each daemon is killed and started again at any time
 *	HANGS		number of daemon threads that hang
 *	RESTART		stuck daemons are killed once nothing else can happen
 *	TIMEOUT		1: requests have a deadline; 2: only the first one has
 *	FAIL		1: the administrator fails all requests once, at any time, and
 *			again once nothing else can happen
 *	SUSPEND		1: the device is suspended and resumed once, at any time
 *	ON_EXIT_ERROR	a closed channel's requests fail
 *	BATCH		the batch interface instead of the stream, with EAGAIN
 *	REMAP		with BATCH: daemons remap requests, too, and have that remembered
 *	UNMAP		with REMAP: a daemon drops what was remembered, once, at any time
 *	NO_MEMORY	one allocation fails
 *	BREAK_<what>	one small mistake; see breakages
 *
 * Deadlines may pass in any order. Memory is sequentially consistent.
 *
 * Not modelled: the order of the queue, reads, flushes, the contents of messages and what is wrong
 * with them, the end of the target (no request is left then).
 */
#ifndef REQUESTS
#define REQUESTS 2
#endif
#ifndef CHANNELS
#define CHANNELS 2
#endif
#ifndef THREADS
#define THREADS 1
#endif
#ifndef LIVES
#define LIVES 0
#endif
#ifndef HANGS
#define HANGS 0
#endif
#ifndef TIMEOUT
#define TIMEOUT 0
#endif
#ifndef FAIL
#define FAIL 0
#endif
#ifndef SUSPEND
#define SUSPEND 0
#endif

#include "laws.pml"

#define BIT(n)	(1 << (n))
#define ALL	(BIT(REQUESTS) - 1)
/* The requests that overlap one of @mask. */
#ifndef APART
#define overlapping(mask)	(((mask) | (mask) << 1 | (mask) >> 1) & ALL)
#else
#define overlapping(mask)	(mask)
#endif

mtype = { NONE, OK, ERROR, REQUEUE, AGAIN, STALE };

/* Masks of requests. */
byte mapped;		/* from dmu_submit() to bio_endio() */
byte deferred;		/* device mapper has them, for after the suspend */
byte completed;		/* the submitter knows */
byte queue;
byte redelivered;
/* Only for the laws. */
byte lost;		/* those completed with an error */
byte beaten;		/* lost ones with a newer write that was answered since then */
#ifdef UNMAP
byte old;		/* go where they belonged before DM_USER_UNMAP, if they are remapped */
#endif

/* struct dmu_control */
bool c_lock;
bool armed;
chan waiters = [CHANNELS + THREADS - 1] of { byte };	/* threads on the wait queue */

/* struct dmu_channel. Masks of requests, but for the bools and counts. */
typedef Channel {
	bool open;
	bool dying;		/* its daemon was killed */
	bool revoked;
	bool read_lock;
	byte slots;
	byte live;		/* slot->request is there */
	byte pinned;
	byte ended;
	byte stale;
	byte answerable;
#ifdef UNMAP
	byte unmapped;
#endif
	unsigned out : 2;	/* the message that is being read, or 0 */
	unsigned waiting : 2;
	unsigned users : 2;	/* threads that have the file */
	unsigned stuck : 2;	/* those that do nothing more */
};

Channel channels[CHANNELS];
#define ch	channels[c]

/* A slot may be looked at by who found the request in it. */
#define slot_is_there	LAW(no_freed_slot_is_touched, ch.slots & BIT(n))

#if CHANNELS == 1
#define for_each_channel(do)	do(0)
#elif CHANNELS == 2
#define for_each_channel(do)	do(0); do(1)
#else
#define for_each_channel(do)	do(0); do(1); do(2)
#endif

/* What no daemon can carry out any more. */
#define stale_of_closed(c)	(channels[c].open -> 0 : channels[c].stale)

#if CHANNELS == 1
#define closed_stale	stale_of_closed(0)
#define in_any(mask)	(channels[0].mask)
#elif CHANNELS == 2
#define closed_stale	(stale_of_closed(0) | stale_of_closed(1))
#define in_any(mask)	(channels[0].mask | channels[1].mask)
#else
#define closed_stale	(stale_of_closed(0) | stale_of_closed(1) | stale_of_closed(2))
#define in_any(mask)	(channels[0].mask | channels[1].mask | channels[2].mask)
#endif

/* The device mapper's side of a suspend. */
bool noflush;
bool blocked;
unsigned mapping : 2;	/* tasks in dmu_map() */

/* What the environment may still do. */
unsigned hangs : 2 = HANGS;
#ifdef NO_MEMORY
bool no_memory = true;
#endif

/* dmu_is_stale() */
#define is_stale(n)	(overlapping(in_any(stale)) & BIT(n))

#if TIMEOUT
#define dmu_arm()	armed = true
#else
#define dmu_arm()	skip
#endif

/* autoremove_wake_function() takes who is woken off the queue. */
inline wake_one()
{
	if
	:: waiters?_
	:: empty(waiters)
	fi
}

inline wake_all()
{
	do
	:: waiters?_
	:: empty(waiters) -> break
	od
}

/* bio_endio() and what device mapper makes of it */
inline complete(n, status)
{
	LAW(request_is_completed_once, mapped & BIT(n));
	LAW(pinned_request_is_not_completed, !(in_any(pinned) & BIT(n)));
	mapped = mapped & ~BIT(n);
	if
	:: (status) == REQUEUE && noflush -> deferred = deferred | BIT(n)
	:: else ->
		LAW(pushed_back_only_in_a_noflush_suspend, (status) != REQUEUE);
#if !TIMEOUT && !FAIL && !defined(ON_EXIT_ERROR)
		LAW(restarts_fail_nothing, (status) != ERROR);
#endif
		completed = completed | BIT(n);
		if
		:: (status) == ERROR -> lost = lost | BIT(n)
		:: else
		fi
	fi
}

/* dmu_end_all() of the mask @ended, which it empties */
inline dmu_end_all(status)
{
	d_step {
		if
		:: ended & BIT(0) -> complete(0, status)
		:: else
		fi;
#if REQUESTS > 1
		if
		:: ended & BIT(1) -> complete(1, status)
		:: else
		fi;
#endif
#if REQUESTS > 2
		if
		:: ended & BIT(2) -> complete(2, status)
		:: else
		fi;
#endif
		ended = 0
	}
}

/*
 * dmu_requeue(); the locks are held. A channel that is closed has nothing to put back that
 * overlaps: it was revoked together with the channel of the lost write.
 */
inline dmu_requeue(n)
{
	if
#if defined(BATCH) && (TIMEOUT || FAIL) && !defined(BREAK_REQUEUE_IGNORES_STALE)
	:: is_stale(n) -> ended = ended | BIT(n)
#endif
	:: else ->
		redelivered = redelivered | BIT(n);
		queue = queue | BIT(n);
#ifndef BREAK_REQUEUE_DOES_NOT_ARM
		dmu_arm()
#endif
	fi
}

#ifdef REMAP
#include "extent.pml"
#endif
#include "channel.pml"

#if TIMEOUT || FAIL
/* revoke(); the locks are held */
inline revoke(c)
{
	d_step {
#ifdef BREAK_REVOKE_REDELIVERS
		queue = queue | (ch.live & ~ch.pinned);
#else
		ended = ended | (ch.live & ~ch.ended & ~ch.pinned);
#endif
#ifdef BREAK_PIN_IGNORED
		ended = ended | (ch.live & ch.pinned & ~ch.ended);
		ch.live = 0;
#else
		ch.ended = ch.ended | (ch.live & ch.pinned);
		ch.live = ch.live & ch.pinned;
#endif
#ifdef BREAK_REVOKE_FREES_SLOTS
		ch.slots = ch.live;
#endif
#ifndef BREAK_REVOKED_IS_NOT_STALE
		ch.stale = ch.slots;
#endif
		ch.revoked = true
	}
}

inline fail_queued()
{
	d_step {
		ended = ended | (queue & overlapping(in_any(stale)));
		queue = queue & ~ended
	}
}

inline fail_overlapping_of(c)
{
	atomic {
		if
		:: ch.open && !ch.revoked && (ch.slots & overlapping(in_any(stale))) ->
			revoke(c);
#ifndef BREAK_OVERLAPPING_LOOKED_FOR_ONCE
			more = true
#endif
		:: else
		fi
	}
}

inline fail_overlapping()
{
	more = true;
	do
	:: more ->
#ifndef BREAK_QUEUE_LOOKED_AT_LAST
		fail_queued();
#endif
		more = false
#if CHANNELS > 1 && !defined(APART)
		;
		for_each_channel(fail_overlapping_of)
#endif
#ifdef BREAK_QUEUE_LOOKED_AT_LAST
		;
		fail_queued()
#endif
	:: else -> break
	od
#if defined(REMAP) && !defined(BREAK_REMAPPED_NOT_FAILED)
	;
	dmu_extents_fail_stale()
#endif
}

#if TIMEOUT
inline rearm_queue()
{
	armed = armed || queue
}

inline rearm_channel(c)
{
	armed = armed || (ch.live & ~ch.ended)
}

inline rearm()
{
#ifndef BREAK_REARM_LOOKS_AT_CHANNELS_FIRST
	rearm_queue();
	for_each_channel(rearm_channel)
#else
	for_each_channel(rearm_channel);
	rearm_queue()
#endif
}
#endif

inline expire_channel(c)
{
	atomic {
		if
		:: ch.open && !ch.revoked &&
		   (ch.live & ~ch.ended & due) -> revoke(c)
		:: else
		fi
	}
}

/*
 * dmu_control_expire(): fails the requests in @due. A channel is revoked whichever of its
 * requests is due. A request that arrives during the call is not due.
 */
inline dmu_control_expire()
{
	atomic { !c_lock -> c_lock = true };
	d_step {
		armed = false;
		ended = queue & due;
		queue = queue & ~due
	};
	for_each_channel(expire_channel);
	due = 0;
#ifndef BREAK_OVERLAPPING_NOT_FAILED
	fail_overlapping();
#endif
#if TIMEOUT && !defined(BREAK_NOT_REARMED)
	rearm();
#endif
	c_lock = false;
#ifndef BREAK_REVOKED_READERS_NOT_WOKEN
	d_step { wake_all() };
#endif
	dmu_end_all(ERROR)
}
#endif

#if TIMEOUT
/* dmu_timer(); any deadlines have passed, but at least one */
proctype Timer()
{
	byte due = 0, ended = 0;
	bool more = false;

end:
	atomic {
		armed;
		if
		:: due = 1
#if REQUESTS > 1 && TIMEOUT == 1
		:: due = 2
		:: due = 3
#endif
#if REQUESTS > 2 && TIMEOUT == 1
		:: due = 4
		:: due = 5
		:: due = 6
		:: due = 7
#endif
		fi
	};
	dmu_control_expire();
	goto end
}
#endif

#if FAIL
/* The message "fail": at any time, and whenever nothing else can happen */
proctype Administrator()
{
	byte due = 0, ended = 0;
	bool more = false;

	skip;
	do
	:: due = ALL;
		dmu_control_expire();
end:
		timeout && completed != ALL
	od
}
#endif

#if SUSPEND
/* __dm_suspend() with dmu_presuspend() and dmu_push_back(), and a resume */
proctype Suspender()
{
	byte ended = 0;

	if
	:: noflush = true
	:: skip
	fi;
	if
#ifndef BREAK_EVERY_SUSPEND_PUSHES_BACK
	:: noflush ->
#else
	:: true ->
#endif
		d_step {
#ifndef BREAK_REDELIVERED_PUSHED_BACK
			ended = queue & ~redelivered;
#else
			ended = queue;
#endif
			LAW(only_what_was_never_fetched_is_pushed_back,
			    !(ended & redelivered));
			queue = queue & ~ended
		};
		dmu_end_all(REQUEUE)
#ifndef BREAK_EVERY_SUSPEND_PUSHES_BACK
	:: else
#endif
	fi;
	blocked = true;
	mapping == 0;
	LAW(noflush_suspend_takes_back_the_queue, !noflush || !(queue & ~redelivered));
	/* dm_wait_for_completion(), which a signal ends at any time */
	if
	:: !mapped
	:: skip
	fi;
	noflush = false;
	blocked = false
}
#endif

/* A bio: dm_submit_bio(), dmu_submit() */
proctype Submitter(byte n)
{
	mtype status = NONE;

submit:
#if SUSPEND
	atomic { !blocked -> mapping++ };
#ifdef BREAK_NOFLUSH_ASKED_UNLOCKED
	if
	:: noflush -> status = REQUEUE
	:: else
	fi;
#endif
#endif
#ifdef REMAP
	dmu_extents_map();
	if
	:: remapped & BIT(n) -> goto submitted
	:: else
	fi;
#endif
	atomic {
		mapped = mapped | BIT(n);
		if
#if SUSPEND
#ifndef BREAK_NOFLUSH_ASKED_UNLOCKED
		:: noflush -> status = REQUEUE
#else
		:: status == REQUEUE
#endif
#endif
#if (TIMEOUT || FAIL) && !defined(APART) && !defined(BREAK_SUBMIT_IGNORES_STALE)
		:: is_stale(n) ->
			LAW(write_fails_only_beside_a_lost_one,
			    !(overlapping(closed_stale) & BIT(n)));
			status = ERROR
#endif
		:: else ->
			queue = queue | BIT(n);
			redelivered = redelivered & ~BIT(n);
#ifndef BREAK_SUBMIT_DOES_NOT_ARM
			dmu_arm();
#endif
			wake_one()
		fi
	};
#if SUSPEND || TIMEOUT || FAIL
	d_step {
		if
		:: status != NONE -> complete(n, status)
		:: else
		fi;
		status = NONE;
#if SUSPEND
		mapping--
#endif
	};
#endif
#ifdef REMAP
submitted:
#endif
	if
	:: completed & BIT(n)
#if SUSPEND
	:: atomic { (deferred & BIT(n)) && !blocked ->
		deferred = deferred & ~BIT(n) };
		goto submit
#endif
	fi
}

init
{
	byte i = 0;

	atomic {
#ifdef ONLY
		ONLY = 0;
#endif
		for (i : 0 .. CHANNELS - 1) {
			channels[i].open = true;
#if LIVES || defined(RESTART)
			run Daemon(i);
#endif
			run Thread(i, i)
		};
#if THREADS > 1
		run Thread(0, CHANNELS);
#endif
		for (i : 0 .. REQUESTS - 1) {
			run Submitter(i)
		};
#if TIMEOUT
		run Timer();
#endif
#if FAIL
		run Administrator();
#endif
#if SUSPEND
		run Suspender();
#endif
#ifdef REMAP
		/* An earlier request may have been remapped. */
		if
		:: extent = true
		:: skip
		fi;
		run Device();
#endif
#ifdef UNMAP
		extent_is_old = true;
		run Unmapper();
#endif
		i = 0
	}
}
