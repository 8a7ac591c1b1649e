#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=suite] [T=name] [LIST=1] matrix.sh
#
# Installs the packages in a root of the Debian suite K with its kernel, headers
# and DKMS, as a user does, boots the result, and runs the selftests and the
# end-to-end tests that T selects on the installed modules.
#
# The steps in the root build on each other, in the order of "tests", which
# tools/testing/matrix/S.sh defines. A test that would spoil the root works on a
# copy.
#
# shellcheck disable=SC2016 # formats of dpkg-query
# shellcheck disable=SC2317 # called by name

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"
amd64_only matrix

# What DKMS and modprobe call the module.
module=${PACKAGES[0]%-dkms}
arch=$(dpkg --print-architecture)
suite=$(suite_of "$K")
later_version=$(project_version | awk -F. '{ print $1 "." $2 "." $3 + 1 }')

# installed_kernel: prints the name of the suite's kernel package.
installed_kernel()
{
	depends "linux-image-$arch" | grep '^linux-image-' | head -n 1
}

# previous_kernel NAME: prints the name of the one before it, which differs only in
# numbers.
previous_kernel()
{
	local like

	like=$(sed -E 's/[.+]/\\&/g; s/[0-9]+/[0-9]+/g' <<<"$1")
	apt-cache "${APT_OPTS[@]}" search --names-only "^$like\$" |
		cut -d' ' -f1 | sort -Vu | grep -B1 -xF "$1" | head -n 1
}

# here COMMAND...: runs the command in the root $at, without a network.
here()
{
	in_root "$at" "" "$work/shared" INITRD=No \
		DEBIAN_FRONTEND=noninteractive "$@"
}

# copy NAME: sets at to a copy of the root $at.
copy()
{
	overlay "$at" "$work/$1" || return 1
	at=$work/$1/root
}

# install_here PATTERN...: installs these packages, as /mnt shows them.
install_here()
{
	here sh -c "apt-get install -y -q -o Dpkg::Use-Pty=0 $*"
}

