# SPDX-License-Identifier: GPL-2.0-only
# Prints the table of bench.sh from bench.csv, whose columns are mode, device, row and
# value. The least value counts.

BEGIN { FS = "," }
NR > 1 && (!(($2, $3) in value) || $4 < value[$2, $3]) { value[$2, $3] = $4 }

function shown(x) { return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.3f", x) }

# A line that compares a row of two devices.
function compare(what, row, them, us, goal)
{
	if (!((them, row) in value) || !((us, row) in value))
		return
	printf "%-40s %-8s %12s %-8s %12s %7.3f  %s\n", what,
		them, shown(value[them, row]), us, shown(value[us, row]),
		value[us, row] / value[them, row], goal
}

function each_4k(them, us, goal)
{
	compare("4 KiB random read, depth 1", "read_1", them, us, goal)
	compare("4 KiB random write, depth 1", "write_1", them, us, goal)
	compare("4 KiB random read, depth 32", "read_32", them, us, goal)
	compare("4 KiB random write, depth 32", "write_32", them, us, goal)
	print ""
}

END {
	print "Instructions per request"
	printf "%-40s %-8s %12s %-8s %12s %7s  %s\n", "", "that", "", "ours", "",
		"ratio", "goal"
	each_4k("ublk", "dm-user", "<= 0.9")
	each_4k("nbd", "dm-user", "<= 0.4")
	each_4k("linear", "remap", "<= 1.1")
	each_4k("floor", "dm-user", "")
	compare("system calls per request, depth 32", "calls_32", "ublk", "dm-user",
		"(ours <= 0.15)")
	print ""
	print "Nanoseconds per request of 1 MiB, two CPUs"
	compare("sequential read, depth 4", "read_4", "ublk", "dm-user", "<= 1")
	compare("sequential write, depth 4", "write_4", "ublk", "dm-user", "<= 1")
	compare("sequential read, depth 4", "read_4", "nbd", "dm-user", "")
	compare("sequential write, depth 4", "write_4", "nbd", "dm-user", "")
}
