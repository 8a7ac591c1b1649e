/* SPDX-License-Identifier: GPL-2.0-only */
/* State that a failed operation must not change. */
#ifndef FAIL_STATE_H
#define FAIL_STATE_H

#include <stdbool.h>
#include <stddef.h>

/**
 * struct fail_state - a snapshot of sysfs
 * @lines: the sorted paths of all files of fail_system.trees; the number in a file of
 *	fail_system.numbers follows its path.
 * @nr: number of lines.
 */
struct fail_state {
	char **lines;
	size_t nr;
};

void state_take(struct fail_state *state);
void state_free(struct fail_state *state);
/* Fail the test if the state has changed, and print the first difference. */
void state_compare(const struct fail_state *state, const char *when);

#define MAX_LATE 16

/*
 * State that a debug kernel restores seconds later: module references, and names
 * that disappear when a kobject is released.
 */
struct late_state {
	int references[MAX_LATE];
	int entries[MAX_LATE];
};

void late_take(struct late_state *late);
/* Fails the test and returns false unless the state comes back to @late. */
bool late_compare(const struct late_state *late, const char *when);

#endif /* FAIL_STATE_H */
