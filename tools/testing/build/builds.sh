#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] builds.sh [6.1|6.12|7.2]...
#
# Builds the modules with W=1 against the kernels of several Debian suites, each
# with that suite's own compiler and headers, and compares the exported symbols
# with the kernel's. The suites live in roots below $CACHE/roots that are made
# when they are missing, or anew with REFRESH=1. Without an argument K chooses the
# kernel, and without K it is all of them.

kernels=("${@:-${K:-}}")

# shellcheck source=tools/testing/build/lib.sh
. "$(dirname "$0")/lib.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"

declare -A suites=([6.1]=bookworm [6.12]=trixie [7.2]=trixie-backports)
[ -n "${kernels[0]}" ] || kernels=(6.1 6.12 7.2)

# W=1 runs scripts/kernel-doc, which wants Pod::Usage of the whole perl.
packages=make,gcc,perl

# root_is_current SUITE: whether its root is there and made with today's recipe.
root_is_current()
{
	[ "$(cat "$CACHE/roots/$1/.recipe" 2>/dev/null)" = "$(recipe "$1")" ]
}

# recipe SUITE: the packages of its root.
recipe()
{
	local headers

	headers=linux-headers-$(dpkg --print-architecture)
	case $1 in
	*-backports)	echo "$packages,$headers/$1" ;;
	*)		echo "$packages,$headers" ;;
	esac
}

# make_root SUITE: never leaves half a root under the name of a whole one.
make_root()
{
	local suite=$1 roots=$CACHE/roots new

	if [ -z "${REFRESH:-}" ] && root_is_current "$suite"; then
		return
	fi
	apt_suite "$suite"
	mkdir -p "$roots"
	# The lock is ours: what lies here is left of a run that was killed.
	rm -rf --one-file-system "$roots/.$suite".*
	new=$(mktemp -d "$roots/.$suite.XXXXXX")
	chmod 755 "$new"
	step "making a root of $suite with $(recipe "$suite")" \
		mmdebstrap --mode=root --variant=apt \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--include="$(recipe "$suite")" \
		"${suite%-backports}" "$new" "$CACHE/apt/$suite/sources.list"
	recipe "$suite" >"$new/.recipe"
	if [ -e "$roots/$suite" ]; then
		mv "$roots/$suite" "$new.old"
	fi
	mv "$new" "$roots/$suite"
	rm -rf --one-file-system "$new.old"
}

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
			make -C "${kdir#"$root"}" M=/mnt W=1 &&
		no_warnings "$root/mnt/log" /mnt
}

check_kernel()
{
	local kernel=$1 suite=${suites[$1]} root kdirs

	with_lock "root-$suite" make_root "$suite"
	root=$CACHE/roots/$suite
	kdirs=("$root"/usr/src/linux-headers-*-"$(dpkg --print-architecture)")
	[ ${#kdirs[@]} -eq 1 ] || die "$suite has several kernels: ${kdirs[*]}"
	note "$kernel: $(basename "${kdirs[0]}")," \
		"$(chroot "$root" gcc --version | head -n 1)"

	run_test "modules_build_without_warning_on_$kernel" \
		build_in "$root" "${kdirs[0]}"
	"$(dirname "$0")/crc.sh" "$root/mnt" "${kdirs[0]}" ||
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

need_packages git mmdebstrap debian-archive-keyring mount
for kernel in "${kernels[@]}"; do
	check_kernel "$kernel"
done
exit $((failed > 0))
