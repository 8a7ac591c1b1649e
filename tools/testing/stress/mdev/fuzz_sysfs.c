// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [WRITES=n] fuzz_sysfs
 *
 * Writes to create and remove of both doors and of mtty, and to every other
 * writable file of the bus, parents and devices. A model of the existing devices
 * predicts the exact results of create and remove; the other files must accept
 * the write or return a clean error. At the end the initial state must be back,
 * and valid creates and removes must work.
 *
 * Single-threaded, so that the same seed makes the same calls.
 */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "fuzz_payload.h"
#include "mdev_test_door.h"
#include "stress.h"

#define WRITES		1000000
#define CHECK_EVERY	20000
#define MAX_DEVICES	64
#define MAX_FILES	64
#define DEVICE_FILES	16
#define TEXT_SIZE	128
/* Valid writes take a thousand times longer than invalid ones. */
#define RIGHT_PERMILLE	8

/* The instances of a parent. */
struct pool {
	const char *parent;
	int left;
	int start;
};

enum { POOL_DRIVER, POOL_OPS, POOL_MTTY, NR_POOLS };

static struct pool pools[NR_POOLS] = {
	{ .parent = "a", .left = 16 },
	{ .parent = "b", .left = 16 },
	{ .parent = "mtty", .left = 24 },
};

struct type {
	int pool;
	const char *name;
	int cost;
	int fd;			/* its create */
};

static struct type types[] = {
	{ POOL_DRIVER, "mdev_test_driver-1", 1, -1 },
	{ POOL_DRIVER, "mdev_test_driver-2", 1, -1 },
	{ POOL_OPS, "mdev_test_ops-1", 1, -1 },
	{ POOL_OPS, "mdev_test_ops-2", 1, -1 },
	{ POOL_MTTY, "mtty-1", 1, -1 },
	{ POOL_MTTY, "mtty-2", 2, -1 },
};

struct device {
	char uuid[UUID_SIZE];
	const struct type *type;
	int remove;
	int files[DEVICE_FILES];
	int nr_files;
};

static struct device devices[MAX_DEVICES];
static int nr_devices;
static int dead_remove = -1;	/* of a device that is gone */

static int files[MAX_FILES];
static int nr_files;

static struct test_parent parent_a, parent_b;

static struct rng rng;
static struct tally tally_create = { .name = "writes to create" };
static struct tally tally_remove = { .name = "writes to remove" };
static struct tally tally_dead = { .name = "writes to remove of a dead device" };
static struct tally tally_other = { .name = "writes to other files" };

/* Open all writable files below @dir but create and remove; don't follow links. */
static void find_writable(const char *dir, int depth, int *fds, int max,
			  int *nr)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d = opendir(dir);
	int fd;

	if (!d)
		return;
	while ((de = readdir(d)) && *nr < max) {
		if (de->d_name[0] == '.' || !strcmp(de->d_name, "create") ||
		    !strcmp(de->d_name, "remove"))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (de->d_type == DT_DIR && depth)
			find_writable(path, depth - 1, fds, max, nr);
		if (de->d_type != DT_REG)
			continue;
		fd = open(path, O_WRONLY | O_CLOEXEC);
		if (fd >= 0)
			fds[(*nr)++] = fd;
	}
	closedir(d);
}

static int find_device(const char *uuid)
{
	int i;

	for (i = 0; i < nr_devices; i++)
		if (!strcasecmp(devices[i].uuid, uuid))
			return i;
	return -1;
}

static void device_appeared(const char *uuid, const struct type *type)
{
	struct device *d = &devices[nr_devices++];
	char path[PATH_MAX];
	size_t i;

	for (i = 0; i < UUID_SIZE; i++)
		d->uuid[i] = tolower(uuid[i]);
	d->type = type;
	pools[type->pool].left -= type->cost;
	mdev_path(path, d->uuid, "remove");
	d->remove = open(path, O_WRONLY | O_CLOEXEC);
	check(d->remove >= 0, "%s was created and has no remove: %s", uuid,
	      strerror(errno));
	d->nr_files = 0;
	snprintf(path, sizeof(path), "/sys/bus/mdev/devices/%s", d->uuid);
	find_writable(path, 2, d->files, DEVICE_FILES, &d->nr_files);
}

