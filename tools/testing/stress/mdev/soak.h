/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared state of the soak test, and the rules for touching a device:
 *
 * A slot has a UUID that only its owner creates. While the slot is open, any
 * thread may remove, use, unbind or read the device. To account for the device,
 * the owner closes the slot and waits until no thread is busy with it. From then
 * on, only unregistration of the parent can remove the device.
 */
#ifndef SOAK_H
#define SOAK_H

#include <pthread.h>
#include <stdbool.h>

#include "mdev_test_door.h"
#include "stress.h"

#define NR_OWNERS	8
#define OWNER_SLOTS	4
#define NR_SLOTS	(NR_OWNERS * OWNER_SLOTS)
#define NR_PARENTS	5

/* Give up the run as stuck if anything takes longer. */
#define STUCK_MS	120000

/**
 * struct soak_parent - a parent, and counts of its unregistrations
 * @steady: stays registered for the whole phase.
 * @max: number of instances; may be fewer than there are slots.
 * @began: number of unregistrations that have begun.
 * @gone: number of unregistrations that have completed.
 * @back: number of registrations after them.
 */
struct soak_parent {
	struct test_parent p;
	const char *name;
	const char *door;	/* NULL for mtty */
	const char *type;
	bool steady;
	int max;
	bool request_op;
	unsigned long began;
	unsigned long gone;
	unsigned long back;
};

/**
 * struct soak_slot - a UUID and its device
 * @open: other threads may touch the device.
 * @busy: number of threads that are touching it.
 * @removed: total number of removes that returned 0.
 */
struct soak_slot {
	char uuid[UUID_SIZE];
	bool open;
	int busy;
	unsigned long removed;
	/* Private to the owner. */
	struct soak_parent *parent;	/* NULL: no device */
	unsigned long back;		/* parent->back before the create */
	unsigned long removed_before;
};

struct soak_phase {
	const char *name;
	unsigned long pairs;
	bool reload_modules;	/* else unregister single parents */
};

extern struct soak_parent soak_parents[NR_PARENTS];
extern struct soak_slot soak_slots[NR_SLOTS];
extern struct soak_phase soak_phase;

/* Creates that returned 0. soak_over(): that is enough, or the test failed. */
extern unsigned long soak_creates;
bool soak_over(void);

#define load(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define store(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define add(x, v)	__atomic_add_fetch(&(x), (v), __ATOMIC_SEQ_CST)

/*
 * Remove the slot's device and count the result. A signal may interrupt it.
 * Returns 0 or a negative errno.
 */
int soak_remove(struct soak_slot *slot, struct tally *tally);

/* soak_world.c: the parents, and the threads that unregister them. */
bool world_create(void);
void world_destroy(void);
/* Check that everything is as it was before the phase. */
void world_compare(void);
void world_start(uint64_t seed);
void world_stop(void);
void world_print(void);

/* soak_others.c: rivals, users, readers, unbinders, signals. */
void others_start(uint64_t seed);
void others_stop(void);
void others_print(void);
/* Start or stop sending signals to the calling thread. */
void others_signals(bool on);
/* Open, use and close the device through VFIO. Returns 0 or a negative errno. */
int others_use(struct soak_slot *slot, struct rng *rng);

#endif /* SOAK_H */
