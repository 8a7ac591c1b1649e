#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: source.sh SUITE[=VERSION] PATH...
#
# Extracts the named paths of a Debian suite's kernel source into the cache and
# prints the directory. Does nothing if all of them are there already, of this VERSION
# of the package if one is given.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

have_all()
{
	local path
	[ -z "$version" ] || [ "$(cat "$dir/.version" 2>/dev/null)" = "$version" ] ||
		return 1
	for path in "${paths[@]}"; do
		[ -e "$dir/$path" ] || return 1
	done
}

fetch()
{
	local tmp path package
	! have_all || return 0
	need_packages dpkg xz-utils
	apt_suite "$suite"
	package=$(linux_source)
	mkdir -p "$CACHE/source"
	# We hold the lock, so these are leftovers of a killed run.
	rm -rf "$CACHE/source/.$suite".*
	tmp=$(mktemp -d "$CACHE/source/.$suite.XXXXXX")
	# shellcheck disable=SC2064 # expand it now
	trap "rm -rf '$tmp'" EXIT
	# Keep the paths of earlier runs.
	if [ -d "$dir" ]; then
		while read -r path; do
			paths+=("$path")
		done <"$dir/.paths"
	fi
	# tar looks up each name only once.
	mapfile -t paths < <(printf '%s\n' "${paths[@]}" | sort -u)
	package_version "$package" >"$tmp/version"
	fetch_linux_source "$package" "$tmp/src" "${paths[@]/#/$package/}"
	printf '%s\n' "${paths[@]}" >"$tmp/src/.paths"
	mv "$tmp/version" "$tmp/src/.version"
	if [ -d "$dir" ]; then
		mv "$dir" "$tmp/old"
	fi
	mv "$tmp/src" "$dir"
}

[ $# -ge 2 ] || die "usage: source.sh SUITE[=VERSION] PATH..."
suite=${1%%=*} version=
[[ $1 != *=* ]] || version=${1#*=}
shift
paths=("$@")
dir=$CACHE/source/$suite

have_all || with_lock "source-$suite" fetch
[ -z "$version" ] || [ "$(<"$dir/.version")" = "$version" ] ||
	die "the kernel source of $suite is $(<"$dir/.version"), but its kernel at hand" \
		"is $version; REFRESH=1 fetches the newest of both"
have_all || die "the kernel source of $suite lacks one of: ${paths[*]}"
echo "$dir"
