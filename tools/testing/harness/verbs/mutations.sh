#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [T=name] [LIST=1] [SHARD=i-n] mutations.sh
#        mutations.sh apply
#
# Shows that the tests can fail. Each patch below tools/testing/mutations/S is a
# mutation: a small wrong change, described in one line, with the cases that
# should catch it ("Test: program:case", a shell pattern). Applies one mutation
# at a time to a copy of the tree and runs these cases from there. A mutation is
# caught if one of them fails or the machine goes down. A mutation that does not
# apply or build is an error, and so is a case that fails without a mutation.
#
# T selects mutations by name or pattern, LIST=1 lists them; SHARD=i-n runs
# every n-th one, starting with the i-th. build/S/mutations.md, or
# mutations-i-n.md, lists which case caught which mutation. "apply" only checks
# that the patches apply.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"
# shellcheck source=tools/testing/harness/lib/judge.sh
. "$HARNESS/lib/judge.sh"

dir=$TESTING/mutations/$S
scratch=$TOP/build/$S/mutations${1:+-$1}
tree=$scratch/tree
results=$scratch/results
table=$TOP/build/$S/mutations${SHARD:+-$SHARD}.md
SHARD=${SHARD:-1-1}

# mutations: prints the names that T selects.
mutations()
{
	local name t

	(cd "$dir" && printf '%s\n' */*.patch) | while read -r name; do
		name=${name%.patch}
		for t in "${wanted[@]}"; do
			# shellcheck disable=SC2053 # $t is a pattern
			if [[ $name = $t || ${name#*/} = $t ]]; then
				echo "$name"
				break
			fi
		done
	done | awk -v i="${SHARD%-*}" -v n="${SHARD#*-}" 'NR % n == i % n'
}

# reason NAME: prints what the mutation breaks.
reason()
{
	head -n 1 "$dir/$1.patch"
}

# cases NAME: prints the patterns of the cases that should catch it.
cases()
{
	sed -n '/^---$/q; s/^Test: //p' "$dir/$1.patch"
}

# Update the copy, but keep its build/, so that the next build is incremental.
sync_tree()
{
	mkdir -p "$tree"
	tracked | sort >"$tree.files"
	(cd "$tree" && find . -path ./build -prune -o -type f -print |
		sed 's|^\./||' | sort | comm -23 - "$tree.files" |
		xargs -d '\n' -r rm -f --)
	rsync -rlp --checksum --files-from="$tree.files" "$TOP/" "$tree/"
}

# mutate NAME [OPTION...]: applies the patch to the copy. Without the ceiling
# git would take the copy for a part of this tree.
mutate()
{
	local name=$1
	shift
	GIT_CEILING_DIRECTORIES=$scratch git -C "$tree" apply \
		--whitespace=nowarn "$@" "$dir/$name.patch"
}

# run_cases LOG SECONDS PATTERN...: runs the selftests of the copy; their status
# is in the log.
run_cases()
{
	local log=$1 seconds=$2
	shift 2
	env -u LIST -u REFRESH T="$*" VM_SECONDS="$seconds" CASE_SECONDS=120 \
		"$tree/tools/testing/harness/parts.sh" selftests \
		>"$log" 2>&1 </dev/null || true
}

# Run every case that a mutation names on the unchanged copy.
run_control()
{
	local log=$scratch/log/control patterns=() name pattern

	mapfile -t patterns < <(for name in "${names[@]}"; do
		cases "$name"
	done | sort -u)
	env -u T LIST=1 "$tree/tools/testing/harness/verbs/selftests.sh" \
		>"$scratch/cases"
	for pattern in "${patterns[@]}"; do
		if ! matches "$pattern" "$scratch/cases"; then
			echo "# no case is called $pattern"
			return 1
		fi
	done
	log "running what they rely on, ${#patterns[@]} names or patterns"
	run_cases "$log" 3600 "${patterns[@]}"
	if ! all_passed "$log"; then
		grep -vE '^ok ' "$log" | tail -n 60 | sed 's/^#* */# /'
		return 1
	fi
}

# matches PATTERN FILE: succeeds if the pattern matches a case in the file.
matches()
{
	local name
	while read -r name; do
		# shellcheck disable=SC2053 # $1 is a pattern
		[[ $name != $1 ]] || return 0
	done <"$2"
	return 1
}

# well_formed NAME: succeeds if the patch has a description, an empty line and
# at least one case.
well_formed()
{
	local file=$dir/$1.patch
	[ "$(sed -n 2p "$file")" = "" ] && [ -n "$(reason "$1")" ] &&
		[ -n "$(cases "$1")" ] && grep -qx -e --- "$file"
}

run_mutation()
{
	local name=$1 log=$scratch/log/${1//\//-} start=$SECONDS patterns pattern

	mapfile -t patterns < <(cases "$name")
	if ! well_formed "$name" || ! mutate "$name" 2>"$log"; then
		sed 's/^/# /' "$log"
		verdict=error why="does not apply" who=
	else
		run_cases "$log" 300 "${patterns[@]}"
		judge "$log"
		mutate "$name" -R
	fi
	echo "# $(reason "$name")"
	echo "# it took $((SECONDS - start)) s"
	case $verdict in
	caught)
		first_symptom "$log"
		for pattern in "${patterns[@]}"; do
			matches "$pattern" <(tr -d ' ' <<<"$who" | tr , '\n') ||
				echo "# not noticed by $pattern"
		done
		echo "ok - mutations:$name (by $who)"
		;;
	survived)
		echo "# no case noticed"
		echo "not ok - mutations:$name"
		;;
	error)
		[ ! -s "$log" ] || tail -n 20 "$log" | sed 's/^#* */# /'
		echo "# $why"
		echo "not ok - mutations:$name"
		;;
	esac
	printf '%s|%s|%s|%s\n' "$name" "$verdict" "$why" "$who" >>"$results"
}

run_all()
{
	local name

	: >"$results"
	rm -rf "$scratch/log"
	mkdir -p "$scratch/log"
	sync_tree
	if ! run_control; then
		echo "not ok - mutations:control"
		return 1
	fi
	echo "ok - mutations:control"
	for name in "${names[@]}"; do
		run_mutation "$name"
	done
	write_table "$results" "$(<"$("$HARNESS/kernel.sh")/release")" "$table"
	log "by what each was caught: ${table#"$TOP"/}"
	! grep -qvE '^[^|]*\|caught\|' "$results"
}

apply_all()
{
	local name rc=0

	sync_tree
	for name in "${names[@]}"; do
		if well_formed "$name" && mutate "$name" --check 2>&1; then
			echo "ok - $name"
		else
			echo "not ok - $name"
			rc=1
		fi
	done
	return "$rc"
}

case ${1:-} in
'' | apply)	;;
*)		die "usage: $(basename "$0") [apply]" ;;
esac
mapfile -t names < <(mutations)
[ ${#names[@]} -gt 0 ] || die "no mutation ${T:-}"
if [ -n "${LIST:-}" ]; then
	for name in "${names[@]}"; do
		printf '%-44s %s\n' "$name" "$(reason "$name")"
	done
	exit
fi

need_packages "${HOST_PACKAGES[@]}"
mkdir -p "$scratch"
exec 9>"$scratch/lock"
flock -n 9 || {
	log "waiting for another run in $scratch ..."
	flock 9
}
"${1:-run}_all" 9>&-
