/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The laws that must hold. Each assertion names its law, so that the checker's
 * complaint tells which one was broken. -DONLY=<law> mutes all others:
 * harness/verbs/model.sh shows that each law can fail by itself.
 *
 * Also checked: no deadlock (the checker's "invalid end state"), and with
 * -DLIVENESS that unregistration returns.
 */
#ifdef ONLY
#define MUTE 1
#elif !defined(MUTE)
#define MUTE 0
#endif

#define LAW(name, condition) assert((condition) || name)

/* "hidden" keeps these constants out of the state. */

/* guard */
hidden byte create_is_refused_only_when_closing = MUTE;
hidden byte no_create_starts_after_drain = MUTE;
hidden byte no_create_succeeds_after_unregistration = MUTE;
hidden byte no_vendor_code_after_unregistration = MUTE;
hidden byte guard_outlives_its_sections = MUTE;
hidden byte unregistration_finds_devices_live = MUTE;
hidden byte unregistration_removes_every_device = MUTE;

/* create and remove */
hidden byte one_remover_wins = MUTE;
hidden byte refused_remove_changes_nothing = MUTE;
hidden byte remove_returns_with_uuid_free = MUTE;
hidden byte remove_returns_with_instance_free = MUTE;
hidden byte uuid_is_given_back_last = MUTE;
hidden byte instances_balance = MUTE;
hidden byte vendor_state_is_made_and_undone_once = MUTE;
hidden byte visible_only_with_vendor_state = MUTE;
hidden byte links_stay_while_users_are_waited_for = MUTE;
hidden byte bound_only_to_a_registered_driver = MUTE;

/* events */
hidden byte add_event_finds_all_in_place = MUTE;
hidden byte one_add_then_one_remove_event = MUTE;
hidden byte failed_create_sends_no_event = MUTE;

/* users */
hidden byte user_enters_only_what_is_announced = MUTE;
hidden byte user_finds_vendor_state = MUTE;
hidden byte vendor_remove_finds_no_user = MUTE;
hidden byte request_finds_vendor_state = MUTE;
hidden byte remove_is_never_stuck_behind_a_user = MUTE;
hidden byte new_opens_fail_while_a_remove_waits = MUTE;
