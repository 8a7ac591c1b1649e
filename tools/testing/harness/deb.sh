#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: deb.sh FOLDER [VERSION]
#        deb.sh root
#
# Builds the Debian packages of packaging/debian into FOLDER, in a root of the
# oldest supported suite. VERSION stands for a later version than that of the
# sources, to test upgrades. "root" prints that root.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/lib.sh"

[ $# -ge 1 ] || die "usage: deb.sh FOLDER [VERSION] | root"
folder=$1
version=$(project_version)
later=${2:-}

# Runs in the root. The umask must not show in the source package.
build_here()
{
	set -eu
	(umask 022 && tar -xf ./*.orig.tar.xz)
	cd mdev-*
	cp -a packaging/debian .
	dpkg-buildpackage -us -uc
}

# pretend VERSION: changes the packed sources to this version.
pretend()
{
	local name=mdev_$version.orig.tar.xz

	(
		cd "$folder"
		tar -xf "$name"
		rm "$name"
		mv "mdev-$version" "mdev-$1"
		sed -i "1s/$version/$1/" "mdev-$1/packaging/debian/changelog"
		sed -i "s/\"$version\"/\"$1\"/" "${VERSION_FILES[@]/#/mdev-$1/}"
		tar -cJf "mdev_$1.orig.tar.xz" "mdev-$1"
		rm -r "mdev-$1"
	)
}

build_packages()
{
	in_root "$root" "" "$(dirname "$folder")" \
		TZ="${TZ:-UTC}" bash -c "$(declare -f build_here)
		cd '/mnt/$(basename "$folder")' && build_here"
}

need_packages "${HOST_PACKAGES[@]}"
root=$("$HARNESS/root.sh" "${KERNELS[0]}" deb build-essential debhelper dh-dkms \
	libxen-dev lintian man-db)
if [ "$folder" = root ]; then
	echo "$root"
	exit
fi
rm -rf "${folder:?}"
mkdir -p "$folder"
folder=$(realpath "$folder")
pack_sources "$folder/mdev_$version.orig.tar.xz"
[ -z "$later" ] || pretend "$later"
step "building the packages" build_packages
rm -rf "$folder"/mdev-*/
