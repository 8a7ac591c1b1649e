#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] check.sh [shell]
#
# Boots two machines whose root is Debian 12 with its real libvirt, mdevctl, udev
# and QEMU, and our modules, and runs the *_test programs of this folder in them.
# KTAP on stdout. T chooses a program, a case or a shell pattern of either;
# LIST=1 names what there is. With "shell" there is a prompt instead.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

# A case may be many guests' whole lives, in a machine that is emulated itself.
CASE_SECONDS=${CASE_SECONDS:-1200}
VM_SECONDS=${VM_SECONDS:-3000}
here=$TOP/tools/testing/e2e
# A script that needs no Debian around it, as the C programs do not.
bare=unused_test

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
	cp -t "$VM/root/bare" "$build"/e2e/*_test "$here"/{"$bare",lib.sh}
	cp -t "$VM/root/tests" "$here"/*_test "$here"/{lib,libvirt,guests}.sh
	cp -t "$VM/root" "$here/machine" "$TOP/tools/vfio-mdev/mdev-unused" \
		"$build/e2e/load_fpu"
	cp "$here/main" "$VM/root/main"
	step "unpacking the guest's kernel" \
		"$here/guest-image.sh" "$build/kernel" "$VM/root/guest"
}

# In the order in which main runs them.
list_all()
{
	list_cases "$build/e2e"
	list_cases "$here" | grep "^$bare "
	list_cases "$here" | grep -v "^$bare "
}

# The thousands of events, most of the guests that run Linux, and libvirtd under
# strace take as long as all the rest.
share()
{
	local long='^(uevents|guest|leaving|workaround)_test '

	case $1 in
	1)	grep -E "$long" ;;
	2)	grep -vE "$long" ;;
	esac || true
}

# run_machine N: its share of the cases.
run_machine()
{
	local mine

	trap '[ $? -eq 0 ] || echo "not ok - machine"' EXIT
	mine=$(share "$1" <<<"$cases")
	[ -n "$mine" ] || return 0
	cases_prepare "$build" "e2e-$1" "$mine"
	fill_root
	echo "CASE_SECONDS=$CASE_SECONDS" >>"$VM/root/env"
	run_cases
}

# The machines speak at the same time; what belongs to a case stays together.
in_blocks()
{
	local line block=''

	while IFS= read -r line; do
		block+=$line$'\n'
		if [[ $line =~ ^(not\ )?ok ]]; then
			flock 7
			printf %s "$block"
			flock -u 7
			block=''
		fi
	done 7>"$build/vm/e2e.print"
	printf %s "$block"
}

run_all()
{
	local build cases n

	if ! build=$("$LIB/build.sh" modules client tests e2e); then
		echo "not ok - build"
		return
	fi
	cases=$(list_all | select_cases)
	[ -n "$cases" ] || return 0
	configure_machine
	mkdir -p "$build/vm"
	for n in 1 2; do
		(run_machine "$n") | in_blocks &
	done
	wait
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
