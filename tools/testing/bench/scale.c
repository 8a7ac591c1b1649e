// SPDX-License-Identifier: GPL-2.0-only
/* What one create and one remove cost, and how that grows. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

static int compare(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return x < y ? -1 : x > y;
}

/* The mean has the interrupts in it; the median shows whether they matter. */
static void report(const char *row, unsigned int alive, uint64_t *ns, int n)
{
	char median[32];
	double sum = 0;
	int i;

	for (i = 0; i < n; i++)
		sum += ns[i];
	qsort(ns, n, sizeof(*ns), compare);
	result(row, alive, "ns", sum / n);
	snprintf(median, sizeof(median), "%s_median", row);
	result(median, alive, "ns", ns[n / 2]);
}

/*
 * With @alive devices there, make @batch more, then remove as many: any of
 * them, for the place in a list of the stock core makes a difference.
 */
static void measure(const struct kind *kind, int create, struct device *devices,
		    unsigned int alive, int batch)
{
	uint64_t *ns = calloc(batch, sizeof(*ns));
	uint64_t begin, start, removing = 0;
	unsigned int last;
	int i, fd;

	begin = now();
	for (i = 0; i < batch; i++) {
		new_name(devices[alive + i].name);
		start = now();
		create_device(create, devices[alive + i].name);
		ns[i] = now() - start;
	}
	begin = now() - begin;
	report("create", alive, ns, batch);

	for (i = 0; i < batch; i++) {
		unsigned int victim = random_below(alive + batch - i);

		start = now();
		fd = open_remove(kind, devices[victim].name);
		removing += now() - start;
		start = now();
		write_file(fd, "1", devices[victim].name);
		ns[i] = now() - start;
		start = now();
		close(fd);
		removing += ns[i] + now() - start;
		last = alive + batch - i - 1;
		devices[victim] = devices[last];
	}
	report("remove", alive, ns, batch);
	/* With opening and closing "remove", and what happens in between. */
	result("pair", alive, "ns", (double)(begin + removing) / batch);
	free(ns);
}

/* So that the devices to be measured are not the first. */
static void warm_up(const struct kind *kind, int create, struct device *devices,
		    int batch)
{
	int i;

	for (i = 0; i < batch; i++) {
		new_name(devices[i].name);
		create_device(create, devices[i].name);
	}
	for (i = 0; i < batch; i++)
		remove_device(kind, devices[i].name);
}

int cmd_scale(int argc, char **argv)
{
	struct kind kind = { argv[0], argv[1] };
	int batch = atoi(argv[2]);
	unsigned int alive = 0;
	struct device *devices = NULL;
	char *token, *rest = argv[3];
	int create;

	(void)argc;
	create = open_file(kind.create, O_WRONLY);
	while ((token = strsep(&rest, ","))) {
		unsigned int goal = strtoul(token, NULL, 0);

		devices = realloc(devices, (goal + batch) * sizeof(*devices));
		if (!devices)
			die("no memory for %u names", goal);
		for (; alive < goal; alive++) {
			new_name(devices[alive].name);
			create_device(create, devices[alive].name);
		}
		warm_up(&kind, create, devices + alive, batch);
		measure(&kind, create, devices, alive, batch);
	}
	close(create);
	free(devices);
	return 0;
}

int cmd_fill(int argc, char **argv)
{
	(void)argc;
	create_devices(argv[0], strtoul(argv[1], NULL, 0));
	return 0;
}

int cmd_write(int argc, char **argv)
{
	int fd = open_file(argv[1], O_WRONLY);
	uint64_t start;

	(void)argc;
	start = now();
	write_file(fd, argv[2], argv[1]);
	result(argv[0], 0, "ns", now() - start);
	close(fd);
	return 0;
}
