#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [K=...] demo.sh
#
# Builds the modules, boots the chosen kernel and lets transcript.sh show the
# life of a mediated device there. Fails if a step of it fails.

export LOG_PREFIX='-- '

# shellcheck source=tools/testing/lib/common.sh
. "$(dirname "$0")/../testing/lib/common.sh"

start=$SECONDS
rc=0
VM_SECONDS=${VM_SECONDS:-300} "$TOP/tools/testing/vm/vm.sh" \
	run "sh /vm/transcript.sh" "$TOP/tools/demo/transcript.sh" || rc=$?
if [ "$rc" -ne 0 ]; then
	log "the demo failed after $((SECONDS - start)) s (status $rc)"
	exit "$rc"
fi
log "the demo took $((SECONDS - start)) s; make shell gives you this machine"
