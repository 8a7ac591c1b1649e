// SPDX-License-Identifier: GPL-2.0-only
/* Measures create and remove against the number of devices. */
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

/* The mean includes interrupts; the median shows whether they matter. */
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

static uint64_t create_one(int create, struct device *device)
{
	uint64_t start;

	new_name(device->name);
	start = now();
	create_device(create, device->name);
	return now() - start;
}

/* Create and remove the newest device, which the stock core finds at once. */
static void measure_newest(const struct kind *kind, int create,
			   struct device *devices, unsigned int alive, int batch,
			   uint64_t *created, uint64_t *removed)
{
	int i;

	for (i = 0; i < batch; i++) {
		created[i] = create_one(create, &devices[alive]);
		removed[i] = remove_device(kind, devices[alive].name);
	}
}

/* Create a device, remove a random one. @devices stays sorted by age. */
static void measure_any(const struct kind *kind, int create,
			struct device *devices, unsigned int alive, int batch,
			uint64_t *removed)
{
	int i;

	for (i = 0; i < batch; i++) {
		unsigned int victim = random_below(alive + 1);

		create_one(create, &devices[alive]);
		removed[i] = remove_device(kind, devices[victim].name);
		memmove(&devices[victim], &devices[victim + 1],
			(alive - victim) * sizeof(*devices));
	}
}

/* Create a device, remove the oldest, which is last in the stock core's list. */
static void measure_oldest(const struct kind *kind, int create,
			   struct device *devices, unsigned int alive, int batch,
			   uint64_t *removed)
{
	int i;

	for (i = 0; i < batch; i++) {
		create_one(create, &devices[alive + i]);
		removed[i] = remove_device(kind, devices[i].name);
	}
	memmove(devices, devices + batch, alive * sizeof(*devices));
}

/* Measure each operation @batch times, with @alive devices. */
static void measure(const struct kind *kind, int create, struct device *devices,
		    unsigned int alive, int batch)
{
	uint64_t *created = calloc(batch, sizeof(*created));
	uint64_t *removed = calloc(batch, sizeof(*removed));
	uint64_t start;

	/* Don't count the first ones: they also fill caches. */
	measure_newest(kind, create, devices, alive, batch, created, removed);

	start = now();
	measure_newest(kind, create, devices, alive, batch, created, removed);
	/* Includes opening and closing "remove", and all in between. */
	result("pair", alive, "ns", (double)(now() - start) / batch);
	report("create", alive, created, batch);
	report("remove", alive, removed, batch);

	measure_any(kind, create, devices, alive, batch, removed);
	report("remove_any", alive, removed, batch);
	measure_oldest(kind, create, devices, alive, batch, removed);
	report("remove_oldest", alive, removed, batch);
	free(created);
	free(removed);
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
		for (; alive < goal; alive++)
			create_one(create, &devices[alive]);
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