static void device_gone(int i)
{
	struct device *d = &devices[i];
	int j;

	for (j = 0; j < d->nr_files; j++)
		close(d->files[j]);
	if (dead_remove >= 0)
		close(dead_remove);
	dead_remove = d->remove;
	pools[d->type->pool].left += d->type->cost;
	*d = devices[--nr_devices];
}

/* Does create accept it as a UUID? */
static bool is_uuid(const unsigned char *data, size_t len)
{
	size_t i;

	if (len == 37 && data[36] == '\n')
		len--;
	if (len != 36)
		return false;
	for (i = 0; i < 36; i++) {
		if (i == 8 || i == 13 || i == 18 || i == 23) {
			if (data[i] != '-')
				return false;
		} else if (data[i] > 127 || !isxdigit(data[i])) {
			return false;
		}
	}
	return true;
}

/*
 * Does remove accept it: an unsigned long in C notation, with an optional leading
 * plus and trailing newline? If so, sets *@nonzero to whether it is not 0.
 */
static bool is_number(const unsigned char *data, size_t len, bool *nonzero)
{
	unsigned int base = 10, digit;
	unsigned long val = 0;
	size_t i = 0;

	if (memchr(data, '\0', len))
		return false;
	if (len && data[len - 1] == '\n')
		len--;
	if (i < len && data[i] == '+')
		i++;
	if (i < len && data[i] == '0') {
		base = 8;
		if (i + 2 < len && tolower(data[i + 1]) == 'x' &&
		    data[i + 2] < 128 && isxdigit(data[i + 2])) {
			base = 16;
			i += 2;
		}
	}
	if (i == len)
		return false;
	for (; i < len; i++) {
		if (data[i] > 127 || !isxdigit(data[i]))
			return false;
		digit = isdigit(data[i]) ? data[i] - '0' :
					   tolower(data[i]) - 'a' + 10;
		if (digit >= base || val > (ULONG_MAX - digit) / base)
			return false;
		val = val * base + digit;
	}
	*nonzero = val;
	return true;
}

/* The payload, escaped for a message. */
static const char *shown(const struct payload *p)
{
	static char text[TEXT_SIZE];
	size_t i, len = 0;

	for (i = 0; i < p->len && len < sizeof(text) - 5; i++)
		len += snprintf(text + len, sizeof(text) - len,
				isprint(p->data[i]) && p->data[i] != '\\' ?
				"%c" : "\\x%02x", p->data[i]);
	text[len] = '\0';
	return text;
}

static void write_create(const struct type *type, const struct payload *p,
			 const struct delivery *how)
{
	ssize_t want = delivery_expect(p, how), ret;
	char uuid[UUID_SIZE] = "";
	int same = -1;

	if (want > 0) {
		if (!is_uuid(p->data, want)) {
			want = -EINVAL;
		} else {
			memcpy(uuid, p->data, UUID_SIZE - 1);
			same = find_device(uuid);
			if (same >= 0)
				want = -EEXIST;
			else if (pools[type->pool].left < type->cost)
				want = -EUSERS;
		}
	}
	ret = deliver(type->fd, p, how, &rng);
	tally_add(&tally_create, ret);
	check(ret == want, "%s/create returned %zd, not %zd: %zu bytes \"%s\"",
	      type->name, ret, want, p->len, shown(p));
	if (ret > 0 && uuid[0] && same < 0)
		device_appeared(uuid, type);
}

static void write_remove(int i, const struct payload *p,
			 const struct delivery *how)
{
	struct device *d = &devices[i];
	ssize_t want = delivery_expect(p, how), ret;
	bool nonzero = false;

	if (want > 0 && !is_number(p->data, want, &nonzero))
		want = -EINVAL;
	ret = deliver(d->remove, p, how, &rng);
	tally_add(&tally_remove, ret);
	check(ret == want, "remove returned %zd, not %zd: %zu bytes \"%s\"",
	      ret, want, p->len, shown(p));
	if (ret > 0 && nonzero) {
		check(!mdev_exists(d->uuid), "%s is still there", d->uuid);
		device_gone(i);
	} else if (nonzero && want > 0) {
		/* The remove should have worked: leave the device to finish(). */
		check(mdev_exists(d->uuid), "%s has gone all the same",
		      d->uuid);
	}
}

