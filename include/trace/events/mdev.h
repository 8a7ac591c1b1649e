/* SPDX-License-Identifier: GPL-2.0-only */
#undef TRACE_SYSTEM
#define TRACE_SYSTEM mdev

#if !defined(_TRACE_MDEV_H) || defined(TRACE_HEADER_MULTI_READ)
#define _TRACE_MDEV_H

#include <linux/device.h>
#include <linux/string.h>
#include <linux/tracepoint.h>
#include <linux/uuid.h>

/* A parent's name is cut at this length. */
#define MDEV_TRACE_NAME_LEN 64
#define MDEV_TRACE_REASON_LEN 16

DECLARE_EVENT_CLASS(mdev_begin,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid),
	TP_STRUCT__entry(
		__array(u8, uuid, UUID_SIZE)
	),
	TP_fast_assign(
		export_guid(__entry->uuid, uuid);
	),
	TP_printk("uuid=%pUl", __entry->uuid)
);

DECLARE_EVENT_CLASS(mdev_end,
	TP_PROTO(const guid_t *uuid, int error, u64 ns),
	TP_ARGS(uuid, error, ns),
	TP_STRUCT__entry(
		__array(u8, uuid, UUID_SIZE)
		__field(int, error)
		__field(u64, ns)
	),
	TP_fast_assign(
		export_guid(__entry->uuid, uuid);
		__entry->error = error;
		__entry->ns = ns;
	),
	TP_printk("uuid=%pUl error=%d ns=%llu",
		  __entry->uuid, __entry->error, __entry->ns)
);

DEFINE_EVENT(mdev_begin, mdev_create_begin,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid)
);

DEFINE_EVENT(mdev_end, mdev_create_end,
	TP_PROTO(const guid_t *uuid, int error, u64 ns),
	TP_ARGS(uuid, error, ns)
);

DEFINE_EVENT(mdev_begin, mdev_remove_begin,
	TP_PROTO(const guid_t *uuid),
	TP_ARGS(uuid)
);

DEFINE_EVENT(mdev_end, mdev_remove_end,
	TP_PROTO(const guid_t *uuid, int error, u64 ns),
	TP_ARGS(uuid, error, ns)
);

TRACE_EVENT(mdev_create_refused,
	TP_PROTO(struct device *dev, const char *type, const char *reason,
		 int error),
	TP_ARGS(dev, type, reason, error),
	TP_STRUCT__entry(
		__array(char, parent, MDEV_TRACE_NAME_LEN)
		__array(char, type, MDEV_TRACE_NAME_LEN)
		__array(char, reason, MDEV_TRACE_REASON_LEN)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->parent, dev_name(dev), MDEV_TRACE_NAME_LEN);
		strscpy(__entry->type, type, MDEV_TRACE_NAME_LEN);
		strscpy(__entry->reason, reason, MDEV_TRACE_REASON_LEN);
		__entry->error = error;
	),
	TP_printk("parent=%s type=%s reason=%s error=%d", __entry->parent,
		  __entry->type, __entry->reason, __entry->error)
);

TRACE_EVENT(mdev_parent_register,
	TP_PROTO(struct device *dev, int error),
	TP_ARGS(dev, error),
	TP_STRUCT__entry(
		__array(char, parent, MDEV_TRACE_NAME_LEN)
		__field(int, error)
	),
	TP_fast_assign(
		strscpy(__entry->parent, dev_name(dev), MDEV_TRACE_NAME_LEN);
		__entry->error = error;
	),
	TP_printk("parent=%s error=%d", __entry->parent, __entry->error)
);

TRACE_EVENT(mdev_parent_unregister,
	TP_PROTO(struct device *dev, u64 guard_ns, u64 ns),
	TP_ARGS(dev, guard_ns, ns),
	TP_STRUCT__entry(
		__array(char, parent, MDEV_TRACE_NAME_LEN)
		__field(u64, guard_ns)
		__field(u64, ns)
	),
	TP_fast_assign(
		strscpy(__entry->parent, dev_name(dev), MDEV_TRACE_NAME_LEN);
		__entry->guard_ns = guard_ns;
		__entry->ns = ns;
	),
	TP_printk("parent=%s guard_ns=%llu ns=%llu", __entry->parent,
		  __entry->guard_ns, __entry->ns)
);

#endif /* _TRACE_MDEV_H */

#include <trace/define_trace.h>
