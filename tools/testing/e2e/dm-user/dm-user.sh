# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by each *_test program: a dm-user device and its daemons, on top of
# testlib.sh.

# shellcheck source=tools/testing/harness/vm/testlib.sh
. "${TESTLIB:-$(dirname "${BASH_SOURCE[0]}")/testlib.sh}"

DISK=/dev/mapper/disk
CONTROL=/dev/dm-user/disk
MOUNT=/mnt/disk
# For kill_while.
KILLS=10
# Some hundred files to copy.
# shellcheck disable=SC2034 # for the tests
TREE=/etc
# A slow machine must not cause timeouts, but a request that is lost has to end.
FEATURES=(timeout_ms 120000)
SWEEPS=(sweep_disk sweep_mounts sweep_devices)

# table MIB [FEATURE...]
table()
{
	local sectors=$(($1 * 2048))

	shift
	set -- "${FEATURES[@]}" "$@"
	echo "0 $sectors user 0 $sectors disk $# $*"
}

# create_disk MIB [FEATURE...]: loads the table. The device is not live before its
# first daemon is there: udev reads it when it is resumed.
create_disk()
{
	dmsetup create disk --notable
	dmsetup load disk --table "$(table "$@")"
	HIT=$'0\n0'
}

# start_daemon COMMAND...: sets DAEMON to the PID of a daemon that prints "ready".
start_daemon()
{
	rm -f "$scratch/daemon"
	background "$scratch/daemon" "$@"
	DAEMON=$JOB
	# Not wait_for, whose pauses are longer than the start.
	until grep -qs '^ready$' "$scratch/daemon"; do
		! ended "$DAEMON" || fail "the daemon has ended"
	done
}

# make_disk MIB FILE [FEATURE...]: a device that dm-user-file serves from FILE.
make_disk()
{
	local mib=$1 file=$2

	shift 2
	truncate -s "${mib}M" "$file"
	create_disk "$mib" "$@"
	start_daemon dm-user-file "$CONTROL" "$file"
	dmsetup resume disk
}

# status WORD: prints this number of the device's status, or several.
status()
{
	dmsetup status disk | grep -oE " ($1) [0-9]+" | grep -oE '[0-9]+$'
}

is_queued()
{
	[ "$(status queued)" -gt 0 ]
}

# hit_daemon: kills the daemon with SIGKILL. Succeeds if requests were in flight: these
# numbers change for nothing else.
hit_daemon()
{
	local before=$HIT

	kill -KILL "$DAEMON"
	wait "$DAEMON" 2>/dev/null || true
	HIT=$(status 'errors|redelivered')
	[ "$HIT" != "$before" ]
}

# kill_while PID COMMAND...: kills the daemon while the process runs, and starts the next
# by the command, until KILLS of them had requests in flight. Counts these in kills. The
# process has its output in .work, and may end when .enough is there.
kill_while()
{
	local writer=$1

	shift
	until ended "$writer" || [ "$kills" -ge "$KILLS" ]; do
		! hit_daemon || kills=$((kills + 1))
		"$@"
	done
	touch "$scratch/.enough"
	wait "$writer" || fail "ended with an error: $(cat "$scratch/.work")"
}

# remove_device NAME: udev, or LVM for it, may still look at it.
remove_device()
{
	wait_for "$SOON" dmsetup remove "$1"
}

# remove_disk: removes the device; its daemon ends by itself.
remove_disk()
{
	remove_device disk
	wait "$DAEMON" || fail "the daemon ended with an error"
}

mount_disk()
{
	mkdir -p "$MOUNT"
	mount "$DISK" "$MOUNT"
}

# fs_make FS DEVICE, fs_check FS DEVICE
fs_make()
{
	case $1 in
	ext4)	mkfs.ext4 -q "$2" ;;
	xfs)	mkfs.xfs -q "$2" ;;
	esac
}

fs_check()
{
	case $1 in
	ext4)	e2fsck -fn "$2" ;;
	xfs)	xfs_repair -n "$2" ;;
	esac >"$scratch/check" 2>&1 || fail "$1: $(cat "$scratch/check")"
}

# sums FOLDER: prints the checksum of each file there.
sums()
{
	(cd "$1" && find . -type f -print0 | sort -z | xargs -0 sha256sum)
}

# The daemon has ended. Fail what waits for it, and what will be asked.
sweep_disk()
{
	[ -e "$DISK" ] || return 0
	leftover "$DISK"
	dmsetup message disk 0 fail || true
	dmsetup wipe_table --noflush disk
}

sweep_mounts()
{
	local mount

	for mount in $(awk '$2 ~ "^/mnt/" { print $2 }' /proc/mounts | tac); do
		leftover "$mount"
		umount "$mount" || umount -l "$mount"
	done
}

# Those on top go first.
sweep_devices()
{
	local name names

	while names=$(dmsetup info -c --noheadings -o name -S open=0) &&
		[ -n "$names" ] && [[ $names != "No devices"* ]]; do
		for name in $names; do
			leftover "$name"
			remove_device "$name"
		done
	done
}

case_setup()
{
	modprobe dm-user
}

case_teardown()
{
	losetup -D
	wait_for "$SOON" rmmod dm_user
}
