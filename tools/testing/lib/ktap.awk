# SPDX-License-Identifier: GPL-2.0-only
#
# Makes one KTAP stream of several: numbers the results anew, counts them, and
# closes with the plan and the totals. Fails if a test failed or none ran.
#
# -v prefix=...	put before the totals
# -v totals=FILE	gets "PASSED FAILED SKIPPED"

BEGIN {
	print "KTAP version 1"
	fflush()
}

/^(not )?ok([ \t]|$)/ {
	bad = /^not/
	name = $0
	sub(/^(not )?ok[ \t]*([0-9]+[ \t]*)?(-[ \t]*)?/, "", name)
	if (bad)
		failed++
	else if (name ~ /# SKIP/)
		skipped++
	else
		passed++
	count++
	printf "%s %d %s\n", bad ? "not ok" : "ok", count, name
	fflush()
	next
}

# Plans and versions of the parts do not count for the whole.
/^(K?TAP version|1\.\.[0-9]+)/ { next }

{
	print
	fflush()
}

END {
	printf "1..%d\n", count
	if (!count)
		print "# no test ran"
	printf "%s%d passed, %d failed%s\n", prefix, passed, failed,
		skipped ? ", " skipped " skipped" : ""
	if (totals) {
		printf "%d %d %d\n", passed, failed, skipped >totals
		close(totals)
	}
	exit failed || !count ? 1 : 0
}
