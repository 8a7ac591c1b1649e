/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _COMPAT_LINUX_HEX_H
#define _COMPAT_LINUX_HEX_H

#include <linux/version.h>

/* Linux 6.4 split this header off. */
#if LINUX_VERSION_CODE < KERNEL_VERSION(6, 4, 0)
#include <linux/kernel.h>
#else
#include_next <linux/hex.h>
#endif

#endif /* _COMPAT_LINUX_HEX_H */
