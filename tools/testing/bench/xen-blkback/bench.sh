#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] bench.sh
#
# Measures the distribution's xen-blkback with Xen's hotplug script beside ours with
# block-seq, in one boot of dom0. Prints a table; build/xen-blkback/bench/bench.csv has
# the numbers. T selects rows (shell patterns work), LIST=1 lists them.

VM_SECONDS=${VM_SECONDS:-6000}

# shellcheck source=tools/testing/bench/lib.sh
. "$(dirname "$0")/../lib.sh"

rows=(read_brd read_loop stream_brd attach script many)

run_all()
{
	build=$("$HARNESS/build.sh" modules tools)
	step "building the measuring program" make -C "$here" OUT="$out"
	echo "module,row,value" >"$out/bench.csv"
	debian_machine "$build"
	vm_prepare "$build" bench
	debian_fill
	cp "$HARNESS/vm/testlib.sh" "$TESTING/e2e/$S/xen.sh" "$VM/root"
	log "measuring: ${chosen[*]}"
	run_guest "${chosen[*]}" bash /vm/guest "${chosen[@]}"
	awk -f "$here/table.awk" "$out/bench.csv"
}

if [ -n "${LIST:-}" ]; then
	chosen "${rows[@]}"
	exit
fi
mapfile -t chosen < <(chosen "${rows[@]}")
[ ${#chosen[@]} -gt 0 ] || die "no row is named $T"

need_packages "${HOST_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}"
bench_once run_all
