// SPDX-License-Identifier: GPL-2.0-only
/* The two doors to the core and their test parents. */
#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "mdev_test_door.h"

#define DEBUGFS "/sys/kernel/debug"

/* Modules that another case left loaded hold the core. */
static int unload_others(const char *door)
{
	static const char * const parents[] = {
		DOOR_DRIVER, DOOR_OPS, "mdev_test_legacy", "mtty", NULL
	};
	int i, ret = 0;

	for (i = 0; !ret && parents[i]; i++)
		if (strcmp(parents[i], door) && module_loaded(parents[i]))
			ret = unload_soon(parents[i]);
	return ret;
}

int core_unload(void)
{
	int ret = unload_others("");

	if (!ret)
		ret = unload_soon("vfio_mdev_legacy");
	if (!ret)
		ret = unload_soon("vfio_mdev");
	if (!ret)
		ret = unload_soon("mdev");
	return ret ? ret : unload_soon("mdev_test_common");
}

int door_setup(const char *door)
{
	const char *core = getenv("MDEV_TEST_CORE");
	int ret = unload_others(door);

	if (ret)
		return ret;
	if (core) {
		ret = insert_module(core, "");
		if (ret && ret != -EEXIST)
			return ret;
	}
	return load_module(door);
}

/* Is this entry of the door's directory a parent's directory? */
static bool is_parent(const char *door, const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEBUGFS "/%s/%s/register", door, name);
	return path_exists(path);
}

static void parent_let_go(const char *door, const char *name)
{
	static const char * const gates[] = {
		"register", "create", "late", "remove", "open", "bind",
		"attr", "type_attr", NULL
	};
	char path[PATH_MAX];
	int i;

	for (i = 0; gates[i]; i++) {
		snprintf(path, sizeof(path), DEBUGFS "/%s/%s/%s_block", door,
			 name, gates[i]);
		write_file(path, "0");
	}
}

/* One step for each parent: open all gates before deleting any parent. */
static int visit_parents(const char *door, bool del)
{
	char path[PATH_MAX];
	struct dirent *entry;
	int ret = 0, err;
	DIR *dir;

	snprintf(path, sizeof(path), DEBUGFS "/%s", door);
	dir = opendir(path);
	if (!dir)
		return -errno;
	while ((entry = readdir(dir))) {
		if (entry->d_name[0] == '.' || !is_parent(door, entry->d_name))
			continue;
		if (!del) {
			parent_let_go(door, entry->d_name);
			continue;
		}
		snprintf(path, sizeof(path), DEBUGFS "/%s/del_parent", door);
		err = write_file(path, entry->d_name);
		if (err)
			ret = err;
	}
	closedir(dir);
	return ret;
}

int door_teardown(const char *door)
{
	int ret;

	stall_set("");
	actors_stop();
	if (module_loaded(door)) {
		visit_parents(door, false);
		ret = visit_parents(door, true);
		if (ret)
			return ret;
	}
	held_drop();
	return keep_modules() ? 0 : core_unload();
}

int parent_add(struct test_parent *p, const char *door, const char *name)
{
	char path[PATH_MAX];

	p->door = door;
	snprintf(p->name, sizeof(p->name), "%s", name);
	snprintf(p->type1, sizeof(p->type1), "%s-1", door);
	snprintf(p->type2, sizeof(p->type2), "%s-2", door);
	snprintf(path, sizeof(path), DEBUGFS "/%s/add_parent", door);
	return write_file(path, name);
}

int parent_del(struct test_parent *p)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), DEBUGFS "/%s/del_parent", p->door);
	return write_file(path, p->name);
}

void parent_path(char *buf, const struct test_parent *p, const char *knob)
{
	snprintf(buf, PATH_MAX, DEBUGFS "/%s/%s/%s", p->door, p->name, knob);
}

int parent_set(const struct test_parent *p, const char *knob, long long val)
{
	char path[PATH_MAX];

	parent_path(path, p, knob);
	return write_file_fmt(path, "%lld", val);
}

long long parent_get(const struct test_parent *p, const char *knob)
{
	char path[PATH_MAX];

	parent_path(path, p, knob);
	return read_number(path);
}

