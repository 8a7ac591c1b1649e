# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: drops the complaints of checkpatch that checkpatch-ignore lists.

# unexcused tree|patch: reads complaints "path:line: LEVEL:TYPE: text", and prints
# those that checkpatch-ignore does not list. If they are those of the whole tree,
# also prints its lines that match nothing.
unexcused()
{
	local -A used=()
	local line path type rule pattern excused rules

	rules=$(grep -v '^#' "$HARNESS/checkpatch-ignore" | grep .) || true
	while IFS= read -r line; do
		path=${line%%:*}
		type=$(cut -d: -f4 <<<"$line")
		excused=
		while read -r rule pattern; do
			# shellcheck disable=SC2053 # $pattern is a pattern
			if [ "$type" = "$rule" ] && [[ $path = $pattern ]]; then
				used["$rule $pattern"]=1
				excused=1
			fi
		done <<<"$rules"
		[ -n "$excused" ] || printf '%s\n' "$line"
	done
	[ "$1" = tree ] || return 0
	while read -r rule pattern; do
		[ -n "${used["$rule $pattern"]:-}" ] ||
			echo "checkpatch-ignore: $rule $pattern: not needed"
	done <<<"$rules"
}
