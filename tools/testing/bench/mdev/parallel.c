// SPDX-License-Identifier: GPL-2.0-only
/* Measures concurrent creates and removes, at full speed. */
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "bench.h"

#define MAX_WRITERS 64

struct writer {
	pthread_t thread;
	const struct kind *kind;
	pthread_barrier_t *start;
	int cpu;		/* -1: any */
	uint64_t ns;		/* how long to run */
	unsigned long pairs;
};

static void start_writers(struct writer *writers, int n, void *(*run)(void *))
{
	int i;

	for (i = 0; i < n; i++) {
		if (pthread_create(&writers[i].thread, NULL, run, &writers[i]))
			die("no thread");
	}
}

static void join_writers(struct writer *writers, int n)
{
	int i;

	for (i = 0; i < n; i++)
		pthread_join(writers[i].thread, NULL);
}

static void pin(int cpu)
{
	cpu_set_t set;

	CPU_ZERO(&set);
	CPU_SET(cpu, &set);
	if (sched_setaffinity(0, sizeof(set), &set))
		die("no CPU %d", cpu);
}

static void *run_pairs(void *arg)
{
	struct writer *writer = arg;
	int create = open_file(writer->kind->create, O_WRONLY);
	char name[NAME_SIZE];
	uint64_t end;

	pin(writer->cpu);
	pthread_barrier_wait(writer->start);
	end = now() + writer->ns;
	while (now() < end) {
		new_name(name);
		create_device(create, name);
		remove_device(writer->kind, name);
		writer->pairs++;
	}
	close(create);
	return NULL;
}

/* Total pairs per second of @n writers, each on its own CPU. */
static double rate(const struct kind *kind, int n, unsigned int ms)
{
	struct writer writers[2] = {};
	pthread_barrier_t start;
	unsigned long pairs = 0;
	int i;

	pthread_barrier_init(&start, NULL, n);
	for (i = 0; i < n; i++) {
		writers[i].kind = kind;
		writers[i].start = &start;
		writers[i].cpu = i;
		writers[i].ns = ms * 1000000ULL;
	}
	start_writers(writers, n, run_pairs);
	join_writers(writers, n);
	pthread_barrier_destroy(&start);
	for (i = 0; i < n; i++)
		pairs += writers[i].pairs;
	return pairs * 1000.0 / ms;
}

int cmd_writers(int argc, char **argv)
{
	struct kind kind = { argv[0], argv[1] };
	int rounds = atoi(argv[2]);
	unsigned int ms = atoi(argv[3]);

	(void)argc;
	/* Don't count the first ones: they also fill caches. */
	rate(&kind, 2, ms);
	while (rounds-- > 0) {
		result("writers_1", 0, "pairs/s", rate(&kind, 1, ms));
		result("writers_2", 0, "pairs/s", rate(&kind, 2, ms));
	}
	return 0;
}

static void *create_one(void *arg)
{
	struct writer *writer = arg;
	int create = open_file(writer->kind->create, O_WRONLY);
	char name[NAME_SIZE];

	new_name(name);
	pthread_barrier_wait(writer->start);
	create_device(create, name);
	close(create);
	return NULL;
}

/* Milliseconds until @n concurrent creates have all returned. */
static double create_many(const struct kind *kind, int n)
{
	struct writer writers[MAX_WRITERS] = {};
	pthread_barrier_t barrier;
	uint64_t start;
	int i;

	pthread_barrier_init(&barrier, NULL, n + 1);
	for (i = 0; i < n; i++) {
		writers[i].kind = kind;
		writers[i].start = &barrier;
	}
	start_writers(writers, n, create_one);
	start = now();
	pthread_barrier_wait(&barrier);
	join_writers(writers, n);
	pthread_barrier_destroy(&barrier);
	return (now() - start) / 1e6;
}

int cmd_slow(int argc, char **argv)
{
	struct kind kind = { argv[0], argv[1] };
	int n = atoi(argv[2]);

	(void)argc;
	if (n < 1 || n > MAX_WRITERS)
		die("1 to %d threads", MAX_WRITERS);
	/* Don't count the first one: it also fills caches. */
	create_many(&kind, 1);
	result("slow_1", 0, "ms", create_many(&kind, 1));
	result("slow_n", n, "ms", create_many(&kind, n));
	return 0;
}
