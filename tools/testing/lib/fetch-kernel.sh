#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: K=6.1|6.12|7.2|debug|kcsan fetch-kernel.sh
#
# Fetches Debian's current kernel of that series, unpacks it into the cache
# and prints the directory. It holds lib/modules/RELEASE with a modules.dep,
# the image (vmlinuz), and for 6.1 usr/src/linux-headers-RELEASE. The kernels
# that look for faults are built from Debian's source of 6.1 (build-kernel.sh),
# anew when that or their configuration has changed.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

# The series of a kernel is that of a suite. Headers are of use only where
# their build tools run: those of newer suites need that suite's C library.
suite_of_kernel()
{
	name=$K source=
	case $K in
	6.1)	suite=bookworm want=(linux-image-amd64 linux-headers-amd64) ;;
	6.12)	suite=trixie want=(linux-image-amd64) ;;
	7.2)	suite=trixie-backports want=(linux-image-amd64) ;;
	debug | kcsan)
		suite=bookworm want=() source=linux-source-6.1
		name=$K-$("$LIB/build-kernel.sh" key "$K")
		;;
	*)	die "no Debian suite is known to have kernel $K" ;;
	esac
}

# Before the merger of / and /usr was complete packages used both.
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

# Brings an unpacked kernel into the form promised above.
prepare()
{
	local root=$1 release image headers

	merge_usr "$root"
	release=$(basename "$(echo "$root"/lib/modules/*)")
	image=$(find "$root" -path '*/lib/modules/*/kernel' -prune -o \
		-name 'vmlinuz*' -type f -print | sort | sed -n 1p)
	[ -n "$image" ] || die "no kernel image in ${packages[*]}"
	ln -s "${image#"$root/"}" "$root/vmlinuz"
	echo "$release" >"$root/release"
	headers=$root/usr/src/linux-headers-$release
	if [ -d "$headers" ]; then
		# It includes the common Makefile by its installed name.
		sed -i "s|/usr/src/|$store/usr/src/|" "$headers/Makefile"
		rm -f "$root/lib/modules/$release"/{build,source}
	fi
	step "indexing the modules of $release" depmod -b "$root" "$release"
}

# The version of the package that stands for the kernel.
current_version()
{
	version=$(apt-cache "${APT_OPTS[@]}" show --no-all-versions "$1" |
		sed -n 's/^Version: //p')
	[[ $version == "$2".* ]] || die "$suite has kernel $version, not $2"
}

fetch_packages()
{
	local list packages

	list=$(kernel_packages "${want[@]}")
	mapfile -t packages <<<"$list"
	fetch_unpack "$tmp" "${packages[@]}"
	prepare "$tmp"
}

fetch()
{
	local version store tmp

	! checked_today || return 0
	need_packages dpkg xz-utils zstd kmod debian-archive-keyring
	apt_suite "$suite"
	if [ -n "$source" ]; then
		current_version "$source" "${source#linux-source-}"
		store=$CACHE/kernel/$name-$version
	else
		current_version linux-image-amd64 "$K"
		store=$CACHE/kernel/$version
	fi
	if [ ! -d "$store" ]; then
		mkdir -p "$CACHE/kernel"
		# The lock is ours: these are of a run that was killed.
		rm -rf "$CACHE/kernel/.$K".*
		tmp=$(mktemp -d "$CACHE/kernel/.$K.XXXXXX")
		# shellcheck disable=SC2064 # the value of now
		trap "rm -rf '$tmp'" EXIT
		if [ -n "$source" ]; then
			"$LIB/build-kernel.sh" "$suite" "$source" "$K" "$tmp"
		else
			fetch_packages
		fi
		chmod 755 "$tmp"
		mv "$tmp" "$store"
	fi
	ln -sfn "${store##*/}" "$CACHE/kernel/.$name.new"
	mv -T "$CACHE/kernel/.$name.new" "$dir"
	touch "$dir/.checked"
}

checked_today()
{
	[ -z "${REFRESH:-}" ] &&
		[ -n "$(find "$dir/.checked" -mmin -1440 2>/dev/null)" ]
}

suite_of_kernel
dir=$CACHE/kernel/$name
if [ "${1:-}" = --locked ]; then
	fetch
	exit
fi
if ! checked_today; then
	# A process of its own: errexit does not work inside a condition.
	if ! with_lock "kernel-$K" "$0" --locked; then
		[ -e "$dir" ] || die "cannot fetch kernel $K"
		log "cannot look for a newer kernel $K, using the one at hand"
	fi
fi
realpath "$dir"
