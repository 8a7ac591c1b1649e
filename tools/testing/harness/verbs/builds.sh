#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [ARCH=...] [T=name] [LIST=1] builds.sh
#
# Builds the system's modules for the kernel K, in a root of its suite with that
# suite's compiler, W=1 and sparse, and compares their exports with those of the
# distribution's modules. tools/testing/builds/S.sh may define more_tests, which use
# what was built.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

# modules LOG VARIABLE...: runs kbuild on the copy of the sources.
modules()
{
	local log=$1
	shift
	kernel_make "$kernel" "$scratch/src" "$@" BUILD_TESTS=1 \
		KBUILD_EXTRA_SYMBOLS="$extra_symbols" \
		MODULES="${MODULES[*]} ${TEST_MODULES[*]}" modules >"$log" 2>&1
}

# warnings LOG: prints the warnings about our files. Paths of the kernel's
# headers begin with a slash or a dot, and its own files are in stock/. A compiler
# that differs from the kernel's is fine.
warnings()
{
	sed 's|/mnt/||g' "$1" | grep -E '(warning|WARNING|error):' |
		grep -vE '^[./]|^[^:]*/stock/|differs from the one used to build the kernel$'
}

# Debian's s390x kernels have no VFIO, so the modules cannot run there. Take its
# exports from the suite's source, to check what the modules import.
subsystem_symvers()
{
	local source folder=${SUBSYSTEM[1]}

	source=$("$HARNESS/source.sh" "$(<"$kernel/suite")" "$folder") || return
	grep -rhoE 'EXPORT_SYMBOL(_GPL)?\([a-z0-9_]+' "$source/$folder" |
		sed -E "s|(.*)\((.*)|0x00000000\t\2\t$folder\t\1\t|"
}

modules_build_without_warning()
{
	copy_sources "$scratch/src" || return 1
	modules_fill "$scratch/src" "$kernel" || return 1
	if [ -n "$extra_symbols" ]; then
		echo "the kernel has no ${SUBSYSTEM[0]}: exports are those of its source"
		subsystem_symvers >"$scratch/src/subsystem.symvers" || return 1
	fi
	if ! modules "$scratch/log" W=1; then
		tail -n 40 "$scratch/log"
		return 1
	fi
	echo "modules: $(find "$scratch/src" -name '*.ko' -printf '%f\n' |
		sort | paste -sd' ')"
	[ -s "$scratch/src/modules.order" ] && ! warnings "$scratch/log"
}

# A suite's sparse may be too old for its kernel's headers. C=2 needs
# scripts/checker-valid.sh, which headers packages lack, so set the variables
# that C=2 sets.
sparse_is_too_old()
{
	modules "$scratch/sparse" KBUILD_CHECKSRC=2 CHECK=sparse || true
	grep -qE '^/.*: error: ' "$scratch/sparse"
}

sources_are_sparse_clean()
{
	echo "files: $(grep -c '^  CHECK ' "$scratch/sparse")"
	grep -q '^  CHECK ' "$scratch/sparse" && ! warnings "$scratch/sparse"
}

# "make modules_install" puts each module below updates/, in its folder.
modules_are_installed_below_updates()
{
	local folder updates ko

	kernel_make "$kernel" "$scratch/src" MODULES="${MODULES[*]}" \
		INSTALL_MOD_PATH=/mnt/installed INSTALL_MOD_DIR=updates \
		modules_install >"$scratch/log" 2>&1 || {
		tail -n 40 "$scratch/log"
		return 1
	}
	updates=$scratch/src/installed/lib/modules/$(<"$kernel/release")/updates
	for folder in "${MODULES[@]}"; do
		for ko in "$scratch/src/$folder"/*.ko; do
			ko=$folder/${ko##*/}
			echo "updates/$ko"
			compgen -G "$updates/$ko*" >/dev/null || return 1
		done
	done
}

tests=(modules_build_without_warning modules_are_installed_below_updates
	sources_are_sparse_clean)
more_tests=()
if [ -e "$TESTING/builds/$S.sh" ]; then
	# shellcheck source=tools/testing/builds/xen-blkback.sh
	. "$TESTING/builds/$S.sh"
fi
tests+=("${more_tests[@]}")
choose_tests builds
need_packages "${HOST_PACKAGES[@]}"
kernel=$("$HARNESS/kernel.sh")
note "building for $(<"$kernel/release"), from $(<"$kernel/suite")"
extra_symbols=
has_subsystem "$kernel" || extra_symbols=/mnt/subsystem.symvers
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Make the root first, so that the time of the build does not include it.
root=$(root_of "$kernel")
note "$(chroot "$root" "${CROSS}gcc" --version | head -n 1)"
run_test builds:modules_build_without_warning modules_build_without_warning
[ "$failed" -ne 0 ] ||
	run_test builds:modules_are_installed_below_updates \
		modules_are_installed_below_updates
if [ "$failed" -eq 0 ] && sparse_is_too_old; then
	skip builds:sources_are_sparse_clean \
		"sparse $(chroot "$root" sparse --version) cannot read this kernel's headers"
else
	run_test builds:sources_are_sparse_clean sources_are_sparse_clean
fi
if [ -n "${STOCK_SYMBOLS[*]}" ]; then
	"$HARNESS/crc.sh" "$scratch/src/Module.symvers" "$kernel" |
		sed -E 's/^((not )?ok - )/\1crc:/' || failed=$((failed + 1))
fi
for test in "${more_tests[@]}"; do
	run_test "builds:$test" "$test"
done
exit $((failed > 0))
