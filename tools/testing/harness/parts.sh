#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [ARCH=...] [T=...] [LIST=1] parts.sh PART...
#
# Runs parts of the tests one after the other, prints one KTAP stream, then a
# table and the totals. A part is one word: a script of verbs/ with its argument
# and variables, as in "selftests K=debug" or "stress fuzz SCALE=10". A comma in a
# value stands for a space. Two variables are for this script:
#
#	LIMIT=seconds	end the part after this time (default 3600, for a matrix 5400)
#	TODO=1		show failures, but don't count them
#
# Four names stand for lists of parts. "supported" builds for each supported
# kernel, "matrices" tests the packages on each; "ci" and "all" are defined in the
# description of each system, or of S if it is given. Results of a part that
# passes completely are cached under a hash of the system's sources and the kernel's
# version; "all" shows them instead of running the part again.

asked=${S:-}

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

VERBS=$HARNESS/verbs

# systems: prints S if the caller gave it, or all systems.
systems()
{
	if [ -n "$asked" ]; then
		echo "$asked"
	else
		all_systems
	fi
}

# list_of NAME: prints the parts of a list, one per line.
list_of()
{
	local system

	for system in $(systems); do
		(
			# shellcheck source=tools/testing/systems/mdev
			. "$TESTING/systems/$system"
			case $1 in
			ci)		printf "%s S=$system\n" "${CI[@]}" ;;
			all)		printf "%s S=$system\n" "${ALL[@]}" ;;
			supported)	printf "builds K=%s S=$system\n" \
						"${KERNELS[@]}" ;;
			matrices)	printf "matrix K=%s S=$system\n" \
						"${KERNELS[@]}" ;;
			esac
		)
	done
}

list_parts()
{
	local name

	for name in "$@"; do
		case $name in
		ci | all | supported | matrices) list_of "$name" ;;
		*)			echo "$name" ;;
		esac
	done
}

# parse PART: sets verb, arguments, variables, limit, todo, label, and part_K,
# part_S and part_ARCH.
parse()
{
	local word words

	arguments=()
	variables=()
	part_K=$K part_S=$S part_ARCH=$ARCH limit=3600 todo=
	read -ra words <<<"$1"
	verb=${words[0]}
	[ -x "$VERBS/$verb.sh" ] ||
		die "no such part: $verb; there are: $(basename -s .sh \
			"$VERBS"/*.sh | paste -sd' ')"
	# With an empty cache a busy machine takes more than an hour.
	[ "$verb" != matrix ] || limit=5400
	label=$verb
	for word in "${words[@]:1}"; do
		case $word in
		LIMIT=*)	limit=${word#*=} ;;
		TODO=*)		todo=1 ;;
		K=*)		part_K=${word#*=} ;;
		S=*)		part_S=${word#*=} ;;
		ARCH=*)		part_ARCH=${word#*=} ;;
		*=*)		variables+=("${word//,/ }") ;;
		*)		arguments+=("$word") label+=:$word ;;
		esac
	done
	label=$part_S:$label
	! needs_kernel || label+=:$part_K
	[ "$part_ARCH" = amd64 ] || label+=:$part_ARCH
	for word in ${variables[@]+"${variables[@]}"}; do
		[[ $word = T=* ]] || label+=:$word
	done
}

# needs_kernel: succeeds if the part depends on a kernel.
needs_kernel()
{
	[[ $verb != @(static|harness|model|deb) ]]
}

# run_verb COMMAND...: runs the part's script, prefixed with COMMAND.
run_verb()
{
	"$@" env S="$part_S" K="$part_K" ARCH="$part_ARCH" KTAP=1 \
		${variables[@]+"${variables[@]}"} \
		"$VERBS/$verb.sh" ${arguments[@]+"${arguments[@]}"}
}

# Print the end of the most recent console.
report_limit()
{
	local console

	echo "# ended by its limit of $limit s; what it waited for is above"
	console=$(find "$TOP/build/$part_S" -name console -printf '%T@ %p\n' \
		2>/dev/null | sort -n | tail -n 1 | cut -d' ' -f2-)
	if [ -n "$console" ]; then
		echo "# the end of $console:"
		tail -n 20 "$console" | tr -d '\r' | sed 's/^/#   /'
	fi
	echo "not ok - ended_by_its_limit"
}

# run_limited: runs the part, and kills it and all its children at the limit.
run_limited()
{
	local rc=0

	run_verb timeout -s KILL "$limit" \
		unshare --pid --fork --kill-child --mount-proc -- \
		2>&1 </dev/null || rc=$?
	[ "$rc" -ne 137 ] || report_limit
	echo "$rc" >"$scratch/rc"
}

