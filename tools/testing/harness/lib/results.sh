# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: prints test results for ktap.sh.

# Number of failed tests. Scripts end with "exit $((failed > 0))".
failed=0

ok()
{
	printf 'ok - %s\n' "$1"
}

not_ok()
{
	printf 'not ok - %s\n' "$1"
	failed=$((failed + 1))
}

skip()
{
	printf 'ok - %s # SKIP %s\n' "$1" "$2"
}

note()
{
	printf '# %s\n' "$*"
}

# run_test NAME COMMAND...: NAME passes if COMMAND succeeds. Prints the output
# as diagnostics as it arrives. errexit is off inside COMMAND.
run_test()
{
	local name=$1 start=$SECONDS verdict=ok

	shift
	"$@" 2>&1 | sed -u '/^# /!s/^/# /' || verdict=not_ok
	[ "$SECONDS" -eq "$start" ] ||
		note "$name took $((SECONDS - start)) s"
	"$verdict" "$name"
}
