#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] harness.sh
#
# Tests of the harness itself: bad input, a cache that cannot be filled,
# interrupted and concurrent runs.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

RUN_PARTS=$HARNESS/run

# says TEXT COMMAND...: the command must fail with one error line that has TEXT.
says()
{
	local text=$1 said

	shift
	if said=$(timeout 300 env -u T -u LIST "$@" 2>&1); then
		echo "succeeded: $*"
		return 1
	fi
	if [ "$(grep -c '^# error: ' <<<"$said")" != 1 ] ||
		! grep '^# error: ' <<<"$said" | grep -qF -- "$text"; then
		echo "not \"$text\" from $*:"
		echo "$said"
		return 1
	fi
}

# within SECONDS COMMAND...: waits until the command succeeds.
within()
{
	local end=$((SECONDS + $1))

	shift
	until "$@"; do
		[ "$SECONDS" -lt "$end" ] || {
			echo "still not so: $*"
			return 1
		}
		sleep 0.2
	done
}

unknown_names_get_one_clear_line()
{
	says "no such system; there are:" S=no-such "$RUN_PARTS" static &&
		says "is not the name of a suite" K=a_b "$RUN_PARTS" builds &&
		says "the mirror has no suite no-such; it has: " \
			K=no-such "$RUN_PARTS" builds &&
		says "they have: ${KERNELS[0]}:" K=0.1 "$RUN_PARTS" builds &&
		says "no such architecture; there are:" ARCH=no-such \
			"$RUN_PARTS" builds &&
		says "e2e runs on amd64 only" ARCH=arm64 "$RUN_PARTS" -x e2e &&
		says "no test is named no_such" \
			T=no_such "$RUN_PARTS" static &&
		says "no such part: no-such" "$RUN_PARTS" no-such &&
		says "RUN is empty" RUN= "$RUN_PARTS" -x vm run &&
		[ ! -e "$CACHE/apt/no-such" ]
}

# As one with a syntax error does.
program_without_cases_is_an_error()
{
	printf '#!/bin/bash\nif\n' >"$scratch/broken_test"
	chmod +x "$scratch/broken_test"
	if (list_cases "$scratch") >"$scratch/out" 2>&1; then
		echo "it was passed over"
		return 1
	fi
	grep 'broken_test lists no case' "$scratch/out"
}

# fetch COMMAND...: fetches a kernel into the empty cache.
fetch()
{
	"$@" env CACHE="$cache" K=bookworm "$HARNESS/kernel.sh"
}

cache_is_clean()
{
	! compgen -G "$cache/kernels/*"
}

no_network_gets_one_clear_line()
{
	says "the package mirror cannot be reached" \
		CACHE="$cache" K=bookworm unshare --net "$HARNESS/kernel.sh" &&
		cache_is_clean
}

# First the package lists do not fit, then the kernel.
no_space_gets_one_clear_line()
{
	local size

	for size in 20M 200M; do
		mount -t tmpfs -o size="$size" none "$cache" || return 1
		if ! says "no space left" CACHE="$cache" K=bookworm \
			"$HARNESS/kernel.sh" || ! cache_is_clean; then
			umount "$cache"
			return 1
		fi
		umount "$cache"
	done
}

is_fetching()
{
	compgen -G "$cache/kernels/.bookworm.*" >/dev/null
}

interrupted_fetch_leaves_nothing_and_is_repeated()
{
	local job

	fetch setpriv --pdeathsig KILL unshare --pid --fork --kill-child \
		--mount-proc &
	job=$!
	within 300 is_fetching || return 1
	kill -KILL "$job"
	wait "$job" 2>/dev/null
	cache_is_clean || return 1
	fetch env && [ -e "$cache/kernels/bookworm/release" ] && ! is_fetching
}