# show_results: prefixes names, and marks failures that don't count.
show_results()
{
	local prefix=''

	[ -z "$several" ] || prefix=$label:
	sed -uE -e "s|^((not )?ok)[ 0-9]*(- *)?|\1 - $prefix|" \
		${todo:+-e 's/^(not ok .*)/\1 # TODO/'}
}

# results FILE PATTERN: counts the results that match.
results()
{
	grep -a -E '^(not )?ok ' "$1" | grep -cE "$2" || true
}

# part_hash: prints the hash of what the part tests. Parts without a kernel may look at
# all systems.
part_hash()
{
	if needs_kernel; then
		sources_hash "$part_S"
	else
		sources_hash
	fi
}

# run_part PART: prints its results and adds a line to the table.
run_part()
{
	local start=$SECONDS rc log='' hash='' kept='' kernel release took
	local passed failed skipped

	parse "$1"
	kernel=-
	! needs_kernel || kernel=$(K=$part_K ARCH=$part_ARCH \
		"$HARNESS/kernel.sh") || kernel=
	if [ -n "$cacheable" ] && [[ " ${variables[*]-} " != *" T="* ]]; then
		hash=$(part_hash)
		kept=$CACHE/results/$hash/$label-${kernel##*/}
	fi
	if [ -n "$all" ] && [ -e "$kept" ]; then
		log "passed before, on these sources"
		log=$kept
		grep -a -E '^(not )?ok ' "$log" | show_results
	else
		log=$scratch/log
		# kernel.sh has printed why there is no kernel.
		{
			if [ -n "$kernel" ]; then
				run_limited
			else
				echo 1 >"$scratch/rc"
				echo "not ok - no_kernel"
			fi
		} | tee "$log" | show_results
		echo "# seconds: $((SECONDS - start))" >>"$log"
		rc=$(<"$scratch/rc")
		# A part that fails without a failed test counts as one.
		if [ "$rc" -ne 0 ] && [ -z "$todo" ] &&
			[ "$(results "$log" '^not ok ')" -eq 0 ]; then
			echo "# ended with status $rc and no failure to show"
			echo "not ok - ended_early" | tee -a "$log" | show_results
		fi
	fi
	skipped=$(results "$log" '^ok .*# SKIP')
	passed=$(($(results "$log" '^ok ') - skipped))
	failed=$(results "$log" '^not ok ')
	[ -z "$todo" ] || skipped=$((skipped + failed)) failed=0
	took=$(sed -n 's/^# seconds: //p' "$log")
	release=$(cat "$kernel/release" 2>/dev/null || echo -)
	echo "$label|$release|$passed|$failed|$skipped|$took|${hash:--}" \
		>>"$scratch/table"
	if [ -n "$kept" ] && [ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]; then
		mkdir -p "${kept%/*}"
		[ "$log" = "$kept" ] || mv "$log" "$kept"
	fi
}

run_all()
{
	local part number=0

	while read -r part; do
		number=$((number + 1))
		[ "$count" -eq 1 ] || log "part $number of $count: $part"
		run_part "$part"
	done <<<"$parts"
	{
		echo "part|kernel|passed|failed|skipped|seconds|sources"
		cat "$scratch/table"
	} | column -t -s '|' | sed 's/^/# /'
}

[ $# -gt 0 ] || die "usage: parts.sh PART... (or supported, matrices, ci, all)"
# Parse all parts before running the first.
parts=$(list_parts "$@")
count=$(wc -l <<<"$parts")
while read -r part; do
	parse "$part"
	[ -z "${LIST:-}" ] || run_verb
done <<<"$parts"
[ -z "${LIST:-}" ] || exit 0
# Parts with the same verb print the same test names: prefix them.
several=$(awk '{ print $1 }' <<<"$parts" | sort | uniq -d)
all=
[[ " $* " != *" all "* ]] || all=1
# Cache only results of complete runs with default settings.
cacheable=
[ -n "${T:-}${SCALE:-}${SEED:-}${SHARD:-}" ] || cacheable=1
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
start=$SECONDS
# Don't put this in a condition: that would disable errexit.
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - run"' EXIT
	run_all
) | "$HARNESS/ktap.sh"
rc=$?
set -e
if [ -n "${T:-}" ] && ! grep -qvE '\|0\|0\|0\|[0-9]*\|' "$scratch/table"; then
	die "no test is named $T; LIST=1 names them"
fi
log "it took $((SECONDS - start)) s"
exit "$rc"
