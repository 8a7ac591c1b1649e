#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] builds.sh [6.1|6.12|7.2]...
#
# Builds the modules with W=1 against the kernels of several Debian suites, each
# with that suite's own compiler and headers, and compares the exported symbols
# with the kernel's. Without an argument K chooses the kernel, and without K it
# is all of them. REFRESH=1 makes the suites' roots anew.

kernels=("${@:-${K:-}}")

# shellcheck source=tools/testing/build/lib.sh
. "$(dirname "$0")/lib.sh"

here=$(dirname "$0")
declare -A suites=([6.1]=bookworm [6.12]=trixie [7.2]=trixie-backports)
[ -n "${kernels[0]}" ] || kernels=(6.1 6.12 7.2)

# build_in ROOT KDIR: the sources are copied to a tmpfs on ROOT/mnt. Linux 7.2's
# objtool reads /proc.
build_in()
{
	local root=$1 kdir=$2

	mount -t proc none "$root/proc" &&
		mount -t tmpfs none "$root/mnt" &&
		copy_sources "$root/mnt" &&
		build_modules "$root/mnt" "$root/mnt/log" \
			chroot "$root" env -i LC_ALL=C \
			PATH=/usr/sbin:/usr/bin:/sbin:/bin \
			make -C "${kdir#"$root"}" M=/mnt W=1 MDEV_TESTS=1 &&
		no_warnings "$root/mnt/log" /mnt
}

check_kernel()
{
	local kernel=$1 test=modules_build_without_warning_on_$1 root kdirs

	if ! root=$("$here/root.sh" "${suites[$kernel]}"); then
		not_ok "$test"
		return
	fi
	kdirs=("$root"/usr/src/linux-headers-*-"$(dpkg --print-architecture)")
	[ ${#kdirs[@]} -eq 1 ] || die "several kernels: ${kdirs[*]}"
	note "$kernel: $(basename "${kdirs[0]}")," \
		"$(chroot "$root" gcc --version | head -n 1)"

	run_test "$test" build_in "$root" "${kdirs[0]}"
	"$here/crc.sh" "$root/mnt" "${kdirs[0]}" ||
		failed=$((failed + 1))
	umount "$root/mnt" "$root/proc" || true
}

for kernel in "${kernels[@]}"; do
	[ -n "${suites[$kernel]:-}" ] ||
		die "K=$kernel: choose one of ${!suites[*]}"
done
[ "$(id -u)" -eq 0 ] || die "only root can build in another suite's root"

# What is mounted below is seen by nobody else and goes away with this process,
# however it ends.
if [ -z "${BUILDS_IN_NAMESPACE:-}" ]; then
	export BUILDS_IN_NAMESPACE=1
	exec unshare --mount -- "$0" "${kernels[@]}"
fi

need_packages git
for kernel in "${kernels[@]}"; do
	check_kernel "$kernel"
done
exit $((failed > 0))
