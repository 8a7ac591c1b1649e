#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: K=... vm.sh shell
#        K=... vm.sh run COMMAND [FILE...]
#
# shell: a prompt in the virtual machine, with the modules loaded.
# run: runs the command line there, with the files beside it in /vm, and exits
# with its status. Its output appears here; the console is in build/.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tools/testing/vm/boot.sh
. "$TOP/tools/testing/vm/boot.sh"

need_packages "${VM_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}"
build=$("$LIB/build.sh" modules client)
vm_prepare "$build" "$1"

case $1 in
shell)
	{
		echo "export TERM=${TERM:-linux}"
		[ ! -t 0 ] || stty size |
			sed -n 's/^\([1-9].*\) \([1-9].*\)/stty rows \1 cols \2/p'
	} >"$VM/root/main"
	cat >>"$VM/root/main" <<-'MAIN'
		modprobe mtty
		modprobe vfio_iommu_type1
		lsmod
		echo "Types: /sys/class/mdev_bus/mtty/mdev_supported_types"
		echo "Leave with exit or ^D."
		cd /root
		export PS1='mdev:\w\$ '
		exec bash --norc -i
	MAIN
	vm_pack
	vm_boot_shell
	;;
run)
	{
		echo "exec >/dev/ttyS1 2>&1"
		printf '%s\n' "$2"
	} >"$VM/root/main"
	shift 2
	[ $# -eq 0 ] || cp -t "$VM/root" "$@"
	vm_pack
	vm_boot
	if [ -z "$VM_STATUS" ]; then
		vm_console_tail >&2
		die "the virtual machine gave no verdict: $VM_END"
	fi
	[ "$VM_STATUS" != 137 ] ||
		log "killed: it may take $VM_SECONDS s (VM_SECONDS)"
	if vm_complained ""; then
		vm_console_tail >&2
		die "the kernel complained"
	fi
	exit "$VM_STATUS"
	;;
*)
	die "usage: $(basename "$0") shell | run COMMAND [FILE...]"
	;;
esac
