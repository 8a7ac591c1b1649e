/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Device mapper's ioctls, without a process of dmsetup for each. All functions return 0
 * or a negative errno.
 */
#ifndef DM_CALLS_H
#define DM_CALLS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

int dm_open(void);
/* @dev may be NULL. */
int dm_create(const char *name, dev_t *dev);
int dm_remove(const char *name);
/* Load a table of one target "user". */
int dm_load(const char *name, uint64_t sectors, const char *args);
int dm_clear(const char *name);
int dm_resume(const char *name);
/* DM_NOFLUSH_FLAG or 0. */
int dm_suspend(const char *name, uint32_t flags);
int dm_message(const char *name, const char *message);
/* The status of the first target. */
int dm_status(const char *name, char *buf, size_t size);
/* One number of it, such as "queued". */
long long dm_number(const char *name, const char *key);

#endif /* DM_CALLS_H */
