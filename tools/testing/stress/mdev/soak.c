// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [PAIRS=n] soak
 *
 * Creates and removes PAIRS devices on parents of both doors. Meanwhile other
 * threads remove, open, unbind and read them, unregister their parents and reload
 * the vendor drivers. Each create that returned 0 must be matched by exactly one
 * remove that returned 0, or by an unregistration that evicted the device. At the
 * end nothing may be left over.
 */
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "soak.h"

#define PAIRS	500000

struct soak_slot soak_slots[NR_SLOTS];
struct soak_phase soak_phase;
unsigned long soak_creates;

static unsigned long evicted;
static unsigned long contended;	/* removed by a thread other than the owner */
static struct tally tally_create = { .name = "create" };
static struct tally tally_remove = { .name = "remove by the creator" };
static struct tally tally_last = { .name = "remove when nobody else may" };
static struct tally tally_use = { .name = "open when nobody else may" };

bool soak_over(void)
{
	return load(soak_creates) >= soak_phase.pairs || failed();
}

int soak_remove(struct soak_slot *slot, struct tally *tally)
{
	int ret;

	others_signals(true);
	ret = mdev_remove(slot->uuid);
	others_signals(false);
	if (!ret)
		add(slot->removed, 1);
	tally_add(tally, ret);
	return ret;
}

/* Has an unregistration of the parent begun since the create? */
static bool parent_was_away(const struct soak_slot *slot)
{
	return load(slot->parent->began) > slot->back;
}

static void create(struct soak_slot *slot, struct rng *rng)
{
	struct soak_parent *before = slot->parent;
	struct soak_parent *parent =
		&soak_parents[rng_below(rng, NR_PARENTS)];
	bool leaving = before && load(before->gone) != load(before->began);
	unsigned long back = load(parent->back), nr;
	bool right;
	int ret;

	ret = mdev_create(parent->name, parent->type, slot->uuid);
	tally_add(&tally_create, ret);
	if (!ret) {
		slot->parent = parent;
		slot->back = back;
		slot->removed_before = load(slot->removed);
		store(slot->open, true);
		nr = add(soak_creates, 1);
		if (soak_phase.pairs >= 10 && nr % (soak_phase.pairs / 10) == 0)
			diag("%lu created so far", nr);
		return;
	}
	switch (ret) {
	case -ENOENT:
		right = load(parent->began) > back;
		break;
	case -ENODEV:
		/* vfio_mdev may be unloading, too. */
		right = load(parent->began) > back || soak_phase.reload_modules;
		break;
	case -EUSERS:
		right = parent->max < NR_SLOTS;
		break;
	case -EEXIST:
		/* The last device's eviction may still be in flight. */
		right = leaving;
		break;
	default:
		right = false;
	}
	check(right, "%s on %s cannot be created: %s", slot->uuid, parent->name,
	      strerror(-ret));
}

/* Wait until no other thread is busy with the slot. */
static void close_slot(struct soak_slot *slot)
{
	store(slot->open, false);
	check(wait_until(!load(slot->busy), STUCK_MS),
	      "somebody is stuck with %s of %s", slot->uuid,
	      slot->parent->name);
}

/* No other thread may touch the device: it must work unless its parent goes. */
static void use(struct soak_slot *slot, struct rng *rng)
{
	char path[PATH_MAX];
	int ret;

	/* A remove that gave up may have blocked the rebind after an unbind. */
	mdev_path(path, slot->uuid, "driver");
	if (!link_exists(path))
		return;
	ret = others_use(slot, rng);
	tally_add(&tally_use, ret);
	check(!ret || parent_was_away(slot), "cannot open %s of %s: %s",
	      slot->uuid, slot->parent->name, strerror(-ret));
}

/* With no other user, only signals and the parent's teardown may fail this. */
static void remove_for_good(struct soak_slot *slot)
{
	unsigned long long end = now_ms() + STUCK_MS;
	int ret;

	while (mdev_exists(slot->uuid)) {
		ret = soak_remove(slot, &tally_last);
		if (!ret)
			return;
		if (ret == -EINTR)
			continue;
		if (!check((ret == -ENOENT || ret == -ENODEV) &&
			   parent_was_away(slot), "remove of %s of %s: %s",
			   slot->uuid, slot->parent->name, strerror(-ret)))
			return;
		if (!check(now_ms() < end, "%s of %s does not go away",
			   slot->uuid, slot->parent->name))
			return;
		poll_pause();
	}
}

