# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by every script below tools/: where things are, and a log that says
# what is being waited for and how long it took. The log goes to stderr, so
# that stdout carries only what the script is for.

set -euo pipefail
export LC_ALL=C PATH=$PATH:/usr/sbin:/sbin

TOP=$(realpath "$(dirname "${BASH_SOURCE[0]}")/../../..")
LIB=$TOP/tools/testing/lib

# Everything that is fetched or derived from what was fetched; never the tree.
CACHE=${CACHE:-${XDG_CACHE_HOME:-${HOME:-/root}/.cache}/mdev}

# The kernel to work with: 6.1, 6.12, 7.2 or debug.
K=${K:-6.1}

# "# " keeps a log inside a KTAP stream a diagnostic; scripts that write prose
# choose another one.
LOG_PREFIX=${LOG_PREFIX:-# }

export TOP LIB CACHE K LOG_PREFIX

# The variables and the jobs of a make that called us are not for those we call.
unset MAKEFLAGS MFLAGS MAKELEVEL MAKEOVERRIDES

mkdir -p "$CACHE"

log()
{
	printf '%s%s\n' "$LOG_PREFIX" "$*" >&2
}

die()
{
	log "error: $*"
	exit 1
}

# step MESSAGE COMMAND...: runs the command with its output kept aside, says
# how long it took, and shows the output only if it failed.
step()
{
	local msg=$1 start=$SECONDS out rc=0
	shift
	log "$msg ..."
	out=$(mktemp)
	"$@" >"$out" 2>&1 </dev/null || rc=$?
	if [ "$rc" -ne 0 ]; then
		sed "s/^/$LOG_PREFIX  /" "$out" >&2
		rm -f "$out"
		log "$msg: failed after $((SECONDS - start)) s (status $rc): $*"
		return "$rc"
	fi
	rm -f "$out"
	log "$msg: done in $((SECONDS - start)) s"
}

# with_lock NAME COMMAND...: one run at a time may change this part of the
# cache; the others say that they wait, and then find the work done.
with_lock()
{
	local name=$1
	shift
	mkdir -p "$CACHE/lock"
	(
		if ! flock -n 9; then
			log "waiting for another run that works on $name ..."
			flock 9
		fi
		"$@" 9>&-
	) 9>"$CACHE/lock/$name"
}
