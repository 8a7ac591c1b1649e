#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [S=...] [K=...] [T=name] [LIST=1] [KTAP=1] bench.sh
#
# Measures the system and its alternatives, by tools/testing/bench/S. A
# benchmark has no verdict; with KTAP=1 it passes if it runs to completion.

# shellcheck source=tools/testing/harness/lib.sh
. "$(dirname "$0")/../lib.sh"
amd64_only bench

bench=$TESTING/bench/$S/bench.sh
[ -x "$bench" ] || die "$S has no benchmark"
[ -n "${KTAP:-}" ] || exec "$bench"
run_test bench "$bench"
exit "$failed"
