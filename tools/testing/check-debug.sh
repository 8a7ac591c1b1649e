#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=debug|kcsan] [T=name] [LIST=1] [SCALE=percent] [SEED=n]
#        check-debug.sh
#
# What runs in the virtual machine, on the two kernels that look for faults:
# debug has KASAN, lockdep, kmemleak and what else is in
# tools/testing/vm/config/debug.config, and kcsan looks for data races. They are
# built from Debian's source when they are not in the cache. On both come the
# selftests, the KUnit suites and the soak test, and on debug the fuzzers and
# every allocation's failure; SCALE is how much of the usual number of
# operations these do. T chooses selftests alone.
#
# One KTAP stream, in which each name begins with the part's. A kernel that
# releases late spends its time waiting, so several machines run at once.

kernels=${K:-debug kcsan}

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/lib/common.sh"

export SCALE=${SCALE:-10}
check=$TOP/tools/testing/check.sh
out=$TOP/build/check-debug

# run_part NAME COMMAND...: a failure without a result to show for it is one.
run_part()
{
	local name=$1 totals=$out/$1.totals rc=0 failed=0
	shift

	rm -f "$totals"
	env TOTALS="$totals" TOTALS_PREFIX="# $name: " "$@" 2>&1 </dev/null |
		sed -uE "s/^((not )?ok [0-9]+ )/\1$name:/" || rc=$?
	[ ! -e "$totals" ] || read -r _ failed _ <"$totals"
	[ "$rc" -eq 0 ] || [ "$failed" -gt 0 ] || echo "not ok - $name:check"
}

# Each part's results come in one piece when it has ended.
start_part()
{
	log "$1 begins; see ${out#"$TOP"/}/$1.log"
	{
		run_part "$@" >"$out/$1.log"
		flock "$out/print" cat "$out/$1.log"
	} &
}

run_debug()
{
	local i n=3

	# A choice may be a single case.
	[ -z "${T:-}" ] || n=1
	for ((i = 1; i <= n; i++)); do
		start_part "debug-$i" K=debug SHARD="$i/$n" "$check" vm
	done
}

run_kcsan()
{
	start_part kcsan K=kcsan "$check" vm
}

# The stress programs need the processors, and come after the others.
run_all()
{
	local kernel

	for kernel in $kernels; do
		"run_$kernel"
	done
	wait
	[ -z "${T:-}" ] || return 0
	for kernel in $kernels; do
		[ "$kernel" != debug ] ||
			start_part debug-faults K=debug "$check" faults
		start_part "$kernel-soak" "K=$kernel" "$check" soak
	done
	wait
	for kernel in $kernels; do
		[ "$kernel" != debug ] ||
			start_part debug-fuzz K=debug "$check" fuzz
	done
	wait
}

if [ -n "${LIST:-}" ]; then
	K=${kernels%% *} exec "$check" vm
fi
for kernel in $kernels; do
	[[ $kernel = @(debug|kcsan) ]] || die "K is debug or kcsan, not $kernel"
done
mkdir -p "$out"
run_all | "$LIB/ktap.sh"
