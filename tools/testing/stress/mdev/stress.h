/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the stress programs: repeatable randomness, counts of outcomes,
 * and a verdict per test that the kernel log has a say in.
 *
 * A program prints "ok - NAME" or "not ok - NAME" per test, and the numbers
 * before it as diagnostics.
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

/* SEED in the environment, or one of the kernel's. */
unsigned long stress_seed(void);
/* @name in the environment, or @value. */
unsigned long stress_param(const char *name, unsigned long value);

/* How often a kind of call came to what. Any thread may add. */
#define TALLY_ERRNOS 134

struct tally {
	const char *name;
	unsigned long done;			/* 0 or more */
	unsigned long failed[TALLY_ERRNOS];	/* by errno */
};

/* @ret is a result or a negative errno. */
void tally_add(struct tally *tally, long ret);
unsigned long tally_total(const struct tally *tally);
void tally_print(const struct tally *tally);

/* Between these two is one test. The second prints the verdict. */
void stress_begin(const char *name);
void stress_end(void);
void stress_skip(const char *name, const char *reason);
/* Exit status of the program. */
int stress_status(void);

void diag(const char *fmt, ...) __printf(1, 2);
/* The test has failed; only the first few are printed. Any thread may call. */
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
 * Nothing of ours may be left: unload the modules that are named, NULL at the
 * end, waiting for what is released late. A failure fails the test.
 */
void unload_all(const char * const *modules);
/* Where there is kmemleak: it must find nothing. */
void check_leaks(void);

#endif /* STRESS_H */
