# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: which kernel K means, and builds in a root of its suite.

CONFIG=$HARNESS/config

# built_kernels: those that are built here; each has a Kconfig fragment.
built_kernels()
{
	(cd "$CONFIG" && grep -l '^# Suite: ' ./*.config) |
		sed 's|^\./||; s|\.config$||'
}

is_built_kernel()
{
	grep -qs '^# Suite: ' "$CONFIG/$1.config"
}

# is_slow_kernel: whether K takes many times as long as Debian's.
is_slow_kernel()
{
	is_built_kernel "$K"
}

# suite_of KERNEL: the Debian suite that its packages or sources are of.
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

# kernel_series SUITE: the series of the kernel that it serves today.
kernel_series()
{
	local version

	apt_suite "$1"
	version=$(package_version "linux-image-$(dpkg --print-architecture)")
	grep -oE '^[0-9]+\.[0-9]+' <<<"$version"
}

# suite_of_series SERIES: the first suite that has it, supported ones first.
suite_of_series()
{
	local suite series found=()

	need_packages distro-info
	for suite in "${KERNELS[@]}" $(suites); do
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

# root_of KERNEL: a root of the kernel's suite that has what a build for it
# takes: the packages that the kernel's headers ask for, and sparse.
root_of()
{
	local kernel=$1 more

	mapfile -t more <"$kernel/build-depends"
	"$HARNESS/root.sh" "$(<"$kernel/suite")" build "${BUILD_PACKAGES[@]}" \
		"${more[@]}"
}

# W=1 runs scripts/kernel-doc, which wants Pod::Usage of the whole perl.
BUILD_PACKAGES=(make gcc libc6-dev perl bc bison flex libelf-dev libssl-dev
	cpio kmod xz-utils sparse)

# in_root ROOT KERNEL DIR COMMAND...: runs the command in the root, where /mnt is
# DIR and the headers of KERNEL (if not empty) are where their package installs
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

# kernel_make KERNEL DIR ARGUMENT...: kbuild, for the modules in DIR.
kernel_make()
{
	local kernel=$1 dir=$2 root
	shift 2
	root=$(root_of "$kernel") || return
	in_root "$root" "$kernel" "$dir" make -j"$(nproc)" \
		-C "/usr/src/linux-headers-$(<"$kernel/release")" M=/mnt "$@"
}

# The suite whose kernel source has the tools that read ours (checkpatch,
# kernel-doc) and kselftest's harness: the same for all kernels, so that a
# verdict does not depend on which one is tested.
# shellcheck disable=SC2034 # for those who source this
TOOLS_SUITE=trixie
