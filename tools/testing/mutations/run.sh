#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] [T=name] [LIST=1] [JOBS=n] run.sh
#        run.sh apply
#
# Shows that the tests can fail. Each patch below this folder is a mutation: a
# small wrong change, with a line that says what is wrong and the cases that
# should notice ("Test: program:case", a shell pattern). One at a time is applied
# to a copy of the tree, and that copy's own check runs these cases. A mutation
# is caught if one of them fails or the machine goes down; one that does not
# apply or build is an error, and so is a case that fails without a mutation.
#
# KTAP on stdout. T chooses mutations by name or pattern, LIST=1 lists them.
# JOBS machines run at a time, one for two processors unless told. RESULTS.md
# gets the result, in the lines of the mutations that were run. With "apply" it
# is only seen whether the patches apply, and each has its line.

# shellcheck source=tools/testing/build/lib.sh
. "$(dirname "$0")/../build/lib.sh"
# shellcheck source=tools/testing/mutations/judge.sh
. "$TOP/tools/testing/mutations/judge.sh"

dir=$TOP/tools/testing/mutations
scratch=$TOP/build/mutations${1:+-$1}
tree=$scratch/tree0
results=$scratch/results
JOBS=${JOBS:-$((($(nproc) + 1) / 2))}

# mutations: the names of those that T asks for.
mutations()
{
	local name t wanted

	read -ra wanted <<<"${T:-*}"
	(cd "$dir" && printf '%s\n' */*.patch) | while read -r name; do
		name=${name%.patch}
		for t in "${wanted[@]}"; do
			# shellcheck disable=SC2053 # a pattern it is
			if [[ $name = $t || ${name#*/} = $t ]]; then
				echo "$name"
				break
			fi
		done
	done
}

# reason NAME: what the mutation gets wrong.
reason()
{
	head -n 1 "$dir/$1.patch"
}

# cases NAME: the patterns of the cases that should notice.
cases()
{
	sed -n '/^---$/q; s/^Test: //p' "$dir/$1.patch"
}

# The copy is like the tree but for what was built in it, which is what makes
# the next build a short one.
sync_tree()
{
	mkdir -p "$tree"
	tracked | sort >"$tree.files"
	(cd "$tree" && find . -path ./build -prune -o -type f -print |
		sed 's|^\./||' | sort | comm -23 - "$tree.files" |
		xargs -d '\n' -r rm -f --)
	rsync -rlp --checksum --files-from="$tree.files" "$TOP/" "$tree/"
}

# mutate NAME [OPTION...]: git would take the copy for a part of this tree.
mutate()
{
	local name=$1
	shift
	GIT_CEILING_DIRECTORIES=$scratch git -C "$tree" apply \
		--whitespace=nowarn "$@" "$dir/$name.patch"
}

# run_cases LOG SECONDS PATTERN...: the copy's check; its status is in the log.
run_cases()
{
	local log=$1 seconds=$2
	shift 2
	env -u LIST -u TOTALS -u TOTALS_PREFIX -u REFRESH \
		T="$*" VM_SECONDS="$seconds" \
		"$tree/tools/testing/check.sh" >"$log" 2>&1 </dev/null || true
}

# Every case that a mutation relies on, without a mutation.
run_control()
{
	local log=$scratch/log/control patterns=() name pattern

	mapfile -t patterns < <(for name in "${names[@]}"; do
		cases "$name"
	done | sort -u)
	env -u T LIST=1 "$tree/tools/testing/check.sh" >"$scratch/cases"
	for pattern in "${patterns[@]}"; do
		if ! matches "$pattern" "$scratch/cases"; then
			echo "# no case is called $pattern"
			return 1
		fi
	done
	log "running what they rely on, ${#patterns[@]} names or patterns"
	run_cases "$log" 3600 "${patterns[@]}"
	# A busy machine may break a time limit once; what fails twice is wrong.
	mapfile -t patterns < <(failures "$log" | cut -f1)
	if ! all_passed "$log" && [ ${#patterns[@]} -gt 0 ]; then
		log "once more: ${patterns[*]}"
		mv "$log" "$log.first"
		run_cases "$log" 3600 "${patterns[@]}"
	fi
	if ! all_passed "$log"; then
		grep -vE '^ok ' "$log" | tail -n 60 | sed 's/^#* */# /'
		return 1
	fi
}

# matches PATTERN FILE: whether the pattern is one of the file's cases.
matches()
{
	local name
	while read -r name; do
		# shellcheck disable=SC2053 # a pattern it is
		[[ $name != $1 ]] || return 0
	done <"$2"
	return 1
}

# A patch's form: a line of text, an empty one, and a case at least.
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
		# Believed if it is so twice.
		if by_chance; then
			echo "# once more, because of: $why"
			run_cases "$log" 300 "${patterns[@]}"
			judge "$log"
		fi
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
		echo "ok - caught: $name (by $who)"
		;;
	survived)
		echo "not ok - survived: $name"
		;;
	error)
		[ ! -s "$log" ] || tail -n 20 "$log" | sed 's/^#* */# /'
		echo "not ok - error: $name: $why"
		;;
	esac
	printf '%s|%s|%s|%s\n' "$name" "$verdict" "$why" "$who" >>"$results"
}

# worker NUMBER: every JOBS-th mutation, in a copy of its own.
worker()
{
	local i out=$scratch/out$1

	tree=$scratch/tree$1
	sync_tree
	for ((i = $1; i < ${#names[@]}; i += JOBS)); do
		run_mutation "${names[i]}" >"$out"
		flock "$scratch/print" cat "$out"
	done
}

run_all()
{
	local i pid pids=()

	: >"$results"
	rm -rf "$scratch/log"
	mkdir -p "$scratch/log"
	sync_tree
	if ! run_control; then
		echo "not ok - control"
		return
	fi
	echo "ok - control"
	for ((i = 0; i < JOBS; i++)); do
		worker "$i" &
		pids+=($!)
	done
	for pid in "${pids[@]}"; do
		wait "$pid"
	done
	sort -o "$results" "$results"
}

apply_all()
{
	local name

	sync_tree
	for name in "${names[@]}"; do
		if well_formed "$name" && mutate "$name" --check 2>&1; then
			echo "ok - $name"
		else
			echo "not ok - $name"
		fi
	done
	# Only when it is about all of them.
	[ -z "${T:-}" ] || return 0
	if diff -U 0 --label "lines of RESULTS.md" --label "patches" \
		<(in_table "$dir/RESULTS.md") <(printf '%s\n' "${names[@]}"); then
		echo "ok - results"
	else
		echo "# a patch gets its line by T=name make check-mutations"
		echo "not ok - results"
	fi
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

need_packages "${CHECK_PACKAGES[@]}" "${MODULE_PACKAGES[@]}" \
	"${PROGRAM_PACKAGES[@]}" "${VM_PACKAGES[@]}"
mkdir -p "$scratch"
exec 9>"$scratch/lock"
flock -n 9 || {
	log "waiting for another run in $scratch ..."
	flock 9
}
start=$SECONDS
run=${1:-run}_all
set +e
(
	set -e
	trap '[ $? -eq 0 ] || echo "not ok - mutations"' EXIT
	"$run" 9>&-
) | "$LIB/ktap.sh"
rc=$?
set -e
log "it took $((SECONDS - start)) s"
if [ $# -eq 0 ] && [ -s "$results" ]; then
	kernel=$("$LIB/fetch-kernel.sh")
	write_table "$results" "$(<"$kernel/release")" "$dir/RESULTS.md"
	log "written: tools/testing/mutations/RESULTS.md"
fi
exit "$rc"