# modprobe_finds RELEASE FOLDER: succeeds if modprobe would load the module from this folder.
# With an empty FOLDER, succeeds if modprobe finds no module.
modprobe_finds()
{
	local found

	found=$(here modinfo -k "$1" -n "$module" || true)
	echo "modprobe finds ${found:-nothing}"
	if [ -n "$2" ]; then
		[[ $found = */$2/* ]]
	else
		[ -z "$found" ]
	fi
}

# kernel_is_complete RELEASE: dpkg finds no change in the kernel's packages. Some
# tests change its headers.
kernel_is_complete()
{
	local packages

	packages=$(here dpkg-query -W -f '${db:Status-Status} ${Package}\n' \
		"linux-*-$1" | sed -n 's/^installed //p' |
		grep -v '^linux-headers-')
	# shellcheck disable=SC2086 # several packages
	! here dpkg -V $packages | grep .
}

# built RELEASE: the package's modules are installed for this kernel.
built()
{
	here dkms status "$module/$(project_version)" -k "$1" |
		grep ': installed' && modprobe_finds "$1" updates/dkms &&
		[ "$(here modinfo -k "$1" -F version "$module")" = \
			"$MODULE_VERSION" ]
}

not_built()
{
	! here dkms status "$module" -k "$1" | grep -E ': (built|installed)' &&
		modprobe_finds "$1" "$STOCK" && kernel_is_complete "$1"
}

packages_are_built()
{
	local package

	"$HARNESS/deb.sh" "$work/debs" &&
		"$HARNESS/deb.sh" "$work/later" "$later_version" &&
		mkdir "$work/shared"/{debs,later} || return 1
	for package in "${PACKAGES[@]}"; do
		cp "$work/debs/$package"_*.deb "$work/shared/debs" || return 1
	done
	cp "$work/later/$module-dkms"_*.deb "$work/shared/later"
}

# Let apt choose and fetch what the root lacks for the newest kernel.
fetch_kernel()
{
	mkdir -p "$work/kernel/partial" &&
		apt-get "${APT_OPTS[@]}" -y \
			-o Dir::State::status="$base/var/lib/dpkg/status" \
			-o Dir::Cache::archives="$work/kernel" \
			--no-install-recommends --download-only install \
			"linux-image-$arch" "linux-headers-$arch" &&
		mkdir "$work/shared/kernel" &&
		cp "$work"/kernel/*.deb "$work/shared/kernel"
}

# The copy "main" gets the package later.
kernel_is_installed()
{
	step "fetching the kernel of $suite" fetch_kernel || return 1
	at=$base
	copy main || return 1
	step "installing it" here sh -c "dpkg -i /mnt/kernel/*.deb" || return 1
	echo "installed: $release, after $old_release"
	modprobe_finds "$release" "$STOCK" && kernel_is_complete "$release"
}

kernel_upgrade_rebuilds()
{
	at=$base
	copy upgrade || return 1
	install_here "/mnt/debs/$module-dkms_*.deb" &&
		built "$old_release" || return 1
	here sh -c "dpkg -i /mnt/kernel/*.deb" && built "$release" &&
		built "$old_release"
}

# refuses REASON: installs in $at. The package must say why it skips the kernel.
refuses()
{
	local said

	said=$(install_here "/mnt/debs/$module-dkms_*.deb" 2>&1) || {
		printf '%s\n' "$said"
		return 1
	}
	grep -F "$1" <<<"$said" && not_built "$release"
}

missing_headers_are_reported()
{
	local said

	at=$main
	copy no_headers || return 1
	here dpkg --purge --force-depends "linux-headers-$release" || return 1
	said=$(install_here "/mnt/debs/$module-dkms_*.deb" 2>&1)
	grep -i 'headers' <<<"$said" && not_built "$release"
}

package_installs()
{
	at=$main
	install_here "/mnt/debs/*.deb" && built "$release" &&
		here modinfo -k "$release" -F signer "$module" | grep . &&
		tools_work
}

purge_leaves_nothing()
{
	local left

	at=$main
	copy purged || return 1
	here dpkg --purge "${PACKAGES[@]}" &&
		modprobe_finds "$release" "$STOCK" &&
		kernel_is_complete "$release" || return 1
	left=$(here find / -xdev -path /mnt -prune -o -path /proc -prune -o \
		\( -path "*$module-dkms*" -o -path "/var/lib/dkms/$module*" -o \
		-path "/usr/src/$module*" -o -path '*/updates/dkms*' \) \
		-not -path '/var/lib/dpkg/*' -not -path '/var/log/*' -print)
	echo "left: ${left:-nothing}"
	[ -z "$left" ]
}

# Add the drivers that the tests need to what DKMS has built. Drop the previous kernel:
# DKMS would build for it, too, when a test installs the package there.
image_is_packed()
{
	local updates ko

	at=$main
	here dpkg --purge "linux-image-$old_release" \
		"linux-headers-$old_release" || return 1
	updates=$at/lib/modules/$release/updates
	mkdir -p "$updates/tests" "$at/vm" "$PACKAGED/modules"
	add_drivers "$updates/tests" && here depmod "$release" &&
		find "$updates" -name '*.ko*' -exec cp -t "$PACKAGED/modules" {} + ||
		return 1
	for ko in "$PACKAGED"/modules/*.xz; do
		[ ! -e "$ko" ] || xz -d "$ko" || return 1
	done
	e2e_mend "$at"
	here dpkg-query -W -f '${Package} ${Version}\n' dkms "$module-dkms" \
		"linux-image-$release" "${E2E_PROGRAMS[@]}" |
		tee "$PACKAGED/image.versions"
	mkdir "$PACKAGED/debs" &&
		cp -r "$work/shared/debs" "$PACKAGED/debs/first" &&
		cp -r "$work/shared/later" "$PACKAGED/debs/second" &&
		pack_image "$at" "$PACKAGED/image"
}

# Defaults for what the file of the system does not define.
STOCK=
MODULE_VERSION=
matrix_packages() { :; }
add_drivers() { :; }
# shellcheck source=tools/testing/matrix/mdev.sh
. "$TESTING/matrix/$S.sh"

if [ -n "${LIST:-}" ]; then
	printf 'matrix:%s\n' "${tests[@]}"
	exit
fi
build=$("$HARNESS/build.sh" modules selftests tools e2e)
work=$build/matrix
main=$work/main/root
# The mounts of an earlier run ended with it.
rm -rf --one-file-system "$work"
mkdir -p "$work/shared"
export PACKAGED=$work/packaged
need_packages "${HOST_PACKAGES[@]}" e2fsprogs
apt_suite "$suite"
kernel=$(installed_kernel)
old_kernel=$(previous_kernel "$kernel")
release=${kernel#linux-image-} old_release=${old_kernel#linux-image-}
[ "$release" = "$(<"$build/kernel/release")" ] ||
	die "the kernel at hand is not the newest one; REFRESH=1 fetches it"
from=
[ "$(base_suite "$suite")" = "$suite" ] || from=/$suite
mapfile -t more < <(matrix_packages)
base=$("$HARNESS/root.sh" "$suite" "$S-matrix" "$old_kernel$from" \
	"linux-headers-$old_release$from" dkms openssl \
	"${more[@]}" "${E2E_PROGRAMS[@]}" "${E2E_PACKAGES[@]}")
for test in "${tests[@]}"; do
	run_test "matrix:$test" "$test"
	# The other tests depend on this one.
	[ "$failed" -eq 0 ] || exit 1
done
rc=0
"$HARNESS/verbs/selftests.sh" || rc=1
"$HARNESS/verbs/e2e.sh" || rc=1
exit "$rc"
