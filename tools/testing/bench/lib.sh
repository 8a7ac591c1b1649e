# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash disable=SC2034,SC2154
#
# Sourced by the bench.sh of each system: how a measuring machine is booted, and where
# its numbers go.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "${BASH_SOURCE[0]}")/../harness/lib.sh"

here=$TESTING/bench/$S
out=$TOP/build/$S/bench

# chosen NAME...: prints those that T selects.
chosen()
{
	printf '%s\n' "$@" | select_tests ""
}

# configure_cpus MODE: "count" is one CPU whose clock advances by 1 ns per
# instruction, so that the load of the host does not matter; "speed" is two CPUs at
# full speed.
configure_cpus()
{
	VM_CPUS=2
	[ "$1" = count ] || return 0
	ACCEL=(-accel "tcg,thread=single" -cpu max -icount "shift=0,sleep=off")
	VM_CPUS=1
}

# run_guest WHAT COMMAND...: boots what vm_prepare has begun, runs the command there,
# which runs the script /vm/guest, and appends its lines "= A B C" as "A,B,C" to
# bench.csv. WHAT is for an error.
run_guest()
{
	cp -t "$VM/root" "$out/bench" "$here/guest"
	cat >"$VM/root/main" <<-MAIN
		exec >\$VM_RESULTS 2>&1
		dmesg -n 4
		exec ${*:2}
	MAIN
	vm_pack
	vm_boot tee "$VM/out" >&2
	if [ "$VM_STATUS" != 0 ] || ! grep -q '^= end' "$VM/out" ||
		vm_complained ""; then
		vm_console_tail >&2
		die "no numbers of $1: $VM_END"
	fi
	sed -n '/^= end/d; s/^= //; t csv; d; :csv; s/ /,/gp' "$VM/out" \
		>>"$out/bench.csv"
}

# draw: plots bench.csv.
draw()
{
	gnuplot -e "csv='$out/bench.csv'" "$here/picture.gp" | sed 's/ *$//' \
		>"$out/bench.svg"
}

# bench_once COMMAND: only one run at a time may use the output folder.
bench_once()
{
	mkdir -p "$out"
	with_lock "bench$(tr / - <<<"$out")" "$1"
	log "numbers and picture: $out; it took $((SECONDS / 60)) min"
}
