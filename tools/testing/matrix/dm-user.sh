# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced by matrix.sh: what the packages of dm-user are tested for, in this order.

tests=(
	packages_are_built
	kernel_is_installed
	kernel_upgrade_rebuilds
	kernel_without_device_mapper_is_skipped
	missing_headers_are_reported
	package_installs
	daemon_is_built_against_the_library
	purge_leaves_nothing
	image_is_packed
)

matrix_packages()
{
	printf '%s\n' libc6-dev systemd-standalone-sysusers
}

kernel_without_device_mapper_is_skipped()
{
	at=$main
	copy no_dm || return 1
	sed -i '/^CONFIG_BLK_DEV_DM=/d' \
		"$at/usr/src/linux-headers-$release/.config"
	refuses BUILD_EXCLUSIVE
}

# says_usage COMMAND...
says_usage()
{
	[[ $(here "$@" 2>&1) = usage:* ]]
}

tools_work()
{
	says_usage dm-user-file && says_usage dm-user-cow &&
		here getent group dm-user
}

daemon_is_built_against_the_library()
{
	at=$main
	cp -r "$TESTING/e2e/dm-user" "$work/shared/daemon" &&
		here sh -c 'cd /mnt/daemon &&
			gcc -D_GNU_SOURCE -o log dm-user-log.c -ldmuser -pthread' &&
		says_usage /mnt/daemon/log
}
