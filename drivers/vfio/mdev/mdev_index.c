// SPDX-License-Identifier: GPL-2.0-only
/*
 * The UUIDs in use on all parents. A create claims its UUID before it calls the
 * vendor. A remove releases it at its end, even if references linger.
 */
#include <linux/rhashtable.h>

#include "mdev_private.h"

/* 8 KiB; up to some 750 devices the table doesn't grow. */
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
	/* -EBUSY and -E2BIG mean that the table cannot grow now. */
	return ret && ret != -EEXIST ? -ENOMEM : ret;
}

/*
 * The caller may free @md at once: inserts and rehashing look at an entry under the
 * lock of its bucket, and there are no other lookups.
 */
void mdev_index_release(struct mdev_core_device *md)
{
	rhashtable_remove_fast(&mdev_index, &md->node, mdev_index_params);
}
