/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's harness, with a longer timeout: 30 s per case is too short for a
 * busy host that emulates the machine. The runner kills cases that hang. A tree
 * that "make kernel-series" patches may have an old one.
 */
#ifndef HARNESS_KSELFTEST_H
#define HARNESS_KSELFTEST_H

#include_next <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

/* Before Linux 6.10 only the child could clean up after a case. */
#ifndef FIXTURE_TEARDOWN_PARENT
#define FIXTURE_TEARDOWN_PARENT(fixture) FIXTURE_TEARDOWN(fixture)
#endif

#endif