static void write_dead(const struct payload *p, const struct delivery *how)
{
	ssize_t want = delivery_expect(p, how), ret;

	/* A zero-length pwritev() does not reach the file. */
	if (want > 0 || (!want && !how->pieces))
		want = -ENODEV;
	ret = deliver(dead_remove, p, how, &rng);
	tally_add(&tally_dead, ret);
	check(ret == want, "remove of a dead device returned %zd, not %zd",
	      ret, want);
}

static bool is_clean(ssize_t ret)
{
	switch (-ret) {
	case EINVAL:
	case ENODEV:
	case EBUSY:
	case EEXIST:
	case EIO:
	case ERANGE:
	case EFAULT:
	case EPERM:
	case EOPNOTSUPP:
		return true;
	}
	return false;
}

static void write_other(int fd, const struct payload *p,
			const struct delivery *how)
{
	ssize_t want = delivery_expect(p, how);
	ssize_t ret = deliver(fd, p, how, &rng);

	tally_add(&tally_other, ret);
	if (want <= 0)
		/* Each file decides whether an empty write is an error. */
		check(ret == want || (!want && is_clean(ret)),
		      "a file returned %zd, not %zd", ret, want);
	else
		check(ret == want || is_clean(ret),
		      "a file returned %zd for %zu bytes \"%s\"", ret, p->len,
		      shown(p));
}

static unsigned long one_create(void)
{
	const struct type *type = &types[rng_below(&rng, ARRAY_SIZE(types))];
	struct payload p, half;
	struct delivery how;
	char uuid[UUID_SIZE];
	size_t cut;

	if (nr_devices && rng_permille(&rng, 100))
		memcpy(uuid, devices[rng_below(&rng, nr_devices)].uuid,
		       sizeof(uuid));
	else
		rng_uuid(&rng, uuid);
	payload_make(&p, &rng, uuid, RIGHT_PERMILLE);
	delivery_choose(&how, &rng);
	if (!rng_permille(&rng, 100)) {
		write_create(type, &p, &how);
		return 1;
	}
	/* Split it into two writes, each of which must be handled alone. */
	cut = rng_below(&rng, p.len + 1);
	half = p;
	half.len = cut;
	write_create(type, &half, &how);
	memcpy(half.data, p.data + cut, p.len - cut);
	half.len = p.len - cut;
	if (how.offset >= 0 && how.offset < INT_MAX)
		how.offset += cut;
	write_create(type, &half, &how);
	return 2;
}

static void one_remove(void)
{
	static const char * const numbers[] = {
		"1", "0", "0x1", "+1", "010", "18446744073709551615", "-1",
	};
	struct payload p;
	struct delivery how;
	bool nonzero;

	/* Drop most valid ones: too many would leave no device. */
	do {
		nonzero = false;
		payload_make(&p, &rng,
			     numbers[rng_below(&rng, ARRAY_SIZE(numbers))],
			     RIGHT_PERMILLE);
	} while (is_number(p.data, p.len, &nonzero) && nonzero &&
		 !rng_permille(&rng, 200));
	delivery_choose(&how, &rng);
	if (dead_remove >= 0 && rng_permille(&rng, 50))
		write_dead(&p, &how);
	else
		write_remove(rng_below(&rng, nr_devices), &p, &how);
}

/*
 * Avoid a bug of the driver core, reported by KASAN: if an action written to a
 * uevent file is followed by a NUL and more, it reads beyond its action table.
 */
static void spare_uevent(int fd, struct payload *p)
{
	char path[32], name[NAME_MAX + 1];
	size_t i;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	if (link_target_name(path, name, sizeof(name)) || strcmp(name, "uevent"))
		return;
	for (i = 0; i < p->len; i++)
		if (!p->data[i])
			p->data[i] = ' ';
}

static void one_other(void)
{
	const struct device *d = NULL;
	struct payload p;
	struct delivery how;
	char uuid[UUID_SIZE];
	int fd;

	if (nr_devices && rng_permille(&rng, 900))
		d = &devices[rng_below(&rng, nr_devices)];
	rng_uuid(&rng, uuid);
	payload_word(&p, &rng, d ? d->uuid : uuid);
	delivery_choose(&how, &rng);
	if (d && d->nr_files && rng_permille(&rng, 500))
		fd = d->files[rng_below(&rng, d->nr_files)];
	else
		fd = files[rng_below(&rng, nr_files)];
	spare_uevent(fd, &p);
	write_other(fd, &p, &how);
}

