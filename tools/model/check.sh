#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [T=name] [LIST=1] [DEEP=1] check.sh
#
# Checks the model of the core (mdev.pml) with spin: every reachable state of a
# few tasks, then one small mistake after the other, each of which the law named
# beside it has to notice. Results as KTAP. T chooses tests by a shell pattern,
# LIST=1 names them. DEEP=1 adds more tasks at once: 7 GB for each CPU, minutes.
# A counterexample ends up in build/model/<test>.trace.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../testing/lib/common.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

MODEL=$TOP/tools/model
OUT=$TOP/build/model
MEMORY=1500
[ -z "${DEEP:-}" ] || MEMORY=8000
T=${T:-*}

# Name, then definitions; see mdev.pml.
configurations()
{
	cat <<-'END'
	parent_ops		-DDOOR=2
	parent_driver		-DDOOR=1
	two_open_files		-DDOOR=2 -DOPENERS=2 -DWRITERS=1
	two_uuids		-DDOOR=2 -DUUIDS=2 -DINSTANCES=2 -DOPENERS=0
	last_instance		-DDOOR=2 -DUUIDS=2 -DINSTANCES=1 -DOPENERS=0
	bus_driver_goes		-DDOOR=2 -DDRIVER=1 -DWRITERS=1
	vendor_driver_goes	-DDOOR=1 -DDRIVER=1 -DWRITERS=1
	unregistration_ends	-DDOOR=2 -DLIVENESS
	END
	[ -z "${DEEP:-}" ] || cat <<-'END'
	deep_two_open_files	-DDOOR=2 -DOPENERS=2
	deep_two_uuids		-DDOOR=2 -DUUIDS=2
	deep_bus_driver_goes	-DDOOR=2 -DDRIVER=1
	deep_vendor_driver_goes	-DDOOR=1 -DDRIVER=1
	END
}

# BREAK_..., the law that notices (or "deadlock", "endless": unregistration
# never ends), further definitions. A law that two mechanisms keep needs two
# mistakes.
breakages()
{
	cat <<-'END'
	NO_GRACE_PERIOD no_create_starts_after_drain
	NO_GRACE_PERIOD unregistration_finds_devices_live
	NO_GRACE_PERIOD no_vendor_code_after_unregistration
	NO_GRACE_PERIOD no_create_succeeds_after_unregistration -DBREAK_TYPES_DO_NOT_WAIT
	TYPES_DO_NOT_WAIT guard_outlives_its_sections
	NOT_REVOKED no_create_starts_after_drain
	GUARD_LEFT_EARLY no_create_starts_after_drain
	GUARD_LEFT_EARLY unregistration_removes_every_device
	PUBLISHED_LATE create_is_refused_only_when_closing
	GUARD_GOES_BEFORE_TYPES guard_outlives_its_sections
	NO_EVICTION unregistration_removes_every_device
	CLAIM_NOT_ATOMIC one_remover_wins
	CLAIM_NOT_ATOMIC vendor_state_is_made_and_undone_once
	UNCLAIM_FORGOTTEN refused_remove_changes_nothing
	UNCLAIM_FORGOTTEN unregistration_finds_devices_live
	FILE_REMOVED_FIRST refused_remove_changes_nothing
	REMOVE_WAITS_FOR_ITSELF deadlock
	WAITER_IGNORES_UNREGISTRATION deadlock
	WAITER_IGNORES_UNREGISTRATION endless
	LOCK_NOT_TRIED add_event_finds_all_in_place
	ANNOUNCE_WITHOUT_LOCK one_add_then_one_remove_event
	EVENT_NOT_HELD_BACK add_event_finds_all_in_place
	EVENT_NOT_HELD_BACK failed_create_sends_no_event
	LIVE_BEFORE_BOUND add_event_finds_all_in_place
	ADD_BEFORE_VENDOR_CREATE visible_only_with_vendor_state
	VENDOR_REMOVE_BEFORE_UNBIND visible_only_with_vendor_state
	LINKS_BEFORE_UNBIND links_stay_while_users_are_waited_for
	UNBIND_DOES_NOT_WAIT vendor_remove_finds_no_user -DDOOR=1
	UNBIND_DOES_NOT_WAIT user_finds_vendor_state -DDOOR=1
	UUID_GIVEN_BACK_EARLY uuid_is_given_back_last
	UUID_KEPT remove_returns_with_uuid_free
	INSTANCE_KEPT remove_returns_with_instance_free
	INSTANCE_KEPT instances_balance
	UNWIND_KEEPS_INSTANCE instances_balance
	UNWIND_SKIPS_VENDOR_REMOVE uuid_is_given_back_last
	OPEN_UNCHECKED user_enters_only_what_is_announced -DBREAK_MATCH_UNCHECKED
	MATCH_UNCHECKED new_opens_fail_while_a_remove_waits -DOPENERS=2 -DWRITERS=1
	OPEN_UNCHECKED remove_is_never_stuck_behind_a_user
	BARRIER_IN_OPEN remove_is_never_stuck_behind_a_user
	BARRIER_IN_CLAIM remove_is_never_stuck_behind_a_user
	REQUEST_WITHOUT_LOCK request_finds_vendor_state -DDOOR=1 -DDRIVER=1
	DRIVER_GOES_WHILE_BINDING bound_only_to_a_registered_driver -DDRIVER=1
	END
}

