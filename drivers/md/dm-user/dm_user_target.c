// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user: the device-mapper target "user".
 */
#include <linux/blkdev.h>
#include <linux/ctype.h>
#include <linux/module.h>
#include <linux/slab.h>

#include "dm_user.h"

#define DEFAULT_TIMEOUT_MS	30000
#define DEFAULT_MAX_IO_KIB	1024
#define MAX_MAX_IO_KIB		(64 * 1024)
#define DEFAULT_MAX_EXTENTS	4096
#define MAX_MAX_EXTENTS		(1024 * 1024)

static bool name_is_valid(const char *name)
{
	const char *p;

	if (!strcmp(name, ".") || !strcmp(name, ".."))
		return false;
	for (p = name; *p; p++) {
		if (!isascii(*p) || (!isalnum(*p) && !strchr("._-", *p)))
			return false;
	}
	return p != name && p - name < DMU_NAME_SIZE;
}

static int parse_uint(const char *arg, unsigned int min, unsigned int max,
		      unsigned int *value)
{
	return !arg || kstrtouint(arg, 10, value) || *value < min || *value > max ?
	       -EINVAL : 0;
}

static int parse_on_exit(struct dmu_target *t, const char *arg)
{
	if (!arg || (strcmp(arg, "redeliver") && strcmp(arg, "error")))
		return -EINVAL;
	t->redeliver = !strcmp(arg, "redeliver");
	return 0;
}

static int parse_devices(struct dmu_target *t, struct dm_arg_set *as)
{
	struct dm_target *ti = t->ti;
	unsigned int n;
	int ret;

	ti->error = "devices is not followed by a number from 1 to 16 and as many devices";
	if (t->nr_devices || parse_uint(dm_shift_arg(as), 1, DMU_MAX_DEVICES, &n) ||
	    n > as->argc)
		return -EINVAL;
	ti->error = "Cannot get a device to remap to";
	while (t->nr_devices < n) {
		ret = dm_get_device(ti, dm_shift_arg(as), dm_table_get_mode(ti->table),
				    &t->devices[t->nr_devices]);
		if (ret)
			return ret;
		t->nr_devices++;
	}
	return 0;
}

static void put_devices(struct dmu_target *t)
{
	while (t->nr_devices)
		dm_put_device(t->ti, t->devices[--t->nr_devices]);
}

/* Takes one feature, with its arguments if it has any. */
static int parse_feature(struct dmu_target *t, struct dm_arg_set *as)
{
	struct dm_target *ti = t->ti;
	const char *name = dm_shift_arg(as);
	unsigned int kib;
	int ret;

	if (!strcmp(name, "timeout_ms")) {
		ti->error = "timeout_ms is not a number of milliseconds";
		if (parse_uint(dm_shift_arg(as), 0, INT_MAX, &t->timeout_ms))
			return -EINVAL;
	} else if (!strcmp(name, "on_exit")) {
		ti->error = "on_exit is neither redeliver nor error";
		if (parse_on_exit(t, dm_shift_arg(as)))
			return -EINVAL;
	} else if (!strcmp(name, "discard")) {
		ti->num_discard_bios = 1;
	} else if (!strcmp(name, "write_zeroes")) {
		ti->num_write_zeroes_bios = 1;
	} else if (!strcmp(name, "secure_erase")) {
		ti->num_secure_erase_bios = 1;
	} else if (!strcmp(name, "block_size")) {
		ti->error = "block_size is no power of two from 512 to the page size";
		if (parse_uint(dm_shift_arg(as), SECTOR_SIZE, PAGE_SIZE, &t->block_size) ||
		    !is_power_of_2(t->block_size))
			return -EINVAL;
	} else if (!strcmp(name, "max_io_kib")) {
		ti->error = "max_io_kib is not from 1 to 65536";
		if (parse_uint(dm_shift_arg(as), 1, MAX_MAX_IO_KIB, &kib))
			return -EINVAL;
		t->max_io = kib * 1024;
	} else if (!strcmp(name, "cache_extents")) {
		ti->error = "cache_extents is not from 0 to 1048576";
		if (parse_uint(dm_shift_arg(as), 0, MAX_MAX_EXTENTS, &t->max_extents))
			return -EINVAL;
	} else if (!strcmp(name, "devices")) {
		ret = parse_devices(t, as);
		if (ret)
			return ret;
	} else {
		ti->error = "Unknown feature";
		return -EINVAL;
	}
	return 0;
}

