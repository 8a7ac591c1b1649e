/* SPDX-License-Identifier: GPL-2.0-only */
#ifndef _MDEV_VERSION_H
#define _MDEV_VERSION_H

/*
 * The version of packaging/debian/changelog. DKMS installs a module only if its
 * version sorts above that of the kernel's own module, which is 0.1.
 */
#define MDEV_VERSION "1.0.0"

#endif /* _MDEV_VERSION_H */
