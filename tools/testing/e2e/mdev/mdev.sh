# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by each *_test program: helpers for mtty's mediated devices, on top of
# testlib.sh.

# shellcheck source=tools/testing/harness/vm/testlib.sh
. "${TESTLIB:-$(dirname "${BASH_SOURCE[0]}")/testlib.sh}"

BUS=/sys/bus/mdev/devices
MTTY=/sys/class/mdev_bus/mtty
SWEEPS=(sweep_devices)

mtty_create()
{
	echo "$2" >"$MTTY/mdev_supported_types/mtty-$1/create"
}

instances()
{
	cat "$MTTY/mdev_supported_types/mtty-$1/available_instances"
}

uuids()
{
	local device

	for device in "$BUS"/*; do
		[ ! -e "$device" ] || echo "${device##*/}"
	done
}

# devices: prints the number of mediated devices.
devices()
{
	uuids | wc -l
}

in_use()
{
	cat "$BUS/$1/in_use"
}

opened()
{
	[ "$(in_use "$1")" = 1 ]
}

idle()
{
	[ "$(in_use "$1")" = 0 ]
}

load_mtty()
{
	modprobe mtty
	[ -d "$MTTY" ]
	# Some cases run outside Debian's root.
	! command -v udevadm >/dev/null || udevadm settle
}

# The last reference to a removed device may be dropped a moment later.
unload_mtty()
{
	wait_for "$SOON" modprobe -r mtty
	wait_for "$SOON" modprobe -r vfio_mdev
	wait_for "$SOON" missing /sys/module/mdev
}

# Remove devices and definitions that the case left behind.
sweep_devices()
{
	local uuid file

	for uuid in $(uuids); do
		leftover "$uuid"
		timeout 20 sh -c "echo 1 >$BUS/$uuid/remove" || true
	done
	for file in /etc/mdevctl.d/*/*-*; do
		[ -e "$file" ] || continue
		leftover "$file"
		rm -f "$file"
	done
}

case_setup()
{
	load_mtty
}

case_teardown()
{
	unload_mtty
}
