# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: runs the cases that T selects in virtual machines, by
# runner.c, until each has a result. T is one or more programs, cases or shell
# patterns of either.

# The limit for one case. Only a hang should reach it.
if is_slow_kernel; then
	CASE_SECONDS=${CASE_SECONDS:-600}
else
	CASE_SECONDS=${CASE_SECONDS:-360}
fi

read -ra wanted <<<"${T:-*}"

# selected PROGRAM:CASE: succeeds if T selects it.
selected()
{
	local t
	for t in "${wanted[@]}"; do
		# shellcheck disable=SC2053 # $t is a pattern
		if [[ $1 = $t || ${1%%:*} = $t || ${1%%_test:*} = $t ||
			${1#*:} = $t || ${1##*.} = $t ]]; then
			return
		fi
	done
	return 1
}

# select_tests PROGRAM: prints the names from stdin that T selects.
select_tests()
{
	local name
	while read -r name; do
		! selected "$1:$name" || echo "$name"
	done
}

# choose_tests PROGRAM: reduces the array tests to those that T selects. Prints them
# and exits if LIST is set; exits if none is left.
choose_tests()
{
	mapfile -t tests < <(printf '%s\n' "${tests[@]}" | select_tests "$1")
	[ ${#tests[@]} -gt 0 ] || exit 0
	if [ -n "${LIST:-}" ]; then
		printf "$1:%s\n" "${tests[@]}"
		exit
	fi
}

# list_cases FOLDER: prints the cases of the programs there as "program case",
# the case with its fixture and variant as "-r" takes it. The input, from "-l",
# is a table of fixtures with a column of variants and one of tests.
list_cases()
{
	local prog cases
	for prog in "$1"/*_test; do
		[ -x "$prog" ] || continue
		cases=$({
			TESTLIB=$HARNESS/vm/testlib.sh emulate "$prog" -l 2>&1 ||
				true
		} | awk -v prog="${prog##*/}" '
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
			END { flush_fixture() }')
		[ -n "$cases" ] || die "$prog lists no case"
		echo "$cases"
	done
}

# Filter the cases by T, which names TEST() cases without their fixture.
select_cases()
{
	local prog case
	while read -r prog case; do
		! selected "$prog:${case#global.}" || echo "$prog $case"
	done
}

# Print the names as users write them.
show_cases()
{
	sed -E 's/ (global\.)?/:/'
}

# cases_prepare BUILD MODE CASES: vm_prepare, with the runner. The caller adds
# root/tests, the programs, and root/main, which hands /vm/cases to the runner.
cases_prepare()
{
	vm_prepare "$1" "$2"
	printf '%s\n' "$3" >"$VM/cases"
	echo "export CASE_SECONDS=$CASE_SECONDS" >>"$VM/root/env"
	step "building the runner" \
		"${CROSS}gcc" -static -O2 -Wall -Wextra -o "$VM/root/runner" \
		"$HARNESS"/vm/{runner,klog,leaks,our_modules}.c
	mkdir "$VM/root/tests"
}

# run_machines BUILD MODE N FILL CASES: distributes the cases over N machines that
# run in parallel. The function FILL copies what a machine needs to root/.
run_machines()
{
	local build=$1 mode=$2 n=$3 fill=$4 cases=$5 i

	[ -n "$cases" ] || return 0
	log "cases: $(wc -l <<<"$cases"), machines: $n"
	mkdir -p "$build/vm"
	for ((i = 1; i <= n; i++)); do
		run_machine "$mode-$i" "$(awk -v i="$i" -v n="$n" \
			'NR % n == i % n' <<<"$cases")" | in_blocks &
	done
	wait
}

# run_machine MODE CASES: uses the variables of run_machines().
run_machine()
{
	trap '[ $? -eq 0 ] || echo "not ok - machine_$1"' EXIT
	[ -n "$2" ] || return 0
	cases_prepare "$build" "$1" "$2"
	"$fill"
	run_cases
}

# Keep the lines of one case together when several machines print.
in_blocks()
{
	local line block=''

	while IFS= read -r line; do
		block+=$line$'\n'
		if [[ $line =~ ^(not\ )?ok ]]; then
			flock 7
			printf %s "$block"
			flock -u 7
			block=''
		fi
	done 7>"$build/vm/$mode.print"
	printf %s "$block"
}

# Print the results of one boot, and record its progress in files, for use when
# the machine is gone.
follow()
{
	local line running='' finished=0

	: >"$VM/running"
	echo 0 >"$VM/finished"
	rm -f "$VM/end"
	tee -a "$VM/log" | while IFS= read -r line; do
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
		end | bail | spent)
			echo "$line" >"$VM/end"
			;;
		*)
			printf '%s\n' "$line"
			;;
		esac
	done
}

# Boot until every case has a result: a case that crashes the machine or leaves it
# unusable must not hide the others. Cases that need a boot of their own come last,
# as no leak check is possible after them.
run_cases()
{
	local all=$VM/cases.all

	mv "$VM/cases" "$all"
	grep -v ' alone' "$all" >"$VM/cases" || true
	boot_cases
	grep ' alone' "$all" >"$VM/cases" || true
	boot_cases
}

# The verdict and the results received so far; either may be truncated.
last_words()
{
	local file

	for file in "$VM/verdict" "$VM/log"; do
		echo "$file:"
		[ ! -e "$file" ] || printf '%s\n' "$(tail -n 3 "$file")"
	done
}

# boot_cases: see run_cases, for those in VM/cases.
boot_cases()
{
	local cases=$VM/cases running boots=0

	while [ -s "$cases" ]; do
		if [ "$boots" -eq "${MAX_BOOTS:-8}" ]; then
			echo "# not run: the machine went down $boots times"
			show_cases <"$cases" | sed 's/^/not ok - /'
			return
		fi
		boots=$((boots + 1))
		cp "$cases" "$VM/root/cases"
		vm_pack
		vm_boot follow

		# Not sed: its "1,0d" would drop a case without a result.
		tail -n "+$(($(cat "$VM/finished") + 1))" "$VM/root/cases" \
			>"$cases"
		running=$(cat "$VM/running")
		if [ -n "$running" ]; then
			echo "# no result: $VM_END"
			vm_console_tail
			echo "not ok - $running"
			sed -i 1d "$cases"
		elif [ -s "$VM/end" ] && [ "$(cat "$VM/end")" = spent ]; then
			boots=$((boots - 1))
		elif [ -s "$VM/end" ] && [ "$(cat "$VM/end")" = bail ]; then
			log "the machine cannot be used any more"
		elif [ "$VM_STATUS" != 0 ] || [ ! -s "$VM/end" ]; then
			echo "# no verdict: $VM_END"
			last_words | sed 's/^/#   /'
			vm_console_tail
			echo "not ok - virtual_machine"
			# Don't boot again if this boot ran no case.
			[ "$(cat "$VM/finished")" -gt 0 ] || boots=${MAX_BOOTS:-8}
		elif vm_complained "run over:"; then
			echo "# the kernel complained after the last case"
			vm_console_tail
			echo "not ok - virtual_machine"
		fi
	done
}
