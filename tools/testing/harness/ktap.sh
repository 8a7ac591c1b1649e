#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: ... | ktap.sh
#
# Merges the results of several programs into one KTAP stream. Renumbers each line
# as it arrives, and ends with the plan and the totals. Fails if a test failed or
# none ran. A TODO result counts as skipped.

set -euo pipefail

result='^(not )?ok[[:space:]]+([0-9]+[[:space:]]+)?(-[[:space:]]+)?(.*)$'
passed=0
failed=0
skipped=0

echo "KTAP version 1"
while IFS= read -r line || [ -n "$line" ]; do
	if [[ $line =~ $result ]]; then
		not=${BASH_REMATCH[1]}
		name=${BASH_REMATCH[4]}
		if [[ $name = *"# "@(SKIP|TODO)* ]]; then
			skipped=$((skipped + 1))
		elif [ -n "$not" ]; then
			failed=$((failed + 1))
		else
			passed=$((passed + 1))
		fi
		echo "${not}ok $((passed + failed + skipped)) $name"
	elif [[ ! $line =~ ^(K?TAP\ version|1\.\.[0-9]+) ]]; then
		# Drop the versions and plans of the parts.
		printf '%s\n' "$line"
	fi
done

count=$((passed + failed + skipped))
echo "1..$count"
[ "$count" -gt 0 ] || echo "# no test ran"
totals="$passed passed, $failed failed"
[ "$skipped" -eq 0 ] || totals+=", $skipped skipped"
echo "$totals"
[ "$failed" -eq 0 ] && [ "$count" -gt 0 ]
