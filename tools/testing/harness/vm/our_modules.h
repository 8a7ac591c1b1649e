/* SPDX-License-Identifier: GPL-2.0-only */
/* Lists and unloads the modules under test. */
#ifndef OUR_MODULES_H
#define OUR_MODULES_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Returns true if any are loaded, and their names; with @unload, those that
 * could not be unloaded.
 */
bool our_modules(char *names, size_t size, bool unload);
/* Returns false if a module is still loaded at the timeout. */
bool unload_our_modules(void);

#endif
