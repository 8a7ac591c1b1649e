#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: build-kernel.sh key NAME
#        build-kernel.sh SUITE PACKAGE NAME DIR
#
# key: prints what identifies the recipe of the kernel NAME, apart from the
# version of its sources.
#
# Builds Debian's linux-source PACKAGE with tinyconfig and the fragments
# machine.config and NAME.config of tools/testing/vm/config, into DIR: release,
# vmlinuz, lib/modules/RELEASE and, to build modules with,
# usr/src/linux-headers-RELEASE. An option of a fragment that Kconfig did not
# take is an error.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

config_dir=$TOP/tools/testing/vm/config

# Goes up when this script makes something else of the same fragments.
RECIPE=1

# fragments NAME: their text.
fragments()
{
	cat "$config_dir/machine.config" "$config_dir/$1.config"
}

key()
{
	{
		echo "$RECIPE"
		fragments "$1"
	} | sha256sum | cut -c1-12
}

fetch_source()
{
	apt_suite "$suite"
	mkdir "$tmp/deb" "$src"
	step "fetching $package from $suite" \
		env -C "$tmp/deb" apt-get "${APT_OPTS[@]}" download "$package"
	step "unpacking it" extract "$tmp"/deb/*.deb
	rm -r "$tmp/deb"
}

extract()
{
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$src" --strip-components=1 || return
	# One option is barred on x86-64 until Linux 6.2, for a reason that was
	# gone by then: the stack filter of fault injection.
	sed -i '/^config FAULT_INJECTION_STACKTRACE_FILTER/,/^	help/ {
		/depends on !X86_64$/d }' "$src/lib/Kconfig.debug"
}

# kmake ARGUMENT...: the clock and the user would make each build another one.
kmake()
{
	make -C "$src" -j"$(nproc)" KBUILD_BUILD_USER=mdev \
		KBUILD_BUILD_HOST=mdev "$@"
}

configure()
{
	kmake tinyconfig || return
	fragments "$name" >>"$src/.config"
	kmake olddefconfig
}

# Kconfig drops without a word what it cannot have.
verify_config()
{
	local line option value missing=()

	while read -r line; do
		option=${line%%=*}
		value=${line#*=}
		if [ "$value" = n ]; then
			! grep -q "^$option=" "$src/.config" ||
				missing+=("$line")
		else
			grep -qxF "$line" "$src/.config" || missing+=("$line")
		fi
	done < <(fragments "$name" | grep '^CONFIG_')
	[ ${#missing[@]} -eq 0 ] ||
		die "not in the configuration of the kernel: ${missing[*]}"
}

# What a build of modules reads, as a headers package has it.
install_headers()
{
	local headers=$dir/usr/src/linux-headers-$release

	mkdir -p "$headers"
	(
		cd "$src" || exit
		{
			printf '%s\n' .config Makefile Module.symvers
			find scripts include -type f -o -type l
			find . arch/x86 -maxdepth 1 -name 'Makefile*' -type f
			find arch/x86/include arch/x86/scripts \
				arch/x86/tools -type f
			find tools/objtool -name objtool -type f
		} | sort -u | cpio -pdm --quiet "$headers"
	)
}

install_kernel()
{
	local release

	release=$(kmake -s --no-print-directory kernelrelease) &&
		cp "$src/arch/x86/boot/bzImage" "$dir/vmlinuz" &&
		kmake INSTALL_MOD_PATH="$dir" modules_install &&
		rm -f "$dir/lib/modules/$release"/{build,source} &&
		install_headers &&
		echo "$release" >"$dir/release"
}

if [ "$1" = key ]; then
	key "$2"
	exit
fi
[ $# -eq 4 ] || die "usage: $(basename "$0") SUITE PACKAGE NAME DIR"
suite=$1
package=$2
name=$3
dir=$4

need_packages "${KERNEL_PACKAGES[@]}"
# In there, so that whoever cleans up after a killed run finds it.
tmp=$dir/.build
mkdir "$tmp"
src=$tmp/src
fetch_source
step "configuring the kernel: $name" configure
verify_config
log "a kernel from source takes ten minutes or more, once"
step "building the kernel: $name" kmake bzImage modules
step "installing the kernel: $name" install_kernel
rm -rf "$tmp"
