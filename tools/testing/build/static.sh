#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [KDIR=...] static.sh [-l | TEST...]
#
# Checks that need no virtual machine: the modules build without a warning, and
# the tools that read sources have nothing to say. -l lists the tests; without
# an argument all of them run. KDIR is a kernel's build tree; without it Debian
# 12's kernel headers are fetched.

# shellcheck source=tools/testing/build/lib.sh
. "$(dirname "$0")/lib.sh"

tests=(
	modules_build_without_warning
	sources_are_sparse_clean
	sources_are_checkpatch_strict_clean
	scripts_are_shellcheck_clean
	kernel_doc_is_clean
	mutations_still_apply
	complaints_are_told_from_noise
)

# The last kernel whose kernel-doc is the one perl script; the same for all
# kernels, so that the verdict does not depend on which one is tested.
linux_source()
{
	"$LIB/fetch-source.sh" trixie linux-source-6.12 scripts/checkpatch.pl \
		scripts/spelling.txt scripts/const_structs.checkpatch \
		scripts/kernel-doc
}

# kdir: the build tree of the kernel to check against.
kdir()
{
	local kernel

	if [ -n "${KDIR:-}" ]; then
		echo "$KDIR"
		return
	fi
	kernel=$(K=6.1 "$LIB/fetch-kernel.sh") || return 1
	echo "$kernel/usr/src/linux-headers-$(<"$kernel/release")"
}

# kbuild LOG ARGUMENT...: the tests share one copy, built once.
kbuild()
{
	local kdir log=$scratch/$1

	shift
	need_packages git make gcc-12 perl || return 1
	kdir=$(kdir) || return 1
	echo "building against $kdir"
	copy_sources "$scratch/src" &&
		build_modules "$scratch/src" "$log" \
			make -C "$kdir" M="$scratch/src" W=1 MDEV_TESTS=1 "$@"
}

modules_build_without_warning()
{
	kbuild w1.log && no_warnings "$scratch/w1.log" "$scratch/src"
}

# C=2 checks every file, also those that are built already. Sparse reads the
# kernel's headers too: what it says of a file outside our tree, whose path then
# begins with a slash or a dot, is not counted.
sources_are_sparse_clean()
{
	local log=$scratch/sparse.log

	need_packages sparse &&
		kbuild sparse.log C=2 CHECK=sparse || return 1
	echo "files checked: $(grep -c '^  CHECK ' "$log")"
	grep -q '^  CHECK ' "$log" || return 1
	sed "s|$scratch/src/||g" "$log" |
		grep -E ':[0-9]+: (warning|error): ' >"$scratch/sparse" || true
	echo "said of the kernel's headers: $(grep -c '^[./]' "$scratch/sparse")"
	! grep '^[^./]' "$scratch/sparse"
}

# checkpatch_files: C, headers, scripts, and what kbuild reads.
checkpatch_files()
{
	tracked | grep -E '(\.[chS]|(^|/)(Makefile|Kbuild|Kconfig))$'
	shell_scripts
}

# Reads complaints "path:line: LEVEL:TYPE: text", prints those that
# checkpatch-ignore does not name, and its lines that nothing needed.
unexcused()
{
	local -A used=()
	local line path type rule pattern excused

	while IFS= read -r line; do
		path=${line%%:*}
		type=$(cut -d: -f4 <<<"$line")
		excused=
		while read -r rule pattern; do
			# shellcheck disable=SC2053 # a pattern it is
			if [ "$type" = "$rule" ] && [[ $path = $pattern ]]; then
				used["$rule $pattern"]=1
				excused=1
			fi
		done <"$scratch/rules"
		[ -n "$excused" ] || printf '%s\n' "$line"
	done
	while read -r rule pattern; do
		[ -n "${used["$rule $pattern"]:-}" ] ||
			echo "checkpatch-ignore: $rule $pattern: not needed"
	done <"$scratch/rules"
}

