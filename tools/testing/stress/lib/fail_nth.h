/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of a system to run with failed allocations. */
#ifndef FAIL_NTH_H
#define FAIL_NTH_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct fail_op - one operation
 * @name: for the report.
 * @allocates: needs memory: at least one failed allocation must make it fail.
 * @prepare: set up what @run needs; may be NULL. Returns 0 or a negative errno.
 * @run: only the operation itself. Returns 0 or a negative errno.
 * @undo: given the result of @run, restore the state before @prepare, and check
 *	that a failure has changed nothing that sysfs does not show; may be NULL.
 */
struct fail_op {
	const char *name;
	bool allocates;
	int (*prepare)(void);
	int (*run)(void);
	void (*undo)(int ret);
};

/* Operations that start with the same things registered, created and open. */
struct fail_stage {
	bool (*enter)(void);
	bool (*leave)(void);
	const struct fail_op *ops;
	size_t nr;
};

/* Stages that use the same modules. */
struct fail_door {
	const char *name;
	bool (*start)(void);
	void (*stop)(void);
	const struct fail_stage *stages;
	size_t nr;
};

/**
 * struct fail_system - what fail_nth.c has to know of a system; lists end with NULL
 * @doors: the operations.
 * @nr_doors: number of doors.
 * @spare: a module that spares what the kernel is known to mishandle; may be NULL.
 * @trees: directories that go away at once. Their files are the state that a
 *	failed operation must not change.
 * @numbers: names of files in them whose number is part of the state.
 * @modules: modules whose references must come back, be it late: a debug kernel
 *	delays releases.
 * @dirs: directories whose number of entries must come back, be it late.
 */
struct fail_system {
	const struct fail_door *doors;
	size_t nr_doors;
	const char *spare;
	const char * const *trees;
	const char * const *numbers;
	const char * const *modules;
	const char * const *dirs;
};

extern const struct fail_system fail_system;

#endif /* FAIL_NTH_H */
