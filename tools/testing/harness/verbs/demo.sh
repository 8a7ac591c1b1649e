#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [KTAP=1] demo.sh
#
# Builds the modules, boots the kernel K and runs tools/demo/S there. Fails if a
# step of the demo fails. With KTAP=1 it prints a test result.

[ -n "${KTAP:-}" ] || export LOG_PREFIX='-- '
VM_SECONDS=${VM_SECONDS:-600}

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

# A subshell, as vm_run exits if there is no verdict.
show()
(
	# errexit has no effect in a function that is part of a condition.
	build=$("$HARNESS/build.sh" modules tools) || exit
	vm_prepare "$build" demo
	cp "$TOP/tools/demo/$S" "$VM/root/demo"
	cp "$TOP/tools/demo/lib.sh" "$VM/root/demo-lib.sh"
	echo "exec >\$VM_RESULTS 2>&1; exec sh /vm/demo" >"$VM/root/main"
	vm_run
)

if [ -n "${LIST:-}" ]; then
	echo demo
	exit
fi
if [ -n "${KTAP:-}" ]; then
	run_test demo show
	exit "$failed"
fi
start=$SECONDS
rc=0
show || rc=$?
if [ "$rc" -ne 0 ]; then
	die "the demo failed after $((SECONDS - start)) s (status $rc)"
fi
log "the demo took $((SECONDS - start)) s; make shell gives you this machine"
