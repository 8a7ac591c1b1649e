// SPDX-License-Identifier: GPL-2.0-only
/* The commands of the benchmark program, see bench.h. */
#include <stdio.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	int nr_args;
	int (*run)(int argc, char **argv);
	const char *usage;
} commands[] = {
	{ "scale", 4, cmd_scale, "CREATE DEVICES BATCH ALIVE[,ALIVE...]" },
	{ "fill", 2, cmd_fill, "CREATE NUMBER" },
	{ "write", 3, cmd_write, "ROW FILE TEXT" },
	{ "memory", 2, cmd_memory, "CREATE NUMBER" },
	{ "writers", 4, cmd_writers, "CREATE DEVICES ROUNDS MS" },
	{ "slow", 3, cmd_slow, "CREATE DEVICES THREADS" },
	{ "region", 3, cmd_region, "CREATE DEVICES TIMES" },
};

int main(int argc, char **argv)
{
	size_t i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	for (i = 0; argc > 1 && i < ARRAY_SIZE(commands); i++) {
		if (!strcmp(argv[1], commands[i].name) &&
		    argc - 2 == commands[i].nr_args)
			return commands[i].run(argc - 2, argv + 2);
	}
	for (i = 0; i < ARRAY_SIZE(commands); i++)
		fprintf(stderr, "usage: bench %s %s\n", commands[i].name,
			commands[i].usage);
	return 2;
}
