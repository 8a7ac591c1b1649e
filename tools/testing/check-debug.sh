#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: [KCSAN=1] [T=name] check-debug.sh
#
# Every selftest and the KUnit suites on a kernel that looks for faults, built
# from Debian's source when it is not in the cache: with KASAN, lockdep and what
# else tools/testing/vm/config/debug.config lists, or with KCSAN=1 the one that
# looks for data races. A splat fails the case in which it comes, and so does a
# data race with one of our modules in a stack. Each boot ends with a look for
# leaked memory.

if [ -n "${KCSAN:-}" ]; then
	K=kcsan
else
	K=debug
fi
export K

exec "$(dirname "$0")/check.sh" vm
