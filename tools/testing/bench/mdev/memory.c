// SPDX-License-Identifier: GPL-2.0-only
/* Memory that the kernel holds for devices. */
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"

#define MAX_SLABS	512
/* Memory that is being freed comes back within this. */
#define SETTLE_ROUNDS	100
#define SETTLE_US	100000

struct slab {
	char name[64];
	double bytes;		/* in objects that are in use */
};

struct memory {
	struct slab slabs[MAX_SLABS];
	int nr_slabs;
	double slab_pages;
	double outside;		/* pages in use that are no slab's */
};

/* What follows @name in a file of numbers; each value that does, added up. */
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

/* Pages that wait on a processor's list are free, though not counted as such. */
static double unused_pages(void)
{
	return sum_of("/proc/vmstat", "nr_free_pages") +
	       sum_of("/proc/zoneinfo", "count:");
}

/* What is freed after a grace period, or by a worker, has been. */
static void read_memory(struct memory *memory)
{
	double before = -1, unused;
	int round;

	for (round = 0; round < SETTLE_ROUNDS; round++) {
		int fd = open_file("/proc/sys/vm/stat_refresh", O_WRONLY);

		/* What each processor has counted for itself. */
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
	/* Caches that the first device fills are no device's. */
	create_devices(argv[0], 1);
	read_memory(&before);
	create_devices(argv[0], n);
	read_memory(&after);
	for (i = 0; i < after.nr_slabs; i++) {
		const struct slab *slab = &after.slabs[i];
		const struct slab *old = find_slab(&before, slab->name);
		double bytes = (slab->bytes - (old ? old->bytes : 0)) / n;

		/* Those of the nodes in sysfs. */
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
