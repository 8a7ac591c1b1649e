// SPDX-License-Identifier: GPL-2.0-only
/* The commands of the measuring program, see bench.h. */
#include <signal.h>
#include <string.h>

#include "bench.h"

static const struct {
	const char *name;
	int nr_args;
	int (*run)(char **argv);
	const char *usage;
} commands[] = {
	{ "io", 6, cmd_io, "ROW DEVICE read|write random|sequential DEPTH,SIZE COUNT" },
	{ "dm-user", 1, cmd_dm_user, "CONTROL" },
	{ "remap", 1, cmd_remap, "CONTROL" },
	{ "ublk", 0, cmd_ublk, "" },
};

#define NR_COMMANDS (sizeof(commands) / sizeof(*commands))

static bool ended;

static void on_end(int sig)
{
	(void)sig;
	__atomic_store_n(&ended, true, __ATOMIC_RELAXED);
}

void catch_end(void)
{
	struct sigaction action = { .sa_handler = on_end };

	sigaction(SIGTERM, &action, NULL);
}

bool has_to_end(void)
{
	return __atomic_load_n(&ended, __ATOMIC_RELAXED);
}

void print_calls(unsigned long long calls, unsigned long long requests)
{
	printf("calls %.4f\n", requests ? (double)calls / requests : 0);
}

int main(int argc, char **argv)
{
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; argc > 1 && i < NR_COMMANDS; i++) {
		if (!strcmp(argv[1], commands[i].name) && argc - 2 == commands[i].nr_args)
			return commands[i].run(argv + 2);
	}
	for (size_t i = 0; i < NR_COMMANDS; i++)
		fprintf(stderr, "usage: bench %s %s\n", commands[i].name, commands[i].usage);
	return 2;
}
