// SPDX-License-Identifier: GPL-2.0-only
/* State that a failed operation must not change: files, numbers, references. */
#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "fail_nth.h"
#include "fail_state.h"
#include "stress.h"
#include "test_lib.h"

/* Releases are seconds late, and may wait for one another. */
#define LATE_MS	60000

static void add_line(struct fail_state *state, const char *path,
		     const char *name)
{
	char **lines = realloc(state->lines, (state->nr + 1) * sizeof(*lines));
	long long number = -1;
	char *line;
	size_t i;

	for (i = 0; fail_system.numbers[i]; i++)
		if (!strcmp(name, fail_system.numbers[i]))
			number = read_number(path);
	if (!lines || asprintf(&line, number < 0 ? "%s" : "%s: %lld", path,
			       number) < 0)
		abort();
	lines[state->nr++] = line;
	state->lines = lines;
}

/* Skip names numbered by VFIO, which frees the numbers late. */
static bool is_numbered(const char *name)
{
	return !strncmp(name, "vfio", 4) &&
	       name[strcspn(name, "0123456789")];
}

static void add_tree(struct fail_state *state, const char *dir)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d = opendir(dir);

	if (!d)
		return;
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.' || is_numbered(de->d_name))
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		add_line(state, path, de->d_name);
		/* Don't follow links to directories. */
		if (de->d_type == DT_DIR)
			add_tree(state, path);
	}
	closedir(d);
}

static int compare_lines(const void *a, const void *b)
{
	return strcmp(*(char * const *)a, *(char * const *)b);
}

void state_take(struct fail_state *state)
{
	size_t i;

	memset(state, 0, sizeof(*state));
	for (i = 0; fail_system.trees[i]; i++)
		add_tree(state, fail_system.trees[i]);
	if (state->nr)
		qsort(state->lines, state->nr, sizeof(*state->lines),
		      compare_lines);
}

void state_free(struct fail_state *state)
{
	while (state->nr)
		free(state->lines[--state->nr]);
	free(state->lines);
	state->lines = NULL;
}

void state_compare(const struct fail_state *state, const char *when)
{
	struct fail_state now;
	size_t i = 0;

	state_take(&now);
	while (i < now.nr && i < state->nr &&
	       !strcmp(now.lines[i], state->lines[i]))
		i++;
	check(i == now.nr && i == state->nr,
	      "%s: sysfs has %zu files, not %zu, and \"%s\" where \"%s\" was",
	      when, now.nr, state->nr, i < now.nr ? now.lines[i] : "nothing",
	      i < state->nr ? state->lines[i] : "nothing");
	state_free(&now);
}

void late_take(struct late_state *late)
{
	const struct fail_system *s = &fail_system;
	size_t i;

	memset(late, 0, sizeof(*late));
	/* An errno for modules that are not loaded. */
	for (i = 0; s->modules[i] && i < MAX_LATE; i++)
		late->references[i] = module_refcount(s->modules[i]);
	for (i = 0; s->dirs[i] && i < MAX_LATE; i++)
		late->entries[i] = count_dir(s->dirs[i]);
}

static bool late_same(const struct late_state *late, struct late_state *now)
{
	late_take(now);
	return !memcmp(late, now, sizeof(*now));
}

bool late_compare(const struct late_state *late, const char *when)
{
	const struct fail_system *s = &fail_system;
	struct late_state now;
	size_t i;

	if (wait_until(late_same(late, &now), LATE_MS))
		return true;
	for (i = 0; s->modules[i]; i++)
		check(now.references[i] == late->references[i],
		      "%s: %d references on %s, not %d", when,
		      now.references[i], s->modules[i], late->references[i]);
	for (i = 0; s->dirs[i]; i++)
		check(now.entries[i] == late->entries[i],
		      "%s: %d entries in %s, not %d", when, now.entries[i],
		      s->dirs[i], late->entries[i]);
	return false;
}
