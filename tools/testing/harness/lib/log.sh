# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Part of lib.sh: a log that says what is being waited for and how long it took,
# and locks. The log goes to stderr: stdout carries only what a script is for.

# "# " keeps a log inside a KTAP stream a diagnostic; scripts that write prose
# choose another one.
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

# explain FILE: prints a known cause that the output of a failed command names.
explain()
{
	if grep -q 'No space left on device' "$1"; then
		log "error: no space left (the cache is $CACHE)"
	elif grep -qE 'Temporary failure resolving|Could not connect|Unable to connect' "$1"; then
		log "error: the package mirror cannot be reached"
	fi
}

# step MESSAGE COMMAND...: runs the command with its output kept aside, says
# how long it took, and shows the end of the output only if it failed.
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

# is_younger FILE MINUTES
is_younger()
{
	[ -n "$(find "$1" -mmin "-$2" 2>/dev/null)" ]
}
