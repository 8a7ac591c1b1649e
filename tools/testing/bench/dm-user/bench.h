/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The measuring program: "io" loads a block device, "dm-user" and "ublk" are daemons that
 * answer each request at once without looking at its data.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

/* Requests that a daemon has at once. */
#define DEPTH 32
#define MAX_IO (1024 * 1024)
#define DISK_SIZE (1024ULL * 1024 * 1024)

#define fail(...) do {							\
	fprintf(stderr, __VA_ARGS__);					\
	fprintf(stderr, ": %m\n");					\
	exit(1);							\
} while (0)

int cmd_io(char **argv);
int cmd_dm_user(char **argv);
int cmd_remap(char **argv);
int cmd_ublk(char **argv);

/* Daemons end by SIGTERM, and then print their system calls for each request. */
void catch_end(void);
bool has_to_end(void);
void print_calls(unsigned long long calls, unsigned long long requests);

#endif
