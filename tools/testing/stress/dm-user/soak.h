/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the processes of the soak test: the disk's contents, and who knows what of
 * them. All of it is in memory that they share.
 *
 * Each sector has a generation, which each write of it raises by one, and only one
 * process writes it. A read may return the generations from the last write that was
 * done when the read began to the last one that had begun when it was done.
 */
#ifndef SOAK_H
#define SOAK_H

#include <stdbool.h>
#include <stdint.h>

#include "dmu_test.h"
#include "stress.h"

#define SECTOR		512
#define NR_WRITERS	8
#define NR_CHANNELS	2
/* The most that one channel holds, and the most sectors of one request. */
#define MAX_HELD	8
#define MAX_LEN		64

#define load(x)		__atomic_load_n(&(x), __ATOMIC_SEQ_CST)
#define store(x, v)	__atomic_store_n(&(x), (v), __ATOMIC_SEQ_CST)
#define add(x, v)	__atomic_add_fetch(&(x), (v), __ATOMIC_SEQ_CST)

/* A request that the daemon holds. */
enum { FREE, HELD, ANSWERING };

struct held {
	int state;
	uint64_t seq;
	uint64_t type;
	uint64_t sector;
	uint64_t len;
};

/**
 * struct lane - what the daemon says of a channel
 * @reading: it reads a header, so it may have a request that is not in @held.
 */
struct lane {
	bool reading;
	struct held held[MAX_HELD];
};

/* State of a writer. */
enum { IDLE, RUNNING, FAILED };

struct writer_op {
	int state;
	uint64_t type;
	uint64_t sector;
	uint64_t len;
};

/**
 * struct soak - the shared memory
 * @disk: the contents, which survive each daemon.
 * @begun: by sector, the generation of the last write that has begun.
 * @done: by sector, that of the last write that has succeeded.
 * @lanes: of the daemon that runs, or was killed.
 * @served: requests that all daemons have answered.
 * @ops: what each writer does. A writer whose request fails waits until the killer
 *	has seen that.
 * @stop: the writers are to end.
 */
struct soak {
	uint64_t disk[SECTORS][SECTOR / sizeof(uint64_t)];
	uint64_t begun[SECTORS];
	uint64_t done[SECTORS];
	struct lane lanes[NR_CHANNELS];
	unsigned long served;
	struct writer_op ops[NR_WRITERS];
	unsigned long reads;
	unsigned long writes;
	unsigned long flushes;
	bool may_fail;
	bool stop;
};

extern struct soak *soak;

/* soak_daemon.c: serve until the device is gone; runs in a process of its own. */
int soak_daemon(uint64_t seed);
/* soak_writer.c: read and write until soak->stop; runs in a process of its own. */
int soak_writer(int number, uint64_t seed);
/* Read all of the device and compare. */
void soak_verify(void);

#endif /* SOAK_H */
