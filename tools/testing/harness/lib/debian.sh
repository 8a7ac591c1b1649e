# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034
#
# Part of lib.sh: virtual machines with the root of a Debian suite, on a disk.

# debian_machine BUILD [IMAGE]: the next machine boots into this image, or into one with
# the system's E2E_* of the suite of the kernel in BUILD.
debian_machine()
{
	local suite image=${2:-}

	suite=$(base_suite "$(<"$1/kernel/suite")")
	[ -n "$image" ] || image=$("$HARNESS/image.sh" "$suite") || return
	VM_MEMORY=4G
	VM_MODULES=(virtio_pci virtio_blk ext4 "${E2E_MODULES[@]}")
	VM_OPTIONS=(-drive "file=$image,format=raw,if=virtio,snapshot=on")
	log "programs of $suite: $(paste -sd, "$image.versions" | sed 's/,/, /g')"
}

# debian_fill: call it after vm_prepare. Adds what enters that root.
debian_fill()
{
	local daemons=$TESTING/e2e/$S/daemons

	cp -t "$VM/root" "$HARNESS"/vm/debian/{enter,boot}
	[ ! -e "$daemons" ] || cp -t "$VM/root" "$daemons"
	e2e_fill
}
