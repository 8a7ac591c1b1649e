#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] check.sh [shell]
#
# Boots a machine whose root is Debian 12 with its real libvirt, mdevctl, udev
# and QEMU, and our modules, and runs the *_test programs of this folder in it.
# KTAP on stdout. T chooses a program, a case or a shell pattern of either;
# LIST=1 names what there is. With "shell" there is a prompt instead.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

# A case may be a guest's whole life, in a machine that is emulated itself.
CASE_SECONDS=${CASE_SECONDS:-400}
VM_SECONDS=${VM_SECONDS:-2400}
here=$TOP/tools/testing/e2e

# shellcheck source=tools/testing/vm/cases.sh
. "$TOP/tools/testing/vm/cases.sh"

# The root's disk, and what the machine's own tools load.
configure_machine()
{
	local image

	image=$("$here/root.sh") || return
	VM_MEMORY=4G
	VM_MODULES=(virtio_pci virtio_blk ext4 kvm-amd? kvm-intel?)
	VM_OPTIONS=(-drive "file=$image,format=raw,if=virtio,snapshot=on")
	sed 's/^/# /' "$image.versions" >&2
}

fill_root()
{
	mkdir "$VM/root/bare"
	cp -t "$VM/root/bare" "$build"/e2e/*_test
	cp -t "$VM/root/tests" "$here"/*_test "$here"/{lib,libvirt,guests}.sh
	cp -t "$VM/root" "$here/machine"
	cp "$here/main" "$VM/root/main"
	step "unpacking the guest's kernel" \
		"$here/guest-image.sh" "$build/kernel" "$VM/root/guest"
}

# Those that need no Debian come first; see main.
list_all()
{
	list_cases "$build/e2e"
	list_cases "$here"
}

run_all()
{
	local build cases

	if ! build=$("$LIB/build.sh" modules client tests e2e); then
		echo "not ok - build"
		return
	fi
	cases=$(list_all | select_cases)
	[ -n "$cases" ] || return 0
	configure_machine
	cases_prepare "$build" e2e "$cases"
	fill_root
	echo "CASE_SECONDS=$CASE_SECONDS" >>"$VM/root/env"
	run_cases
}

run_shell()
{
	local build

	build=$("$LIB/build.sh" modules client tests e2e)
	configure_machine
	cases_prepare "$build" shell ""
	fill_root
	vm_pack
	vm_boot_shell
}

if [ -n "${LIST:-}" ]; then
	build=$("$LIB/build.sh" tests e2e)
	list_all | select_cases | show_cases
	exit
fi

start=$SECONDS
need_packages "${VM_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}"
if [ "${1:-}" = shell ]; then
	run_shell
	exit
fi
# Not in a condition, where errexit would be off: what ends early has failed.
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - check"' EXIT
	run_all
) | "$LIB/ktap.sh"
rc=$?
set -e
log "it took $((SECONDS - start)) s"
exit "$rc"
