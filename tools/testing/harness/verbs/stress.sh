#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [SCALE=percent] [SEED=n] stress.sh GROUP
#
# Boots a virtual machine and runs the system's stress programs of this group in
# it (STRESS_GROUP of its description), one after the other. SCALE is a
# percentage of the default number of operations; SEED repeats a run, whose log
# shows it.

VM_SECONDS=${VM_SECONDS:-10800}

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

SCALE=${SCALE:-100}

# Write the machine's script. A program that fails must not hide the others.
write_main()
{
	local program

	echo "exec >\$VM_RESULTS 2>&1"
	# The console is slow: print only warnings.
	echo "dmesg -n 5"
	echo "export SEED=${SEED:-}"
	stress_numbers | sed 's/^/export /'
	for program in "${programs[@]}"; do
		echo "/vm/$program || echo '# $program has failed'"
	done
	echo "echo '# end'"
}

# Report programs that printed no result.
report_missing()
{
	local program silent=0

	for program in "${programs[@]}"; do
		if ! grep -qE "^(not )?ok - $program" "$VM/out"; then
			not_ok "$program"
			silent=1
		fi
	done
	if [ "$silent" -eq 1 ] || ! grep -q '^# end' "$VM/out"; then
		note "no verdict: $VM_END"
		vm_console_tail
		[ "$silent" -eq 1 ] || not_ok virtual_machine
	elif vm_complained "" && ! grep -q '^not ok' "$VM/out"; then
		note "the kernel complained"
		vm_console_tail
		not_ok virtual_machine
	fi
}

[ $# -eq 1 ] || die "usage: stress.sh GROUP"
group=STRESS_$1
[ -n "${!group:-}" ] || die "$S has no stress programs of the group $1"
read -ra programs <<<"${!group}"
if [ -n "${LIST:-}" ]; then
	printf "$1:%s\n" "${programs[@]}"
	exit
fi
build=$("$HARNESS/build.sh" modules selftests tools stress)
vm_prepare "$build" "stress-$1"
cp -t "$VM/root" "${programs[@]/#/$build/stress/}"
write_main >"$VM/root/main"
vm_pack
vm_boot tee "$VM/out"
report_missing
[ "$failed" -eq 0 ] && ! grep -q '^not ok' "$VM/out" && [ "$VM_STATUS" = 0 ]