# build DIRECTORY CFLAG... -- DEFINITION...: the checker of one model.
build()
{
	local dir=$1 cflags=()

	shift
	while [ "$1" != -- ]; do
		cflags+=("$1")
		shift
	done
	shift
	rm -rf "$dir"
	mkdir -p "$dir"
	(cd "$dir" && spin "$@" -a "$MODEL/mdev.pml" &&
		gcc -w "${cflags[@]}" pan.c -o pan) >"$dir/build" 2>&1 || {
		sed 's/^/# /' "$dir/build"
		return 1
	}
}

# run_checker DIRECTORY OPTION...: output in DIRECTORY/out. -b: a path deeper
# than -m is an error, not a reason to look less far.
run_checker()
{
	local dir=$1

	shift
	(cd "$dir" && nice ./pan -m1000000 -b "$@") >"$dir/out" 2>&1 || true
}

# said DIRECTORY PATTERN
said()
{
	grep -qE -- "$2" "$1/out"
}

# Every state was visited, and none is bad.
holds()
{
	local name=$1 dir=$OUT/$1 cflags=(-O2 -DMEMLIM="$MEMORY") options=(-w23)

	shift
	case "$*" in
	*LIVENESS*)	options+=(-a) ;;
	*)		cflags+=(-DSAFETY) ;;
	esac
	build "$dir" "${cflags[@]}" -- "$@" || return 1
	run_checker "$dir" "${options[@]}"
	awk '/depth reached/ { depth = $6 } / states, stored/ { states = $1 }
		/total actual memory/ { memory = $1 } /elapsed/ { time = $4 }
		END { print "# " states " states, depth " depth " " \
			memory " MB, " time " s" }' "$dir/out"
	if ! said "$dir" ', errors: 0$' || said "$dir" \
		'not completed|too small|out of memory|truncated|violated'; then
		sed 's/^/# /' "$dir/out" | head -n 12
		# The steps that lead there, and the state they lead to.
		spin "$@" -k "$dir/mdev.pml.trail" -p -g "$MODEL/mdev.pml" \
			>"$OUT/$name.trace" 2>&1 || true
		return 1
	fi
	# A step that is never reached proves nothing.
	if [[ "$*" != *OPENERS=0* ]] &&
		grep -E '\.pml:[0-9]+, state' "$dir/out" | grep -v -e '"-end-"'; then
		echo "# these steps are never reached"
		return 1
	fi
}

# One mistake, and the law alone that is said to notice it.
caught()
{
	local dir=$OUT/$1 broken=$2 law=$3 cflags=(-O0 -DMEMLIM="$MEMORY")
	local options=(-w22) complaint="assertion violated .*\|\|$3\)"

	shift 3
	set -- "-DBREAK_$broken" "$@"
	case $law in
	deadlock)
		cflags+=(-DSAFETY)
		complaint='invalid end state'
		set -- "$@" -DMUTE=1
		;;
	endless)
		options+=(-a)
		complaint='acceptance cycle'
		set -- "$@" -DMUTE=1 -DLIVENESS
		;;
	*)
		cflags+=(-DSAFETY)
		options+=(-E)
		set -- "$@" "-DONLY=$law"
		;;
	esac
	build "$dir" "${cflags[@]}" -- "$@" || return 1
	run_checker "$dir" "${options[@]}"
	said "$dir" "^pan:1: $complaint" || {
		sed 's/^/# /' "$dir/out" | head -n 12
		return 1
	}
}

# The table names all laws and all mistakes that the model knows.
table_is_complete()
{
	local word bad=0

	while read -r word; do
		breakages | grep -qw -- "$word" || {
			echo "# $word is missing"
			bad=1
		}
	done < <(sed -nE 's/^hidden byte (\w+) .*/\1/p' "$MODEL/laws.pml"
		grep -ohE 'BREAK_\w+' "$MODEL"/*.pml |
			sed 's/^BREAK_//' | sort -u)
	return "$bad"
}

# tests: name and command, one a line.
tests()
{
	configurations | awk '{ name = $1; $1 = ""; print "holds." name, \
		"holds holds." name $0 }'
	breakages | awk '{ broken = $1; law = $2; $1 = $2 = ""
		name = "broken." tolower(broken) ":" law
		print name, "caught", name, broken, law $0 }'
	echo "broken.table_is_complete table_is_complete"
}

# run_test NAME COMMAND...: its output first, then the result.
run_test()
{
	local name=$1 text result=ok

	shift
	text=$("$@" 2>&1) || result='not ok'
	flock "$OUT/lock" printf '%s' "${text:+$text
}$result - $name
"
	# What spin generates is large, and made anew each time.
	rm -rf "${OUT:?}/$name"
}

[ "${1:-}" != run_test ] || {
	"$@"
	exit
}

mkdir -p "$OUT"
rm -f "$OUT"/*.trace
# shellcheck disable=SC2053 # a pattern it is
tests | while read -r name command; do
	if [[ $name = $T || ${name#*.} = $T ]]; then
		echo "$name $command"
	fi
done >"$OUT/tests"
if [ -n "${LIST:-}" ]; then
	cut -d' ' -f1 "$OUT/tests"
	exit
fi
need_packages spin gcc libc6-dev
log "the model's counterexamples: $OUT/*.trace"
xargs -a "$OUT/tests" -r -P "$(nproc)" -L 1 "$0" run_test | "$LIB/ktap.sh"
