#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] root.sh
#
# Makes a file system image of Debian 12 with the programs that people use
# mediated devices with, and prints its name; beside it, NAME.versions says which
# they are. It is kept in the cache, and made anew only with REFRESH=1 or when
# what goes into it has changed.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

suite=bookworm
image=$CACHE/roots/e2e.img
# The subjects, and then what their tests need.
programs=(libvirt-daemon-system libvirt-clients mdevctl qemu-system-x86 udev)
packages=("${programs[@]}" dbus kmod busybox-syslogd strace procps jq libxml2-utils socat)
key=$({
	echo "$suite ${packages[*]}"
	cat "$0"
} | sha256sum | cut -c1-16)

is_current()
{
	[ -e "$image" ] && [ "$(cat "$image.key" 2>/dev/null)" = "$key" ]
}

# In Debian 12 mdevctl's udev rule calls it where it is not.
mend_mdevctl()
{
	[ -e "$1/usr/sbin/mdevctl" ] ||
		ln -s ../bin/mdevctl "$1/usr/sbin/mdevctl"
}

# What is of no use in there makes the image a third larger.
slim()
{
	rm -rf "$1"/usr/share/{doc,man,locale,info} "$1"/var/{cache,lib}/apt \
		"$1/etc/resolv.conf"
	# Where the machine's own modules and the tests are mounted.
	mkdir -p "$1/vm" "$1/lib/modules"
	echo mdev >"$1/etc/hostname"
	echo "127.0.0.1 localhost mdev" >"$1/etc/hosts"
}

# Without a journal: the image is only ever a base for what a run writes.
pack_image()
{
	local size

	size=$(du -sm "$1" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$1" "$2" "$((size + 300))M"
}

make_image()
{
	local new

	# Somebody else may have made it while we waited for the lock.
	[ -n "${REFRESH:-}" ] || ! is_current || return 0

	need_packages mmdebstrap debian-archive-keyring e2fsprogs
	apt_suite "$suite"
	mkdir -p "$CACHE/roots"
	# The lock is ours: what lies here is left of a run that was killed.
	rm -rf --one-file-system "$CACHE/roots"/.e2e.*
	new=$(mktemp -d "$CACHE/roots/.e2e.XXXXXX")
	chmod 755 "$new"
	step "making a root of $suite with ${packages[*]}" \
		new_root "$suite" minbase "$(IFS=,; echo "${packages[*]}")" \
		"$new/root"
	chroot "$new/root" dpkg-query -W "${programs[@]}" |
		tr '\t' ' ' >"$new/versions"
	mend_mdevctl "$new/root"
	slim "$new/root"
	step "making an image of it" pack_image "$new/root" "$new/image"
	# A machine that runs keeps the old one open.
	rm -f "$image.key"
	mv "$new/versions" "$image.versions"
	mv "$new/image" "$image"
	echo "$key" >"$image.key"
	rm -rf --one-file-system "$new"
}

if [ -n "${REFRESH:-}" ] || ! is_current; then
	with_lock root-e2e make_image
fi
echo "$image"
