#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [SCALE=percent] [SEED=n] stress.sh fuzz|soak|faults...
#
# Boots one virtual machine and runs the programs of these groups in it, one
# after the other. Prints their results and numbers. SCALE is how much of the
# usual number of operations is done; SEED repeats a run whose log names it.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../lib/common.sh"

# The longest program takes most of an hour on an emulated debug kernel.
VM_SECONDS=${VM_SECONDS:-10800}
SCALE=${SCALE:-100}

# shellcheck source=tools/testing/vm/boot.sh
. "$TOP/tools/testing/vm/boot.sh"

# Creates and their removes: one is a matter of milliseconds, of ten times as
# many on a debug kernel.
soak_pairs()
{
	case $K in
	debug | kcsan)	echo 50000 ;;
	*)		echo 500000 ;;
	esac
}

programs()
{
	case $1 in
	fuzz)	echo fuzz_sysfs fuzz_vfio ;;
	soak)	echo soak ;;
	faults)	echo fail_nth ;;
	*)	die "usage: $(basename "$0") fuzz|soak|faults..." ;;
	esac
}

# What runs in the machine. A program that fails must not hide the others.
write_main()
{
	local program

	echo "exec >/dev/ttyS1 2>&1"
	# Only warnings on the console: it is slow.
	echo "dmesg -n 5"
	echo "export SEED=${SEED:-}"
	echo "export WRITES=$((1000000 * SCALE / 100))"
	echo "export CALLS=$((1000000 * SCALE / 100))"
	echo "export PAIRS=$(($(soak_pairs) * SCALE / 100))"
	for program in "${wanted[@]}"; do
		echo "/vm/$program || echo '# $program has failed'"
	done
	echo "echo '# end'"
}

# Those that began and said nothing, or never began.
report_missing()
{
	local program silent=0

	for program in "${wanted[@]}"; do
		if ! grep -qE "^(not )?ok - $program" "$VM/out"; then
			echo "not ok - $program"
			silent=1
		fi
	done
	if [ "$silent" -eq 1 ] || ! grep -q '^# end' "$VM/out"; then
		echo "# no verdict: $VM_END"
		vm_console_tail
		[ "$silent" -eq 1 ] || echo "not ok - virtual_machine"
	elif vm_complained "" && ! grep -q '^not ok' "$VM/out"; then
		echo "# the kernel complained"
		vm_console_tail
		echo "not ok - virtual_machine"
	fi
}

[ $# -gt 0 ] || set -- fuzz soak faults
wanted=()
for group in "$@"; do
	names=$(programs "$group")
	# shellcheck disable=SC2206 # several names
	wanted+=($names)
done

need_packages "${VM_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" "${PROGRAM_PACKAGES[@]}"
build=$("$LIB/build.sh" modules client stress)
vm_prepare "$build" "stress-$1"
cp -t "$VM/root" "${wanted[@]/#/$build/stress/}"
write_main >"$VM/root/main"
vm_pack
vm_boot tee "$VM/out"
report_missing
! grep -q '^not ok' "$VM/out" && [ "$VM_STATUS" = 0 ]
