/* SPDX-License-Identifier: GPL-2.0-only */
/* Implementations of the exports of the parent-driver door. */
#ifndef _MDEV_EXPORT_H
#define _MDEV_EXPORT_H

struct device;
struct mdev_driver;
struct mdev_parent;
struct mdev_type;

/* mdev_parent.c */
int __mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			   struct mdev_driver *mdev_driver,
			   struct mdev_type **types, unsigned int nr_types);
void __mdev_unregister_parent(struct device *dev, struct mdev_parent *vendor);

/* mdev_driver.c */
int __mdev_register_driver(struct mdev_driver *drv);
void __mdev_unregister_driver(struct mdev_driver *drv);

#endif /* _MDEV_EXPORT_H */
