/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The soak test's world. Who may do what to a device:
 *
 * A *slot* has a UUID that only its owner creates. While the slot is open,
 * anybody may remove, use, unbind or look at the device. To find out what has
 * become of it the owner closes the slot and waits until nobody is busy with
 * it; from there on nothing but the parent's unregistration can take it away.
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

/* How long anything may take before the run is given up as stuck. */
#define STUCK_MS	120000

/**
 * struct soak_parent - a parent, and when it was taken away
 * @steady: stays for the whole phase.
 * @max: its instances, of which there may be too few.
 * @began: how often it began to be unregistered.
 * @gone: how often that was complete.
 * @back: how often it was registered again.
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
 * @open: others may have a go at it.
 * @busy: so many do.
 * @removed: how many removes have returned 0, ever.
 */
struct soak_slot {
	char uuid[UUID_SIZE];
	bool open;
	int busy;
	unsigned long removed;
	/* The owner's. */
	struct soak_parent *parent;	/* NULL: no device */
	unsigned long back;		/* the parent's, before the create */
	unsigned long removed_before;
};

/* What a phase is made of. */
struct soak_phase {
	const char *name;
	unsigned long pairs;
	bool reload_modules;	/* else single parents come and go */
};

extern struct soak_parent soak_parents[NR_PARENTS];
extern struct soak_slot soak_slots[NR_SLOTS];
extern struct soak_phase soak_phase;

/* Creates that returned 0, and whether that is enough. */
extern unsigned long soak_creates;
bool soak_over(void);

#define load(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define store(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define add(x, v)	__atomic_add_fetch(&(x), (v), __ATOMIC_SEQ_CST)

/*
 * A remove of the slot's device by whoever calls, counted. Signals may hit it.
 * Returns 0 or the errno.
 */
int soak_remove(struct soak_slot *slot, struct tally *tally);

/* soak_world.c: the parents, and the threads that take them away. */
bool world_create(void);
void world_destroy(void);
/* Everything is as it was before the phase. */
void world_compare(void);
void world_start(uint64_t seed);
void world_stop(void);
void world_print(void);

/* soak_others.c: rivals, users, readers, unbinders, signals. */
void others_start(uint64_t seed);
void others_stop(void);
void others_print(void);
/* The calling thread may get signals, or no more. */
void others_signals(bool on);
/* One use of the device through VFIO, from open to close; 0 or the errno. */
int others_use(struct soak_slot *slot, struct rng *rng);

#endif /* SOAK_H */
