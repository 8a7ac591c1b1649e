/* SPDX-License-Identifier: GPL-2.0-only */
/* The operations of mdev to run with failed allocations. */
#ifndef FAIL_OPS_H
#define FAIL_OPS_H

#include "fail_nth.h"

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
