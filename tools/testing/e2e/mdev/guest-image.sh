#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: guest-image.sh KERNEL_DIR OUTPUT_DIR
#
# Makes what a nested guest boots: vmlinux and initrd, with busybox and
# guest-init; or halt.bin, if it only has to run.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../../harness/lib.sh"

kernel=$1
output=$2

# number OFFSET BYTES: prints a number from the header of the kernel's image.
number()
{
	od -An "-tu$2" -j "$1" -N "$2" "$kernel/vmlinuz" | tr -d ' '
}

# Unpack the kernel here: emulated twice, it takes half a minute to unpack
# itself. QEMU boots the vmlinux by its PVH note. The image's header has the
# offset of the payload (Documentation/arch/x86/boot.rst); the last 4 bytes are
# its size.
unpack_kernel()
{
	local offset=$((($(number 497 1) + 1) * 512 + $(number 584 4)))
	local length=$(($(number 588 4) - 4))

	local packed=$output/packed unpack

	dd if="$kernel/vmlinuz" of="$packed" iflag=skip_bytes,count_bytes \
		skip="$offset" count="$length" status=none
	case $(od -An -tx1 -N 4 "$packed" | tr -d ' ') in
	fd377a58)	unpack=xz ;;
	28b52ffd)	unpack=zstd ;;
	1f8b*)		unpack=gzip ;;
	*)		die "$kernel/vmlinuz is packed in a way unknown here" ;;
	esac
	"$unpack" -dc <"$packed" >"$output/vmlinux"
	rm "$packed"
}

pack_initrd()
{
	local root

	root=$(mktemp -d)
	mkdir "$root/bin"
	install -m 755 /bin/busybox "$root/bin/busybox"
	install -m 755 "$TESTING/e2e/mdev/guest-init" "$root/init"
	pack_initramfs "$root" "$output/initrd"
	rm -rf "$root"
}

# A real BIOS would keep an emulated CPU busy for seconds.
make_firmware()
{
	local code='\xfa\xf4\xeb\xfd'	# 1: cli; hlt; jmp 1b

	# shellcheck disable=SC2059 # the code is the format
	{
		head -c 65520 /dev/zero
		printf "$code"
		head -c 12 /dev/zero
	} >"$output/halt.bin"
}

mkdir -p "$output"
make_firmware
unpack_kernel
pack_initrd
