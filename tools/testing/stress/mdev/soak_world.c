// SPDX-License-Identifier: GPL-2.0-only
/* The parents of the soak test, and the threads that unregister them. */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>

#include "soak.h"

#define HELD_FILE	"/sys/kernel/debug/mdev_test/held"
#define LOG_ON_FILE	"/sys/kernel/debug/mdev_test/log_on"

/* More instances than there are slots, and fewer. */
#define ENOUGH		64
#define TOO_FEW		3
#define MTTY_PORTS	24

struct soak_parent soak_parents[NR_PARENTS] = {
	{ .name = "s0", .door = DOOR_DRIVER, .max = ENOUGH, .request_op = true,
	  .type = "mdev_test_driver-1" },
	{ .name = "u0", .door = DOOR_DRIVER, .max = TOO_FEW,
	  .type = "mdev_test_driver-2" },
	{ .name = "s1", .door = DOOR_OPS, .max = ENOUGH,
	  .type = "mdev_test_ops-1" },
	{ .name = "u1", .door = DOOR_OPS, .max = TOO_FEW, .request_op = true,
	  .type = "mdev_test_ops-2" },
	{ .name = "mtty", .max = MTTY_PORTS, .type = "mtty-1" },
};

/* State that must be the same before and after. */
static const char * const counted_dirs[] = {
	"/sys/bus/mdev/devices", "/sys/kernel/iommu_groups", "/dev/vfio",
	"/sys/class/vfio-dev", "/sys/class/mdev_bus",
	"/sys/devices/virtual/mtty/mtty",
	"/sys/devices/virtual/mdev_test_driver/s0",
	"/sys/devices/virtual/mdev_test_driver/u0",
	"/sys/devices/virtual/mdev_test_ops/s1",
	"/sys/devices/virtual/mdev_test_ops/u1",
};

static const char * const counted_modules[] = {
	"mdev", "vfio_mdev", "vfio", "mtty", DOOR_DRIVER, DOOR_OPS,
	"mdev_test_common",
};

static int dirs_before[ARRAY_SIZE(counted_dirs)];
static int refs_before[ARRAY_SIZE(counted_modules)];

static struct tally tally_unregister = { .name = "unregister a parent" };
static struct tally tally_register = { .name = "register a parent" };
static struct tally tally_rmmod = { .name = "unload a vendor's module" };
static struct tally tally_insmod = { .name = "load a vendor's module" };
static struct tally tally_vfio = { .name = "unload vfio_mdev" };
static struct tally tally_drop = { .name = "drop held references" };

static int parent_up(struct soak_parent *parent)
{
	struct test_parent *p = &parent->p;
	int ret = parent_add(p, parent->door, parent->name);

	if (!ret)
		ret = parent_set(p, "max_instances", parent->max);
	if (!ret)
		ret = parent_set(p, "request_op", parent->request_op);
	return ret ? ret : parent_register(p);
}

static int load_from_updates(const char *name)
{
	struct utsname uts;
	char path[256];

	uname(&uts);
	/* No modprobe: a child would keep our files open for a moment. */
	snprintf(path, sizeof(path), "/lib/modules/%s/updates/%s.ko",
		 uts.release, name);
	return insert_module(path, "");
}

bool world_create(void)
{
	char uuid[UUID_SIZE];
	size_t i;

	if (!check(!load_module("vfio_iommu_type1") && !load_module("mtty") &&
		   !load_module("vfio_mdev") && !load_module(DOOR_DRIVER) &&
		   !load_module(DOOR_OPS), "cannot load the modules"))
		return false;
	check(!write_file(LOG_ON_FILE, "0"), "the log cannot be switched off");
	for (i = 0; i < NR_PARENTS; i++) {
		struct soak_parent *parent = &soak_parents[i];

		parent->began = 0;
		parent->gone = 0;
		parent->back = 0;
		parent->steady = !soak_phase.reload_modules &&
				 parent->max == ENOUGH;
		if (parent->door &&
		    !check(!parent_up(parent), "no parent %s", parent->name))
			return false;
	}
	/* Count before the first create: a removed device may be released late. */
	for (i = 0; i < ARRAY_SIZE(counted_dirs); i++)
		dirs_before[i] = count_dir(counted_dirs[i]);
	for (i = 0; i < ARRAY_SIZE(counted_modules); i++)
		refs_before[i] = module_refcount(counted_modules[i]);
	for (i = 0; i < NR_PARENTS; i++) {
		struct soak_parent *parent = &soak_parents[i];

		/* Make sure that everything made on demand exists. */
		random_uuid(uuid);
		if (!check(!mdev_create(parent->name, parent->type, uuid) &&
			   !mdev_remove(uuid), "%s does not work",
			   parent->name))
			return false;
	}
	return true;
}

