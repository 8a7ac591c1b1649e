#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [ARCH=...] [T=name] [LIST=1] selftests.sh
#
# Runs every case of every test program of tools/testing/selftests/S in virtual
# machines with the kernel K. T selects programs, cases or shell patterns of
# either; LIST=1 lists them.
#
# On kernels built here the KUnit suites run as well, and modules stay loaded
# between cases: these kernels delay the release of kobjects by seconds, so that
# reloading would take 20 s per case. Cases about unloading still unload.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

# Most cases wait more than they compute, so several machines run in parallel.
machines=3
keep=
if is_slow_kernel; then
	machines=4
	keep="export KEEP_MODULES=1"
fi

# Only a kernel with KUnit has modules of KUnit suites.
list_kunit()
{
	find "$build/modules" -name '*_kunit.ko' -printf '%f\n' | sort |
		sed -n 's/^\(.*\)\.ko$/kunit \1/p'
}

fill()
{
	cp -t "$VM/root/tests" "$build"/selftests/*_test "$HARNESS/vm/kunit"
	cat >"$VM/root/main" <<-MAIN
		$keep
		exec /vm/runner /vm/cases /vm/tests \$VM_RESULTS \$CASE_SECONDS
	MAIN
}

if [ -n "${LIST:-}" ]; then
	build=$("$HARNESS/build.sh" selftests)
	list_cases "$build/selftests" | select_cases | show_cases
	exit
fi
build=$("$HARNESS/build.sh" modules selftests tools)
cases=$({
	list_kunit
	list_cases "$build/selftests"
} | select_cases)
# Don't boot several machines for a few cases.
[ "$(wc -l <<<"$cases")" -gt 20 ] || machines=1
run_machines "$build" selftests "$machines" fill "$cases"
