# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: lists, copies and packs the files that git tracks, and tells the
# project's version.

CHANGELOG=$TOP/packaging/debian/changelog

# Sources with the version of the packages.
# shellcheck disable=SC2034 # for the caller
VERSION_FILES=(drivers/vfio/mdev/mdev_version.h drivers/block/xen-blkback/blkback_seq.c)

# project_version: prints the version without Debian's revision.
project_version()
{
	sed -n '1s/.*(\(.*\)-.*).*/\1/p' "$CHANGELOG"
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

# all_systems: prints the names of the systems.
all_systems()
{
	(cd "$TESTING/systems" && printf '%s\n' * | grep -v '\.')
}

# sources_hash [SYSTEM]: covers every tracked file except documentation, and with
# SYSTEM except what belongs to another one: its folders, and files of its name.
sources_hash()
{
	local others

	others=$(all_systems | sed "/^${1:-}\$/d" | paste -sd'|')
	tracked | grep -vE '\.(md|rst)$' |
		if [ -n "${1:-}" ] && [ -n "$others" ]; then
			grep -vE "/($others)(/|\.|\$)"
		else
			cat
		fi | (cd "$TOP" && xargs -d '\n' sha256sum) | sha256sum |
		cut -c1-16
}

# copy_sources DIRECTORY: copies the tracked files. A build there leaves the
# tree clean, and fails if a file was not added to git.
copy_sources()
{
	mkdir -p "$1" &&
		tracked | tar -C "$TOP" -cf - -T - | tar -C "$1" -xf -
}

# pack_sources FILE: packs the tracked files. The same files give the same
# archive.
pack_sources()
{
	local date version

	date=$(sed -n 's/^ -- .*>  //p' "$CHANGELOG" | head -n 1)
	version=$(project_version)
	mkdir -p "${1%/*}"
	tracked | tar -C "$TOP" -T - -c --sort=name --owner=0 --group=0 \
		--numeric-owner --mode=u+rw,go=u,go-w --mtime="$date" \
		--transform="s,^,mdev-$version/," | xz -T1 >"$1.new"
	mv "$1.new" "$1"
}
