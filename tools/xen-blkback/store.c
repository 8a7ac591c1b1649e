// SPDX-License-Identifier: GPL-2.0-only
/* See block-seq.h: xenstore. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "block-seq.h"

struct xs_handle *store;

char *format(const char *fmt, ...)
{
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	return text;
}

char *node_read(const char *dir, const char *node)
{
	char *path = format("%s/%s", dir, node);
	char *value = xs_read(store, XBT_NULL, path, NULL);

	/* A driver domain may not read what belongs to the guests. */
	if (!value && errno != ENOENT && errno != EACCES)
		fail("cannot read %s: %s", path, strerror(errno));
	free(path);
	return value;
}

char *own_path(void)
{
	char *domid = xs_read(store, XBT_NULL, "domid", NULL), *path;

	if (!domid)
		fail("xenstore does not know this domain: %s", strerror(errno));
	path = format("/local/domain/%s", domid);
	free(domid);
	return path;
}

/* A virtual disk that was removed must not come back. */
static bool write_in(xs_transaction_t t, const char *vbd, const char *const *nodes)
{
	char *path = format("%s/state", vbd), *state = xs_read(store, t, path, NULL);
	bool ok = state;

	free(state);
	free(path);
	for (; ok && *nodes; nodes += 2) {
		path = format("%s/%s", vbd, nodes[0]);
		ok = xs_write(store, t, path, nodes[1], strlen(nodes[1]));
		free(path);
	}
	return ok;
}

bool nodes_write(const char *vbd, const char *const *nodes)
{
	int error;

	do {
		xs_transaction_t t = xs_transaction_start(store);

		error = 0;
		if (t == XBT_NULL || !write_in(t, vbd, nodes))
			error = errno;
		if (t != XBT_NULL && !xs_transaction_end(store, t, error) && !error)
			error = errno;
	} while (error == EAGAIN);
	errno = error;
	return !error;
}
