#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [T=name] [LIST=1] deb.sh [dist | packages]
#
# Builds the Debian packages into build/deb, and checks them. "packages" only
# builds them; "dist" only packs the sources, into build/dist.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"
amd64_only deb

DIST=$TOP/build/dist/mdev-$(project_version).tar.xz
DEB=$TOP/build/deb

tests=(
	packages_are_built
	packages_are_lintian_clean
	packages_are_reproducible
)

packages_are_built()
{
	"$HARNESS/deb.sh" "$DEB" && (cd "$DEB" && ls -- *.deb)
}

packages_are_lintian_clean()
{
	local root

	root=$("$HARNESS/deb.sh" root) || return 1
	in_root "$root" "" "$DEB" sh -euc '
		lintian --version
		cd /mnt
		lintian --allow-root --display-info --pedantic \
			--fail-on error,warning,info,pedantic *.changes'
}

# Another folder, time zone and umask must not show in the packages.
packages_are_reproducible()
{
	local file

	(
		umask 077
		TZ=Pacific/Auckland "$HARNESS/deb.sh" "$scratch/another"
	) || return 1
	for file in "$DEB"/*.{deb,dsc,tar.xz}; do
		cmp "$file" "$scratch/another/${file##*/}" || return 1
		echo "equal: ${file##*/}"
	done
}

case ${1:-} in
dist)
	need_packages "${HOST_PACKAGES[@]}"
	pack_sources "$DIST"
	echo "$DIST"
	exit
	;;
packages)
	"$HARNESS/deb.sh" "$DEB"
	ls -- "$DEB"/*.deb
	exit
	;;
esac
choose_tests deb
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in "${tests[@]}"; do
	run_test "deb:$name" "$name"
done
exit $((failed > 0))
