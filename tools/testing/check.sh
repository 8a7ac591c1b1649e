#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] check.sh [vm]
#        [K=...] check.sh builds
#        [K=...] [SCALE=percent] [SEED=n] check.sh fuzz|soak|faults
#
# Runs the checks that need no machine (tools/testing/build), then every case
# of every test program in the virtual machine, as one KTAP stream on stdout
# that ends with the totals. T chooses a program, a case or a shell pattern of
# either; LIST=1 names what there is instead of running it. With "vm" only what
# runs in the machine is run. With "builds" the modules are only built, for each
# kernel that is supported or the one K names. The last three are what
# tools/testing/stress has.
#
# On the kernels that look for faults (K=debug, K=kcsan) KUnit suites are run as
# well, and modules stay loaded from one case to the next: the first releases
# kobjects seconds late, which made a case with its modules take 20 s and more.
# The cases that are about unloading do it all the same, and so does the end.
#
# TOTALS and TOTALS_PREFIX are for lib/ktap.sh.

asked_kernel=${K:-}

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/lib/common.sh"
# shellcheck source=tools/testing/vm/boot.sh
. "$TOP/tools/testing/vm/boot.sh"

T=${T:-*}
case $K in
debug | kcsan)
	keep=1 CASE_SECONDS=${CASE_SECONDS:-240}
	;;
*)
	keep='' CASE_SECONDS=${CASE_SECONDS:-60}
	;;
esac
static=$TOP/tools/testing/build/static.sh
crc=$TOP/tools/testing/build/crc.sh

read -ra wanted <<<"$T"

