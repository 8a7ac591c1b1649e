# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2154
#
# For tests of packages, on top of testlib.sh: the installed ones, in the folder
# "first", and a later version, in "second". A build in the machine takes minutes,
# so a test goes on with the version that the one before has left.

DEBS=/vm/debs

need_debs()
{
	[ -d "$DEBS" ] || skip "only with packages: make check-matrix"
}

# version_of PACKAGE FOLDER
version_of()
{
	dpkg-deb -f "$DEBS/$2/$1"_*.deb Version
}

# installed PACKAGE: prints its version, or nothing.
installed()
{
	dpkg-query -W -f '${Version}' "$1" 2>/dev/null || true
}

# sources_of PACKAGE: prints the version of the sources in the installed one.
sources_of()
{
	installed "$1" | sed 's/-[^-]*$//'
}

# install_other PACKAGE: installs the version that is not there. The output of dpkg
# goes to $scratch/dpkg.
install_other()
{
	local folder=first

	[ "$(installed "$1")" != "$(version_of "$1" first)" ] || folder=second
	dpkg -i "$DEBS/$folder/$1"_*.deb >"$scratch/dpkg" 2>&1
}

# purge PACKAGE
purge()
{
	dpkg --purge "$1" >"$scratch/dpkg" 2>&1
}
