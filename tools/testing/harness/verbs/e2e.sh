#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [T=name] [SCALE=percent] [LIST=1] e2e.sh [shell]
#
# Boots virtual machines into the Debian suite of the kernel K, with the
# system's real user-space programs and our modules, and runs the *_test
# programs of tools/testing/e2e/S there. T selects a program, a case or a shell
# pattern of either; LIST=1 lists them. "shell" opens a prompt instead. PACKAGED
# is a folder of matrix.sh: the machines run its image and the modules that are
# installed there.

# One case may start and stop many guests, in a machine that is itself emulated.
CASE_SECONDS=${CASE_SECONDS:-1800}
VM_SECONDS=${VM_SECONDS:-3400}

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"
amd64_only e2e

here=$TESTING/e2e/$S

list_all()
{
	list_cases "$build/e2e"
	list_cases "$here"
}

fill()
{
	local program file

	cp -t "$VM/root/tests" "$HARNESS"/vm/{testlib,debs}.sh
	mkdir -p "$build/e2e"
	find "$build/e2e" "$here" -maxdepth 1 -type f \
		\( -name '*_test' -o -name '*.sh' \) \
		-exec cp -t "$VM/root/tests" {} +
	mkdir "$VM/root/bare"
	for program in "${E2E_BARE[@]}"; do
		mv -t "$VM/root/bare" "$VM/root/tests/$program"
	done
	for file in "$VM/root/tests"/*.sh; do
		ln -s "../tests/${file##*/}" "$VM/root/bare/"
	done
	cp -t "$VM/root" "$HARNESS"/vm/debian/{before,main}
	[ -z "${PACKAGED:-}" ] || cp -r "$PACKAGED/debs" "$VM/root/"
	debian_fill
}

if [ -n "${LIST:-}" ]; then
	build=$("$HARNESS/build.sh" e2e)
	list_all | select_cases | show_cases
	exit
fi

build=$("$HARNESS/build.sh" modules tools e2e)
if [ "${1:-}" = shell ]; then
	debian_machine "$build" "${PACKAGED:+$PACKAGED/image}"
	cases_prepare "$build" shell ""
	fill
	vm_pack
	vm_boot_shell
	exit
fi
cases=$(list_all | select_cases)
[ -n "$cases" ] || exit 0
debian_machine "$build" "${PACKAGED:+$PACKAGED/image}"
# Don't boot a second machine for a few cases.
machines=2
[ "$(wc -l <<<"$cases")" -gt 8 ] || machines=1
run_machines "$build" e2e "$machines" fill "$cases"
