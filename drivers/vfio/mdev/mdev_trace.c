// SPDX-License-Identifier: GPL-2.0-only
/*
 * The tracepoints, and calls to two of them for mdev_parent.c: that file must
 * not include the trace header, see mdev_private.h.
 */
#define CREATE_TRACE_POINTS
#include <trace/events/mdev.h>

#include "mdev_private.h"

void mdev_trace_parent_register(struct device *dev, int error)
{
	trace_mdev_parent_register(dev, error);
}

void mdev_trace_parent_unregister(struct device *dev, u64 guard_ns, u64 ns)
{
	trace_mdev_parent_unregister(dev, guard_ns, ns);
}
