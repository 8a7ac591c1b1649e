#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: fetch-source.sh SUITE PACKAGE PATH...
#
# Makes the named paths of a Debian linux-source package available and prints
# the directory they are below, $CACHE/PACKAGE. Does nothing when they are
# there already.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/common.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

have_all()
{
	local path
	for path in "${paths[@]}"; do
		[ -e "$dir/$path" ] || return 1
	done
}

extract()
{
	dpkg-deb --fsys-tarfile "$1" |
		tar -xO "./usr/src/$package.tar.xz" |
		tar -xJ -C "$2" --strip-components=1 \
			"${paths[@]/#/$package/}"
}

fetch()
{
	local tmp path
	! have_all || return 0
	need_packages dpkg xz-utils debian-archive-keyring
	apt_suite "$suite"
	# The lock is ours: these are of a run that was killed.
	rm -rf "$CACHE/.$package".*
	tmp=$(mktemp -d "$CACHE/.$package.XXXXXX")
	# shellcheck disable=SC2064 # the value of now
	trap "rm -rf '$tmp'" EXIT
	mkdir "$tmp/deb" "$tmp/src"
	# What an earlier run asked for stays available.
	if [ -d "$dir" ]; then
		while read -r path; do
			paths+=("$path")
		done <"$dir/.paths"
	fi
	# tar looks for each name once only.
	mapfile -t paths < <(printf '%s\n' "${paths[@]}" | sort -u)
	step "fetching $package from $suite" \
		env -C "$tmp/deb" apt-get "${APT_OPTS[@]}" download "$package"
	step "extracting ${#paths[@]} paths of $package" \
		extract "$tmp"/deb/*.deb "$tmp/src"
	printf '%s\n' "${paths[@]}" >"$tmp/src/.paths"
	if [ -d "$dir" ]; then
		mv "$dir" "$tmp/old"
	fi
	mv "$tmp/src" "$dir"
}

[ $# -ge 3 ] || die "usage: $(basename "$0") SUITE PACKAGE PATH..."
suite=$1
package=$2
shift 2
paths=("$@")
dir=$CACHE/$package

have_all || with_lock "$package" fetch
have_all || die "$package lacks one of: ${paths[*]}"
echo "$dir"
