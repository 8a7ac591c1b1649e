// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: bench TIMES VALUE
 *
 * Attaches a disk of dom0 this often, with this value of physical-device, and prints the
 * nanoseconds from writing it until the back end is connected.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "xbb_test.h"

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

/* Returns the nanoseconds, or a negative errno. */
static long long attach(struct vbd *vbd, const char *value)
{
	long long start, error;

	error = vbd_create(vbd, 0, "w");
	if (error)
		return error;
	start = now_ns();
	error = vbd_give(vbd, "%s", value);
	if (error)
		return error;
	if (!wait_until(vbd_has(vbd, "state", CONNECTED), SOON_MS))
		return -ETIME;
	return now_ns() - start;
}

int main(int argc, char **argv)
{
	struct vbd vbd = {};

	if (argc != 3) {
		fprintf(stderr, "usage: bench TIMES VALUE\n");
		return 2;
	}
	for (int i = atoi(argv[1]); i > 0; i--) {
		long long ns = attach(&vbd, argv[2]), error = vbd_remove(&vbd);

		if (ns < 0 || error) {
			fprintf(stderr, "attach: %lld, detach: %lld\n", ns, error);
			return 1;
		}
		printf("%lld\n", ns);
	}
	return 0;
}
