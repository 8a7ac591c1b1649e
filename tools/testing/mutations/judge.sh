# SPDX-License-Identifier: GPL-2.0-only
# shellcheck shell=bash
#
# Sourced by run.sh: what the log of a check says about a mutation, and the
# table of all of them.

# all_passed LOG: a check that ran to its end, and nothing failed or was left
# out.
all_passed()
{
	grep -qE '^[1-9][0-9]* passed, 0 failed$' "$1"
}

# failures LOG: each failed case and how it failed, from what the log says
# ahead of its result. Cases that never ran because the machine went down too
# often did not catch anything, nor did a machine that never came up.
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

# judge LOG: sets verdict, why, and who caught it.
# shellcheck disable=SC2034 # for the caller
judge()
{
	local log=$1 failed

	who=
	verdict=error
	failed=$(failures "$log")
	if ! grep -qE '^[0-9]+ passed, [0-9]+ failed' "$log"; then
		why="the check did not end"
	elif grep -qE '^not ok [0-9]+ build$' "$log"; then
		why="does not build"
	elif grep -q 'QEMU failed' <<<"$failed"; then
		why="QEMU failed"
	elif grep -qE '^(check|boot)	' <<<"$failed"; then
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

# first_symptom LOG: the first thing that went wrong, as a diagnostic.
first_symptom()
{
	grep -m 1 -E 'Expected|kernel panicked|kernel complained|no result' "$1" |
		sed -E 's/^#[# ]*/#   /' || true
}

# by_chance: whether the verdict may be due to a busy machine.
by_chance()
{
	case $verdict:$why in
	error:"does not "*)	return 1 ;;
	error:* | caught:hang)	return 0 ;;
	*)			return 1 ;;
	esac
}

# rows RESULTS KERNEL: a run's results as rows of the table.
rows()
{
	local name verdict why who

	while IFS='|' read -r name verdict why who; do
		# shellcheck disable=SC2016 # Markdown's quotes
		printf '| [%s](%s.patch) | %s | %s | %s | %s |\n' \
			"$name" "$name" "$(reason "$name")" \
			"$verdict${why:+ ($why)}" \
			"$(sed -E 's/[^, ]+/`&`/g; s/, /<br>/g' <<<"$who")" "$2"
	done <"$1"
}

# in_table TABLE: the mutations that have a line there.
in_table()
{
	sed -n 's/^| \[\([^]]*\)\].*/\1/p' "$1"
}

# kept_rows RESULTS TABLE: the rows of mutations that are still there and were
# not run this time.
kept_rows()
{
	local line name

	while IFS= read -r line; do
		name=${line#"| ["}
		name=${name%%]*}
		if [ -e "${2%/*}/$name.patch" ] && ! grep -q "^$name|" "$1"; then
			printf '%s\n' "$line"
		fi
	done < <(sed -n '/^| \[/p' "$2")
}

# write_table RESULTS KERNEL TABLE: a run's results, put into the table.
write_table()
{
	local all

	all=$({
		rows "$1" "$2"
		[ ! -e "$3" ] || kept_rows "$1" "$3"
	} | sort)
	cat >"$3" <<-TEXT
		<!-- SPDX-License-Identifier: GPL-2.0-only -->
		# Mutations

		Small wrong changes to the sources, and the tests that noticed them. Each is
		a patch in this folder; its line is of the last time it was run.

		\`make check-mutations\` writes this file, and with \`T=name\` the lines of
		the mutations that it ran. Not to be edited by hand.

		* mutations: $(wc -l <<<"$all")
		* caught: $(grep -c '^[^|]*|[^|]*|[^|]*| caught' <<<"$all" || true)

		A verdict has in parentheses how the cases failed: by an assertion, a
		complaint or a panic of the kernel, a hang, or by what they left behind.

		| mutation | what is wrong | verdict | by | kernel |
		|---|---|---|---|---|
		$all
	TEXT
}