static int parse_features(struct dmu_target *t, struct dm_arg_set *as)
{
	static const struct dm_arg number[] = {
		{ 0, 18 + DMU_MAX_DEVICES, "Bad number of feature arguments" },
	};
	struct dm_target *ti = t->ti;
	struct dm_arg_set features;
	unsigned int n;
	int ret;

	ret = dm_read_arg_group(number, as, &n, &ti->error);
	if (ret)
		return ret;
	features = (struct dm_arg_set) { .argc = n, .argv = as->argv };
	dm_consume_args(as, n);
	if (as->argc) {
		ti->error = "Arguments after the features";
		return -EINVAL;
	}
	while (features.argc) {
		ret = parse_feature(t, &features);
		if (ret)
			return ret;
	}
	return 0;
}

/* Checks what depends on several arguments. */
static int check_geometry(struct dmu_target *t)
{
	struct dm_target *ti = t->ti;
	unsigned int sectors = t->block_size >> SECTOR_SHIFT;

	if ((ti->len | t->start) & (sectors - 1)) {
		ti->error = "Start or length is no multiple of block_size";
		return -EINVAL;
	}
	if (t->start + ti->len < t->start || t->start + ti->len > LLONG_MAX) {
		ti->error = "Start is too large";
		return -EINVAL;
	}
	if (t->max_io & (t->block_size - 1)) {
		ti->error = "max_io_kib is no multiple of block_size";
		return -EINVAL;
	}
	return 0;
}

static int parse_table(struct dmu_target *t, struct dm_arg_set *as, const char **name)
{
	struct dm_target *ti = t->ti;
	u64 len;
	int ret;

	if (as->argc < 3) {
		ti->error = "Not enough arguments";
		return -EINVAL;
	}
	if (kstrtou64(dm_shift_arg(as), 10, &t->start)) {
		ti->error = "Start is not a number of sectors";
		return -EINVAL;
	}
	if (kstrtou64(dm_shift_arg(as), 10, &len) || len != ti->len) {
		ti->error = "Length is not that of the target";
		return -EINVAL;
	}
	*name = dm_shift_arg(as);
	if (!name_is_valid(*name)) {
		ti->error = "Name is not made of 1 to 63 of A-Z, a-z, 0-9, '.', '_' and '-'";
		return -EINVAL;
	}
	if (as->argc) {
		ret = parse_features(t, as);
		if (ret)
			return ret;
	}
	return check_geometry(t);
}

static int dmu_ctr(struct dm_target *ti, unsigned int argc, char **argv)
{
	struct dm_arg_set as = { .argc = argc, .argv = argv };
	struct dmu_target *t;
	const char *name;
	int ret;

	t = kzalloc_obj(*t);
	if (!t) {
		ti->error = "No memory";
		return -ENOMEM;
	}
	t->ti = ti;
	t->timeout_ms = DEFAULT_TIMEOUT_MS;
	t->block_size = SECTOR_SIZE;
	t->max_io = DEFAULT_MAX_IO_KIB * 1024;
	t->max_extents = DEFAULT_MAX_EXTENTS;
	t->redeliver = true;
	ret = parse_table(t, &as, &name);
	if (ret)
		goto free;
	ret = dm_set_target_max_io_len(ti, t->max_io >> SECTOR_SHIFT);
	if (ret)
		goto free;
	ret = dmu_control_join(t, dm_table_get_md(ti->table), name);
	if (ret) {
		ti->error = ret == -EEXIST ? "Name is in use" :
					     "Cannot make the control device";
		goto free;
	}
	t->timeout = msecs_to_jiffies(t->timeout_ms);
	ti->error = NULL;
	/* One for the daemon, and one for each device that writes may have gone to. */
	ti->num_flush_bios = 1 + t->nr_devices;
	/* Without it device mapper reports a write-through cache and drops flushes. */
	ti->flush_supported = true;
	ti->discards_supported = ti->num_discard_bios;
	ti->per_io_data_size = sizeof(struct dmu_request);
	ti->private = t;
	return 0;

free:
	put_devices(t);
	kfree(t);
	return ret;
}

