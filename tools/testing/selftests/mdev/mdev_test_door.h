/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The two doors to the core and their test parents (test_modules/mdev_test.h
 * says what the debugfs files do), for tests that run the same on both.
 *
 * With MDEV_TEST_CORE=/path/mdev.ko in the environment that core is loaded, for
 * a look at how the tests fail on the distribution's.
 */
#ifndef MDEV_TEST_DOOR_H
#define MDEV_TEST_DOOR_H

#include "mdev_test_lib.h"

#define DOOR_DRIVER	"mdev_test_driver"
#define DOOR_OPS	"mdev_test_ops"

/* For the name of a bus driver. */
#define DRIVER_SIZE	64

struct test_parent {
	const char *door;	/* the module's name */
	char name[32];
	char type1[64];
	char type2[64];
};

/* Load the core and this door's module, after other parents' have gone. */
int door_setup(const char *door);
/*
 * Let go whatever waits, take all parents away, drop held references, unload
 * unless keep_modules().
 * Other test modules are left alone.
 */
int door_teardown(const char *door);
/* Unload the test modules and the core, whatever the environment says. */
int core_unload(void);

int parent_add(struct test_parent *p, const char *door, const char *name);
int parent_del(struct test_parent *p);
/* The path of one of the parent's debugfs files. */
void parent_path(char *buf, const struct test_parent *p, const char *knob);
int parent_set(const struct test_parent *p, const char *knob, long long val);
long long parent_get(const struct test_parent *p, const char *knob);
int parent_register(const struct test_parent *p);
int parent_unregister(const struct test_parent *p);
/* parent_add() and parent_register(). */
int parent_start(struct test_parent *p, const char *door, const char *name);
/* The bus driver that its devices bind to, in a buffer of DRIVER_SIZE. */
void parent_driver(char *buf, const struct test_parent *p);
int actor_unregister(struct actor *actor, const struct test_parent *p);

/* Another device of the first or second type; a random UUID if that is NULL. */
int parent_create(const struct test_parent *p, const char *uuid);
int parent_create2(const struct test_parent *p, const char *uuid);

long long held_count(void);
/* How many of the held devices lead to something of their vendor's. */
long long held_leading_count(void);
/* Hold the bus as well, until held_drop(). A door's module must be loaded. */
int hold_bus(void);
int held_drop(void);

/* The next caller of this kernel function stalls at its entry; "": go on. */
int stall_set(const char *function);
bool stall_waits(void);

/* One line of the event log, see test_modules/common_log.c. */
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
/* The index of the first such event from @from on, or -1. */
int log_find(const struct event_log *log, int from, const char *who,
	     const char *what, const char *name);
int log_count(const struct event_log *log, const char *who, const char *what,
	      const char *name);
/* "who what, who what, ..." of one device, to compare with a string. */
void log_story(const struct event_log *log, const char *name, char *buf,
	       size_t size);

#endif /* MDEV_TEST_DOOR_H */
