# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=sh
#
# Sourced by each demo: shows commands as a user would type them.

say()
{
	printf '\n== %s\n' "$*"
}

fail()
{
	printf '\nFAILED: %s\n' "$*"
	exit 1
}

run()
{
	printf '# %s\n' "$*"
	eval "$*" || fail "status $? from: $*"
}
