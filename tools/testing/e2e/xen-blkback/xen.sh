# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by each *_test program: guests, their disks, and block-seq, on top of
# testlib.sh.

# shellcheck source=tools/testing/harness/vm/testlib.sh
. "${TESTLIB:-$(dirname "${BASH_SOURCE[0]}")/testlib.sh}"

SWEEPS=(sweep_disks sweep_guests sweep_loops)
VBDS=/local/domain/0/backend/vbd
BLACKLIST=/etc/modprobe.d/xen-blkback.conf
export XENBUS_PATH

case_setup()
{
	modprobe -a loop xen-blkfront xen-blkback
	cd "$scratch"
	echo "this is a" >a.raw
	echo "this is b" >b.raw
	truncate -s 16M a.raw b.raw
}

case_teardown()
{
	rm -f "$BLACKLIST"
	udevadm control --reload
	# Some cases load the distribution's module, or none.
	wait_for "$SOON" modprobe -r xen-blkback
}

# attach DOMAIN VDEV FILE [SCRIPT [MODE]]: by xl.
attach()
{
	xl block-attach "$1" \
		"format=raw,vdev=$2,access=${5:-rw},script=${4:-block-seq},target=$3"
}

# vbd DOMAIN NUMBER: prints the path of the back end of a disk. xvda is 51712.
vbd()
{
	echo "$VBDS/$1/$2"
}

# wide N: prints the number of the n-th disk, of which only the first 16 have a short one.
wide()
{
	echo $(((1 << 28) + ($1 << 8)))
}

# value VBD NODE: prints the node's value, or nothing.
value()
{
	xenstore-read "$1/$2" 2>/dev/null || true
}

# has VBD NODE VALUE
has()
{
	[ "$(value "$1" "$2")" = "$3" ]
}

# loops: prints the files of loop devices.
loops()
{
	losetup -n -O BACK-FILE
}

no_loops()
{
	[ -z "$(loops)" ]
}

# prepare NUMBER TARGET [MODE]: writes the nodes of a disk of dom0, as xl does before it
# calls the hotplug program, and waits for the back end. Sets XENBUS_PATH.
prepare()
{
	local front=/local/domain/0/device/vbd/$1

	XENBUS_PATH=$(vbd 0 "$1")
	xenstore-write "$front/backend" "$XENBUS_PATH" "$front/backend-id" 0 \
		"$front/virtual-device" "$1" "$front/device-type" disk \
		"$front/protocol" x86_64-abi "$front/state" 1 \
		"$XENBUS_PATH/frontend" "$front" "$XENBUS_PATH/frontend-id" 0 \
		"$XENBUS_PATH/online" 1 "$XENBUS_PATH/mode" "${3:-w}" \
		"$XENBUS_PATH/type" phy "$XENBUS_PATH/dev" xvd \
		"$XENBUS_PATH/params" "$2" "$XENBUS_PATH/device-type" disk \
		"$XENBUS_PATH/state" 1
	wait_for "$SOON" has "$XENBUS_PATH" state 2
}

# refused TEXT [ARGUMENT...]: block-seq fails, and tells why to all who ask.
refused()
{
	local text=$1

	shift
	expect_match "$text" "$(refuse block-seq "${@:-add}")"
	expect_match "$text" "$(value "$XENBUS_PATH" hotplug-error)"
	expect error "$(value "$XENBUS_PATH" hotplug-status)" hotplug-status
}

# stock_module: loads the distribution's module in place of ours.
stock_module()
{
	rmmod xen-blkback
	insmod /lib/modules/stock/xen-blkback.ko
}

is_gone()
{
	[ ! -L "/sys/bus/xen-backend/devices/$1" ]
}

# has_disk NUMBER: succeeds if the front end in dom0 has made its disk. Sets disk.
has_disk()
{
	disk=$(ls "/sys/bus/xen/devices/vbd-$1/block")
}

# calm VBD: waits until udev has read the disk, if it is open. A front end with a request
# in flight hangs when it is removed, and all of xenbus with it.
calm()
{
	local disk

	has "$1" opened 1 || has "$1" state 4 || return 0
	wait_for "$SOON" has_disk "${1##*/}"
	has_disk "${1##*/}"
	udevadm wait --timeout="$SOON" "/dev/$disk"
	udevadm settle
}

# detach NUMBER: detaches a disk of dom0, by xl.
detach()
{
	calm "$(vbd 0 "$1")"
	xl block-detach 0 "$1"
}

is_closed()
{
	has "$1" state 6 || has "$1" state ''
}

# drop VBD: detaches the disk and removes its nodes.
drop()
{
	local front number

	calm "$1"
	front=$(value "$1" frontend)
	number=${1##*/}
	xenstore-write "$1/online" 0
	has "$1" state 5 || has "$1" state 6 || xenstore-write "$1/state" 5
	wait_for "$SOON" is_closed "$1"
	xenstore-rm "$front"
	xenstore-rm "$1"
	wait_for "$SOON" is_gone "vbd-0-$number"
}

sweep_disks()
{
	local number

	for number in $(xenstore-list "$VBDS/0" 2>/dev/null); do
		leftover "disk $number of dom0"
		drop "$(vbd 0 "$number")"
	done
}

sweep_guests()
{
	local guest

	for guest in $(xl list | awk 'NR > 2 { print $1 }'); do
		leftover "guest $guest"
		xl destroy "$guest"
	done
}

sweep_loops()
{
	local file

	no_loops || wait_for 5 no_loops || true
	for file in $(loops); do
		leftover "a loop device of $file"
	done
	losetup -D
}
