/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations to run with failed allocations. */
#ifndef FAIL_OPS_H
#define FAIL_OPS_H

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

extern const struct fail_door fail_doors[];
extern const size_t nr_fail_doors;

/* fail_vfio.c: opening a device, calls on an open mtty card, pinning pages. */
#define NR_OPEN_OPS 3
#define NR_CALL_OPS 16
#define NR_PIN_OPS 1
extern const struct fail_op open_ops[NR_OPEN_OPS];
extern const struct fail_op call_ops[NR_CALL_OPS];
extern const struct fail_op pin_ops[NR_PIN_OPS];
/* Their stages: with the device's group open, and with the device open, too. */
bool vfio_enter_group(const char *uuid);
bool vfio_leave_group(void);
bool vfio_enter_device(void);
bool vfio_leave_device(void);
/* With memory mapped for the open device. */
bool vfio_enter_mapping(void);
bool vfio_leave_mapping(void);

#endif /* FAIL_OPS_H */
