/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The benchmark program. It sees devices only as files: writing a name to one file
 * creates a device, and each device has a "remove" below one directory. So the
 * same code measures the stock core, ours and the floor.
 *
 * Results are lines "= ROW ALIVE UNIT VALUE" on stdout. Any failure ends the
 * program, as it leaves no number to report.
 */
#ifndef BENCH_H
#define BENCH_H

#include <stddef.h>
#include <stdint.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

#define NAME_SIZE 37

struct device {
	char name[NAME_SIZE];
};

/* A kind of device. */
struct kind {
	const char *create;	/* the file */
	const char *devices;	/* the directory */
};

/* devices.c */
void __noreturn die(const char *fmt, ...) __printf(1, 2);
/* In nanoseconds. If the clock counts instructions, one is one instruction. */
uint64_t now(void);
void result(const char *row, unsigned int alive, const char *unit, double value);
uint32_t random_below(uint32_t n);
/* Names are unique, and the same in each run. */
void new_name(char name[NAME_SIZE]);
int open_file(const char *path, int flags);
void write_file(int fd, const char *text, const char *what);
void create_device(int create, const char *name);
void create_devices(const char *path, unsigned long n);
/* Returns the time of the write, without opening and closing the file. */
uint64_t remove_device(const struct kind *kind, const char *name);

/* The commands. Each returns the program's exit status. */
int cmd_scale(int argc, char **argv);
int cmd_fill(int argc, char **argv);
int cmd_write(int argc, char **argv);
int cmd_memory(int argc, char **argv);
int cmd_writers(int argc, char **argv);
int cmd_slow(int argc, char **argv);
int cmd_region(int argc, char **argv);

#endif /* BENCH_H */
