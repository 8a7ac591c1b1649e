#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [T=name] [LIST=1] [DEEP=1] model.sh
#
# Checks the model tools/testing/model/S with spin: visits every reachable state
# of each configuration, then breaks the model in one small way at a time, which
# the law listed beside the breakage must catch. T selects tests by a shell
# pattern, LIST=1 lists them. DEEP=1 adds the deep configurations.
# Counterexamples are written to build/S/model/<test>.trace.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

MODEL=$TESTING/model/$S
MAIN=$MODEL/$S.pml
OUT=$TOP/build/$S/model
MEMORY=1500
[ -z "${DEEP:-}" ] || MEMORY=8000

configurations()
{
	grep -v '^#' "$MODEL/configurations" |
		if [ -n "${DEEP:-}" ]; then cat; else grep -v '^deep_'; fi
}

breakages()
{
	grep -v '^#' "$MODEL/breakages"
}

# build DIRECTORY CFLAG... -- DEFINITION...: builds a checker in DIRECTORY.
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
	(cd "$dir" && spin "$@" -a "$MAIN" &&
		gcc -w "${cflags[@]}" pan.c -o pan) >"$dir/build" 2>&1 || {
		sed 's/^/# /' "$dir/build"
		return 1
	}
}

# run_checker DIRECTORY OPTION...: writes its output to DIRECTORY/out. With -b a
# path deeper than -m is an error instead of being truncated.
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

# holds NAME DEFINITION...: every state was visited, and no law is broken.
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
		# Write the steps of the counterexample and its final state.
		spin "$@" -k "$dir/${MAIN##*/}.trail" -p -g "$MAIN" \
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

# caught NAME BREAKAGE LAW DEFINITION...: the law catches the breakage while all
# other laws are mute.
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

# The table must list every law and every breakage of the model.
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

# tests: prints the name and the command of each test, one per line.
tests()
{
	configurations | awk '{ name = $1; $1 = ""; print "holds." name, \
		"holds holds." name $0 }'
	breakages | awk '{ broken = $1; law = $2; $1 = $2 = ""
		name = "broken." tolower(broken) ":" law
		print name, "caught", name, broken, law $0 }'
	echo "broken.table_is_complete table_is_complete"
}

# run_one NAME COMMAND...: prints the output, then the result, under a lock.
run_one()
{
	local name=$1 text result=ok

	shift
	text=$("$@" 2>&1) || result='not ok'
	flock "$OUT/lock" printf '%s' "${text:+$text
}$result - model:$name
"
	# Spin's files are large, and each run generates them again.
	rm -rf "${OUT:?}/$name"
	[ "$result" = ok ]
}

[ "${1:-}" != run_one ] || {
	"$@"
	exit
}

mkdir -p "$OUT"
rm -f "$OUT"/*.trace
tests | while read -r name command; do
	! selected "model:$name" || echo "$name $command"
done >"$OUT/tests"
if [ -n "${LIST:-}" ]; then
	sed 's/ .*//; s/^/model:/' "$OUT/tests"
	exit
fi
[ -s "$OUT/tests" ] || exit 0
need_packages spin gcc libc6-dev
log "the model's counterexamples: $OUT/*.trace"
xargs -a "$OUT/tests" -r -P "$(nproc)" -L 1 "$0" run_one
