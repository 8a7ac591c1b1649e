#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [REFRESH=1] image.sh SUITE
#
# Makes a file system image of this Debian suite with E2E_PROGRAMS and
# E2E_PACKAGES of the system's description, and prints its path. PATH.versions
# lists the versions of the programs. The image stays in the cache and is
# rebuilt only with REFRESH=1 or when its inputs change.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -eq 1 ] || die "usage: image.sh SUITE"
suite=$1
image=$CACHE/images/$suite-$S.img
packages=("${E2E_PROGRAMS[@]}" "${E2E_PACKAGES[@]}")
key=$({
	echo "${packages[*]}"
	declare -f e2e_mend
	cat "$0"
} | sha256sum | cut -c1-16)

is_current()
{
	[ -e "$image" ] && [ "$(cat "$image.key" 2>/dev/null)" = "$key" ] &&
		{ [ -z "${REFRESH:-}" ] || is_younger "$image.key" 60; }
}

# Drop documentation: it makes the image a third larger.
slim()
{
	rm -rf "$1"/usr/share/{doc,man,locale,info} "$1"/var/{cache,lib}/apt \
		"$1/etc/resolv.conf"
	# Mount points for the modules and the tests.
	mkdir -p "$1/vm" "$1/lib/modules"
}

make_image()
{
	local tmp root

	! is_current || return 0
	need_packages e2fsprogs
	root=$("$HARNESS/root.sh" "$suite" "$S-e2e" "${packages[@]}")
	mkdir -p "$CACHE/images"
	rm -rf "$CACHE/images/.${image##*/}".*
	tmp=$(mktemp -d "$CACHE/images/.${image##*/}.XXXXXX")
	e2e_mend "$root"
	slim "$root"
	dpkg-query --admindir="$root/var/lib/dpkg" -W \
		-f '${Package} ${Version}\n' "${E2E_PROGRAMS[@]}" >"$tmp/versions"
	step "packing the image of $suite" pack_image "$root" "$tmp/img"
	# Only the image is used from here on.
	rm -rf --one-file-system "$root"
	rm -f "$image.key"
	mv "$tmp/img" "$image"
	mv "$tmp/versions" "$image.versions"
	echo "$key" >"$image.key"
	rm -rf "$tmp"
}

is_current || with_lock "image-${image##*/}" make_image
echo "$image"