void world_compare(void)
{
	size_t i;

	check(!write_file(HELD_FILE, "0"), "cannot drop held references");
	check(!load_module("vfio_mdev"), "cannot load vfio_mdev");
	for (i = 0; i < ARRAY_SIZE(counted_dirs); i++)
		check(wait_until(count_dir(counted_dirs[i]) == dirs_before[i],
				 STUCK_MS), "%d entries in %s, not %d",
		      count_dir(counted_dirs[i]), counted_dirs[i],
		      dirs_before[i]);
	for (i = 0; i < ARRAY_SIZE(counted_modules); i++)
		check(wait_until(module_refcount(counted_modules[i]) ==
				 refs_before[i], STUCK_MS),
		      "%d references on %s, not %d",
		      module_refcount(counted_modules[i]), counted_modules[i],
		      refs_before[i]);
	for (i = 0; i < NR_PARENTS; i++) {
		const struct soak_parent *parent = &soak_parents[i];
		long long left = available_instances(parent->name,
						     parent->type);

		check(left == parent->max, "%lld instances on %s, not %d",
		      left, parent->name, parent->max);
	}
}

void world_destroy(void)
{
	static const char * const modules[] = {
		DOOR_DRIVER, DOOR_OPS, "mtty", "vfio_mdev", "mdev",
		"mdev_test_common", NULL
	};
	size_t i;

	for (i = 0; i < NR_PARENTS; i++)
		if (soak_parents[i].door)
			check(!parent_del(&soak_parents[i].p),
			      "cannot delete %s", soak_parents[i].name);
	unload_all(modules);
	check_leaks();
}

/* Wait for @n more creates. Returns false if the phase ends first. */
static bool wait_for_creates(unsigned long n)
{
	unsigned long last = load(soak_creates), target = last + n;
	unsigned long long since = now_ms();

	while (load(soak_creates) < target && !soak_over()) {
		if (load(soak_creates) != last) {
			last = load(soak_creates);
			since = now_ms();
		} else if (!check(now_ms() - since < STUCK_MS,
				  "nothing is created any more")) {
			break;
		}
		poll_pause();
	}
	return !soak_over();
}

/* One thread that disturbs parents or modules. */
struct shaker {
	pthread_t thread;
	struct rng rng;
	void (*shake)(struct shaker *shaker);
	const char *target;
};

static void unregister_parent(struct shaker *shaker)
{
	struct soak_parent *parent = soak_parents;
	int ret;

	while (strcmp(parent->name, shaker->target))
		parent++;
	add(parent->began, 1);
	ret = parent_unregister(&parent->p);
	add(parent->gone, 1);
	tally_add(&tally_unregister, ret);
	check(!ret, "unregistering %s: %s", parent->name, strerror(-ret));
	if (rng_permille(&shaker->rng, 200))
		wait_for_creates(rng_below(&shaker->rng, 20));
	ret = parent_register(&parent->p);
	add(parent->back, 1);
	tally_add(&tally_register, ret);
	check(!ret, "registering %s: %s", parent->name, strerror(-ret));
}

/* Does @module own @parent? A parent without a door is mtty's. */
static bool belongs(const struct soak_parent *parent, const char *module)
{
	return !strcmp(parent->door ? parent->door : "mtty", module);
}

