/* SPDX-License-Identifier: GPL-2.0-only */
/* Which of the modules under test are loaded, and getting rid of them. */
#ifndef OUR_MODULES_H
#define OUR_MODULES_H

#include <stdbool.h>
#include <stddef.h>

/* Are there any? Their names; with @unload, those that resisted unloading. */
bool our_modules(char *names, size_t size, bool unload);
/* False if one is still there after a while. */
bool unload_our_modules(void);

#endif
