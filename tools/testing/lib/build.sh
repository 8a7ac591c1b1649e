#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: K=... build.sh modules|tests|client|e2e|stress...
#
# Builds the named parts for the chosen kernel below build/RELEASE, so that the
# tree stays clean and builds for several kernels coexist, and prints that
# directory. In it: modules/ (a copy of the sources and the .ko files), tests/,
# client/, e2e/, stress/, and links to what they are for: kernel (see
# fetch-kernel.sh) and headers. Of several runs at the same time one builds, and
# the others then find it done.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

jobs=-j$(nproc)

# Only what the modules are made of; what the build made there stays, and only
# what changed gets a new time.
copy_sources()
{
	mkdir -p "$build/modules"
	rsync -rlp --checksum --delete --prune-empty-dirs \
		--exclude='*.mod.c' --exclude='.*' --exclude=/build \
		--exclude=/tools/testing/vm --exclude=/tools/vfio-mdev \
		--exclude='/tools/testing/selftests/vfio-mdev/*.c' \
		--include='*/' \
		--include='*.[chS]' --include='Kbuild*' --include='Makefile' \
		--exclude='*' "$TOP/" "$build/modules/"
	rm -f "$build/modules/Makefile"
}

# The modules of sources that are gone. Those that stay are not touched:
# another run may be packing them.
drop_stale_modules()
{
	local ko
	(cd "$build/modules" && find . -name '*.ko') | while read -r ko; do
		ko=${ko#./}
		# The list has full paths or not, and names objects since 6.4.
		grep -qE "(^|/)${ko%.ko}\.k?o\$" \
			"$build/modules/modules.order" ||
			rm "$build/modules/$ko"
	done
}

# Where the build tools of a newer suite's headers can run: its own root.
build_in_root()
{
	local root=$1 log=$2
	# shellcheck disable=SC2016 # for the inner shell
	unshare --mount bash -euc '
		mount --bind "$1" "$2/mnt"
		mount -t proc none "$2/proc"
		chroot "$2" make -C "/usr/src/linux-headers-$3" M=/mnt \
			MDEV_TESTS=1 "$4" modules' \
		- "$build/modules" "$root" "$release" "$jobs" >"$log" 2>&1
}

suite_root()
{
	local suite root
	case $K in
	6.12)	suite=trixie ;;
	7.2)	suite=trixie-backports ;;
	*)	die "no headers of $release, and no suite for kernel $K" ;;
	esac
	root=$("$TOP/tools/testing/build/root.sh" "$suite") || return
	# The root may be older than the kernel's image.
	if [ ! -d "$root/usr/src/linux-headers-$release" ]; then
		root=$(REFRESH=1 "$TOP/tools/testing/build/root.sh" "$suite") ||
			return
	fi
	[ -d "$root/usr/src/linux-headers-$release" ] ||
		die "the headers in $root are not those of $release"
	echo "$root"
}

make_modules()
{
	local log=$build/modules.log headers=usr/src/linux-headers-$release root

	if [ -d "$kernel/$headers" ]; then
		ln -sfn "$kernel/$headers" "$build/headers"
		make -C "$kernel/$headers" M="$build/modules" MDEV_TESTS=1 \
			"$jobs" modules >"$log" 2>&1
	else
		root=$(suite_root) || return
		ln -sfn "$root/$headers" "$build/headers"
		build_in_root "$root" "$log"
	fi || {
		tail -n 40 "$log"
		return 1
	}
	find "$build/modules" -name '*.ko' | grep -q . || {
		echo "no module was built"
		return 1
	}
}

build_modules()
{
	need_packages "${MODULE_PACKAGES[@]}"
	[ -e "$TOP/Kbuild" ] || die "no Kbuild in $TOP"
	copy_sources
	step "building the modules for $release" make_modules
	drop_stale_modules
}

# kselftest_harness: prints the folder of kselftest_harness.h.
kselftest_harness()
{
	local source dir=tools/testing/selftests

	source=$("$LIB/fetch-source.sh" trixie linux-source-6.12 \
		"$dir/kselftest_harness.h" "$dir/kselftest.h") || return
	echo "$source/$dir"
}

build_tests()
{
	local ksft dir=tools/testing/selftests/vfio-mdev

	need_packages "${PROGRAM_PACKAGES[@]}"
	[ -d "$TOP/$dir" ] || die "no tests: $dir is missing"
	ksft=$(kselftest_harness)
	step "building the test programs" \
		make -C "$TOP/$dir" "$jobs" KSFT="$ksft" OUT="$build/tests"
}

# After the tests, with whose library they are linked.
build_e2e()
{
	local ksft

	ksft=$(kselftest_harness)
	step "building the end-to-end test programs" \
		make -C "$TOP/tools/testing/e2e" "$jobs" KSFT="$ksft" \
		LIB="$build/tests/obj/libmdev_test.a" OUT="$build/e2e"
}

build_client()
{
	need_packages "${PROGRAM_PACKAGES[@]}"
	[ -d "$TOP/tools/vfio-mdev" ] || die "no client: tools/vfio-mdev is missing"
	step "building the client" \
		make -C "$TOP/tools/vfio-mdev" "$jobs" OUT="$build/client"
}

build_stress()
{
	need_packages "${PROGRAM_PACKAGES[@]}"
	step "building the stress programs" \
		make -C "$TOP/tools/testing/stress" "$jobs" OUT="$build/stress"
}

build_all()
{
	local part
	for part in "$@"; do
		"build_$part"
	done
}

[ $# -gt 0 ] || die "usage: $(basename "$0") modules|tests|client|e2e|stress..."
kernel=$("$LIB/fetch-kernel.sh")
release=$(cat "$kernel/release")
build=$TOP/build/$release
mkdir -p "$build"/{tests,client}
ln -sfn "$kernel" "$build/kernel"
with_lock "build$(tr / - <<<"$build")" build_all "$@" >&2
echo "$build"
