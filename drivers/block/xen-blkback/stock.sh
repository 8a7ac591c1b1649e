#!/bin/sh
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: stock.sh SOURCE DIRECTORY
#
# Copies the files of the kernel's xen-blkback that we build from the kernel source tree
# SOURCE to DIRECTORY. Fails if one of the calls that blkback_seq.c replaces is not there
# exactly once: the check of the disk would be skipped without a word.

set -eu

# expect FILE CALL...: one of the calls must occur, once.
expect()
{
	file=$1
	shift
	count=0
	for call; do
		n=$(grep -cF "$call" "$from/$file" || true)
		count=$((count + n))
	done
	[ "$count" -eq 1 ] || {
		echo "$from/$file has $count calls of $*, not one: this kernel's" \
			"xen-blkback is not known, so its disks could not be checked" >&2
		exit 1
	}
}

[ $# -eq 2 ] || {
	sed -n 's/^# usage: /usage: /p' "$0" >&2
	exit 2
}
from=$1/drivers/block/xen-blkback
expect xenbus.c 'xenbus_register_backend('
expect xenbus.c 'xenbus_watch_pathfmt('
expect xenbus.c '"physical-device", "%x:%x"'
expect xenbus.c 'blkdev_get_by_dev(' 'bdev_file_open_by_dev('
expect xenbus.c 'sysfs_create_group('
expect xenbus.c '"creating vbd structure"'
mkdir -p "$2"
for file in blkback.c common.h xenbus.c; do
	cp -p "$from/$file" "$2"
done
