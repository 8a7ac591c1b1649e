/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The kernel's harness, with a longer timeout: 30 s per case is too short for a
 * busy host that emulates the machine. The runner kills cases that hang.
 */
#ifndef HARNESS_KSELFTEST_H
#define HARNESS_KSELFTEST_H

#include_next <kselftest_harness.h>

#undef TEST_TIMEOUT_DEFAULT
#define TEST_TIMEOUT_DEFAULT 300

#endif
