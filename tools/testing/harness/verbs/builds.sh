#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [T=name] [LIST=1] builds.sh
#
# Builds the system's modules for the kernel K, in a root of its suite with that
# suite's compiler, with all that W=1 and sparse find, and compares what they
# export with what the distribution's modules do.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

build()
{
	copy_sources "$scratch/src" || return 1
	if ! kernel_make "$kernel" "$scratch/src" W=1 C=1 CHECK=sparse \
		MODULES="${MODULES[*]} ${TEST_MODULES[*]}" BUILD_TESTS=1 \
		modules >"$log" 2>&1; then
		tail -n 40 "$log"
		return 1
	fi
	echo "modules: $(find "$scratch/src" -name '*.ko' -printf '%f\n' |
		sort | paste -sd' ')"
	echo "files that sparse read: $(grep -c '^  CHECK ' "$log")"
	grep -q '^  CHECK ' "$log"
}

# Ignore warnings about the kernel's headers: their paths begin with a slash or a
# dot. Ignore also that the compiler's version differs from the kernel's.
no_warnings()
{
	! sed 's|/mnt/||g' "$log" | grep -E '(warning|WARNING|error):' |
		grep -vE '^[./]|differs from the one used to build the kernel$' |
		grep .
}

tests=(modules_build no_warning_of_the_compiler_or_sparse)
mapfile -t tests < <(printf '%s\n' "${tests[@]}" | select_tests builds)
if [ -n "${LIST:-}" ]; then
	printf 'builds:%s\n' "${tests[@]}"
	exit
fi
[ ${#tests[@]} -gt 0 ] || exit 0
need_packages "${HOST_PACKAGES[@]}"
kernel=$("$HARNESS/kernel.sh")
note "building for $(<"$kernel/release"), from $(<"$kernel/suite")"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
# Make the root first, so that the time of the build does not include it.
root=$(root_of "$kernel")
note "$(chroot "$root" gcc --version | head -n 1)"
log=$scratch/build.log
run_test builds:modules_build build
run_test builds:no_warning_of_the_compiler_or_sparse no_warnings
if [ -n "${STOCK_SYMBOLS[*]}" ]; then
	"$HARNESS/crc.sh" "$scratch/src/Module.symvers" "$kernel" |
		sed -E 's/^((not )?ok - )/\1crc:/' || failed=$((failed + 1))
fi
exit $((failed > 0))
