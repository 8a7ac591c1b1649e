# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: uses the roots that root.sh makes.

# in_root ROOT KERNEL DIR COMMAND...: runs the command in the root, with DIR on
# /mnt and the headers of KERNEL (if not empty) where their package installs
# them. Objtool reads /proc.
in_root()
{
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -euc '
		root=$1 kernel=$2 dir=$3
		shift 3
		mount --bind "$dir" "$root/mnt"
		mount -t proc none "$root/proc"
		for path in ${kernel:+"$kernel"/usr/src "$kernel"/usr/lib/linux-kbuild-*}; do
			[ -d "$path" ] || continue
			mkdir -p "$root${path#"$kernel"}"
			mount --bind "$path" "$root${path#"$kernel"}"
		done
		exec chroot "$root" env -i LC_ALL=C \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"' - "$@"
}

# overlay ROOT FOLDER: mounts a copy of the root on FOLDER/root. Changes go to
# FOLDER. The mount ends with the mount namespace of the part, or by umount.
overlay()
{
	mkdir -p "$2"/{upper,work,root}
	mount -t overlay none -o "lowerdir=$1,upperdir=$2/upper,workdir=$2/work" \
		"$2/root"
}

# pack_image ROOT FILE: packs an ext4 image, whose host is named after the system.
# No journal: QEMU discards what a run writes.
pack_image()
{
	local size

	echo "$S" >"$1/etc/hostname"
	echo "127.0.0.1 localhost $S" >"$1/etc/hosts"
	size=$(du -sm "$1" | cut -f1)
	mke2fs -q -t ext4 -O ^has_journal -m 0 -d "$1" "$2" "$((size + 300))M"
}