static void reload_module(struct shaker *shaker)
{
	struct soak_parent *p, *end = soak_parents + NR_PARENTS;
	const char *module = shaker->target;
	int ret;

	for (p = soak_parents; p < end; p++)
		if (belongs(p, module))
			add(p->began, 1);
	ret = unload_module(module);
	tally_add(&tally_rmmod, ret);
	check(!ret || ret == -EWOULDBLOCK, "unloading %s: %s", module,
	      strerror(-ret));
	for (p = soak_parents; p < end; p++)
		if (belongs(p, module))
			add(p->gone, 1);
	if (!ret) {
		ret = load_from_updates(module);
		tally_add(&tally_insmod, ret);
		check(!ret, "loading %s: %s", module, strerror(-ret));
		for (p = soak_parents; p < end; p++)
			if (p->door && belongs(p, module)) {
				ret = parent_up(p);
				tally_add(&tally_register, ret);
				check(!ret, "registering %s: %s", p->name,
				      strerror(-ret));
			}
	}
	for (p = soak_parents; p < end; p++)
		if (belongs(p, module))
			add(p->back, 1);
}

/* Fails while a device is bound; vfio_mdev is reloaded on demand. */
static void unload_vfio_mdev(struct shaker *shaker)
{
	tally_add(&tally_vfio, unload_module(shaker->target));
}

static void hold_references(struct shaker *shaker)
{
	struct soak_parent *parent =
		&soak_parents[rng_below(&shaker->rng, NR_PARENTS)];

	if (!parent->door)
		return;
	/* Ignore errors: the parent may be gone. */
	parent_set(&parent->p, "hold", 1);
	wait_for_creates(rng_below(&shaker->rng, 50));
	parent_set(&parent->p, "hold", 0);
	wait_for_creates(rng_below(&shaker->rng, 200));
	tally_add(&tally_drop, write_file(HELD_FILE, "0"));
}

static void *shake(void *arg)
{
	struct shaker *shaker = arg;

	while (wait_for_creates(5 + rng_below(&shaker->rng, 600)))
		shaker->shake(shaker);
	return NULL;
}

static struct shaker with_parents[] = {
	{ .shake = unregister_parent, .target = "u0" },
	{ .shake = unregister_parent, .target = "u1" },
	{ .shake = reload_module, .target = "mtty" },
	{ .shake = hold_references },
};

static struct shaker with_modules[] = {
	{ .shake = reload_module, .target = DOOR_DRIVER },
	{ .shake = reload_module, .target = DOOR_OPS },
	{ .shake = reload_module, .target = "mtty" },
	{ .shake = unload_vfio_mdev, .target = "vfio_mdev" },
	{ .shake = hold_references },
};

static struct shaker *shakers;
static size_t nr_shakers;

void world_start(uint64_t seed)
{
	struct rng rng;
	size_t i;

	shakers = soak_phase.reload_modules ? with_modules : with_parents;
	nr_shakers = soak_phase.reload_modules ? ARRAY_SIZE(with_modules) :
						 ARRAY_SIZE(with_parents);
	rng_init(&rng, seed);
	for (i = 0; i < nr_shakers; i++) {
		rng_init(&shakers[i].rng, rng_next(&rng));
		if (pthread_create(&shakers[i].thread, NULL, shake,
				   &shakers[i]))
			abort();
	}
}

void world_stop(void)
{
	size_t i;

	for (i = 0; i < nr_shakers; i++)
		pthread_join(shakers[i].thread, NULL);
}

static void print_and_clear(struct tally *tally)
{
	if (tally_total(tally))
		tally_print(tally);
	memset(tally->failed, 0, sizeof(tally->failed));
	tally->done = 0;
}

void world_print(void)
{
	print_and_clear(&tally_unregister);
	print_and_clear(&tally_register);
	print_and_clear(&tally_rmmod);
	print_and_clear(&tally_insmod);
	print_and_clear(&tally_vfio);
	print_and_clear(&tally_drop);
}