sources_are_checkpatch_strict_clean()
{
	local source files

	need_packages git perl &&
		source=$(linux_source) || return 1
	mapfile -t files < <(checkpatch_files)
	echo "files checked: ${#files[@]}"
	[ ${#files[@]} -gt 0 ] || return 1
	grep -v '^#' "$(dirname "$0")/checkpatch-ignore" | grep . \
		>"$scratch/rules" || true
	(
		cd "$TOP" || exit 1
		perl "$source/scripts/checkpatch.pl" --strict --no-tree --terse \
			--show-types --no-summary -f "${files[@]}" \
			>"$scratch/checkpatch" || [ $? -eq 1 ]
	) || return 1
	! unexcused <"$scratch/checkpatch" | grep .
}

# shell_scripts: what says in its first line, or to shellcheck, that it is one.
shell_scripts()
{
	local file

	while IFS= read -r file; do
		if head -n 3 "$TOP/$file" |
			grep -qaE '^#!.*[/ ](ba|da)?sh\b|^# shellcheck shell='; then
			printf '%s\n' "$file"
		fi
	done < <(tracked)
}

scripts_are_shellcheck_clean()
{
	local files

	need_packages git shellcheck || return 1
	mapfile -t files < <(shell_scripts)
	echo "files checked: ${#files[@]}"
	[ ${#files[@]} -gt 0 ] || return 1
	# SC2317: functions are handed by name to step, with_lock and run_test,
	# which looks like nobody called them.
	(cd "$TOP" && shellcheck -x --exclude=SC2317 "${files[@]}")
}

# The comments are well formed, and every exported symbol has one.
kernel_doc_is_clean()
{
	local source files file symbol bad=0

	need_packages git perl &&
		source=$(linux_source) || return 1
	mapfile -t files < <(tracked |
		grep -E '^(include|drivers|samples|compat)/.*\.[ch]$')
	echo "files checked: ${#files[@]}"
	[ ${#files[@]} -gt 0 ] || return 1
	(cd "$TOP" && "$source/scripts/kernel-doc" -none -Wall -Werror \
		"${files[@]}") || bad=1
	while IFS=: read -r file symbol; do
		if ! "$source/scripts/kernel-doc" -rst -function "$symbol" \
			"$TOP/$file" 2>/dev/null | grep -q "$symbol"; then
			echo "$file: exported $symbol has no kernel-doc"
			bad=1
		fi
	done < <(cd "$TOP" && grep -HE '^EXPORT_SYMBOL' "${files[@]}" |
		sed -E 's/:EXPORT_SYMBOL[A-Z_]*\(([a-z0-9_]+).*/:\1/')
	return "$bad"
}

# So that whoever changes a line knows at once, not when they all are run.
mutations_still_apply()
{
	need_packages git rsync &&
		env -u T -u LIST "$TOP/tools/testing/mutations/run.sh" apply |
		grep -vE '^(KTAP version|1\.\.|ok )'
}

# console_complained: of a console on stdin, as when a machine is off.
console_complained()
(
	K=6.1
	# shellcheck source=tools/testing/vm/boot.sh
	. "$TOP/tools/testing/vm/boot.sh"
	VM=$scratch
	cat >"$VM/console"
	vm_complained ""
)

complaints_are_told_from_noise()
{
	local vm=$TOP/tools/testing/vm samples=0 bad=0 log judge found

	need_packages gcc libc6-dev || return 1
	gcc -O2 -Wall -Wextra -Werror -o "$scratch/klog_test" \
		"$vm"/{klog_test,klog}.c || return 1
	for log in "$vm"/klog_samples/*.log; do
		samples=$((samples + 1))
		for judge in "$scratch/klog_test" console_complained; do
			found=noise
			! "$judge" <"$log" || found=complaint
			[[ $log = */"$found"_* ]] || {
				echo "${log##*/}: ${judge##*/} finds $found"
				bad=1
			}
		done
	done
	echo "logs: $samples"
	[ "$samples" -gt 0 ] && return "$bad"
}

if [ "${1:-}" = -l ]; then
	printf '%s\n' "${tests[@]}"
	exit
fi
[ $# -gt 0 ] || set -- "${tests[@]}"
for name; do
	case " ${tests[*]} " in
	*" $name "*)	;;
	*)		die "no test $name; there are: ${tests[*]}" ;;
	esac
done

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name; do
	run_test "$name" "$name"
done
exit $((failed > 0))
