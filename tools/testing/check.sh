#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] check.sh
#        [K=...] check.sh builds
#        [K=...] [SCALE=percent] [SEED=n] check.sh fuzz|soak|faults
#        K=debug|kcsan [T=name] [LIST=1] [SHARD=i/n] check.sh vm
#
# Runs the checks that need no machine (tools/testing/build), then every case
# of every test program in the virtual machine, as one KTAP stream on stdout
# that ends with the totals. T chooses a program, a case or a shell pattern of
# either; LIST=1 names what there is instead of running it. With "builds" the
# modules are only built, for each kernel that is supported or the one K names.
# The other three are what tools/testing/stress has, on the kernels they are
# for, or on K. With "vm" only what runs in the machine is run, or of it every
# n-th case from the i-th on.
#
# On the kernels that look for faults (K=debug, K=kcsan) KUnit suites are run as
# well, and modules stay loaded from one case to the next: the first releases
# kobjects seconds late, which made a case with its modules take 20 s and more.
# The cases that are about unloading do it all the same, and so does the end.
#
# TOTALS and TOTALS_PREFIX are for lib/ktap.sh.

asked_kernel=${K:-}

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=tools/testing/vm/cases.sh
. "$TOP/tools/testing/vm/cases.sh"

SHARD=${SHARD:-}
case $K in
debug | kcsan)
	keep=1 CASE_SECONDS=${CASE_SECONDS:-240}
	;;
*)
	keep='' CASE_SECONDS=${CASE_SECONDS:-60}
	;;
esac
static=$TOP/tools/testing/build/static.sh
crc=$TOP/tools/testing/build/crc.sh

# Lists static checks as "program:case".
list_static()
{
	local name
	if [ -x "$static" ]; then
		"$static" -l | while read -r name; do
			echo "static:$name"
		done
	fi
	[ ! -x "$crc" ] || echo "crc:symbols"
}

# Modules of KUnit suites, which only a kernel with KUnit gets.
list_kunit()
{
	local ko

	find "$1/modules" -name '*_kunit.ko' | sort | while read -r ko; do
		echo "kunit $(basename "$ko" .ko)"
	done
}

# Those of this run's share.
shard()
{
	local i=${SHARD%/*} n=${SHARD#*/}

	awk -v i="${i:-1}" -v n="${n:-1}" 'NR % n == i % n'
}

# run_part NAME COMMAND...: a script that prints results; it must print some,
# and its exit status has to agree.
run_part()
{
	local part=$1 out rc=0
	shift
	out=$(mktemp)
	"$@" </dev/null | sed -uE "s/^((not )?ok)[ 0-9]*(- *)?/\1 - $part:/" |
		tee "$out" || rc=$?
	if ! grep -qE '^(not )?ok' "$out" ||
		{ [ "$rc" -ne 0 ] && ! grep -q '^not ok' "$out"; }; then
		echo "# ended with status $rc and no failure to show for it"
		echo "not ok - $part"
	fi
	rm -f "$out"
}

run_static()
{
	local names=() name

	while read -r name; do
		! selected "$name" || names+=("${name#static:}")
	done < <(list_static | grep '^static:')
	[ ${#names[@]} -eq 0 ] || run_part static "$static" "${names[@]}"
}

run_vm()
{
	local cases

	cases=$({
		list_kunit "$build"
		list_cases "$build/tests"
	} | select_cases | shard)
	[ -n "$cases" ] || return 0
	log "cases for the virtual machine: $(wc -l <<<"$cases")"
	cases_prepare "$build" "tests${SHARD:+-${SHARD%/*}}" "$cases"
	cp -t "$VM/root/tests" "$build"/tests/*_test \
		"$TOP/tools/testing/vm/kunit"
	cat >"$VM/root/main" <<-MAIN
		${keep:+export MDEV_TEST_KEEP_MODULES=1}
		exec /vm/runner /vm/cases /vm/tests /dev/ttyS1 $CASE_SECONDS
	MAIN
	run_cases
}

run_builds()
{
	run_part builds env -u K "$TOP/tools/testing/build/builds.sh" \
		${asked_kernel:+"$asked_kernel"}
}

# run_stress GROUP KERNEL...: on these kernels, or the one that was chosen.
run_stress()
{
	local group=$1 kernel kernels=("${@:2}")

	[ -z "$asked_kernel" ] || kernels=("$asked_kernel")
	for kernel in "${kernels[@]}"; do
		run_part "$kernel" env K="$kernel" \
			"$TOP/tools/testing/stress/stress.sh" "$group"
	done
}

build_all()
{
	if ! build=$("$LIB/build.sh" modules tests client); then
		echo "not ok - build"
		return 1
	fi
}

run_only_vm()
{
	! build_all || run_vm
}

run_all()
{
	run_static
	build_all || return 0
	if [ -x "$crc" ] && selected crc:symbols; then
		run_part crc "$crc" "$build/modules" "$build/headers"
	fi
	run_vm
}

if [ -n "${LIST:-}" ]; then
	build=$("$LIB/build.sh" tests)
	{
		list_static
		list_cases "$build/tests" | show_cases
	} | while read -r name; do
		! selected "$name" || echo "$name"
	done
	exit
fi

start=$SECONDS
what=${1:-all}
case $what in
builds)
	run=(run_builds)
	;;
fuzz)
	run=(run_stress fuzz 6.1)
	;;
soak)
	run=(run_stress soak 6.1 debug)
	;;
faults)
	run=(run_stress faults debug)
	;;
*)
	[ "$what" = vm ] && run=(run_only_vm) || run=(run_all)
	# All at once: each run of apt takes a while.
	need_packages "${CHECK_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" \
		"${PROGRAM_PACKAGES[@]}" "${VM_PACKAGES[@]}"
	;;
esac
# Not in a condition, where errexit would be off: what ends early has failed.
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - check"' EXIT
	"${run[@]}"
) | "$LIB/ktap.sh"
rc=$?
set -e
log "it took $((SECONDS - start)) s"
exit "$rc"
