#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] root.sh SUITE
#
# Makes a root of this Debian suite with its compiler and the headers of its
# current kernel, and prints the directory. It is kept in the cache, and made
# anew only with REFRESH=1 or when what goes into it has changed.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"
# shellcheck source=tools/testing/lib/apt.sh
. "$LIB/apt.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

[ $# -eq 1 ] || die "usage: root.sh SUITE"
suite=$1
root=$CACHE/roots/$suite

# W=1 runs scripts/kernel-doc, which wants Pod::Usage of the whole perl.
packages=make,gcc,perl,linux-headers-$(dpkg --print-architecture)
case $suite in
*-backports)	packages+=/$suite ;;
esac

is_current()
{
	[ "$(cat "$root/.packages" 2>/dev/null)" = "$packages" ]
}

# Half a root never bears the name of a whole one.
make_root()
{
	local new

	# Somebody else may have made it while we waited for the lock.
	[ -n "${REFRESH:-}" ] || ! is_current || return 0

	need_packages mmdebstrap debian-archive-keyring
	apt_suite "$suite"
	mkdir -p "$CACHE/roots"
	# The lock is ours: what lies here is left of a run that was killed.
	rm -rf --one-file-system "$CACHE/roots/.$suite".*
	new=$(mktemp -d "$CACHE/roots/.$suite.XXXXXX")
	chmod 755 "$new"
	step "making a root of $suite with $packages" \
		new_root "$suite" apt "$packages" "$new"
	echo "$packages" >"$new/.packages"
	if [ -e "$root" ]; then
		mv "$root" "$new.old"
	fi
	mv "$new" "$root"
	rm -rf --one-file-system "$new.old"
}

with_lock "root-$suite" make_root
echo "$root"
