/* SPDX-License-Identifier: GPL-2.0-only */
/* Leaked memory, as the kernel's kmemleak reports it. */
#ifndef LEAKS_H
#define LEAKS_H

#include <stdbool.h>

/* Does this kernel have it? */
bool leaks_known(void);
/*
 * Look for leaks and hand their report line by line to @print. Returns their
 * number, or -1.
 */
int leaks_find(void (*print)(const char *line));

#endif