int parent_register(const struct test_parent *p)
{
	return parent_set(p, "register", 1);
}

int parent_unregister(const struct test_parent *p)
{
	return parent_set(p, "register", 0);
}

int parent_start(struct test_parent *p, const char *door, const char *name)
{
	int ret = parent_add(p, door, name);

	return ret ? ret : parent_register(p);
}

void parent_driver(char *buf, const struct test_parent *p)
{
	if (!strcmp(p->door, DOOR_OPS))
		snprintf(buf, DRIVER_SIZE, "vfio_mdev");
	else
		snprintf(buf, DRIVER_SIZE, "mdev_test_%s_%lld", p->name,
			 parent_get(p, "registration"));
}

int actor_unregister(struct actor *actor, const struct test_parent *p)
{
	char path[PATH_MAX];

	parent_path(path, p, "register");
	return actor_write(actor, path, "0");
}

int parent_create(const struct test_parent *p, const char *uuid)
{
	char random[UUID_SIZE];

	random_uuid(random);
	return mdev_create(p->name, p->type1, uuid ? uuid : random);
}

int parent_create2(const struct test_parent *p, const char *uuid)
{
	char random[UUID_SIZE];

	random_uuid(random);
	return mdev_create(p->name, p->type2, uuid ? uuid : random);
}

long long held_count(void)
{
	return read_number(DEBUGFS "/mdev_test/held");
}

long long held_leading_count(void)
{
	return read_number(DEBUGFS "/mdev_test/held_leading");
}

int hold_bus(void)
{
	return write_file(DEBUGFS "/mdev_test/held_bus", "1");
}

int held_drop(void)
{
	return write_file(DEBUGFS "/mdev_test/held", "0");
}

int stall_set(const char *function)
{
	char line[64];

	snprintf(line, sizeof(line), "%s\n", function);
	return write_file(DEBUGFS "/mdev_test/stall", line);
}

bool stall_waits(void)
{
	return read_number(DEBUGFS "/mdev_test/stalled") == 1;
}

int log_clear(void)
{
	return write_file(DEBUGFS "/mdev_test/log", "0");
}

static int log_parse(struct log_event *ev, const char *line)
{
	int n;

	n = sscanf(line,
		   "%15s %15s %63s registered=%d linked=%d listed=%d remove=%d attrs=%d group=%d bound=%d valid=%d",
		   ev->who, ev->what, ev->name, &ev->registered, &ev->linked,
		   &ev->listed, &ev->remove, &ev->attrs, &ev->group,
		   &ev->bound, &ev->valid);
	return n == 11 ? 0 : -EBADMSG;
}

int log_read(struct event_log *log)
{
	FILE *file = fopen(DEBUGFS "/mdev_test/log", "r");
	char line[256];
	int ret = 0;

	if (!file)
		return -errno;
	log->n = 0;
	while (!ret && fgets(line, sizeof(line), file)) {
		if (log->n == LOG_MAX)
			ret = -E2BIG;
		else
			ret = log_parse(&log->ev[log->n++], line);
	}
	fclose(file);
	return ret;
}

int log_find(const struct event_log *log, int from, const char *who,
	     const char *what, const char *name)
{
	int i;

	for (i = from; i < log->n; i++) {
		const struct log_event *ev = &log->ev[i];

		if (!strcmp(ev->who, who) && !strcmp(ev->what, what) &&
		    !strcmp(ev->name, name))
			return i;
	}
	return -1;
}

int log_count(const struct event_log *log, const char *who, const char *what,
	      const char *name)
{
	int i, n = 0;

	for (i = 0; (i = log_find(log, i, who, what, name)) >= 0; i++)
		n++;
	return n;
}

void log_story(const struct event_log *log, const char *name, char *buf,
	       size_t size)
{
	size_t len = 0;
	int i;

	buf[0] = '\0';
	for (i = 0; i < log->n && len < size; i++) {
		const struct log_event *ev = &log->ev[i];

		if (strcmp(ev->name, name))
			continue;
		len += snprintf(buf + len, size - len, "%s%s %s",
				len ? ", " : "", ev->who, ev->what);
	}
}
