/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the stress programs: repeatable random numbers, counts of outcomes,
 * and a verdict per test. A splat in the kernel log fails the test.
 *
 * A program prints diagnostics, then "ok - NAME" or "not ok - NAME" per test.
 */
#ifndef STRESS_H
#define STRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define ARRAY_SIZE(array) (sizeof(array) / sizeof((array)[0]))

/* The same seed gives the same numbers; one generator per thread. */
struct rng {
	uint64_t state;
};

void rng_init(struct rng *rng, uint64_t seed);
uint64_t rng_next(struct rng *rng);
/* 0 to @n - 1. */
uint32_t rng_below(struct rng *rng, uint32_t n);
/* True @n times in 1000. */
bool rng_permille(struct rng *rng, uint32_t n);
void rng_uuid(struct rng *rng, char uuid[37]);

/* SEED from the environment, or a random number from the kernel. */
unsigned long stress_seed(void);
/* @name from the environment, or @value. */
unsigned long stress_param(const char *name, unsigned long value);

/* Counts the outcomes of one kind of call. Any thread may add. */
#define TALLY_ERRNOS 134

struct tally {
	const char *name;
	unsigned long done;			/* returned 0 or more */
	unsigned long failed[TALLY_ERRNOS];	/* by errno */
};

/* @ret is a result or a negative errno. */
void tally_add(struct tally *tally, long ret);
unsigned long tally_total(const struct tally *tally);
void tally_print(const struct tally *tally);

/* Begin and end a test; stress_end() prints the verdict. */
void stress_begin(const char *name);
void stress_end(void);
void stress_skip(const char *name, const char *reason);
/* The program's exit status. */
int stress_status(void);

void diag(const char *fmt, ...) __printf(1, 2);
/* Fail the test. Prints only the first 20 messages. Any thread may call it. */
void fail(const char *fmt, ...) __printf(1, 2);
bool failed(void);

#define check(cond, fmt, ...) ({					\
	bool ok_ = (cond);						\
									\
	if (!ok_)							\
		fail(fmt, ##__VA_ARGS__);				\
	ok_;								\
})

/*
 * Unload @modules, a NULL-terminated list, waiting for late releases. Fails the
 * test if one stays loaded.
 */
void unload_all(const char * const *modules);
/* Fail the test if kmemleak finds anything. No-op without kmemleak. */
void check_leaks(void);

#endif /* STRESS_H */
