# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by each *_test program, which then defines functions test_<case> and
# ends with "run_tests "$@"":
#
#	-l		list the cases, as the C programs do
#	-r <case>	run one, between the system's case_setup and case_teardown
#
# The functions that SWEEPS names report and remove what a case leaves behind.
#
# A case fails when a command in it does. Then what the programs have logged
# since it began is shown, and why it failed once more after that: of a long
# output only the end may be kept. Nothing waits for a time, only for conditions.

set -euo pipefail
export LC_ALL=C

# What should happen at once; an emulated machine takes its time.
SOON=120
LOG_LINES=60
SWEEPS=()

# blame TEXT...: why the case fails.
blame()
{
	echo "# $*" | tee -a "$scratch/.why" >&2
}

# fail MESSAGE...
fail()
{
	blame "failed: $*"
	exit 1
}

# note TEXT...: a number to be shown although all is well.
note()
{
	echo "# measured: $*"
}

# skip REASON...
skip()
{
	echo "$*" >"$scratch/.skip"
	exit 0
}

# wait_for SECONDS COMMAND...: until the command succeeds.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || fail "still not so: $*"
		sleep 0.1
	done
}

# refuse COMMAND...: it has to fail; what it says goes to stdout.
refuse()
{
	! "$@" 2>&1 || fail "succeeded: $*"
}

# expect EXPECTED ACTUAL WHAT
expect()
{
	[ "$1" = "$2" ] || fail "$3 is \"$2\", not \"$1\""
}

# expect_match PATTERN TEXT
expect_match()
{
	grep -qE -e "$1" <<<"$2" || fail "no \"$1\" in: $2"
}

missing()
{
	[ ! -e "$1" ]
}

new_uuid()
{
	cat /proc/sys/kernel/random/uuid
}

# background FILE COMMAND...: a program that runs until the case is over. Sets
# JOB to its process.
background()
{
	local file=$1

	shift
	"$@" >"$file" 2>&1 </dev/null &
	JOB=$!
	jobs_started+=("$JOB")
}

end_job()
{
	kill "$1" 2>/dev/null || true
	wait "$1" 2>/dev/null || true
}

end_jobs()
{
	local job

	for job in "${jobs_started[@]}"; do
		end_job "$job"
	done
	jobs_started=()
}

ended()
{
	! kill -0 "$1" 2>/dev/null
}

# What the kernel sends, as udev sees it: "ACTION DEVPATH", until uevents_end.
uevents_start()
{
	background "$scratch/uevents" udevadm monitor --kernel
	uevents_job=$JOB
	wait_for "$SOON" grep -q '^KERNEL - ' "$scratch/uevents"
}

# A uevent of our own is the last that counts.
uevents_end()
{
	local mark=/devices/virtual/mem/zero

	echo change >"/sys$mark/uevent"
	wait_for "$SOON" grep -q "$mark" "$scratch/uevents"
	end_job "$uevents_job"
}

# uevent_count ACTION NAME: how many came for this device.
uevent_count()
{
	awk -v action="$1" -v name="$2" '
		/^KERNEL\[/ && $2 == action && $3 ~ ("/" name "$") { n++ }
		END { print n + 0 }' "$scratch/uevents"
}

# leftover WHAT...: the case should have taken it away itself.
leftover()
{
	blame "left: $*"
	left=1
}

# What a case leaves is its failure, but must not be the next one's.
sweep()
{
	local function

	end_jobs
	for function in "${SWEEPS[@]}"; do
		"$function"
	done
}

log_files()
{
	find /var/log -type f -size +0 2>/dev/null || true
}

# What was logged since the case began, and what it has written itself.
show_logs()
{
	local file from

	for file in $(log_files; find "$scratch" -type f -not -name '.*'); do
		from=$(awk -v f="$file" '$2 == f { print $1 }' "$scratch/.sizes")
		[ "$(stat -c %s "$file")" -gt "${from:-0}" ] || continue
		echo "# --- $file:"
		tail -c "+$((${from:-0} + 1))" "$file" | tail -n "$LOG_LINES"
	done
}

run_case()
{
	local name=$1 start=$SECONDS rc left='' skipped='' jobs_started=()

	scratch=$(mktemp -d)
	: >"$scratch/.why"
	log_files | xargs -r stat -c '%s %n' >"$scratch/.sizes"
	set +e
	(
		set -eE
		trap 'blame "line $LINENO: $BASH_COMMAND"' ERR
		trap 'rc=$?; set +eE; trap - ERR; sweep
			[ -z "$left" ] || rc=1; exit "$rc"' EXIT
		case_setup
		"test_$name"
	)
	rc=$?
	(
		set -e
		case_teardown
	) || rc=1
	set -e
	if [ "$rc" -ne 0 ]; then
		show_logs
		cat "$scratch/.why"
	fi
	[ ! -e "$scratch/.skip" ] || skipped=" # SKIP $(cat "$scratch/.skip")"
	rm -rf "$scratch"
	note "it took $((SECONDS - start)) s"
	if [ "$rc" -eq 0 ]; then
		echo "ok 1 $name$skipped"
	else
		echo "not ok 1 $name"
	fi
	return "$rc"
}

list_tests()
{
	local name

	sed -n 's/^test_\([a-z0-9_]*\)()$/\1/p' "$0" | while read -r name; do
		printf '%-20s %-20s %s\n' global '' "$name"
	done
}

run_tests()
{
	case ${1:-} in
	-l)	list_tests ;;
	-r)	run_case "${2#global.}" ;;
	*)	echo "usage: $0 -l | -r CASE" >&2; return 2 ;;
	esac
}