two_fetches_at_once_agree()
{
	local job

	fetch env >"$scratch/one" 2>"$scratch/one.log" &
	job=$!
	fetch env >"$scratch/two" 2>"$scratch/two.log" || return 1
	wait "$job" || return 1
	cat "$scratch"/{one,two}.log
	cmp "$scratch"/{one,two} && [ -s "$scratch/one" ] &&
		grep -q 'waiting for another run' "$scratch"/{one,two}.log &&
		[ "$(cat "$scratch"/{one,two}.log |
			grep -c 'unpacking them \.\.\.')" = 1 ]
}

# machines: counts the virtual machines of "make vm".
machines()
{
	pgrep -fc "qemu.*$TOP/build/.*/vm/run/initrd"
}

machine_runs()
{
	[ "$(machines)" -gt 0 ] && grep -q 'is up' "$scratch/out"
}

nothing_runs()
{
	[ "$(machines)" -eq 0 ] && ! kill -0 "$job" 2>/dev/null
}

# Signal make alone, as a supervisor does, not its process group.
make_that_is_told_to_end_takes_its_machine_along()
{
	local signal job

	for signal in TERM INT HUP; do
		RUN='echo is up; sleep 10000' env -u T --default-signal \
			make -C "$TOP" --no-print-directory vm \
			>"$scratch/out" 2>&1 &
		job=$!
		within 300 machine_runs || return 1
		kill "-$signal" "$job"
		within 30 nothing_runs || return 1
		echo "$signal: nothing is left"
	done
}

machine_runs_the_command_with_the_modules_loaded()
{
	RUN='cut -d" " -f1 /proc/modules; exit 7' "$RUN_PARTS" -x vm run \
		>"$scratch/out" 2>&1
	[ $? -eq 7 ] && grep -x "${WATCHED_MODULES[0]}" "$scratch/out"
}

part_ends_by_its_limit_and_says_what_it_waited_for()
{
	"$RUN_PARTS" "selftests LIMIT=15" >"$scratch/out" 2>&1 && return 1
	grep -E 'limit of 15 s|the end of .*console|not ok .*ended_by' \
		"$scratch/out" && [ "$(grep -c 'limit of 15 s' "$scratch/out")" = 1 ]
}

# So that a result of one system outlives the work on the others.
results_depend_on_the_system_and_what_all_share()
(
	local before other

	TOP=$scratch/tree
	TESTING=$TOP/testing
	mkdir -p "$TESTING"/{systems,tests/{one,other}} && git init -q "$TOP" ||
		return 1
	touch "$TESTING"/{systems/{one,other},tests/{one,other}/a.c,common.sh}
	touch "$TESTING/guide.rst"
	git -C "$TOP" add .
	before=$(sources_hash one)
	other=$(sources_hash other)
	for file in systems/other tests/other/a.c guide.rst; do
		echo >>"$TESTING/$file"
	done
	[ "$(sources_hash one)" = "$before" ] || return 1
	[ "$(sources_hash other)" != "$other" ] || return 1
	for file in systems/one tests/one/a.c common.sh; do
		before=$(sources_hash one)
		echo >>"$TESTING/$file"
		[ "$(sources_hash one)" != "$before" ] || return 1
	done
	before=$(sources_hash)
	echo >>"$TESTING/tests/other/a.c"
	[ "$(sources_hash)" != "$before" ]
)

tests=(
	unknown_names_get_one_clear_line
	program_without_cases_is_an_error
	no_network_gets_one_clear_line
	no_space_gets_one_clear_line
	interrupted_fetch_leaves_nothing_and_is_repeated
	two_fetches_at_once_agree
	machine_runs_the_command_with_the_modules_loaded
	make_that_is_told_to_end_takes_its_machine_along
	part_ends_by_its_limit_and_says_what_it_waited_for
	results_depend_on_the_system_and_what_all_share
)
choose_tests harness
need_packages "${HOST_PACKAGES[@]}" procps
for name in "${tests[@]}"; do
	scratch=$(mktemp -d)
	cache=$scratch/cache
	mkdir "$cache"
	run_test "harness:$name" "$name"
	rm -rf "$scratch"
done
exit $((failed > 0))
