# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: maps K to a kernel, and builds for it in a root of its suite.

CONFIG=$HARNESS/config

# built_kernels: prints the kernels that are built here, each from a fragment.
built_kernels()
{
	(cd "$CONFIG" && grep -l '^# Suite: ' ./*.config) |
		sed 's|^\./||; s|\.config$||'
}

is_built_kernel()
{
	grep -qs '^# Suite: ' "$CONFIG/$1.config"
}

# is_slow_kernel: succeeds if K is many times slower than Debian's kernels.
is_slow_kernel()
{
	is_built_kernel "$K" && [ "$K" != plain-new ]
}

# suite_of KERNEL: prints the Debian suite of its packages or its source.
suite_of()
{
	case $1 in
	*[!a-z0-9.-]* | '')
		die "K=$1 is not the name of a suite, a series or a kernel"
		;;
	[0-9]*)
		suite_of_series "$1"
		;;
	*)
		if is_built_kernel "$1"; then
			sed -n 's/^# Suite: //p' "$CONFIG/$1.config"
		else
			echo "$1"
		fi
		;;
	esac
}

# kernel_series SUITE: prints the series of the suite's current kernel.
kernel_series()
{
	local version

	apt_suite "$1" "$FOREIGN"
	version=$(package_version "linux-image-$ARCH")
	grep -oE '^[0-9]+\.[0-9]+' <<<"$version"
}

# suite_of_series SERIES: prints the first suite that has it. Supported suites
# come first.
suite_of_series()
{
	local suite series found=()

	need_packages distro-info
	for suite in "${KERNELS[@]}" $(suites "$FOREIGN"); do
		series=$(kernel_series "$suite") || continue
		if [ "$series" = "$1" ]; then
			echo "$suite"
			return
		fi
		[[ " ${found[*]} " = *" $suite:$series "* ]] ||
			found+=("$suite:$series")
	done
	die "K=$1: no suite has a kernel of this series; they have: ${found[*]}"
}

# kernel_version KERNEL: prints the version of its package, or of its source's.
kernel_version()
{
	local version=${1##*/}

	! is_built_kernel "$K" || version=${version#"$K"-*-}
	echo "${version%"$ARCH_TAG"}"
}

# root_of KERNEL: prints a root of the kernel's suite with BUILD_PACKAGES and
# the packages that the kernel's headers depend on.
root_of()
{
	local kernel=$1 more

	mapfile -t more <"$kernel/build-depends"
	"$HARNESS/root.sh" "$(<"$kernel/suite")" build "${BUILD_PACKAGES[@]}" \
		"${more[@]}"
}

# W=1 runs scripts/kernel-doc, which needs Pod::Usage from the full perl.
BUILD_PACKAGES=(make gcc libc6-dev perl bc bison flex libelf-dev libssl-dev
	cpio kmod xz-utils sparse)

# kernel_make KERNEL DIR ARGUMENT...: runs kbuild on the modules in DIR.
kernel_make()
{
	local kernel=$1 dir=$2 root
	shift 2
	root=$(root_of "$kernel") || return
	in_root "$root" "$kernel" "$dir" make -j"$(nproc)" \
		-C "/usr/src/linux-headers-$(<"$kernel/release")" M=/mnt \
		"${KBUILD[@]}" "$@"
}

# has_subsystem KERNEL: succeeds if the kernel has the SUBSYSTEM of the system.
has_subsystem()
{
	grep -qE "^CONFIG_${SUBSYSTEM[0]}=" \
		"$1/usr/src/linux-headers-$(<"$1/release")/.config"
}

# The suite whose kernel source provides checkpatch, kernel-doc and the
# kselftest harness. It is the same for all kernels, so that a verdict does not
# depend on the kernel under test.
# shellcheck disable=SC2034 # for the caller
TOOLS_SUITE=trixie
