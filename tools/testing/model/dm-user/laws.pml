/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The laws that must hold. Each assertion names its law, so that the checker's
 * complaint tells which one was broken. -DONLY=<law> mutes all others:
 * harness/verbs/model.sh shows that each law can fail by itself.
 *
 * Also checked: no deadlock (the checker's "invalid end state"). A submitter whose
 * request never ends is one.
 */
#ifdef ONLY
#define MUTE 1
#elif !defined(MUTE)
#define MUTE 0
#endif

#define LAW(name, condition) assert((condition) || name)

/* "hidden" keeps these constants out of the state. */

/* the bio */
hidden byte request_is_completed_once = MUTE;
hidden byte pinned_request_is_not_completed = MUTE;
hidden byte no_completed_bio_is_touched = MUTE;
hidden byte no_freed_slot_is_touched = MUTE;

/* the data */
hidden byte no_lost_write_lands_after_a_newer_one = MUTE;
hidden byte request_has_one_executor = MUTE;
hidden byte revoked_channel_gets_nothing = MUTE;
hidden byte dropped_mapping_is_not_used = MUTE;
hidden byte write_fails_only_beside_a_lost_one = MUTE;

/* errors and waits */
hidden byte restarts_fail_nothing = MUTE;
hidden byte no_reader_sleeps_over_a_request = MUTE;
hidden byte noflush_suspend_takes_back_the_queue = MUTE;
hidden byte only_what_was_never_fetched_is_pushed_back = MUTE;
hidden byte pushed_back_only_in_a_noflush_suspend = MUTE;
