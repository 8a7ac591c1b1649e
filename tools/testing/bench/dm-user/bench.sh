#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] bench.sh
#
# Measures a daemon that answers at once, behind dm-user, ublk and nbd, and remapping
# beside dm-linear, in one boot of the kernel K, which needs ublk. Prints a table;
# build/dm-user/bench/ has the numbers (bench.csv) and a plot (bench.svg). T selects
# devices (shell patterns work), LIST=1 lists them.
#
# Most rows count instructions, on one CPU whose clock advances by 1 ns per instruction, so
# that the load of the host does not matter. Large requests run at full speed on two CPUs.

VM_SECONDS=${VM_SECONDS:-3000}

# shellcheck source=tools/testing/bench/lib.sh
. "$(dirname "$0")/../lib.sh"

devices=(linear remap dm-user ublk nbd floor)
VM_MODULES=(null_blk ublk_drv nbd)

# Copy nbdkit, its plugin and nbd-client, with their shared libraries.
add_nbd()
{
	local to=$VM/root/nbd files file

	mkdir "$to"
	files=("$(type -P nbdkit)" "$(type -P nbd-client)"
		"$(nbdkit --dump-config | sed -n 's/^plugindir=//p')/nbdkit-null-plugin.so")
	cp -t "$to" "${files[@]}"
	for file in "${files[@]}"; do
		ldd "$file" | sed -nE 's|.*[[:space:]](/[^ ]+) \(0x.*|\1|p'
	done | sort -u | xargs cp -t "$to"
}

# boot MODE DEVICE...: measures and appends to bench.csv.
boot()
{
	log "measuring ($1): ${*:2}"
	vm_prepare "$build" "bench-$1"
	add_nbd
	VM_MEMORY=1G
	configure_cpus "$1"
	run_guest "$1" bash /vm/guest "$@"
}

run_all()
{
	local speed=() device header

	build=$("$HARNESS/build.sh" modules tools)
	header=$(find -L "$build/kernel/usr/src" -path '*/include/uapi/linux/ublk_cmd.h' |
		sed -n 1p)
	[ -n "$header" ] || die "the kernel $K has no ublk"
	step "building the measuring program" \
		make -C "$here" OUT="$out" UBLK_CMD_H="$header"
	echo "mode,device,row,value" >"$out/bench.csv"
	# Twice: a machine that has just booted has other work, too.
	(boot count "${chosen[@]}" "${chosen[@]}")
	for device in "${chosen[@]}"; do
		[[ $device != @(dm-user|ublk|nbd) ]] || speed+=("$device")
	done
	[ ${#speed[@]} -eq 0 ] || (boot speed "${speed[@]}")
	awk -f "$here/table.awk" "$out/bench.csv"
	draw
}

if [ -n "${LIST:-}" ]; then
	chosen "${devices[@]}"
	exit
fi
mapfile -t chosen < <(chosen "${devices[@]}")
[ ${#chosen[@]} -gt 0 ] || die "no device is named $T"

need_packages "${HOST_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}" gnuplot-nox liburing-dev \
	nbd-client nbdkit
bench_once run_all
