/* SPDX-License-Identifier: GPL-2.0-only */
/* State that a failed operation must not change. */
#ifndef FAIL_STATE_H
#define FAIL_STATE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct fail_state - what can be seen in sysfs at once
 * @lines: the path of each file of the core and its parents, in order; behind
 *	it what it says, if that is the number of instances or of users.
 * @nr: how many.
 */
struct fail_state {
	char **lines;
	size_t nr;
};

void state_take(struct fail_state *state);
void state_free(struct fail_state *state);
/* Fails the test if it is another now, and says where it begins to be. */
void state_compare(const struct fail_state *state, const char *when);

#define NR_LATE_MODULES 10
#define NR_LATE_DIRS 4

/*
 * What a debug kernel puts back seconds later: references on modules, and names
 * that go with the release of a kobject.
 */
struct late_state {
	int references[NR_LATE_MODULES];
	int entries[NR_LATE_DIRS];
};

void late_take(struct late_state *late);
/* False, and the test has failed, if it does not come back to this. */
bool late_compare(const struct late_state *late, const char *when);

#endif /* FAIL_STATE_H */