# selected NAME: whether T asks for "program:case".
selected()
{
	local t
	for t in "${wanted[@]}"; do
		# shellcheck disable=SC2053 # a pattern it is
		if [[ $1 = $t || ${1%%:*} = $t || ${1%%_test:*} = $t ||
			${1#*:} = $t || ${1##*.} = $t ]]; then
			return
		fi
	done
	return 1
}

# Lists static checks as "program:case".
list_static()
{
	local name
	if [ -x "$static" ]; then
		"$static" -l | while read -r name; do
			echo "static:$name"
		done
	fi
	[ ! -x "$crc" ] || echo "crc:symbols"
}

# Lists the cases of the programs built in $1 as "program case", with the
# fixture and the variant in the name as "-r" wants them. "-l" prints a table
# of fixtures with a column of variants and one of tests.
list_cases()
{
	local prog
	for prog in "$1"/tests/*_test; do
		[ -x "$prog" ] || continue
		{ "$prog" -l 2>&1 || true; } | awk -v prog="${prog##*/}" '
			function flush_fixture(v, t, prefix) {
				for (v = 0; v == 0 || v < nv; v++)
					for (t = 0; t < nt; t++) {
						prefix = fixture "."
						if (nv)
							prefix = prefix variant[v] "."
						print prog, prefix test[t]
					}
				nv = nt = 0
			}
			/^# FIXTURE/ || /^---/ { next }
			/^[^ ]/ {
				flush_fixture()
				fixture = $1
				rest = substr($0, 1 + (length($1) > 20 ? \
					length($1) : 20) + 1)
			}
			/^ / { rest = substr($0, 22) }
			{
				n = split(rest, f, " ")
				if (rest ~ /^[^ ]/)
					variant[nv++] = f[1]
				if (n == 2 || (n == 1 && rest ~ /^ /))
					test[nt++] = f[n]
			}
			END { flush_fixture() }'
	done
}

# Modules of KUnit suites, which only a kernel with KUnit gets.
list_kunit()
{
	local ko

	find "$1/modules" -name '*_kunit.ko' | sort | while read -r ko; do
		echo "kunit $(basename "$ko" .ko)"
	done
}

# Only what T asks for; cases of TEST() are shown without their fixture.
select_cases()
{
	local prog case
	while read -r prog case; do
		! selected "$prog:${case#global.}" || echo "$prog $case"
	done
}

# run_part NAME COMMAND...: a script that prints results; it must print some,
# and its exit status has to agree.
run_part()
{
	local part=$1 out rc=0
	shift
	out=$(mktemp)
	"$@" </dev/null | sed -uE "s/^((not )?ok)[ 0-9]*(- *)?/\1 - $part:/" |
		tee "$out" || rc=$?
	if ! grep -qE '^(not )?ok' "$out" ||
		{ [ "$rc" -ne 0 ] && ! grep -q '^not ok' "$out"; }; then
		echo "# ended with status $rc and no failure to show for it"
		echo "not ok - $part"
	fi
	rm -f "$out"
}

run_static()
{
	local names=() name

	while read -r name; do
		! selected "$name" || names+=("${name#static:}")
	done < <(list_static | grep '^static:')
	[ ${#names[@]} -eq 0 ] || run_part static "$static" "${names[@]}"
}

# Handles what one boot says: results go on to stdout, and where it stood is
# kept in files for whoever looks after the machine is gone.
follow()
{
	local line running='' finished=0

	: >"$VM/running"
	echo 0 >"$VM/finished"
	rm -f "$VM/end"
	tee -a "$VM_BUILD/vm/tests.log" | while IFS= read -r line; do
		case $line in
		"# run "*)
			running=${line#"# run "}
			echo "$running" >"$VM/running"
			;;
		"ok - $running" | "ok - $running "* | "not ok - $running")
			printf '%s\n' "$line"
			finished=$((finished + 1))
			echo "$finished" >"$VM/finished"
			: >"$VM/running"
			running='?'
			;;
		end | bail)
			echo "$line" >"$VM/end"
			;;
		*)
			printf '%s\n' "$line"
			;;
		esac
	done
}

# Boots until every case has a result: a case that takes the machine down, or
# leaves it unusable, must not hide what the others do.
run_cases()
{
	local cases=$VM_BUILD/vm/cases running boots=0

	rm -f "$VM_BUILD/vm/tests.log"
	while [ -s "$cases" ]; do
		if [ "$boots" -eq "${MAX_BOOTS:-8}" ]; then
			echo "# not run: the machine went down $boots times"
			sed -E 's/ (global\.)?/:/; s/^/not ok - /' "$cases"
			return
		fi
		boots=$((boots + 1))
		cp "$cases" "$VM/root/cases"
		vm_pack
		vm_boot follow

		# Not with sed, whose "1,0d" would drop a case that has no result.
		tail -n "+$(($(cat "$VM/finished") + 1))" "$VM/root/cases" \
			>"$cases"
		running=$(cat "$VM/running")
		if [ -n "$running" ]; then
			echo "# no result: $VM_END"
			vm_console_tail
			echo "not ok - $running"
			sed -i 1d "$cases"
		elif [ -s "$VM/end" ] && [ "$(cat "$VM/end")" = bail ]; then
			log "the machine cannot be used any more"
		elif [ "$VM_STATUS" != 0 ] || [ ! -s "$VM/end" ]; then
			echo "# no verdict: $VM_END"
			vm_console_tail
			echo "not ok - virtual_machine"
			# One that does not even start never will.
			[ "$(cat "$VM/finished")" -gt 0 ] || boots=${MAX_BOOTS:-8}
		elif vm_complained "run over:"; then
			echo "# the kernel complained after the last case"
			vm_console_tail
			echo "not ok - virtual_machine"
		fi
	done
}

run_vm()
{
	local cases

	cases=$({
		list_kunit "$build"
		list_cases "$build"
	} | select_cases)
	[ -n "$cases" ] || return 0
	log "cases for the virtual machine: $(wc -l <<<"$cases")"
	vm_prepare "$build" tests
	printf '%s\n' "$cases" >"$VM_BUILD/vm/cases"
	step "building the runner" \
		gcc -static -O2 -Wall -Wextra -o "$VM/root/runner" \
		"$TOP"/tools/testing/vm/{runner,klog,leaks}.c
	mkdir "$VM/root/tests"
	cp -t "$VM/root/tests" "$build"/tests/*_test \
		"$TOP/tools/testing/vm/kunit"
	cat >"$VM/root/main" <<-MAIN
		${keep:+export MDEV_TEST_KEEP_MODULES=1}
		exec /vm/runner /vm/cases /vm/tests /dev/ttyS1 $CASE_SECONDS
	MAIN
	run_cases
}

run_builds()
{
	run_part builds env -u K "$TOP/tools/testing/build/builds.sh" \
		${asked_kernel:+"$asked_kernel"}
}

run_stress()
{
	run_part stress "$TOP/tools/testing/stress/stress.sh" "$what"
}

build_all()
{
	if ! build=$("$LIB/build.sh" modules tests client); then
		echo "not ok - build"
		return 1
	fi
}

run_only_vm()
{
	! build_all || run_vm
}

run_all()
{
	run_static
	build_all || return 0
	if [ -x "$crc" ] && selected crc:symbols; then
		run_part crc "$crc" "$build/modules" "$build/headers"
	fi
	run_vm
}

if [ -n "${LIST:-}" ]; then
	build=$("$LIB/build.sh" tests)
	{
		list_static
		list_cases "$build" | sed -E 's/ (global\.)?/:/'
	} | while read -r name; do
		! selected "$name" || echo "$name"
	done
	exit
fi

start=$SECONDS
what=${1:-all}
case $what in
builds)
	run=run_builds
	;;
fuzz | soak | faults)
	run=run_stress
	;;
*)
	[ "$what" = vm ] && run=run_only_vm || run=run_all
	# All at once: each run of apt takes a while.
	need_packages "${CHECK_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" \
		"${PROGRAM_PACKAGES[@]}" "${VM_PACKAGES[@]}"
	;;
esac
# Not in a condition, where errexit would be off: what ends early has failed.
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - check"' EXIT
	"$run"
) | "$LIB/ktap.sh"
rc=$?
set -e
log "it took $((SECONDS - start)) s"
exit "$rc"
