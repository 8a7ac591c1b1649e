# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by verbs/mutations.sh: judges a mutation by the log of a run, and writes
# the table.

# all_passed LOG: succeeds if the run is complete and nothing failed or was
# skipped.
all_passed()
{
	grep -qE '^[1-9][0-9]* passed, 0 failed$' "$1"
}

# failures LOG: prints each failed case and how it failed, from the diagnostics
# above its result. Ignores cases that never ran because the machine went down
# too often, and a machine that never came up.
failures()
{
	awk '
		function machine()
		{
			if (down)
				print down
			down = ""
		}
		/^# not run: / { down = ""; exit }
		/^# / { diag = diag "\n" $0; next }
		/^not ok / {
			how = "other"
			if (diag ~ /kernel panicked/)
				how = "panic"
			else if (diag ~ /the kernel complained/)
				how = "kernel log"
			else if (diag ~ /Expected|ended by signal/)
				how = "assertion"
			else if (diag ~ /no result within|: killed after/)
				how = "hang"
			else if (diag ~ /cannot unload|left /)
				how = "leftovers"
			if (diag ~ /QEMU failed/)
				how = "QEMU failed"
			machine()
			if ($NF == "virtual_machine")
				down = $NF "\t" how
			else
				print $NF "\t" how
		}
		/^(not )?ok / { diag = "" }
		END { machine() }' "$1"
}

# judge LOG: sets verdict, why and who.
# shellcheck disable=SC2034 # for the caller
judge()
{
	local log=$1 failed

	who=
	verdict=error
	failed=$(failures "$log")
	if ! grep -qE '^[0-9]+ passed, [0-9]+ failed' "$log"; then
		why="the check did not end"
	elif grep -q 'building .*: failed after' "$log"; then
		why="does not build"
	elif grep -q 'QEMU failed' <<<"$failed"; then
		why="QEMU failed"
	elif grep -qE '^(run|boot|.*ended_early)	' <<<"$failed"; then
		why="the check failed by itself"
	elif [ -n "$failed" ]; then
		verdict=caught
		why=$(cut -f2 <<<"$failed" | sort -u | paste -sd, | sed 's/,/, /g')
		who=$(cut -f1 <<<"$failed" | paste -sd, | sed 's/,/, /g')
	elif all_passed "$log"; then
		verdict=survived
		why=
	else
		why="no case ran"
	fi
}

# first_symptom LOG: prints the first failure as a diagnostic.
first_symptom()
{
	grep -m 1 -E 'Expected|kernel panicked|kernel complained|no result' "$1" |
		sed -E 's/^#[# ]*/#   /' || true
}

# write_table RESULTS KERNEL FILE: writes the results as a table.
write_table()
{
	local name verdict why who

	{
		echo "| mutation | what is wrong | verdict | by |"
		echo "|---|---|---|---|"
		while IFS='|' read -r name verdict why who; do
			echo "| $name | $(reason "$name") |" \
				"$verdict${why:+ ($why)} | $who |"
		done <"$1"
		echo
		echo "Kernel: $2. Cases fail by an assertion, a complaint or a" \
			"panic of the kernel, a hang, or by what they leave."
	} >"$3"
}
