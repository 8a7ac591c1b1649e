# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by the build checks: results, the tracked sources, one build of them.

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "${BASH_SOURCE[0]}")/../lib/common.sh"
# shellcheck source=tools/testing/lib/packages.sh
. "$LIB/packages.sh"

# The kernel's build is one of its own, also when all this runs below make.
unset MAKEFLAGS MFLAGS MAKELEVEL

# Scripts end with "exit $((failed > 0))".
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

# run_test NAME COMMAND...: NAME passes if COMMAND does. Its output is shown as
# it comes, as diagnostics. The shell's errexit is off inside COMMAND.
run_test()
{
	local name=$1 start=$SECONDS verdict=ok

	shift
	"$@" 2>&1 | sed -u '/^# /!s/^/# /' || verdict=not_ok
	[ "$SECONDS" -eq "$start" ] ||
		note "$name took $((SECONDS - start)) s"
	"$verdict" "$name"
}

# tracked: the files git tracks, one a line, from the top of the
# tree, without those the working tree has lost. The tree may belong to somebody
# else than root, who runs this.
tracked()
{
	local file

	git -c safe.directory="$TOP" -C "$TOP" ls-files |
		while IFS= read -r file; do
			[ ! -f "$TOP/$file" ] || printf '%s\n' "$file"
		done
}

# copy_sources DIRECTORY: a build there leaves the tree clean, and fails if
# somebody forgot to add a file to git.
copy_sources()
{
	mkdir -p "$1" &&
		tracked | tar -C "$TOP" -cf - -T - | tar -C "$1" -xf -
}

# build_modules DIRECTORY LOG MAKE...: builds with this make command, which
# chooses the kernel. Fails if nothing was built.
build_modules()
{
	local dir=$1 log=$2 modules

	shift 2
	if ! "$@" -j"$(nproc)" modules >"$log" 2>&1; then
		tail -n 40 "$log"
		return 1
	fi
	modules=$(find "$dir" -name '*.ko' -printf '%f\n' | sort | paste -sd' ')
	echo "modules built: ${modules:-none}"
	[ -n "$modules" ]
}

# no_warnings LOG PREFIX: prints what the build complained about, PREFIX taken
# off, and fails if there was something. That this compiler or pahole is not to
# the letter the one that built the kernel says nothing of our sources.
no_warnings()
{
	! grep -E '(warning|WARNING):' "$1" |
		grep -vE '^warning: .* differs from the one used to build the kernel$' |
		sed "s|$2/||g" | grep .
}
