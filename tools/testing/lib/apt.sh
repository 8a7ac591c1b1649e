# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced after common.sh: packages of any Debian suite, fetched and unpacked
# without being installed. The mirror is the machine's own: its URI is read
# from the machine's apt configuration and only the suite's name changes.

# mirror_uri LABEL: the first configured archive of this label that has the
# suite the machine runs. Labels are known once the lists have been fetched.
mirror_uri()
{
	# shellcheck disable=SC2016 # apt expands these, not the shell
	apt-get indextargets --format \
		'$(ORIGIN)|$(LABEL)|$(COMPONENT)|$(REPO_URI)' \
		'Created-By: Packages' |
		awk -F'|' -v label="$1" '
			$1 == "Debian" && $2 == label && $3 == "main" &&
			!found++ { print $4 }'
}

# apt_suite SUITE: prepares a private apt state for the suite (and what it
# builds on) and sets APT_OPTS to the options that select it.
apt_suite()
{
	local suite=$1 base dir main security

	base=${suite%-backports}
	dir=$CACHE/apt/$suite
	APT_OPTS=(
		-o "Dir::Etc::sourcelist=$dir/sources.list"
		-o "Dir::Etc::sourceparts=-"
		-o "Dir::Etc::preferences=$dir/empty/none"
		-o "Dir::Etc::preferencesparts=$dir/empty"
		-o "Dir::State::Lists=$dir/lists"
		-o "Dir::State::status=$dir/status"
		-o "Dir::Cache=$dir/cache"
		-o "APT::Sandbox::User=root"
		-o "Acquire::Languages=none"
		-o "Acquire::Retries=3"
	)
	# Backports are taken only when asked for. Their Release file is
	# refreshed less often than it expires.
	if [ "$suite" != "$base" ]; then
		APT_OPTS+=(
			-o "APT::Default-Release=$suite"
			-o "Acquire::Check-Valid-Until=false"
		)
	fi

	apt_lists_fresh "$dir" || with_lock "apt-$suite" update_lists
}

# Lists of today are taken as they are; REFRESH=1 asks for new ones.
apt_lists_fresh()
{
	[ -n "$(find "$1/stamp" -mmin -1440 2>/dev/null)" ] &&
		{ [ -z "${REFRESH:-}" ] ||
			[ -n "$(find "$1/stamp" -mmin -5)" ]; }
}

# Runs inside apt_suite(), whose variables it sees.
update_lists()
{
	local keyring=/usr/share/keyrings/debian-archive-keyring.gpg

	! apt_lists_fresh "$dir" || return 0
	main=$(mirror_uri Debian)
	if [ -z "$main" ]; then
		step "apt-get update (the machine's own lists)" apt-get update
		main=$(mirror_uri Debian)
	fi
	[ -n "$main" ] || die "no Debian archive in the apt configuration"
	security=$(mirror_uri Debian-Security)

	mkdir -p "$dir"/{lists,cache,cache/archives}/partial "$dir/empty"
	: >"$dir/status"
	{
		echo "deb [signed-by=$keyring] $main $base main"
		echo "deb [signed-by=$keyring] $main $base-updates main"
		if [ -n "$security" ]; then
			echo "deb [signed-by=$keyring] $security" \
				"$base-security main"
		fi
		if [ "$suite" != "$base" ]; then
			echo "deb [signed-by=$keyring] $main $suite main"
		fi
	} >"$dir/sources.list"
	if step "fetching the package lists of $suite" \
		apt-get "${APT_OPTS[@]}" -o APT::Update::Error-Mode=any \
		update; then
		touch "$dir/stamp"
	elif [ -e "$dir/stamp" ]; then
		log "using the lists of $(date -r "$dir/stamp" +%F)"
	else
		die "no package lists of $suite"
	fi
}

# kernel_packages NAME...: the packages of a kernel that these names pull in.
# Names differ between releases (from 7.2 on an image is split in four), so
# dependencies are followed; what is not a versioned part of the kernel
# (linux-base, initramfs-tools, compilers) is left out.
kernel_packages()
{
	local -A seen=()
	local queue=("$@") name dep
	local part='linux-(image|binary|modules|base|headers|kbuild)-[^ ]*'

	while [ ${#queue[@]} -gt 0 ]; do
		name=${queue[0]}
		queue=("${queue[@]:1}")
		[ -z "${seen[$name]:-}" ] || continue
		seen[$name]=1
		apt-cache "${APT_OPTS[@]}" show --no-all-versions "$name" \
			>/dev/null 2>&1 || die "no package $name"
		while read -r dep; do
			queue+=("$dep")
		done < <(apt-cache "${APT_OPTS[@]}" depends --important "$name" |
			sed -nE "s/^[ |]*(Pre)?Depends: ($part)\$/\2/p")
	done
	printf '%s\n' "${!seen[@]}" | sort
}

# new_root SUITE VARIANT PACKAGES DIR: a root with these packages (separated by
# commas) and what they depend on, after apt_suite.
new_root()
{
	mmdebstrap --mode=root --variant="$2" --include="$3" \
		--aptopt='Acquire::Check-Valid-Until "false"' \
		"${1%-backports}" "$4" "$CACHE/apt/$1/sources.list"
}

# fetch_unpack DIR PACKAGE...: unpacks into DIR, keeping no .deb.
fetch_unpack()
{
	local dir=$1 debs
	shift
	mkdir -p "$dir"
	debs=$(mktemp -d "$dir/.deb.XXXXXX")
	step "fetching $*" \
		env -C "$debs" apt-get "${APT_OPTS[@]}" download "$@"
	step "unpacking them" \
		unpack_all "$dir" "$debs"/*.deb
	rm -rf "$debs"
}

unpack_all()
{
	local dir=$1 deb
	shift
	for deb in "$@"; do
		dpkg-deb -x "$deb" "$dir" || return
	done
}
