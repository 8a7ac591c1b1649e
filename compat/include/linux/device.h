/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_DEVICE_H
#define _COMPAT_LINUX_DEVICE_H

#include_next <linux/device.h>
#include <linux/version.h>

/* Linux 6.11 made the driver that bus_type.match looks at const. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 11, 0)
#define bus_match_const
#else
#define bus_match_const const
#endif

/* Linux 6.14 took the unused second device out of the two link functions. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 14, 0)
#define class_compat_create_link(cls, dev) \
	class_compat_create_link(cls, dev, NULL)
#define class_compat_remove_link(cls, dev) \
	class_compat_remove_link(cls, dev, NULL)
#endif

/*
 * Linux 6.3 ceased to write to the bus_type when the last reference on the bus
 * goes. The write is the last that happens, so it tells when that has been.
 */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 3, 0)
#include <linux/sched.h>

static inline void bus_wait_for_release(const struct bus_type *bus)
{
	unsigned long next_log = jiffies + 10 * HZ;

	while (READ_ONCE(bus->p)) {
		schedule_timeout_uninterruptible(HZ / 50 ?: 1);
		if (time_before(jiffies, next_log))
			continue;
		pr_info("%s: waiting for references on the bus\n", bus->name);
		next_log += 10 * HZ;
	}
}
#else
static inline void bus_wait_for_release(const struct bus_type *bus) { }
#endif

#endif /* _COMPAT_LINUX_DEVICE_H */
