#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] root.sh [--foreign] SUITE NAME PACKAGE...
#
# Makes a root of this Debian suite with these packages and their dependencies,
# and prints the directory. The root stays in the cache and is rebuilt only with
# REFRESH=1. With --foreign the packages are those of ARCH, and are only unpacked.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

arch=
options=(--variant=minbase)
if [ "$1" = --foreign ]; then
	arch=$FOREIGN
	options=(--variant=extract --architectures="$arch"
		--hook-dir=/usr/share/mmdebstrap/hooks/merged-usr)
	shift
fi
[ $# -ge 3 ] || die "usage: root.sh [--foreign] SUITE NAME PACKAGE..."
suite=$1
mapfile -t packages < <(printf '%s\n' "${@:3}" | sort -u)
# Each set of packages has its own root: a build may be running in another one.
root=$CACHE/roots/$suite-$2-$(sha256sum <<<"${packages[*]}" | cut -c1-8)

is_current()
{
	[ -e "$root/.packages" ] &&
		{ [ -z "${REFRESH:-}" ] || is_younger "$root/.packages" 60; }
}

# Build under a temporary name, so that an incomplete root is never used.
make_root()
{
	local new

	# Another run may have built it while we waited for the lock.
	! is_current || return 0

	need_packages mmdebstrap debian-archive-keyring
	apt_suite "$suite" "$arch"
	mkdir -p "$CACHE/roots"
	# We hold the lock, so these are leftovers of a killed run.
	rm -rf --one-file-system "$CACHE/roots/.${root##*/}".*
	new=$(mktemp -d "$CACHE/roots/.${root##*/}.XXXXXX")
	chmod 755 "$new"
	# Skip the initrd: making it takes minutes, and no root boots from it.
	step "making a root of $suite with ${packages[*]}" \
		env INITRD=No mmdebstrap --mode=root "${options[@]}" \
		--include="$(IFS=,; echo "${packages[*]}")" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		--aptopt='Acquire::Retries "3"' \
		--aptopt='Acquire::Retries::Delay "false"' \
		"$(base_suite "$suite")" "$new" \
		"$CACHE/apt/$suite${arch:+-$arch}/sources.list"
	echo "${packages[*]}" >"$new/.packages"
	if [ -e "$root" ]; then
		mv "$root" "$new.old"
	fi
	mv "$new" "$root"
	rm -rf --one-file-system "$new.old"
}

is_current || with_lock "root-${root##*/}" make_root
echo "$root"
