// SPDX-License-Identifier: GPL-2.0-only
/* See xbb_test.h: virtual disks. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "xbb_test.h"

/* xvda; each further disk has 16 numbers, for its partitions. */
#define FIRST_DEVICE (202 << 8)
#define NR_NODES 15

char vbd_said[256];

static void path_of(char *path, size_t size, const char *dir, const char *node)
{
	snprintf(path, size, "%s/%s", dir, node);
}

int vbd_create(struct vbd *v, unsigned int n, const char *mode)
{
	struct {
		bool front;
		const char *node, *value;
	} nodes[NR_NODES] = {
		{ true, "backend", v->back },
		{ true, "backend-id", "0" },
		{ true, "virtual-device", NULL },
		{ true, "device-type", "disk" },
		{ true, "protocol", "x86_64-abi" },
		{ true, "state", "1" },
		{ false, "frontend", v->front },
		{ false, "frontend-id", "0" },
		{ false, "online", "1" },
		{ false, "mode", mode },
		{ false, "type", "phy" },
		{ false, "dev", "xvd" },
		{ false, "params", "-" },
		{ false, "device-type", "disk" },
		{ false, "state", "1" },
	};
	const char *all[2 * NR_NODES + 1] = {};
	char paths[NR_NODES][128], number[16];
	int error;

	snprintf(number, sizeof(number), "%u", FIRST_DEVICE + 16 * n);
	snprintf(v->back, sizeof(v->back), "/local/domain/0/backend/vbd/0/%s", number);
	snprintf(v->front, sizeof(v->front), "/local/domain/0/device/vbd/%s", number);
	snprintf(v->error, sizeof(v->error),
		 "/local/domain/0/error/backend/vbd/0/%s/error", number);
	snprintf(v->dev, sizeof(v->dev), "/dev/xvd%c", 'a' + n);
	snprintf(v->front_name, sizeof(v->front_name), "vbd-%s", number);
	snprintf(v->name, sizeof(v->name), "vbd-0-%s", number);
	for (int i = 0; i < NR_NODES; i++) {
		path_of(paths[i], sizeof(paths[i]), nodes[i].front ? v->front : v->back,
			nodes[i].node);
		all[2 * i] = paths[i];
		all[2 * i + 1] = nodes[i].value ?: number;
	}
	store_remove(v->error);
	error = store_write_all(all);
	if (error)
		return error;
	return wait_until(vbd_has(v, "state", INIT_WAIT), SOON_MS) ? 0 : -ETIME;
}

int vbd_give(const struct vbd *v, const char *fmt, ...)
{
	char path[128], value[128];
	va_list ap;

	path_of(path, sizeof(path), v->back, "physical-device");
	va_start(ap, fmt);
	vsnprintf(value, sizeof(value), fmt, ap);
	va_end(ap);
	return store_write(path, value, strlen(value));
}

/* Reads a node of the back end. Returns its length. */
static int vbd_read(const struct vbd *v, const char *node, char *text, size_t size)
{
	char path[128];

	path_of(path, sizeof(path), v->back, node);
	return store_read(path, text, size);
}

bool vbd_has(const struct vbd *v, const char *node, const char *value)
{
	char text[256];

	return vbd_read(v, node, text, sizeof(text)) >= 0 && !strcmp(text, value);
}

bool vbd_has_node(const struct vbd *v, const char *node)
{
	char text[256];

	return vbd_read(v, node, text, sizeof(text)) >= 0;
}

int vbd_number(const struct vbd *v, const char *node)
{
	char text[32];

	return vbd_read(v, node, text, sizeof(text)) > 0 ? atoi(text) : -1;
}

int vbd_shown_seq(const struct vbd *v, char *text, size_t size)
{
	char path[96];

	snprintf(path, sizeof(path), "/sys/bus/xen-backend/devices/%s/diskseq", v->name);
	return read_file(path, text, size);
}

int vbd_result(const struct vbd *v)
{
	vbd_said[0] = '\0';
	if (!wait_until(vbd_has(v, "state", CONNECTED) ||
			store_read(v->error, vbd_said, sizeof(vbd_said)) > 0, SOON_MS))
		return -ETIME;
	return -atoi(vbd_said);
}

static bool is_gone(const char *bus, const char *name)
{
	char path[64];

	snprintf(path, sizeof(path), "/sys/bus/%s/devices/%s", bus, name);
	return !link_exists(path);
}

static bool back_is_gone(const struct vbd *v)
{
	return is_gone("xen-backend", v->name);
}

int vbd_remove(struct vbd *v)
{
	char online[80], state[80];
	int error;

	if (!v->back[0])
		return 0;
	path_of(online, sizeof(online), v->back, "online");
	path_of(state, sizeof(state), v->back, "state");
	/* A back end that closes, or is closed, does not hear that it is to close. */
	error = store_write_all((const char *[]) { online, "0", NULL }) ?:
		store_write_unless(state, "56", (const char *[]) { state, "5", NULL });
	if (!error && !wait_until(back_is_gone(v) || vbd_has(v, "state", CLOSED), SOON_MS))
		error = -ETIME;
	error = error ?: store_remove(v->front) ?: store_remove(v->back) ?:
		store_remove(v->error);
	if (!error && !wait_until(back_is_gone(v) && is_gone("xen", v->front_name), SOON_MS))
		error = -ETIME;
	return error;
}