static void dmu_dtr(struct dm_target *ti)
{
	struct dmu_target *t = ti->private;

	dmu_control_leave(t);
	put_devices(t);
	kfree(t);
}

static int dmu_map(struct dm_target *ti, struct bio *bio)
{
	struct dmu_request *r = dm_per_bio_data(bio, sizeof(*r));
	unsigned int nr = dm_bio_get_target_bio_nr(bio);
	struct dmu_target *t = ti->private;

	r->remapped = false;
	/* Device mapper makes several bios of a flush only. */
	if (nr) {
		bio_set_dev(bio, t->devices[nr - 1]->bdev);
		bio->bi_iter.bi_sector = 0;
		return DM_MAPIO_REMAPPED;
	}
	return dmu_submit(t, bio);
}

static int dmu_end_io(struct dm_target *ti, struct bio *bio, blk_status_t *error)
{
	struct dmu_request *r = dm_per_bio_data(bio, sizeof(*r));

	if (r->remapped)
		*error = dmu_extents_end(ti->private, r) ?: *error;
	return DM_ENDIO_DONE;
}

static void dmu_presuspend(struct dm_target *ti)
{
	struct dmu_target *t = ti->private;

	/* The next table may have other devices. */
	dmu_extents_forget(&t->control->extents, 0);
	if (dm_noflush_suspending(ti))
		dmu_push_back(t->control);
}

static void dmu_presuspend_undo(struct dm_target *ti)
{
	struct dmu_target *t = ti->private;

	dmu_extents_forget(&t->control->extents, t->max_extents);
}

static int dmu_preresume(struct dm_target *ti)
{
	dmu_control_go_live(ti->private);
	return 0;
}

static void table_status(struct dmu_target *t, char *result, unsigned int maxlen)
{
	struct dm_target *ti = t->ti;
	char features[200] = "";
	unsigned int sz = 0, n = 0, used = 0, i;

#define FEATURE(condition, words, ...) do {					\
	if (condition) {							\
		n += words;							\
		used += scnprintf(features + used, sizeof(features) - used,	\
				  " " __VA_ARGS__);				\
	}									\
} while (0)
	FEATURE(t->timeout_ms != DEFAULT_TIMEOUT_MS, 2, "timeout_ms %u", t->timeout_ms);
	FEATURE(!t->redeliver, 2, "on_exit error");
	FEATURE(ti->num_discard_bios, 1, "discard");
	FEATURE(ti->num_write_zeroes_bios, 1, "write_zeroes");
	FEATURE(ti->num_secure_erase_bios, 1, "secure_erase");
	FEATURE(t->block_size != SECTOR_SIZE, 2, "block_size %u", t->block_size);
	FEATURE(t->max_io != DEFAULT_MAX_IO_KIB * 1024, 2, "max_io_kib %u",
		t->max_io / 1024);
	FEATURE(t->max_extents != DEFAULT_MAX_EXTENTS, 2, "cache_extents %u",
		t->max_extents);
	FEATURE(t->nr_devices, 2 + t->nr_devices, "devices %u", t->nr_devices);
#undef FEATURE
	DMEMIT("%llu %llu %s", t->start, (u64)ti->len, t->control->name);
	if (n)
		DMEMIT(" %u%s", n, features);
	for (i = 0; i < t->nr_devices; i++)
		DMEMIT(" %s", t->devices[i]->name);
}

