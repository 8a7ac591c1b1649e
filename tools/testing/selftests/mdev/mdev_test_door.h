/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two doors to the core and their test parents, for tests that run on both.
 * test_modules/mdev_test.h documents the debugfs files.
 *
 * MDEV_TEST_CORE=/path/mdev.ko in the environment loads that core instead, to
 * see the tests fail on the distribution's.
 */
#ifndef MDEV_TEST_DOOR_H
#define MDEV_TEST_DOOR_H

#include "mdev_test_lib.h"

#define DOOR_DRIVER	"mdev_test_driver"
#define DOOR_OPS	"mdev_test_ops"

/* Size of a buffer for a bus driver's name. */
#define DRIVER_SIZE	64

struct test_parent {
	const char *door;	/* the module's name */
	char name[32];
	char type1[64];
	char type2[64];
};

/* Load the core and this door's module. Unloads the other parents first. */
int door_setup(const char *door);
/*
 * Open all gates, delete all parents, drop held references, and unload the
 * modules unless keep_modules(). Leaves other test modules alone.
 */
int door_teardown(const char *door);
/* Unload the test modules and the core, even with KEEP_MODULES set. */
int core_unload(void);

int parent_add(struct test_parent *p, const char *door, const char *name);
int parent_del(struct test_parent *p);
/* Path of one of the parent's debugfs files. */
void parent_path(char *buf, const struct test_parent *p, const char *knob);
int parent_set(const struct test_parent *p, const char *knob, long long val);
long long parent_get(const struct test_parent *p, const char *knob);
int parent_register(const struct test_parent *p);
int parent_unregister(const struct test_parent *p);
/* parent_add() and parent_register(). */
int parent_start(struct test_parent *p, const char *door, const char *name);
/* Name of the bus driver of its devices, in a buffer of DRIVER_SIZE. */
void parent_driver(char *buf, const struct test_parent *p);
int actor_unregister(struct actor *actor, const struct test_parent *p);

/* Create a device of the first or second type. uuid NULL: use a random one. */
int parent_create(const struct test_parent *p, const char *uuid);
int parent_create2(const struct test_parent *p, const char *uuid);

long long held_count(void);
/* Number of held devices that still point to vendor memory. */
long long held_leading_count(void);
/* Hold the bus, too, until held_drop(). A door's module must be loaded. */
int hold_bus(void);
int held_drop(void);

/* Stall the next caller of this kernel function at its entry. "": go on. */
int stall_set(const char *function);
bool stall_waits(void);

/* One line of the event log; test_modules/common_log.c documents the format. */
struct log_event {
	char who[16];
	char what[16];
	char name[64];
	int registered;
	int linked;
	int listed;
	int remove;
	int attrs;
	int group;
	int bound;
	int valid;
};

#define LOG_MAX 256

struct event_log {
	int n;
	struct log_event ev[LOG_MAX];
};

int log_clear(void);
int log_read(struct event_log *log);
/* Index of the first such event at or after @from, or -1. */
int log_find(const struct event_log *log, int from, const char *who,
	     const char *what, const char *name);
int log_count(const struct event_log *log, const char *who, const char *what,
	      const char *name);
/* The events of one device as the string "who what, who what, ...". */
void log_story(const struct event_log *log, const char *name, char *buf,
	       size_t size);

#endif /* MDEV_TEST_DOOR_H */
