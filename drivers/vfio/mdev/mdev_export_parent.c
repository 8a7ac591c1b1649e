// SPDX-License-Identifier: GPL-2.0-only
/*
 * Two of the exports of the parent-driver door. genksyms makes a symbol's CRC of
 * all types that its file knows, so a file that includes what the distribution's
 * file includes gets the same CRC, which vendor modules ask for. These two must
 * not know <linux/iommu.h>.
 */
#include <linux/mdev.h>
#include <linux/module.h>
#include <linux/slab.h>
#include <linux/sysfs.h>

#include "mdev_export.h"

/**
 * mdev_register_parent() - register a parent whose driver has the VFIO side
 * @parent: the vendor's memory, filled in here; must stay until
 *	mdev_unregister_parent() returns.
 * @dev: the parent device, added to the driver core.
 * @mdev_driver: the bus driver of its devices, looked up by name among those
 *	that are registered.
 * @types: the types, each with a name.
 * @nr_types: the number of @types.
 *
 * Creates may arrive before this returns. ``MDEV_STATE=registered`` is sent
 * when they work for all types.
 *
 * Context: process context, may sleep. Not under a lock that a callback takes.
 * Return: 0; -EINVAL if an argument is missing or incomplete; -EEXIST if @dev or
 * @parent is registered; -ENOMEM; an error of sysfs.
 */
int mdev_register_parent(struct mdev_parent *parent, struct device *dev,
			 struct mdev_driver *mdev_driver,
			 struct mdev_type **types, unsigned int nr_types)
{
	return __mdev_register_parent(parent, dev, mdev_driver, types,
				      nr_types);
}
EXPORT_SYMBOL(mdev_register_parent);

/**
 * mdev_unregister_parent() - undo mdev_register_parent()
 * @parent: the same pointer.
 *
 * Refuses new creates and removes, waits for those in flight, then removes all
 * devices: asks their users to release them and waits as long as it takes. Logs
 * every 10 seconds what it waits for. When it returns, the core holds no pointer
 * into the vendor's memory, even if references on dead devices linger.
 *
 * A second call for one registration is a bug: it warns, and does nothing else.
 *
 * Context: process context, may sleep. Not in a callback of this parent, nor
 * under a lock that one takes: it would deadlock, which lockdep reports.
 */
void mdev_unregister_parent(struct mdev_parent *parent)
{
	__mdev_unregister_parent(NULL, parent);
}
EXPORT_SYMBOL(mdev_unregister_parent);