static void dmu_status(struct dm_target *ti, status_type_t type,
		       unsigned int status_flags, char *result, unsigned int maxlen)
{
	struct dmu_target *t = ti->private;
	unsigned int sz = 0;

	switch (type) {
	case STATUSTYPE_INFO:
		dmu_control_status(t->control, result, maxlen);
		break;
	case STATUSTYPE_TABLE:
		table_status(t, result, maxlen);
		break;
	case STATUSTYPE_IMA:
		DMEMIT_TARGET_NAME_VERSION(ti->type);
		DMEMIT(",name=%s,start=%llu;", t->control->name, t->start);
		break;
	}
}

static int dmu_message(struct dm_target *ti, unsigned int argc, char **argv,
		       char *result, unsigned int maxlen)
{
	struct dmu_target *t = ti->private;

	if (argc != 1 || strcasecmp(argv[0], "fail"))
		return -EINVAL;
	dmu_control_expire(t->control, true);
	return 0;
}

static void dmu_io_hints(struct dm_target *ti, struct queue_limits *limits)
{
	struct dmu_target *t = ti->private;

	/* The devices may need larger ones. */
	limits->logical_block_size = max(limits->logical_block_size, t->block_size);
	limits->physical_block_size = max(limits->physical_block_size, t->block_size);
	limits->io_min = max(limits->io_min, t->block_size);
	if (ti->num_discard_bios) {
		limits->max_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		limits->max_hw_discard_sectors = UINT_MAX >> SECTOR_SHIFT;
		limits->discard_granularity = t->block_size;
	}
	/* With the default, Linux before 6.10 wraps the size of a bio at 4 GiB. */
	if (ti->num_write_zeroes_bios) {
		limits->max_write_zeroes_sectors = UINT_MAX >> SECTOR_SHIFT;
		limits->max_hw_wzeroes_unmap_sectors = UINT_MAX >> SECTOR_SHIFT;
	}
	if (ti->num_secure_erase_bios)
		limits->max_secure_erase_sectors = UINT_MAX >> SECTOR_SHIFT;
}

/* Without this function device mapper offers no zeroing and erasing. */
static int dmu_iterate_devices(struct dm_target *ti, iterate_devices_callout_fn fn,
			       void *data)
{
	struct dmu_target *t = ti->private;
	unsigned int i;
	int ret = 0;

	for (i = 0; i < t->nr_devices && !ret; i++)
		ret = fn(ti, t->devices[i], 0, bdev_nr_sectors(t->devices[i]->bdev), data);
	return ret;
}

static struct target_type dmu_target_type = {
	.name = "user",
	.version = { 1, 0, 0 },
	/* dmu_map() does not sleep. Without this io_uring needs a thread for each request. */
	.features = DM_TARGET_NOWAIT,
	.module = THIS_MODULE,
	.ctr = dmu_ctr,
	.dtr = dmu_dtr,
	.map = dmu_map,
	.end_io = dmu_end_io,
	.presuspend = dmu_presuspend,
	.presuspend_undo = dmu_presuspend_undo,
	.preresume = dmu_preresume,
	.status = dmu_status,
	.message = dmu_message,
	.io_hints = dmu_io_hints,
	.iterate_devices = dmu_iterate_devices,
};

static int __init dmu_init(void)
{
	int ret;

	ret = dmu_channel_init();
	if (ret)
		return ret;
	ret = dmu_control_init();
	if (ret)
		goto channel_exit;
	ret = dm_register_target(&dmu_target_type);
	if (ret)
		goto control_exit;
	return 0;

control_exit:
	dmu_control_exit();
channel_exit:
	dmu_channel_exit();
	return ret;
}

static void __exit dmu_exit(void)
{
	dm_unregister_target(&dmu_target_type);
	dmu_control_exit();
	dmu_channel_exit();
}

module_init(dmu_init);
module_exit(dmu_exit);

MODULE_DESCRIPTION("Device-mapper target that a user-space daemon serves");
MODULE_ALIAS("dm-target-user");
MODULE_LICENSE("GPL");