/* Account for the device: removed exactly once, or evicted. */
static void account(struct soak_slot *slot, bool by_owner)
{
	unsigned long removed = load(slot->removed) - slot->removed_before;

	check(removed <= 1, "%lu removes of %s have succeeded", removed,
	      slot->uuid);
	if (!removed) {
		remove_for_good(slot);
		removed = load(slot->removed) - slot->removed_before;
		by_owner = removed;
	}
	check(!mdev_exists(slot->uuid), "%s of %s is still there",
	      slot->uuid, slot->parent->name);
	if (!removed) {
		check(parent_was_away(slot),
		      "nobody has removed %s of %s, and it is gone",
		      slot->uuid, slot->parent->name);
		add(evicted, 1);
	} else if (!by_owner) {
		add(contended, 1);
	}
}

static void destroy(struct soak_slot *slot, struct rng *rng)
{
	bool by_owner = false;

	if (rng_permille(rng, 100)) {
		/* Give the other threads a chance to remove it. */
		poll_pause();
	} else if (!rng_permille(rng, 50)) {
		by_owner = !soak_remove(slot, &tally_remove);
	}
	close_slot(slot);
	if (!by_owner && load(slot->removed) == slot->removed_before &&
	    rng_permille(rng, 300) && mdev_exists(slot->uuid))
		use(slot, rng);
	account(slot, by_owner);
}

struct owner {
	pthread_t thread;
	struct rng rng;
	struct soak_slot *slots;
};

static void *own(void *arg)
{
	struct owner *o = arg;
	bool alive[OWNER_SLOTS] = { false };
	struct soak_slot *slot;
	unsigned int i;

	while (!soak_over()) {
		i = rng_below(&o->rng, OWNER_SLOTS);
		slot = &o->slots[i];
		if (alive[i]) {
			destroy(slot, &o->rng);
			alive[i] = false;
		} else {
			create(slot, &o->rng);
			alive[i] = load(slot->open);
		}
	}
	for (i = 0; i < OWNER_SLOTS; i++)
		if (alive[i])
			destroy(&o->slots[i], &o->rng);
	return NULL;
}

/* Every UUID and every parent must be usable again. */
static void use_again(void)
{
	struct soak_parent *parent;
	int i;

	for (i = 0; i < NR_SLOTS; i++) {
		parent = &soak_parents[i % NR_PARENTS];
		check(!mdev_create(parent->name, parent->type,
				   soak_slots[i].uuid),
		      "%s cannot be created again on %s", soak_slots[i].uuid,
		      parent->name);
		check(!mdev_remove(soak_slots[i].uuid),
		      "%s cannot be removed again", soak_slots[i].uuid);
	}
}

static void run_owners(struct rng *rng)
{
	struct owner owners[NR_OWNERS];
	int i;

	for (i = 0; i < NR_SLOTS; i++)
		rng_uuid(rng, soak_slots[i].uuid);
	for (i = 0; i < NR_OWNERS; i++) {
		rng_init(&owners[i].rng, rng_next(rng));
		owners[i].slots = &soak_slots[i * OWNER_SLOTS];
		if (pthread_create(&owners[i].thread, NULL, own, &owners[i]))
			abort();
	}
	for (i = 0; i < NR_OWNERS; i++)
		pthread_join(owners[i].thread, NULL);
}

static void clear(struct tally *tally)
{
	const char *name = tally->name;

	memset(tally, 0, sizeof(*tally));
	tally->name = name;
}

static void run_phase(const struct soak_phase *phase, uint64_t seed)
{
	unsigned long removed = 0;
	struct rng rng;
	int i;

	stress_begin(phase->name);
	diag("SEED=%lu PAIRS=%lu", seed, phase->pairs);
	rng_init(&rng, seed);
	soak_phase = *phase;
	soak_creates = 0;
	evicted = 0;
	contended = 0;
	clear(&tally_create);
	clear(&tally_remove);
	clear(&tally_last);
	clear(&tally_use);
	memset(soak_slots, 0, sizeof(soak_slots));

	if (world_create()) {
		others_start(rng_next(&rng));
		world_start(rng_next(&rng));
		run_owners(&rng);
		others_stop();
		world_stop();
		world_compare();
		use_again();
		world_compare();
	}
	for (i = 0; i < NR_SLOTS; i++)
		removed += soak_slots[i].removed;
	diag("%lu created = %lu removed (%lu of them by others) + %lu gone with their parent",
	     soak_creates, removed, contended, evicted);
	check(soak_creates == removed + evicted, "the sum is wrong");
	tally_print(&tally_create);
	tally_print(&tally_remove);
	tally_print(&tally_last);
	tally_print(&tally_use);
	others_print();
	world_print();
	world_destroy();
	stress_end();
}

int main(void)
{
	unsigned long pairs = stress_param("PAIRS", PAIRS);
	unsigned long seed = stress_seed();
	const struct soak_phase phases[] = {
		{ "soak_parents", pairs * 7 / 10, false },
		{ "soak_modules", pairs - pairs * 7 / 10, true },
	};
	size_t i;

	for (i = 0; i < ARRAY_SIZE(phases); i++)
		run_phase(&phases[i], seed);
	return stress_status();
}
