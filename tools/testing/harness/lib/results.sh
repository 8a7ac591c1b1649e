# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: prints test results for ktap.sh, and lists or copies the files
# that git tracks.

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

# tracked: prints the tracked files that exist, one per line, relative to the top.
# The tree may belong to a user other than root, who runs this.
tracked()
{
	local file

	git -c safe.directory="$TOP" -C "$TOP" ls-files |
		while IFS= read -r file; do
			[ ! -f "$TOP/$file" ] || printf '%s\n' "$file"
		done
}

# copy_sources DIRECTORY: copies the tracked files. A build there leaves the
# tree clean, and fails if a file was not added to git.
copy_sources()
{
	mkdir -p "$1" &&
		tracked | tar -C "$TOP" -cf - -T - | tar -C "$1" -xf -
}
