#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [ARCH=...] build.sh modules|selftests|tools|e2e|stress...
#
# Builds the named parts of the system S for the kernel K below build/S/RELEASE,
# so that the tree stays clean and builds for several kernels coexist, and
# prints that directory. It contains modules/ (a copy of the sources and the .ko
# files), a folder for each other part, and a link to the kernel (see
# kernel.sh). Of concurrent runs one builds; the others wait for it.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# Copy only the module sources. Unchanged files keep their mtime, so that the
# next build is incremental.
copy_module_sources()
{
	mkdir -p "$build/modules"
	rsync -rlp --checksum --delete --prune-empty-dirs \
		--exclude='*.mod.c' --exclude='.*' --exclude=/build \
		--exclude=/tools/testing/harness --exclude=stock/ \
		--exclude='/tools/testing/selftests/*/*.c' \
		--include='*/' \
		--include='*.[chS]' --include='Kbuild*' --include='Makefile' \
		--exclude='*' "$TOP/" "$build/modules/"
	rm -f "$build/modules/Makefile"
}

# Remove modules whose sources are gone. Don't touch the others: another run may
# be packing them.
drop_stale_modules()
{
	local ko
	(cd "$build/modules" && find . -name '*.ko') | while read -r ko; do
		ko=${ko#./}
		# Kernels differ in whether the list has full paths and .o or .ko.
		grep -qE "(^|/)${ko%.ko}\.k?o\$" \
			"$build/modules/modules.order" ||
			rm "$build/modules/$ko"
	done
}

make_modules()
{
	local log=$build/modules.log

	kernel_make "$kernel" "$build/modules" \
		MODULES="${MODULES[*]} ${TEST_MODULES[*]}" BUILD_TESTS=1 \
		modules >"$log" 2>&1 || {
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
	has_subsystem "$kernel" ||
		die "$release is built without ${SUBSYSTEM[0]}: the modules cannot run there"
	copy_module_sources
	modules_fill "$build/modules" "$kernel"
	step "building the modules for $release" make_modules
	drop_stale_modules
}

# build_programs PART FOLDER VARIABLE...
build_programs()
{
	local part=$1 dir=$2
	shift 2
	[ -e "$TOP/$dir/Makefile" ] || return 0
	mkdir -p "$build/$part"
	step "building the programs of $dir" \
		make -C "$TOP/$dir" -j"$(nproc)" OUT="$build/$part" \
		CC="${CROSS}gcc" AR="${CROSS}ar" "$@"
}

# harness_header: prints the folder of the kernel's kselftest_harness.h.
harness_header()
{
	local source dir=tools/testing/selftests

	source=$("$HARNESS/source.sh" "$TOOLS_SUITE" \
		"$dir/kselftest_harness.h" "$dir/kselftest.h") || return
	echo "$source/$dir"
}

build_tools()
{
	build_programs tools "tools/$S"
}

build_selftests()
{
	build_programs selftests "tools/testing/selftests/$S" KSFT="$(harness_header)"
}

# These programs link the library of the selftests.
build_e2e()
{
	build_selftests
	build_programs e2e "tools/testing/e2e/$S" KSFT="$(harness_header)" \
		LIB="$build/selftests/obj/libtest.a"
}

build_stress()
{
	build_programs stress "tools/testing/stress/$S"
}

build_all()
{
	local part

	mkdir -p "$build/tools"
	ln -sfn "$kernel" "$build/kernel"
	for part in "$@"; do
		"build_$part"
	done
}

[ $# -gt 0 ] || die "usage: build.sh modules|selftests|tools|e2e|stress..."
need_packages "${HOST_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}" \
	"${CROSS_PROGRAM_PACKAGES[@]}"
kernel=$("$HARNESS/kernel.sh")
release=$(cat "$kernel/release")
build=$TOP/build/$S/$release
mkdir -p "$build"
with_lock "build$(tr / - <<<"$build")" build_all "$@" >&2
echo "$build"
