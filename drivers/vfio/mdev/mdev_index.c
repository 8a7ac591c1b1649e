// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UUIDs in use, on all parents. One is claimed before the vendor hears of a
 * new device and given back when a remove is through, whatever references linger.
 */
#include <linux/rhashtable.h>

#include "mdev_private.h"

/* Up to some 750 devices it never grows or shrinks, for the price of 8 KiB. */
#define MDEV_INDEX_MIN_SIZE 1024

static struct rhashtable mdev_index;

static const struct rhashtable_params mdev_index_params = {
	.key_len = sizeof_field(struct mdev_core_device, mdev.uuid),
	.key_offset = offsetof(struct mdev_core_device, mdev.uuid),
	.head_offset = offsetof(struct mdev_core_device, node),
	.automatic_shrinking = true,
	.min_size = MDEV_INDEX_MIN_SIZE,
};

int mdev_index_init(void)
{
	return rhashtable_init(&mdev_index, &mdev_index_params);
}

/* The index must be empty: every device pins the module. */
void mdev_index_exit(void)
{
	rhashtable_destroy(&mdev_index);
}

/* Returns 0, -EEXIST if the UUID is in use, or -ENOMEM. */
int mdev_index_claim(struct mdev_core_device *md)
{
	int ret;

	ret = rhashtable_lookup_insert_fast(&mdev_index, &md->node,
					    mdev_index_params);
	/* A table that cannot grow now says -EBUSY or -E2BIG. */
	return ret && ret != -EEXIST ? -ENOMEM : ret;
}

/*
 * @md may be freed at once: an entry is looked at under the lock of its bucket,
 * by inserts and by who moves it to another table. There are no lookups.
 */
void mdev_index_release(struct mdev_core_device *md)
{
	rhashtable_remove_fast(&mdev_index, &md->node, mdev_index_params);
}
