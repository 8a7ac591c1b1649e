#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# Runs in the virtual machine. Prints each command as one would type it, then
# what it really prints. The first one that fails ends it.

say()
{
	printf '\n== %s\n' "$*"
}

fail()
{
	printf '\nFAILED: %s\n' "$*"
	exit 1
}

run()
{
	printf '# %s\n' "$*"
	eval "$*" || fail "status $? from: $*"
}

# Said to be gone, and looked for.
gone()
{
	[ ! -e "$1" ] || fail "$1 is still there"
}

say "This machine: $(uname -sr), $(nproc) CPUs"

say "Load the sample driver. It brings the mdev core and its VFIO bus driver."
run modprobe mtty
run modprobe vfio_iommu_type1
run lsmod

say "It offers types of mediated devices."
run 'cd /sys/class/mdev_bus/mtty/mdev_supported_types'
run ls
for type in mtty-1 mtty-2; do
	run ls "$type"
	run grep . "$type/name" "$type/device_api" "$type/available_instances"
done

say "Create a dual port serial card by writing a UUID of your choice."
# shellcheck disable=SC2016 # shown as typed
run 'UUID=$(cat /proc/sys/kernel/random/uuid); echo $UUID'
# shellcheck disable=SC2016
run 'echo $UUID > mtty-2/create'
run cat mtty-2/available_instances

say "The new device."
# shellcheck disable=SC2016
run 'cd /sys/bus/mdev/devices/$UUID'
run ls -l
run ls vendor
run grep . in_use mdevseq
run readlink mdev_type
run readlink iommu_group
run ls -l /dev/vfio

say "Use it through VFIO: both UARTs, the interrupt, the reset."
# shellcheck disable=SC2016
run 'mdev-serial $UUID'

say "Remove it; its ports are free again."
run 'cd /sys/class/mdev_bus/mtty/mdev_supported_types'
# shellcheck disable=SC2016
run 'echo 1 > /sys/bus/mdev/devices/$UUID/remove'
run ls /sys/bus/mdev/devices
gone "/sys/bus/mdev/devices/$UUID"
run cat mtty-2/available_instances

say "Unload everything."
run 'cd /'
run rmmod mtty
gone /sys/class/mdev_bus/mtty
run rmmod vfio_mdev mdev
gone /sys/bus/mdev
run lsmod

say "Done: every step succeeded."
