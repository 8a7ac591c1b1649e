# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: fetches packages of any Debian suite and unpacks them without
# installing them. Uses the mirror of the host's apt configuration; only the
# name of the suite changes.

KEYRING=/usr/share/keyrings/debian-archive-keyring.gpg

# mirror_uri LABEL: prints the first configured archive with this label that has
# the host's suite. Labels are known only after the lists have been fetched.
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

# has_pocket URI SUITE [ARCH]: succeeds if the archive has the suite (for this
# architecture). Dies if the archive does not answer: the suite may exist.
has_pocket()
{
	local said file rc=0

	file=$(mktemp -u)
	if said=$(/usr/lib/apt/apt-helper "${APT_RETRY[@]}" \
		-o APT::Sandbox::User=root \
		download-file "${1%/}/dists/$2/InRelease" "$file" 2>&1); then
		grep -qE "^Architectures:.* ${3:-.*}( |\$)" "$file" || rc=1
		rm -f "$file"
		return "$rc"
	fi
	rm -f "$file"
	grep -qE '404|[Nn]ot [Ff]ound' <<<"$said" ||
		die "the package mirror cannot be reached: $(tail -n 1 <<<"$said")"
	return 1
}

# base_suite SUITE: prints the suite below an overlay, or SUITE.
base_suite()
{
	case $1 in
	*-backports)	echo "${1%-backports}" ;;
	experimental)	echo sid ;;
	*)		echo "$1" ;;
	esac
}

# suites [ARCH]: prints every suite that the mirror has (for this architecture).
suites()
{
	local suite main

	need_packages distro-info
	main=$(mirror_uri Debian)
	for suite in $(debian-distro-info --all); do
		if has_pocket "$main" "$suite" "${1:-}"; then
			echo "$suite"
			! has_pocket "$main" "$suite-backports" "${1:-}" ||
				echo "$suite-backports"
		fi
	done
}

# apt_suite SUITE [ARCH]: prepares a private apt state for the suite (and what it
# builds on) and sets APT_OPTS to the options that select it. Mirrors serve expired
# Release files of sid and of backports, so don't check their age.
apt_suite()
{
	local suite=$1 arch=${2:-} dir=$CACHE/apt/$1${2:+-$2}

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
		"${APT_RETRY[@]}"
		-o "Acquire::Check-Valid-Until=false"
	)
	[ -z "$arch" ] || APT_OPTS+=(-o "APT::Architecture=$arch"
		-o "APT::Architectures=$arch")
	# apt ignores an overlay's packages unless told otherwise.
	[ "$(base_suite "$suite")" = "$suite" ] ||
		APT_OPTS+=(-o "APT::Default-Release=$suite")
	apt_lists_fresh "$dir" || with_lock "apt-${dir##*/}" update_lists
}

# Lists are fresh for a day, with REFRESH=1 for five minutes.
apt_lists_fresh()
{
	is_younger "$1/stamp" 1440 &&
		{ [ -z "${REFRESH:-}" ] || is_younger "$1/stamp" 5; }
}

# source_lines SUITE ARCH: prints sources.list lines for the suite and its pockets
# that have the architecture, if it is not empty.
source_lines()
{
	local base main security

	main=$(mirror_uri Debian)
	if [ -z "$main" ]; then
		step "apt-get update (the machine's own lists)" apt-get update
		main=$(mirror_uri Debian)
	fi
	[ -n "$main" ] || die "no Debian archive in the apt configuration"
	security=$(mirror_uri Debian-Security)
	base=$(base_suite "$1")
	has_pocket "$main" "$1" "$2" ||
		die "the mirror has no suite $1${2:+ for $2}; it has:" \
			"$(suites "$2" | paste -sd' ')"
	echo "deb [signed-by=$KEYRING] $main $base main"
	[ "$1" = "$base" ] || echo "deb [signed-by=$KEYRING] $main $1 main"
	! has_pocket "$main" "$base-updates" "$2" ||
		echo "deb [signed-by=$KEYRING] $main $base-updates main"
	[ -z "$security" ] || ! has_pocket "$security" "$base-security" "$2" ||
		echo "deb [signed-by=$KEYRING] $security $base-security main"
}

# Uses the variables of apt_suite().
update_lists()
{
	! apt_lists_fresh "$dir" || return 0
	need_packages debian-archive-keyring
	mkdir -p "$dir"/{lists,cache,cache/archives}/partial "$dir/empty"
	: >"$dir/status"
	if (source_lines "$suite" "$arch" >"$dir/sources.new") &&
		mv "$dir/sources.new" "$dir/sources.list" &&
		step "fetching the package lists of $suite${arch:+ for $arch}" \
			apt-get "${APT_OPTS[@]}" \
			-o APT::Update::Error-Mode=any update; then
		touch "$dir/stamp"
	elif [ -e "$dir/stamp" ]; then
		log "using the lists of $(date -r "$dir/stamp" +%F)"
	else
		# The failed command has printed the cause.
		rm -rf "$dir"
		exit 1
	fi
}

# package_version NAME: prints nothing if the suite lacks the package.
package_version()
{
	apt-cache "${APT_OPTS[@]}" show --no-all-versions "$1" 2>/dev/null |
		sed -n 's/^Version: //p'
}

# depends NAME: prints the packages it depends on, one per line, and the first of
# each set of alternatives.
depends()
{
	apt-cache "${APT_OPTS[@]}" depends --important "$1" | awk '
		/Depends: / && !more && $NF !~ /^</ { print $NF }
		/Depends: / { more = /\|/ }'
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

# linux_source: prints the package with the kernel source of the suite.
linux_source()
{
	depends linux-source | grep '^linux-source-' ||
		die "$suite has no linux-source"
}

# fetch_linux_source PACKAGE DIR [PATH...]: unpacks the kernel source, or these
# paths of it, into DIR, keeping no .deb.
fetch_linux_source()
{
	local debs
	mkdir -p "$2"
	debs=$(mktemp -d "$2/.deb.XXXXXX")
	step "fetching $1 from $suite" \
		env -C "$debs" apt-get "${APT_OPTS[@]}" download "$1"
	step "unpacking it" unpack_linux_source "$1" "$debs" "${@:2}"
	rm -rf "$debs"
}

# unpack_linux_source PACKAGE DEBS DIR [PATH...]
unpack_linux_source()
{
	dpkg-deb --fsys-tarfile "$2"/*.deb |
		tar -xO "./usr/src/$1.tar.xz" |
		tar -xJ -C "$3" --strip-components=1 "${@:4}"
}

unpack_all()
{
	local dir=$1 deb
	shift
	for deb in "$@"; do
		dpkg-deb -x "$deb" "$dir" || return
	done
}
