#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=suite] [T=name] [LIST=1] series.sh
#        KTREE=folder series.sh write
#
# Writes the modules as patches for a kernel source tree (packaging/kernel/series),
# and applies them to the source of the suite K. That kernel is then built with
# modules, and with everything built in. Both boot and run the selftests by the
# kernel's own means. The tests build on each other, in the order of "tests".
#
# "write" patches the tree KTREE instead. The patches stay in build/series.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

amd64_only series

tests=(
	unsuitable_trees_are_refused
	patches_are_written_and_applied
	patches_are_checkpatch_clean
	each_patch_builds
	kernel_is_built_with_modules
	selftests_pass_with_modules
	kernel_is_built_in
	installed_selftests_pass_built_in
)

SELFTESTS=tools/testing/selftests
SERIES=$TOP/packaging/kernel/series

# apply TREE PATCH [OPTION]: an option of patch(1)
apply()
{
	patch -d "$1" -p1 -s --no-backup-if-mismatch "${@:3}" <"$2"
}

# write_series KTREE FOLDER: writes the patches, and applies them.
write_series()
{
	local patch

	"$SERIES" "$1" "$2" || return 1
	for patch in "$2"/*.patch; do
		echo "${patch##*/}"
		apply "$1" "$patch" -N || return 1
	done
}

# kmake ARGUMENT...: runs make in the kernel tree.
kmake()
{
	in_root "$root" '' "$work" make -s -C /mnt/linux -j"$(nproc)" "$@" \
		>"$work/log" 2>&1 || {
		tail -n 40 "$work/log"
		return 1
	}
}

# refused TEXT TREE
refused()
{
	local said

	! said=$("$SERIES" "$2" "$work/none" 2>&1) && grep -F "$1" <<<"$said" &&
		[ ! -e "$work/none" ]
}

unsuitable_trees_are_refused()
{
	local old=$work/old

	mkdir -p "$old"/{drivers/vfio/mdev,include/linux}
	refused "no kernel source tree" "$HARNESS" || return 1
	touch "$old/drivers/vfio/mdev/mdev_core.c"
	refused "older than" "$old" || return 1
	touch "$old/drivers/vfio/mdev/mdev_guard.c"
	refused "the tree has the patches" "$old"
}

patches_are_written_and_applied()
{
	write_series "$tree" "$patches" &&
		refused "the tree has the patches" "$tree"
}

# The excuses of checkpatch-ignore hold here as well. MAINTAINERS names each folder
# that the patches add files to.
patches_are_checkpatch_clean()
{
	local patch

	for patch in "$patches"/*.patch; do
		perl "$tree/scripts/checkpatch.pl" --strict --no-tree --terse \
			--show-types --no-summary --showfile \
			--ignore FILE_PATH_CHANGES "$patch" |
			sed 's,/vfio-mdev/\(.*_test\),/mdev/\1,'
	done >"$work/checkpatch"
	! unexcused patch <"$work/checkpatch" | grep .
}

# configure VALUE: with m or y for what can be a module.
configure()
{
	kmake tinyconfig || return 1
	cat "$CONFIG"/{machine,series}.config "$TESTING/systems/$S.config" |
		sed -E "/VFIO|MDEV/s/=m\$/=$1/" >>"$tree/.config"
	kmake olddefconfig && grep -x "CONFIG_VFIO_MDEV=$1" "$tree/.config" &&
		grep -x "CONFIG_SAMPLE_VFIO_MDEV_MTTY=$1" "$tree/.config"
}

# Take the patches off, then build after each.
each_patch_builds()
{
	local patch list

	mapfile -t list < <(printf '%s\n' "$patches"/*.patch)
	for patch in $(printf '%s\n' "${list[@]}" | tac); do
		apply "$tree" "$patch" -R || return 1
	done
	configure m || return 1
	for patch in "${list[@]}"; do
		apply "$tree" "$patch" &&
			kmake olddefconfig &&
			kmake W=1 drivers/vfio/ samples/vfio-mdev/ || return 1
		! grep -E '^(drivers/vfio/mdev|samples/vfio-mdev/mtty)/.*warning' \
			"$work/log" || return 1
		echo "builds: ${patch##*/}"
	done
}

