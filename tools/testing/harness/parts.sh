#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [T=...] [LIST=1] parts.sh PART...
#
# Runs parts of the tests one after the other, as one KTAP stream on stdout that
# ends with the totals, after a table if there are several. A part is a script of
# verbs/ with its argument and variables, in one word: "selftests K=debug",
# "stress fuzz SCALE=10"; a comma in a value stands for a space. Variables for
# this script itself:
#
#	LIMIT=seconds	the part is ended then (an hour unless told)
#	TODO=1		failures are shown, and do not count
#
# There are three lists of parts: "supported" builds for each supported kernel,
# and "ci" and "all" are what the systems' descriptions say (that of S, if it is
# given). A part of "all" that has passed is remembered in the cache, by a hash of
# the sources and its kernel's version: the next run repeats what it said.

asked=${S:-}

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

VERBS=$HARNESS/verbs

# systems: those that were asked for, or all.
systems()
{
	if [ -n "$asked" ]; then
		echo "$asked"
	else
		(cd "$TESTING/systems" && printf '%s\n' * | grep -v '\.')
	fi
}

# list_of NAME: a list's parts, one a line.
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
			esac
		)
	done
}

list_parts()
{
	local name

	for name in "$@"; do
		case $name in
		ci | all | supported)	list_of "$name" ;;
		*)			echo "$name" ;;
		esac
	done
}

# parse PART: sets verb, arguments, variables, limit, todo, part_K, part_S, label.
parse()
{
	local word words

	arguments=()
	variables=()
	part_K=$K part_S=$S limit=3600 todo=
	read -ra words <<<"$1"
	verb=${words[0]}
	[ -x "$VERBS/$verb.sh" ] ||
		die "no such part: $verb; there are: $(basename -s .sh \
			"$VERBS"/*.sh | paste -sd' ')"
	label=$verb
	for word in "${words[@]:1}"; do
		case $word in
		LIMIT=*)	limit=${word#*=} ;;
		TODO=*)		todo=1 ;;
		K=*)		part_K=${word#*=} ;;
		S=*)		part_S=${word#*=} ;;
		*=*)		variables+=("${word//,/ }") ;;
		*)		arguments+=("$word") label+=:$word ;;
		esac
	done
	label=$part_S:$label
	! needs_kernel || label+=:$part_K
	for word in ${variables[@]+"${variables[@]}"}; do
		[[ $word = T=* ]] || label+=:$word
	done
}

# needs_kernel: whether the part's results are those of a kernel.
needs_kernel()
{
	[[ $verb != @(static|harness|model) ]]
}

# run_verb COMMAND...: the command in front of the part's script.
run_verb()
{
	"$@" env S="$part_S" K="$part_K" KTAP=1 \
		${variables[@]+"${variables[@]}"} \
		"$VERBS/$verb.sh" ${arguments[@]+"${arguments[@]}"}
}

# The end of the console that was written last.
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

# run_limited: the part, with all that it starts, no longer than its limit.
run_limited()
{
	local rc=0

	run_verb timeout -s KILL "$limit" \
		unshare --pid --fork --kill-child --mount-proc -- \
		2>&1 </dev/null || rc=$?
	[ "$rc" -ne 137 ] || report_limit
	echo "$rc" >"$scratch/rc"
}

# finish_results: makes a part's results those of the whole.
finish_results()
{
	local prefix=''

	[ -z "$several" ] || prefix=$label:
	sed -uE -e "s|^((not )?ok)[ 0-9]*(- *)?|\1 - $prefix|" \
		${todo:+-e 's/^(not ok .*)/\1 # TODO/'}
}

# results FILE PATTERN [OPTION]: how many there are.
results()
{
	grep -a -E '^(not )?ok ' "$1" | grep -cE "${@:3}" "$2" || true
}

# sources_hash: of all that a result can depend on.
sources_hash()
{
	tracked | grep -vE '\.(md|rst)$' | (cd "$TOP" &&
		xargs -d '\n' sha256sum) | sha256sum | cut -c1-16
}

# run_part PART: its output; adds a line to the table.
run_part()
{
	local start=$SECONDS rc log kept='' kernel release took
	local passed failed skipped

	parse "$1"
	log=$scratch/log
	kernel=-
	! needs_kernel || kernel=$(K=$part_K "$HARNESS/kernel.sh") || kernel=
	[ -z "$hash" ] || kept=$CACHE/results/$hash/$label-${kernel##*/}
	if [ -e "$kept" ]; then
		log "passed before, on these sources"
		log=$kept
		grep -a -E '^(not )?ok ' "$log"
	else
		# Without a kernel the cause has been told.
		{
			if [ -n "$kernel" ]; then
				run_limited
			else
				echo 1 >"$scratch/rc"
				echo "not ok - no_kernel"
			fi
		} | finish_results | tee "$log"
		echo "# seconds: $((SECONDS - start))" >>"$log"
		rc=$(<"$scratch/rc")
		# A failure needs a result to show for it.
		if [ "$rc" -ne 0 ] && [ -z "$todo" ] &&
			[ "$(results "$log" '^not ok ')" -eq 0 ]; then
			echo "# ended with status $rc and no failure to show"
			echo "not ok - ended_early" | finish_results | tee -a "$log"
		fi
	fi
	skipped=$(results "$log" '# (SKIP|TODO)')
	passed=$(($(results "$log" '^ok ') - $(results "$log" '^ok .*# SKIP')))
	failed=$(($(results "$log" '^not ok ') -
		$(results "$log" '^not ok .*# TODO')))
	took=$(sed -n 's/^# seconds: //p' "$log")
	release=$(cat "$kernel/release" 2>/dev/null || echo -)
	echo "$label|$release|$passed|$failed|$skipped|$took" >>"$scratch/table"
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
		echo "part|kernel|passed|failed|skipped|seconds"
		cat "$scratch/table"
	} | column -t -s '|' | sed 's/^/# /'
}

[ $# -gt 0 ] || die "usage: parts.sh PART... (or supported, ci, all)"
# All are parsed before one is run.
parts=$(list_parts "$@")
count=$(wc -l <<<"$parts")
while read -r part; do
	parse "$part"
	[ -z "${LIST:-}" ] || run_verb
done <<<"$parts"
[ -z "${LIST:-}" ] || exit 0
# The same name may come from several parts of one kind.
several=$(awk '{ print $1 }' <<<"$parts" | sort | uniq -d)
hash=
[[ " $* " != *" all "* ]] || hash=$(sources_hash)
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
start=$SECONDS
# Not in a condition, where errexit would be off: what ends early has failed.
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - run"' EXIT
	run_all
) | "$HARNESS/ktap.sh"
rc=$?
set -e
if [ -n "${T:-}" ] && ! grep -qvE '\|0\|0\|0\|[0-9]*$' "$scratch/table"; then
	die "no test is named $T; LIST=1 names them"
fi
log "it took $((SECONDS - start)) s"
exit "$rc"
