# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: locks, and a log of the steps and their duration. The log goes
# to stderr: stdout carries only the results.

# "# " makes log lines KTAP diagnostics. Scripts that don't print KTAP choose
# another prefix.
LOG_PREFIX=${LOG_PREFIX:-# }
export LOG_PREFIX

log()
{
	printf '%s%s\n' "$LOG_PREFIX" "$*" >&2
}

die()
{
	log "error: $*"
	exit 1
}

# explain FILE: logs a known cause found in the output of a failed command.
explain()
{
	if grep -q 'No space left on device' "$1"; then
		log "error: no space left (the cache is $CACHE)"
	elif grep -qE 'Temporary failure resolving|Could not connect|Unable to connect' "$1"; then
		log "error: the package mirror cannot be reached"
	elif grep -q 'Mirror sync in progress' "$1"; then
		log "error: the mirror's package lists are not those that its Release file names"
	fi
}

# step MESSAGE COMMAND...: runs the command, logs how long it took, and shows
# the end of its output only if it failed.
step()
{
	local msg=$1 start=$SECONDS out rc=0
	shift
	log "$msg ..."
	out=$(mktemp) || die "no space left in ${TMPDIR:-/tmp}"
	"$@" >"$out" 2>&1 </dev/null || rc=$?
	if [ "$rc" -ne 0 ]; then
		tail -n 40 "$out" | sed "s/^/$LOG_PREFIX  /" >&2
		explain "$out"
		rm -f "$out"
		log "$msg: failed after $((SECONDS - start)) s (status $rc)"
		return "$rc"
	fi
	rm -f "$out"
	[ "$SECONDS" -eq "$start" ] ||
		log "$msg: done in $((SECONDS - start)) s"
}

# with_lock NAME COMMAND...: runs the command under a lock on this part of the
# cache. A run that has to wait logs it, and then finds the work done.
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

# is_younger FILE MINUTES
is_younger()
{
	[ -n "$(find "$1" -mmin "-$2" 2>/dev/null)" ]
}
