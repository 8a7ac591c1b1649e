# SPDX-License-Identifier: GPL-2.0-only
# Prints the table of bench.sh from bench.csv.

function have(core, row, alive) { return (core, row, alive) in value }
function get(core, row, alive) { return value[core, row, alive] }

# Print a line: what, the baseline (mostly stock), ours, the goal as a ratio.
function line(what, them, us, unit, goal)
{
	printf "%-44s %12s %12s %-7s %7s  %s\n", what, shown(them),
		shown(us), unit, them ? sprintf("%.3f", us / them) : "-",
		goal
}

function shown(x) { return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.2f", x) }

# Print a line that compares two measurements, if both exist.
function against(what, core1, row1, alive1, core2, row2, alive2, unit, goal)
{
	if (have(core1, row1, alive1) && have(core2, row2, alive2))
		line(what, get(core1, row1, alive1) / scale[unit],
		     get(core2, row2, alive2) / scale[unit], unit, goal)
}

function compare(what, row, alive, unit, goal)
{
	against(what, "stock", row, alive, "ours", row, alive, unit, goal)
}

# Compare the driver core alone with the stock core.
function bare(what, row, alive, unit)
{
	against(what, "stock", row, alive, "floor", row, alive, unit, "")
}

function header(what, them, us)
{
	printf "%-44s %12s %12s %-7s %7s  %s\n", what, them, us, "", "ratio",
		"goal"
}

# Of repeated measurements, keep the best rate or the least time.
function note(core, row, alive, unit, x, key)
{
	key = core SUBSEP row SUBSEP alive
	if (!(key in value) || (unit == "pairs/s" ? x > value[key] : x < value[key]))
		value[key] = x
}

BEGIN {
	FS = ","
	scale["us"] = 1000
	scale["ns"] = scale["bytes"] = scale["pairs/s"] = scale["ms"] = 1
	scale["instr."] = 1
}

NR > 1 && $3 == "unregister_10000" { $6 /= 10000 }
NR > 1 { note($2, $3, $4, $5, $6) }

END {
	header("", "stock", "ours")
	compare("create, none alive", "create", 0, "us", "<= 1.05")
	compare("remove, none alive", "remove", 0, "us", "<= 1.05")
	compare("both, with opening and closing \"remove\"", "pair", 0, "us", "")
	compare("create, 12,000 alive", "create", 12000, "us", "<= 0.50")
	compare("remove of the oldest", "remove_oldest", 12000, "us", "<= 0.50")
	compare("remove of any", "remove_any", 12000, "us", "<= 0.50")
	compare("remove of the newest", "remove", 12000, "us", "<= 0.50")
	compare("create, 100,000 alive", "create", 100000, "us", "<= 0.12")
	compare("remove of the oldest", "remove_oldest", 100000, "us", "<= 0.12")
	compare("remove of any", "remove_any", 100000, "us", "<= 0.12")
	compare("remove of the newest", "remove", 100000, "us", "<= 0.12")
	compare("unregister with 10,000 children, per child",
		"unregister_10000", 0, "us", "<= 0.95")
	compare("unregister an idle parent", "unregister_idle", 0, "us", "")
	compare("read of one byte of a card", "region_read", 0, "ns", "<= 0.8")
	compare("write of one byte to a card", "region_write", 0, "ns", "<= 0.8")
	compare("1 writer", "writers_1", 0, "pairs/s", "")
	compare("2 writers on 2 CPUs", "writers_2", 0, "pairs/s", ">= 1.00")
	compare("1 create, the vendor takes 500 ms", "slow_1", 0, "ms", "")
	compare("16 of them, together", "slow_n", 16, "ms", "")
	compare("memory of a device but for sysfs nodes", "memory", 10000,
		"bytes", "<= stock + 64")

	print ""
	header("ours, against something else", "that", "ours")
	if (have("floor", "create", 0) && have("ours", "create", 0)) {
		line("create + remove, against the floor",
		     (get("floor", "create", 0) + get("floor", "remove", 0)) / 1000,
		     (get("ours", "create", 0) + get("ours", "remove", 0)) / 1000,
		     "us", "<= 1.15")
	}
	against("create, 100,000 alive against none",
		"ours", "create", 0, "ours", "create", 100000, "us", "<= 1.03")
	against("remove, 100,000 alive against none",
		"ours", "remove", 0, "ours", "remove", 100000, "us", "<= 1.03")
	against("guard against rwsem, enter + leave",
		"ours", "rwsem", 0, "ours", "guard", 0, "instr.", "<= 1.00")
	against("2 writers against 1", "ours", "writers_1", 0,
		"ours", "writers_2", 0, "pairs/s", ">= 1.6")
	against("16 slow creates against 1", "ours", "slow_1", 0,
		"ours", "slow_n", 16, "ms", "<= 1.2")

	print ""
	header("the driver core alone", "stock", "floor")
	bare("create, none alive", "create", 0, "us")
	bare("remove, none alive", "remove", 0, "us")
	against("create without in_use and mdevseq", "stock", "create", 0,
		"few", "create", 0, "us", "")
	against("remove without in_use and mdevseq", "stock", "remove", 0,
		"few", "remove", 0, "us", "")
	bare("remove of any, 12,000 alive", "remove_any", 12000, "us")
	bare("remove of any, 100,000 alive", "remove_any", 100000, "us")
	bare("unregister with 10,000 children, per child", "unregister_10000",
	     0, "us")
	against("a read that our card refuses", "stock", "region_read", 0,
		"ours", "region_refused", 0, "ns", "")
	bare("memory of a device but for sysfs nodes", "memory", 10000, "bytes")

	print ""
	header("2 writers against 1", "1", "2")
	for (i = split("stock floor", cores, " "); i > 0; i--)
		against(cores[i], cores[i], "writers_1", 0,
			cores[i], "writers_2", 0, "pairs/s", "")
}
