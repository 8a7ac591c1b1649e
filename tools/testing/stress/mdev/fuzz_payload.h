/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to write to sysfs files, and ways to write them. */
#ifndef FUZZ_PAYLOAD_H
#define FUZZ_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stress.h"

/* sysfs passes on at most this much of a write; a longer write is short. */
#define SYSFS_MAX	4096
#define PAYLOAD_MAX	(SYSFS_MAX + 512)

struct payload {
	unsigned char data[PAYLOAD_MAX];
	size_t len;
};

/*
 * Derive a payload from @good, a UUID or a number. @right in 1000 are valid, most
 * are wrong in a few places, and some are unrelated to @good.
 */
void payload_make(struct payload *p, struct rng *rng, const char *good,
		  unsigned int right);
/* A word that some file may accept, or bytes that none does. */
void payload_word(struct payload *p, struct rng *rng, const char *name);

/*
 * How to write a payload: by pwrite(2), or by pwritev(2) in pieces. The memory
 * ends right after the payload or, if @beyond, in its middle.
 */
struct delivery {
	off_t offset;
	unsigned int pieces;	/* 0: pwrite() */
	bool beyond;
};

void delivery_choose(struct delivery *how, struct rng *rng);
/* One system call. Returns its result or a negative errno. */
ssize_t deliver(int fd, const struct payload *p, const struct delivery *how,
		struct rng *rng);
/*
 * The result before any file looks at the bytes: a negative errno, or the number
 * of bytes passed to its store function.
 */
ssize_t delivery_expect(const struct payload *p, const struct delivery *how);

#endif /* FUZZ_PAYLOAD_H */
