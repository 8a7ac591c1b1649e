#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: build-kernel.sh key NAME
#        build-kernel.sh SUITE PACKAGE NAME DIR
#
# key: prints a hash of the recipe for the kernel NAME. It does not cover the
# version of the source.
#
# Builds the linux-source PACKAGE of a Debian suite, in a root of that suite,
# with tinyconfig and the fragments below, into DIR: release, vmlinuz,
# lib/modules/RELEASE and, to build modules with, usr/src/linux-headers-RELEASE.
# A later fragment overrides an earlier one; an option that Kconfig did not take
# is an error, unless its value is empty: then Kconfig chooses.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# Increment when the same fragments give a different kernel.
RECIPE=2

# fragments NAME: prints the fragments for every machine, for each system, for
# those that NAME is based on, for NAME, and for another architecture, in this
# order.
fragments()
{
	local bases

	read -ra bases <<<"$(sed -n 's/^# Based on: //p' "$CONFIG/$1.config")"
	(
		cd "$CONFIG"
		cat machine.config "$TESTING"/systems/*.config \
			${bases[@]+"${bases[@]/%/.config}"} "$1.config" \
			${FOREIGN:+"$FOREIGN.config"}
	)
}

key()
{
	{
		echo "$RECIPE"
		fragments "$1"
	} | grep -v '^#' | sha256sum | cut -c1-12
}

fetch_source()
{
	apt_suite "$suite"
	fetch_linux_source "$package" "$src"
	# Older kernels disable the stack filter of fault injection on x86-64. The
	# reason no longer applies.
	sed -i '/^config FAULT_INJECTION_STACKTRACE_FILTER/,/^	help/ {
		/depends on !X86_64$/d }' "$src/lib/Kconfig.debug"
}

# kmake ARGUMENT...: runs make in the root, where /mnt is DIR. A fixed user and
# host make builds reproducible.
kmake()
{
	in_root "$root" '' "$dir" make -C /mnt/.build/src -j"$(nproc)" \
		KBUILD_BUILD_USER=mdev KBUILD_BUILD_HOST=mdev \
		"${KBUILD[@]}" LOCALVERSION="$ARCH_TAG" "$@"
}

configure()
{
	kmake tinyconfig || return
	fragments "$name" >>"$src/.config"
	kmake olddefconfig
}

# Kconfig silently drops options whose dependencies are not met.
verify_config()
{
	local line option missing=()

	while read -r line; do
		option=${line%%=*}
		if [ -z "${line#*=}" ]; then
			continue
		elif [ "${line#*=}" = n ]; then
			! grep -q "^$option=" "$src/.config" ||
				missing+=("$line")
		else
			grep -qxF "$line" "$src/.config" || missing+=("$line")
		fi
	done < <(fragments "$name" | grep '^CONFIG_' | tac |
		awk -F= '!seen[$1]++')
	[ ${#missing[@]} -eq 0 ] ||
		die "not in the configuration of the kernel: ${missing[*]}"
}

# Install what a build of modules reads, laid out like a headers package.
install_headers()
{
	local headers=$dir/usr/src/linux-headers-$release

	mkdir -p "$headers"
	(
		cd "$src" || exit
		{
			printf '%s\n' .config Makefile Module.symvers
			find scripts include -type f -o -type l
			find . "$arch" -maxdepth 1 -name 'Makefile*' -type f
			find "$arch" -type f -regextype egrep \
				-regex "$arch/(include|scripts|tools)/.*"
			find tools/objtool -name objtool -type f
		} | sort -u | cpio -pdm --quiet "$headers"
	)
}

install_kernel()
{
	local release arch=${image%/boot/*}

	release=$(kmake -s --no-print-directory kernelrelease) &&
		cp "$src/$image" "$dir/vmlinuz" &&
		kmake INSTALL_MOD_PATH=/mnt modules_install &&
		rm -f "$dir/lib/modules/$release"/{build,source} &&
		install_headers &&
		echo "$release" >"$dir/release"
}

if [ "$1" = key ]; then
	key "$2"
	exit
fi
[ $# -eq 4 ] || die "usage: build-kernel.sh SUITE PACKAGE NAME DIR"
suite=$1
package=$2
name=$3
dir=$4

root=$("$HARNESS/root.sh" "$suite" build "${BUILD_PACKAGES[@]}" \
	"${CROSS_PACKAGES[@]}")
# Below DIR, so that kernel.sh removes it after a killed run.
tmp=$dir/.build
mkdir "$tmp"
src=$tmp/src
fetch_source
step "configuring the kernel: $name" configure
verify_config
log "a kernel from source takes ten minutes or more, once"
image=$(kmake -s --no-print-directory image_name)
step "building the kernel: $name" kmake "${image##*/}" modules
step "installing the kernel: $name" install_kernel
rm -rf "$tmp"
