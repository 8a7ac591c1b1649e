// SPDX-License-Identifier: GPL-2.0-only
/* The tracepoints. */
#define CREATE_TRACE_POINTS
#include <trace/events/mdev.h>
