# SPDX-License-Identifier: GPL-2.0-only
# Prints the table of bench.sh from bench.csv, whose columns are module, row and
# nanoseconds. The median counts.

BEGIN { FS = "," }
NR > 1 { values[$1, $2] = values[$1, $2] " " $3 }

function median(list, n, i, j, x, v) {
	n = split(list, v, " ")
	for (i = 2; i <= n; i++) {
		x = v[i]
		for (j = i - 1; j >= 1 && v[j] + 0 > x + 0; j--)
			v[j + 1] = v[j]
		v[j + 1] = x
	}
	return n % 2 ? v[(n + 1) / 2] : (v[n / 2] + v[n / 2 + 1]) / 2
}

function line(what, row, goal, stock, ours) {
	if (!(("stock", row) in values) || !(("ours", row) in values))
		return
	stock = median(values["stock", row])
	ours = median(values["ours", row])
	printf "%-44s %12.0f %12.0f %7.3f  %s\n", what, stock / 1000, ours / 1000,
		ours / stock, goal
}

END {
	printf "%-44s %12s %12s %7s  %s\n", "microseconds", "stock", "ours", "ratio", "goal"
	line("4 KiB random read, depth 16, RAM disk", "read_brd", "0.97 to 1.03")
	line("4 KiB random read, depth 16, loop device", "read_loop", "0.97 to 1.03")
	line("128 KiB write, depth 16, RAM disk", "write_brd", "0.97 to 1.03")
	line("1 MiB read by dd, RAM disk", "dd_brd", "0.97 to 1.03")
	line("physical-device written to connected", "attach", "1 ms more")
	line("hotplug script, start to exit, a file", "script", "<= 0.1")
	line("100 disks at once, until connected", "many", "<= 0.5")
}
