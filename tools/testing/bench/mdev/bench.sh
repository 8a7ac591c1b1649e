#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [T=name] [LIST=1] [ALIVE=n,n...] bench.sh
#
# Measures the stock mdev.ko of Debian's kernel, ours, and the driver core alone,
# in virtual machines, with the same vendor driver and client. Prints a table;
# build/mdev/bench/ has the numbers (bench.csv) and a plot (bench.svg). T selects rows
# (shell patterns work), LIST=1 lists them, ALIVE sets other numbers of devices
# for "scale".
#
# Most rows count instructions, on one CPU whose clock advances by 1 ns per
# instruction, so that the load of the host does not matter. "writers" and "slow"
# run at full speed on two CPUs.

# 100,000 creates take a while on a core that walks a list.
VM_SECONDS=${VM_SECONDS:-7200}

# shellcheck source=tools/testing/bench/lib.sh
. "$(dirname "$0")/../lib.sh"

count_rows=(memory unregister region guard files scale)
speed_rows=(writers slow)
# The rows that each core supports.
declare -A core_rows=(
	[ours]="memory unregister region guard scale"
	[floor]="memory unregister files scale"
	[stock]="memory unregister region scale"
)
ALIVE=${ALIVE:-0,1000,3000,6000,12000,25000,50000,100000}
BATCH=${BATCH:-500}
ROUNDS=${ROUNDS:-5}

# Build mainline's sample out of tree, from its unmodified source. The module is
# named after the object.
build_stock_mtty()
{
	local source dir=$out/stock

	source=$("$HARNESS/source.sh" "$(<"$build/kernel/suite")" \
		samples/vfio-mdev/mtty.c) || return
	mkdir -p "$dir"
	cp "$source/samples/vfio-mdev/mtty.c" "$dir/"
	echo 'obj-m += mtty.o' >"$dir/Kbuild"
	step "building mainline's mtty" \
		kernel_make "$build/kernel" "$dir" modules
}

build_all()
{
	build=$("$HARNESS/build.sh" modules tools)
	step "building the measuring program" \
		make -C "$here" OUT="$out"
	build_stock_mtty
}

# boot MODE CORE ROW...: measures and appends to bench.csv.
boot()
{
	local mode=$1 core=$2

	shift 2
	log "measuring $core ($mode): $*"
	vm_prepare "$build" "bench-$core"
	cp "$out/stock/mtty.ko" "$VM/root/mtty_stock.ko"
	VM_MEMORY=4G
	configure_cpus "$mode"
	# Don't merge slab caches, so that memory can be attributed.
	[ "$mode" = speed ] || VM_CMDLINE+=" slab_nomerge"
	run_guest "$core" env "ALIVE=$ALIVE" "BATCH=$BATCH" "ROUNDS=$ROUNDS" \
		bash /vm/guest "$mode" "$core" "$@"
}

run_all()
{
	local core row rows

	build_all
	echo "mode,core,row,alive,unit,value" >"$out/bench.csv"
	for core in ours floor stock; do
		rows=()
		for row in "${count[@]}"; do
			[[ " ${core_rows[$core]} " != *" $row "* ]] || rows+=("$row")
		done
		[ ${#rows[@]} -eq 0 ] || (boot count "$core" "${rows[@]}")
	done
	[ ${#speed[@]} -eq 0 ] || (boot speed both "${speed[@]}")

	awk -f "$here/table.awk" "$out/bench.csv"
	if [[ " ${count[*]} " = *" scale "* ]]; then
		draw
	fi
}

if [ -n "${LIST:-}" ]; then
	chosen "${count_rows[@]}" "${speed_rows[@]}"
	exit
fi
mapfile -t count < <(chosen "${count_rows[@]}")
mapfile -t speed < <(chosen "${speed_rows[@]}")
[ $((${#count[@]} + ${#speed[@]})) -gt 0 ] || die "no row is named $T"

need_packages "${HOST_PACKAGES[@]}" gnuplot-nox
bench_once run_all
