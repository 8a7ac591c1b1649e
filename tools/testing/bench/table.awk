# SPDX-License-Identifier: GPL-2.0-only
# The table of bench.sh, from its numbers.

function have(core, row, alive) { return (core, row, alive) in value }
function get(core, row, alive) { return value[core, row, alive] }

# A line: what, stock (or what else it is compared with), ours, goal as a ratio.
function line(what, them, us, unit, goal)
{
	printf "%-44s %12s %12s %-7s %7s  %s\n", what, shown(them),
		shown(us), unit, them ? sprintf("%.3f", us / them) : "-",
		goal
}

function shown(x) { return x >= 1000 ? sprintf("%.0f", x) : sprintf("%.2f", x) }

function compare(what, row, alive, unit, goal)
{
	if (have("ours", row, alive) && have("stock", row, alive))
		line(what, get("stock", row, alive) / scale[unit],
		     get("ours", row, alive) / scale[unit], unit, goal)
}

# What has been measured several times: the best rate, the least time.
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
}

NR > 1 && $3 == "unregister_10000" { $6 /= 10000 }
NR > 1 { note($2, $3, $4, $5, $6) }

END {
	printf "%-44s %12s %12s %-7s %7s  %s\n", "", "stock", "ours", "",
		"ratio", "goal"
	compare("create, none alive", "create", 0, "us", "<= 1.00")
	compare("remove, none alive", "remove", 0, "us", "<= 1.00")
	compare("create, 12,000 alive", "create", 12000, "us", "<= 0.50")
	compare("remove, 12,000 alive", "remove", 12000, "us", "<= 0.50")
	compare("remove of any of them", "remove_any", 12000, "us", "")
	compare("create, 100,000 alive", "create", 100000, "us", "<= 0.12")
	compare("remove, 100,000 alive", "remove", 100000, "us", "<= 0.12")
	compare("remove of any of them", "remove_any", 100000, "us", "")
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

	printf "\n%-44s %12s %12s %-7s %7s  %s\n", "", "against", "ours", "",
		"ratio", "goal"
	if (have("floor", "create", 0) && have("ours", "create", 0)) {
		line("create + remove, against the floor",
		     (get("floor", "create", 0) + get("floor", "remove", 0)) / 1000,
		     (get("ours", "create", 0) + get("ours", "remove", 0)) / 1000,
		     "us", "<= 1.15")
	}
	for (i = split("ours floor", cores, " "); i > 0; i--) {
		core = cores[i]
		if (!have(core, "create", 0) || !have(core, "create", 100000))
			continue
		what = core == "ours" ? "" : "floor: "
		goal = core == "ours" ? "<= 1.03" : ""
		line(what "create, 100,000 alive against none",
		     get(core, "create", 0) / 1000,
		     get(core, "create", 100000) / 1000, "us", goal)
		line(what "remove, 100,000 alive against none",
		     get(core, "remove", 0) / 1000,
		     get(core, "remove", 100000) / 1000, "us", goal)
	}
	for (i = split("ours stock", cores, " "); i > 0; i--) {
		core = cores[i]
		if (have(core, "writers_1", 0))
			line(core ": 2 writers against 1", get(core, "writers_1", 0),
			     get(core, "writers_2", 0), "pairs/s",
			     core == "ours" ? ">= 1.6" : "")
		if (have(core, "slow_1", 0))
			line(core ": 16 slow creates against 1",
			     get(core, "slow_1", 0), get(core, "slow_n", 16),
			     "ms", core == "ours" ? "<= 1.2" : "")
	}
	if (have("floor", "create", 0) && have("few", "create", 0)) {
		line("floor: create with the files in_use, mdevseq",
		     get("few", "create", 0) / 1000,
		     get("floor", "create", 0) / 1000, "us", "")
		line("floor: remove with the files in_use, mdevseq",
		     get("few", "remove", 0) / 1000,
		     get("floor", "remove", 0) / 1000, "us", "")
	}
	if (have("ours", "guard", 0))
		line("guard against rwsem, enter + leave",
		     get("ours", "rwsem", 0), get("ours", "guard", 0), "instr.",
		     "<= 1.00")
	if (have("floor", "memory", 10000))
		line("memory against the floor's", get("floor", "memory", 10000),
		     get("ours", "memory", 10000), "bytes", "")
}
