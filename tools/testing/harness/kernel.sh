#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [ARCH=...] [REFRESH=1] kernel.sh
#
# Fetches the kernel K, unpacks it into the cache and prints the directory:
#
#	release				the output of uname -r
#	suite				the Debian suite
#	vmlinuz, lib/modules/RELEASE	with modules.dep
#	usr/src, usr/lib		its headers, as their packages install them
#	build-depends			packages that the headers depend on
#
# Kernels of config/*.config are built from the suite's source, and rebuilt when
# the source or the configuration changes. The script looks for a newer kernel
# once a day.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

# kernel_parts NAME...: follows the dependencies of these packages and prints
# those that are part of the kernel: newer releases split the image into several
# packages. Adds the other dependencies of the headers to build-depends.
kernel_parts()
{
	local -A seen=()
	local queue=("$@") name dep
	local part='^linux-(image|binary|modules|base|headers|kbuild)-'

	while [ ${#queue[@]} -gt 0 ]; do
		name=${queue[0]}
		queue=("${queue[@]:1}")
		[ -z "${seen[$name]:-}" ] || continue
		seen[$name]=1
		[ -n "$(package_version "$name")" ] ||
			die "$suite has no package $name"
		while read -r dep; do
			if [[ $dep =~ $part ]]; then
				queue+=("$dep")
			elif [[ $name = linux-@(headers|kbuild)-* ]]; then
				echo "$dep" >>"$tmp/build-depends"
			fi
		done < <(depends "$name")
	done
	printf '%s\n' "${!seen[@]}" | sort
}

# Older packages install to both /lib and /usr/lib.
merge_usr()
{
	local dir
	for dir in lib boot; do
		if [ -d "$1/usr/$dir" ]; then
			mkdir -p "$1/$dir"
			cp -al "$1/usr/$dir/." "$1/$dir/"
		fi
	done
}

# Bring an unpacked kernel into the form described above.
prepare()
{
	local root=$1 release image

	merge_usr "$root"
	release=$(basename "$(echo "$root"/lib/modules/*)")
	image=$(find "$root" -path '*/lib/modules/*/kernel' -prune -o \
		-name 'vmlinuz*' -type f -print | sort | sed -n 1p)
	[ -n "$image" ] || die "no kernel image in the packages of $suite"
	[ -d "$root/usr/src/linux-headers-$release" ] ||
		die "the headers of $suite are not those of $release"
	ln -s "${image#"$root/"}" "$root/vmlinuz"
	echo "$release" >"$root/release"
	rm -f "$root/lib/modules/$release"/{build,source}
	step "indexing the modules of $release" depmod -b "$root" "$release"
}

fetch_packages()
{
	local list packages kbuild version

	list=$(kernel_parts linux-{image,headers}-"$ARCH")
	if [ -n "$FOREIGN" ]; then
		kbuild=$(grep '^linux-kbuild-' <<<"$list")
		list=$(grep -vxF "$kbuild" <<<"$list")
	fi
	mapfile -t packages <<<"$list"
	fetch_unpack "$tmp" "${packages[@]}"
	if [ -n "$FOREIGN" ]; then
		# Its programs run here: take this machine's of that version.
		version=$(package_version "$kbuild")
		apt_suite "$suite"
		fetch_unpack "$tmp" "$kbuild=$version"
	fi
	prepare "$tmp"
}

# cross_compilers FILE: replaces the compilers by those that run here.
cross_compilers()
{
	sed -i -E "s/^(linux-compiler-)?(gcc-[0-9]+)(-.*)?\$/\2-$GNU/" "$1"
	printf '%s\n' "${CROSS_PACKAGES[@]}" >>"$1"
}

# store_name PACKAGE: sets store to the directory for its version.
store_name()
{
	local version

	version=$(package_version "$1")
	[ -n "$version" ] || die "$suite has no $1"
	store=$CACHE/kernels/$prefix$version$ARCH_TAG
}

# Runs in a separate process: errexit has no effect inside a condition.
fetch()
{
	local store tmp prefix='' source

	! checked_today || return 0
	need_packages dpkg xz-utils zstd kmod debian-archive-keyring
	if is_built_kernel "$K"; then
		prefix=$key-
		apt_suite "$suite"
		source=$(linux_source)
		store_name "$source"
	else
		apt_suite "$suite" "$FOREIGN"
		store_name "linux-image-$ARCH"
	fi
	if [ ! -d "$store" ]; then
		mkdir -p "$CACHE/kernels"
		# We hold the lock, so these are leftovers of a killed run.
		rm -rf "$CACHE/kernels/.$K$ARCH_TAG".*
		tmp=$(mktemp -d "$CACHE/kernels/.$K$ARCH_TAG.XXXXXX")
		# shellcheck disable=SC2064 # expand it now
		trap "rm -rf '$tmp'" EXIT
		: >"$tmp/build-depends"
		echo "$suite" >"$tmp/suite"
		if is_built_kernel "$K"; then
			"$HARNESS/build-kernel.sh" "$suite" "$source" "$K" "$tmp"
		else
			fetch_packages
		fi
		[ -z "$FOREIGN" ] || cross_compilers "$tmp/build-depends"
		sort -u -o "$tmp/build-depends" "$tmp/build-depends"
		chmod 755 "$tmp"
		mv "$tmp" "$store"
	fi
	ln -sfn "${store##*/}" "$CACHE/kernels/.$name.new"
	mv -T "$CACHE/kernels/.$name.new" "$dir"
	touch "$dir/.checked.$name"
}

checked_today()
{
	[ -z "${REFRESH:-}" ] && is_younger "$dir/.checked.$name" 1440
}

suite=$(suite_of "$K")
key=$suite
! is_built_kernel "$K" || key=$K-$("$HARNESS/build-kernel.sh" key "$K")
name=$key$ARCH_TAG
dir=$CACHE/kernels/$name
if [ "${1:-}" = --locked ]; then
	fetch
	exit
fi
if ! checked_today; then
	if ! with_lock "kernel-$name" "$0" --locked; then
		[ -e "$dir" ] || exit 1
		log "cannot look for a newer kernel $K, using the one at hand"
	fi
fi
realpath "$dir"