# build_kernel VALUE: builds the kernel and its tests into $work/VALUE.
build_kernel()
{
	local dir=$work/$1 release

	configure "$1" || return 1
	kmake bzImage modules && kmake headers &&
		kmake -C $SELFTESTS TARGETS=vfio-mdev &&
		kmake INSTALL_MOD_PATH="/mnt/$1/kernel" modules_install ||
		return 1
	kmake kernelrelease || return 1
	release=$(tail -n 1 "$work/log")
	cp "$tree/arch/x86/boot/bzImage" "$dir/kernel/vmlinuz"
	echo "$release" | tee "$dir/kernel/release"
	mkdir -p "$dir"/{tools,modules}
	cp -t "$dir/modules" "$tree/$SELFTESTS"/vfio-mdev/*.ko
}

kernel_is_built_with_modules()
{
	build_kernel m
}

kernel_is_built_in()
{
	kmake -C $SELFTESTS/vfio-mdev clean && build_kernel y
}

# judge RESULTS: each program has passed.
judge()
{
	local programs

	programs=$(sed -n 's/^# run: //p' "$1")
	echo "programs: $programs, cases: $(grep -cE '^# +ok ' "$1")," \
		"of them skipped: $(grep -cE '^# +ok .*# SKIP' "$1")"
	grep -E '^(# +)?not ok |# SKIP' "$1"
	! grep -qE '^not ok ' "$1" && [ "$programs" -gt 0 ] &&
		[ "$(grep -cE '^ok [0-9]+ selftests: vfio-mdev: ' "$1")" \
			-eq "$programs" ]
}

# boot VALUE: runs /vm/kselftest in that kernel.
boot()
{
	local results=$work/$1/results

	echo "kernel: $(<"$work/$1/kernel/release")"
	# Loaded when they are needed, not as a dependency.
	VM_MODULES=(mtty vfio_mdev)
	{
		echo "exec >\$VM_RESULTS 2>&1"
		cat
	} >"$VM/root/main"
	vm_run >"$results" || return 1
	judge "$results"
}

# "make run_tests" wants the parts of the tree that it reads, at their places.
selftests_pass_with_modules()
{
	local libraries

	vm_prepare "$work/m" run
	mkdir "$VM/root/linux"
	(
		cd "$tree" &&
			cp -a --parents -t "$VM/root/linux" scripts/subarch.include \
				usr/include/linux $SELFTESTS/{Makefile,*.mk,kselftest,vfio-mdev} \
				"$SELFTESTS"/*.{sh,h} tools/scripts
	) || return 1
	mapfile -t libraries < <(ldd /usr/bin/make | grep -o '/lib/[^ ]*')
	cp -t "$VM/root" /usr/bin/make "${libraries[@]}" || return 1
	boot m <<-MAIN
		cd /vm/linux/$SELFTESTS/vfio-mdev
		echo "# run: \$(ls *_test | grep -vc misuse)"
		LD_LIBRARY_PATH=/vm make -C .. TARGETS=vfio-mdev run_tests
	MAIN
}

installed_selftests_pass_built_in()
{
	kmake -C $SELFTESTS TARGETS=vfio-mdev \
		INSTALL_PATH=/mnt/installed install || return 1
	vm_prepare "$work/y" run
	mv "$work/installed" "$VM/root/kselftest"
	boot y <<-MAIN
		cd /vm/kselftest
		echo "# run: \$(grep -c . kselftest-list.txt)"
		./run_kselftest.sh
	MAIN
}

if [ "${1:-}" = write ]; then
	need_packages "${HOST_PACKAGES[@]}" patch unifdef
	[ -n "${KTREE:-}" ] || die "KTREE is not set: the kernel source tree"
	write_series "$KTREE" "$TOP/build/series"
	exit
fi
choose_tests series
suite=$(suite_of "$K")
need_packages "${HOST_PACKAGES[@]}" patch unifdef
work=$TOP/build/$S/series/$suite
tree=$work/linux patches=$work/patches
rm -rf "$work"
mkdir -p "$work"/{m,y}/kernel
root=$("$HARNESS/root.sh" "$suite" series "${BUILD_PACKAGES[@]}" rsync \
	python3)
apt_suite "$suite"
fetch_linux_source "$(linux_source)" "$tree"
for name in "${tests[@]}"; do
	run_test "series:$name" "$name"
	# The other tests depend on this one.
	[ "$failed" -eq 0 ] || exit 1
done
rm -rf "$tree"
