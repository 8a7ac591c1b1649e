/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaked memory, as the kernel's kmemleak reports it. */
#ifndef LEAKS_H
#define LEAKS_H

#include <stdbool.h>

/* Whether the kernel has kmemleak. */
bool leaks_known(void);
/*
 * Looks for leaks and passes the report to @print line by line. Returns the
 * number of leaks, or -1 on error.
 */
int leaks_find(void (*print)(const char *line));

#endif
