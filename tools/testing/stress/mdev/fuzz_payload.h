/* SPDX-License-Identifier: GPL-2.0-only */
/* Bytes to write to sysfs files, and ways to write them. */
#ifndef FUZZ_PAYLOAD_H
#define FUZZ_PAYLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "stress.h"

/* What sysfs passes on of one write; the rest is left for the next one. */
#define SYSFS_MAX	4096
#define PAYLOAD_MAX	(SYSFS_MAX + 512)

struct payload {
	unsigned char data[PAYLOAD_MAX];
	size_t len;
};

/*
 * Something like @good, a UUID or a number: seldom right, mostly wrong in a few
 * places, sometimes nothing like it. @right is how many in 1000 are right.
 */
void payload_make(struct payload *p, struct rng *rng, const char *good,
		  unsigned int right);
/* A word that some file may understand, or bytes that none does. */
void payload_word(struct payload *p, struct rng *rng, const char *name);

/*
 * How a payload goes out: pwrite(2) or writev(2) in pieces, with the end of the
 * memory just behind it or, if @beyond, within.
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
 * What any file makes of that call before it looks at the bytes: a negative
 * errno, or how many bytes its store function is given.
 */
ssize_t delivery_expect(const struct payload *p, const struct delivery *how);

#endif /* FUZZ_PAYLOAD_H */
