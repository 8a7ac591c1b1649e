#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [T=name] [LIST=1] static.sh
#
# Checks that read sources and need no kernel.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"

tests=(
	sources_are_checkpatch_strict_clean
	scripts_are_shellcheck_clean
	kernel_doc_is_clean
	versions_agree
	mutations_still_apply
	complaints_are_told_from_noise
)

linux_source()
{
	"$HARNESS/source.sh" "$TOOLS_SUITE" scripts/checkpatch.pl \
		scripts/spelling.txt scripts/const_structs.checkpatch \
		scripts/kernel-doc
}

# checkpatch_files: prints C files, headers, kbuild files and scripts.
checkpatch_files()
{
	tracked | grep -E '(\.[chS]|(^|/)(Makefile|Kbuild|Kconfig))$'
	shell_scripts
}

sources_are_checkpatch_strict_clean()
{
	local source files

	source=$(linux_source) || return 1
	mapfile -t files < <(checkpatch_files)
	echo "files checked: ${#files[@]}"
	[ ${#files[@]} -gt 0 ] || return 1
	(
		cd "$TOP" || exit 1
		perl "$source/scripts/checkpatch.pl" --strict --no-tree --terse \
			--show-types --no-summary -f "${files[@]}" \
			>"$scratch/checkpatch" || [ $? -eq 1 ]
	) || return 1
	! unexcused tree <"$scratch/checkpatch" | grep .
}

# shell_scripts: prints files with a shell's "#!" line or "shellcheck shell=".
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

	mapfile -t files < <(shell_scripts)
	echo "files checked: ${#files[@]}"
	[ ${#files[@]} -gt 0 ] || return 1
	# SC2317: shellcheck does not see that step, with_lock and run_test call
	# functions by name.
	(cd "$TOP" && shellcheck -x --exclude=SC2317 "${files[@]}")
}

# kernel-doc comments are well formed, and every exported symbol has one.
kernel_doc_is_clean()
{
	local source files file symbol bad=0

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

# The modules have the version of the packages.
versions_agree()
{
	local version file bad=0

	version=$(project_version)
	echo "version: $version"
	for file in "${VERSION_FILES[@]}"; do
		grep -qE "^#define [A-Z]+_VERSION \"$version\"\$" "$TOP/$file" || {
			echo "$file has another one"
			bad=1
		}
	done
	[ -n "$version" ] && return "$bad"
}

# Catch patches that no longer apply here, long before mutations run.
mutations_still_apply()
{
	[ -d "$TESTING/mutations/$S" ] || return 0
	env -u T -u LIST "$HARNESS/verbs/mutations.sh" apply |
		sed '/^ok /d'
}

complaints_are_told_from_noise()
{
	local vm=$HARNESS/vm samples=0 bad=0 log found

	gcc -O2 -Wall -Wextra -Werror -o "$scratch/klog_judge" \
		"$vm"/{klog_judge,klog}.c || return 1
	for log in "$vm"/klog_samples/*.log; do
		samples=$((samples + 1))
		found=noise
		! OUR_MODULES="mdev vfio_mdev mtty" "$scratch/klog_judge" \
			<"$log" || found=complaint
		[[ $log = */"$found"_* ]] || {
			echo "${log##*/}: the judge finds $found"
			bad=1
		}
	done
	echo "logs: $samples"
	[ "$samples" -gt 0 ] && return "$bad"
}

choose_tests static
need_packages "${HOST_PACKAGES[@]}"
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT
for name in "${tests[@]}"; do
	run_test "static:$name" "$name"
done
exit $((failed > 0))
