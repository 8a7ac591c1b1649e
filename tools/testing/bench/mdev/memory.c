// SPDX-License-Identifier: GPL-2.0-only
/* Measures the memory that the kernel uses per device. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define MAX_SLABS	512
/* Pending frees complete within 10 s. */
#define SETTLE_ROUNDS	100
#define SETTLE_US	100000

struct slab {
	char name[64];
	double bytes;		/* of objects in use */
};

struct memory {
	struct slab slabs[MAX_SLABS];
	int nr_slabs;
	double slab_pages;
	double outside;		/* pages in use outside slabs */
};

/* Add up all values that follow @name in the file. */
static double sum_of(const char *path, const char *name)
{
	double sum = 0, value;
	char line[512], word[64];
	FILE *file = fopen(path, "r");

	if (!file)
		die("cannot open %s", path);
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, " %63s %lf", word, &value) == 2 &&
		    !strcmp(word, name))
			sum += value;
	}
	fclose(file);
	return sum;
}

static void read_slabs(struct memory *memory)
{
	FILE *file = fopen("/proc/slabinfo", "r");
	unsigned long objects, size, pages, slabs;
	char line[512];

	if (!file)
		die("cannot open /proc/slabinfo");
	memory->nr_slabs = 0;
	memory->slab_pages = 0;
	while (fgets(line, sizeof(line), file)) {
		struct slab *slab = &memory->slabs[memory->nr_slabs];

		if (sscanf(line,
			   "%63s %lu %*u %lu %*u %lu : tunables %*u %*u %*u : slabdata %*u %lu",
			   slab->name, &objects, &size, &pages, &slabs) != 5)
			continue;
		slab->bytes = (double)objects * size;
		memory->slab_pages += (double)pages * slabs;
		if (++memory->nr_slabs == MAX_SLABS)
			die("more than %d slabs", MAX_SLABS);
	}
	fclose(file);
}

/* Pages on per-CPU lists are free, but nr_free_pages does not count them. */
static double unused_pages(void)
{
	return sum_of("/proc/vmstat", "nr_free_pages") +
	       sum_of("/proc/zoneinfo", "count:");
}

/* First wait until frees after a grace period, or by a worker, are done. */
static void read_memory(struct memory *memory)
{
	double before = -1, unused;
	int round;

	for (round = 0; round < SETTLE_ROUNDS; round++) {
		int fd = open_file("/proc/sys/vm/stat_refresh", O_WRONLY);

		/* Fold in the per-CPU counters. */
		write_file(fd, "1", "stat_refresh");
		close(fd);
		unused = unused_pages();
		if (unused == before) {
			read_slabs(memory);
			memory->outside = -unused - memory->slab_pages;
			return;
		}
		before = unused;
		usleep(SETTLE_US);
	}
	die("free memory does not settle");
}

static const struct slab *find_slab(const struct memory *memory,
				    const char *name)
{
	int i;

	for (i = 0; i < memory->nr_slabs; i++) {
		if (!strcmp(memory->slabs[i].name, name))
			return &memory->slabs[i];
	}
	return NULL;
}

int cmd_memory(int argc, char **argv)
{
	static struct memory before, after;
	double nodes = 0, objects = 0, outside;
	unsigned int n = strtoul(argv[1], NULL, 0);
	int i;

	(void)argc;
	/* Don't count caches that the first device fills. */
	create_devices(argv[0], 1);
	read_memory(&before);
	create_devices(argv[0], n);
	read_memory(&after);
	for (i = 0; i < after.nr_slabs; i++) {
		const struct slab *slab = &after.slabs[i];
		const struct slab *old = find_slab(&before, slab->name);
		double bytes = (slab->bytes - (old ? old->bytes : 0)) / n;

		/* The slabs of sysfs nodes. */
		if (!strncmp(slab->name, "kernfs_", strlen("kernfs_")))
			nodes += bytes;
		else
			objects += bytes;
		if (bytes >= 1)
			printf("# %s: %.0f bytes a device\n", slab->name, bytes);
	}
	outside = (after.outside - before.outside) * sysconf(_SC_PAGESIZE) / n;
	result("memory_sysfs", n, "bytes", nodes);
	result("memory_slabs", n, "bytes", objects);
	result("memory_pages", n, "bytes", outside);
	result("memory", n, "bytes", objects + outside);
	return 0;
}
