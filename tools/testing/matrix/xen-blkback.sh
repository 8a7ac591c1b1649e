# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2016,SC2034,SC2154
#
# Sourced by matrix.sh: what the packages of xen-blkback are tested for, in this order.

tests=(
	packages_are_built
	kernel_is_installed
	kernel_of_another_version_than_its_sources_is_skipped
	kernel_before_its_sources_is_built_when_they_come
	kernel_without_a_back_end_is_skipped
	missing_headers_are_reported
	package_installs
	purge_leaves_nothing
	image_is_packed
)

# Where the kernel's package has its own module.
STOCK=kernel
MODULE_VERSION=$(project_version)

# The sources of the newest kernel. The root has the one before it.
matrix_packages()
{
	printf '%s\n' "linux-source$from" "$(source_package)$from" xz-utils
}

# source_package: prints the name of the package with the archive.
source_package()
{
	depends linux-source | head -n 1
}

# version_of PACKAGE: prints its version in $at.
version_of()
{
	here dpkg-query -W -f '${source:Version}' "$1"
}

# says VERSION: installs in $at. The package must say which sources it needs.
says()
{
	local said source have

	source=$(source_package)
	have=$(version_of "$source" 2>/dev/null) || have=none
	said=$(install_here "/mnt/debs/$module-dkms_*.deb" 2>&1) || {
		printf '%s\n' "$said"
		return 1
	}
	grep -F "it needs $source of version $1, and ${have:-none} is installed" <<<"$said"
}

kernel_of_another_version_than_its_sources_is_skipped()
{
	at=$base
	copy another || return 1
	says "$(version_of "linux-headers-$old_release")" &&
		! here dpkg-query -W "linux-image-$release" 2>/dev/null &&
		! here dkms status "$module" -k "$old_release" | grep installed
}

kernel_before_its_sources_is_built_when_they_come()
{
	local source said

	source=$(source_package)
	at=$main
	copy before || return 1
	here dpkg --purge --force-depends "$source" || return 1
	# apt would refuse to install anything without what linux-source depends on.
	said=$(here sh -c "dpkg -i --force-depends /mnt/debs/$module-dkms_*.deb" 2>&1)
	if ! grep -F "of version $(version_of "linux-headers-$release"), and none is installed" \
		<<<"$said" || ! not_built "$release"; then
		printf '%s\n' "$said"
		return 1
	fi
	mkdir -p "$work/shared/source" &&
		(cd "$work/shared/source" && apt-get "${APT_OPTS[@]}" download "$source") &&
		here sh -c "dpkg -i /mnt/source/*.deb" && built "$release"
}

kernel_without_a_back_end_is_skipped()
{
	at=$main
	copy no_back_end || return 1
	sed -i '/^CONFIG_XEN_BLKDEV_BACKEND=/d' \
		"$at/usr/src/linux-headers-$release/.config"
	refuses "it has no xen-blkback"
}

tools_work()
{
	[[ $(here block-seq 2>&1) = usage:* ]] &&
		[[ $(here /etc/xen/scripts/block-seq 2>&1) = usage:* ]] &&
		here test -x /etc/xen/scripts/block-seq-old
}
