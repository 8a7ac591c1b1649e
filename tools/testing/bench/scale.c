// SPDX-License-Identifier: GPL-2.0-only
/* What one create and one remove cost, and how that grows. */
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

/* Returns the time that all of it took. */
static uint64_t create_batch(int create, struct device *devices, int batch,
			     uint64_t *ns)
{
	uint64_t begin = now(), start;
	int i;

	for (i = 0; i < batch; i++) {
		new_name(devices[i].name);
		start = now();
		create_device(create, devices[i].name);
		ns[i] = now() - start;
	}
	return now() - begin;
}

/* Remove any @batch of @n devices; the others stay in the order of their age. */
static void remove_any(const struct kind *kind, struct device *devices, int n,
		       int batch, uint64_t *ns)
{
	int i, kept = 0;

	for (i = 0; i < batch; i++) {
		struct device *victim;

		do {
			victim = &devices[random_below(n)];
		} while (!victim->name[0]);
		ns[i] = remove_device(kind, victim->name);
		victim->name[0] = '\0';
	}
	for (i = 0; i < n; i++) {
		if (devices[i].name[0])
			devices[kept++] = devices[i];
	}
}

/*
 * With @alive devices there, make @batch more and remove as many: any of all,
 * then the oldest, then those just made. The stock core has to find them in a
 * list that begins with the newest.
 */
static void measure(const struct kind *kind, int create, struct device *devices,
		    unsigned int alive, int batch)
{
	struct device *new = devices + alive;
	uint64_t *ns = calloc(batch, sizeof(*ns));
	uint64_t total, begin;
	int i;

	/* The first ones also fill caches. */
	create_batch(create, new, batch, ns);
	remove_any(kind, devices, alive + batch, batch, ns);
	report("remove_any", alive, ns, batch);

	create_batch(create, new, batch, ns);
	for (i = 0; i < batch; i++)
		ns[i] = remove_device(kind, devices[i].name);
	memmove(devices, devices + batch, alive * sizeof(*devices));
	report("remove_oldest", alive, ns, batch);

	total = create_batch(create, new, batch, ns);
	report("create", alive, ns, batch);
	begin = now();
	for (i = 0; i < batch; i++)
		ns[i] = remove_device(kind, new[i].name);
	total += now() - begin;
	report("remove", alive, ns, batch);
	/* With opening and closing "remove", and what happens in between. */
	result("pair", alive, "ns", (double)total / batch);
	free(ns);
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
