// SPDX-License-Identifier: GPL-2.0-only
/* See xbb_test.h: nodes of xenstore. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xenstore.h>

#include "xbb_test.h"

/* The connection of this process. It ends with the process. */
static struct xs_handle *store(void)
{
	static struct xs_handle *handle;

	if (!handle)
		handle = xs_open(0);
	return handle;
}

int store_write(const char *path, const void *value, size_t len)
{
	return store() && xs_write(store(), XBT_NULL, path, value, len) ? 0 : -errno;
}

int store_read(const char *path, char *buf, size_t size)
{
	unsigned int len;
	char *value;

	value = store() ? xs_read(store(), XBT_NULL, path, &len) : NULL;
	if (!value)
		return -errno;
	if (len > size - 1)
		len = size - 1;
	memcpy(buf, value, len);
	buf[len] = '\0';
	free(value);
	return len;
}

int store_remove(const char *path)
{
	if (store() && xs_rm(store(), XBT_NULL, path))
		return 0;
	return errno == ENOENT ? 0 : -errno;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int store_dump(const char *path, const char *but, char *text, size_t size)
{
	char node[256], value[256];
	unsigned int nr;
	size_t len = 0;
	char **names;

	names = store() ? xs_directory(store(), XBT_NULL, path, &nr) : NULL;
	if (!names)
		return -errno;
	qsort(names, nr, sizeof(*names), by_name);
	text[0] = '\0';
	for (unsigned int i = 0; i < nr && len < size; i++) {
		snprintf(node, sizeof(node), "%s/%s", path, names[i]);
		if (!strcmp(names[i], but) || store_read(node, value, sizeof(value)) < 0)
			continue;
		len += snprintf(text + len, size - len, "%s = %s\n", names[i], value);
	}
	free(names);
	return len < size ? 0 : -ENOSPC;
}

static bool has_one_of(xs_transaction_t t, const char *path, const char *values)
{
	unsigned int len;
	char *value = xs_read(store(), t, path, &len);
	bool found = value && len == 1 && strchr(values, value[0]);

	free(value);
	return found;
}

int store_write_unless(const char *path, const char *values, const char *const *nodes)
{
	xs_transaction_t t;
	bool ok;

	do {
		t = store() ? xs_transaction_start(store()) : XBT_NULL;
		if (t == XBT_NULL)
			return -errno;
		ok = true;
		if (!path || !has_one_of(t, path, values)) {
			for (int i = 0; ok && nodes[i]; i += 2)
				ok = xs_write(store(), t, nodes[i], nodes[i + 1],
					      strlen(nodes[i + 1]));
		}
		if (!ok) {
			int error = -errno;

			xs_transaction_end(store(), t, true);
			return error;
		}
		ok = xs_transaction_end(store(), t, false);
	} while (!ok && errno == EAGAIN);
	return ok ? 0 : -errno;
}

int store_write_all(const char *const *nodes)
{
	return store_write_unless(NULL, NULL, nodes);
}
