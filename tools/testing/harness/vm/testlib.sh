# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by each *_test program, which then defines functions test_<case> and
# ends with "run_tests "$@"":
#
#	-l		list the cases, as the C programs do
#	-r <case>	run one, between the system's case_setup and case_teardown
#
# The functions in SWEEPS report and remove what a case leaves behind.
#
# A case fails if a command in it fails. Then the logs since its start are
# shown, and the reason once more below them: long output may lose its
# beginning. Wait for conditions, never for a time.

set -euo pipefail
export LC_ALL=C

# Seconds for what should happen at once; emulated machines are slow.
SOON=120
LOG_LINES=60
SWEEPS=()

# blame TEXT...: prints and records why the case fails.
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

# note TEXT...: prints a measurement, shown even if the case passes.
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

# wait_for SECONDS COMMAND...: waits until the command succeeds.
wait_for()
{
	local end=$((SECONDS + $1))

	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$end" ] || fail "still not so: $*"
		sleep 0.1
	done
}

# refuse COMMAND...: the command must fail; its output goes to stdout.
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

# background FILE COMMAND...: starts a program that runs until the end of the
# case, with its output in FILE. Sets JOB to its PID.
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

# Record the kernel's uevents until uevents_end, as udev sees them.
uevents_start()
{
	background "$scratch/uevents" udevadm monitor --kernel
	uevents_job=$JOB
	wait_for "$SOON" grep -q '^KERNEL - ' "$scratch/uevents"
}

# A uevent of our own marks the end.
uevents_end()
{
	local mark=/devices/virtual/mem/zero

	echo change >"/sys$mark/uevent"
	wait_for "$SOON" grep -q "$mark" "$scratch/uevents"
	end_job "$uevents_job"
}

# uevent_count ACTION NAME: prints the number of these uevents of the device.
uevent_count()
{
	awk -v action="$1" -v name="$2" '
		/^KERNEL\[/ && $2 == action && $3 ~ ("/" name "$") { n++ }
		END { print n + 0 }' "$scratch/uevents"
}

# leftover WHAT...: fails the case, which should have removed it.
leftover()
{
	blame "left: $*"
	left=1
}

# Leftovers fail their own case, but must not fail the next one.
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

# Show what was logged since the case began, and the files that it wrote.
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