/* Check that sysfs matches the model. */
static void compare(void)
{
	size_t i;

	check(count_dir("/sys/bus/mdev/devices") == nr_devices,
	      "%d devices, not %d", count_dir("/sys/bus/mdev/devices"),
	      nr_devices);
	for (i = 0; i < (size_t)nr_devices; i++)
		check(mdev_exists(devices[i].uuid), "%s is gone",
		      devices[i].uuid);
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		const struct pool *pool = &pools[types[i].pool];
		long long left = available_instances(pool->parent,
						     types[i].name);

		check(left == pool->left / types[i].cost,
		      "%lld instances of %s, not %d", left, types[i].name,
		      pool->left / types[i].cost);
	}
}

static bool prepare(void)
{
	static const char * const dirs[] = {
		"/sys/bus/mdev",
		"/sys/devices/virtual/mtty/mtty",
		"/sys/devices/virtual/mdev_test_driver/a",
		"/sys/devices/virtual/mdev_test_ops/b",
	};
	char path[PATH_MAX];
	size_t i;

	if (!check(!load_module(DOOR_DRIVER) && !load_module(DOOR_OPS) &&
		   !parent_start(&parent_a, DOOR_DRIVER, "a") &&
		   !parent_start(&parent_b, DOOR_OPS, "b") && !load_module("mtty") &&
		   !load_module("vfio_mdev"), "cannot load the modules"))
		return false;
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		type_path(path, pools[types[i].pool].parent, types[i].name,
			  "create");
		types[i].fd = open(path, O_WRONLY | O_CLOEXEC);
		if (!check(types[i].fd >= 0, "cannot open %s", path))
			return false;
	}
	for (i = 0; i < NR_POOLS; i++)
		pools[i].start = pools[i].left;
	for (i = 0; i < ARRAY_SIZE(dirs); i++)
		find_writable(dirs[i], 4, files, MAX_FILES, &nr_files);
	diag("%d other writable files of bus and parents", nr_files);
	compare();
	return check(nr_files > 0, "no other file can be written");
}

static void finish(void)
{
	size_t i;
	int j;

	for (i = 0; i < ARRAY_SIZE(types); i++)
		close(types[i].fd);
	for (j = 0; j < nr_files; j++)
		close(files[j]);
	while (nr_devices) {
		check(!mdev_remove(devices[0].uuid), "cannot remove %s",
		      devices[0].uuid);
		device_gone(0);
	}
	if (dead_remove >= 0)
		close(dead_remove);
	write_file("/sys/bus/mdev/drivers_autoprobe", "1");
	compare();
	for (i = 0; i < ARRAY_SIZE(types); i++) {
		const struct pool *pool = &pools[types[i].pool];
		char uuid[UUID_SIZE];

		check(pool->left == pool->start, "the model itself is wrong");
		rng_uuid(&rng, uuid);
		check(!mdev_create(pool->parent, types[i].name, uuid) &&
		      !mdev_remove(uuid), "%s cannot be used any more",
		      types[i].name);
	}
	compare();
}

int main(void)
{
	static const char * const modules[] = {
		DOOR_DRIVER, DOOR_OPS, "mtty", "vfio_mdev", "mdev",
		"mdev_test_common", NULL
	};
	unsigned long writes = stress_param("WRITES", WRITES), n = 0, next = 0;
	unsigned long seed = stress_seed();

	stress_begin("fuzz_sysfs_writes");
	diag("SEED=%lu WRITES=%lu", seed, writes);
	rng_init(&rng, seed);
	if (prepare()) {
		while (n < writes && !failed()) {
			uint32_t what = rng_below(&rng, 1000);

			if (n >= next) {
				compare();
				/* The test parents log all events. */
				log_clear();
				next += CHECK_EVERY;
			}
			if (what < 450 && nr_devices) {
				one_remove();
			} else if (what < 490) {
				one_other();
			} else {
				n += one_create();
				continue;
			}
			n++;
		}
		finish();
		tally_print(&tally_create);
		tally_print(&tally_remove);
		tally_print(&tally_dead);
		tally_print(&tally_other);
		diag("%lu writes in all",
		     tally_total(&tally_create) + tally_total(&tally_remove) +
		     tally_total(&tally_dead) + tally_total(&tally_other));
	}
	parent_del(&parent_a);
	parent_del(&parent_b);
	unload_all(modules);
	check_leaks();
	stress_end();
	return stress_status();
}
