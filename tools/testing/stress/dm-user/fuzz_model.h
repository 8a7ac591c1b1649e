/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Predicts the results of calls on channels, and which bytes answer which request, from
 * the rules of <linux/dm-user.h>, independently of the driver's code.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <semaphore.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "dmu_test.h"

#define NR_CHANNELS	4
#define NR_USERS	6
/* Each user has its own sectors, so a request tells whose it is. */
#define USER_SECTORS	64
#define MAX_LEN		8192

/* A process that does one I/O at a time; the fuzzer says which. In shared memory. */
enum { USER_IDLE, USER_RUNNING, USER_DONE };

struct user {
	int state;
	sem_t go;
	int op;			/* enum io_op, or USER_QUIT */
	uint64_t sector;
	uint64_t len;
	int result;		/* 0 or a negative errno */
	uint64_t data[MAX_LEN / sizeof(uint64_t)] __aligned(4096);
};

#define USER_QUIT (-1)

/* Where the model has a user's request. */
enum {
	NONE,
	SUBMITTED,	/* queued, or on its way there */
	FETCHED,	/* a channel has read its header */
	ANSWERED,	/* it has ended; the user may not know yet */
};

/**
 * struct request - what the model knows of a user's request
 * @state: see above.
 * @type: DM_USER_REQ_MAP_*.
 * @delivered: its header was read at least once; @seq is known.
 * @answerable: FETCHED, and it was read whole.
 * @may_time_out: it was on its way when all requests were failed.
 * @may_fail: a revoked channel may still write its sectors.
 * @result: what the user must get, if ANSWERED.
 * @data: what a read must return.
 */
struct request {
	int state;
	uint64_t type;
	uint64_t sector;
	uint64_t len;
	uint64_t seq;
	bool delivered;
	bool answerable;
	bool may_time_out;
	bool may_fail;
	int channel;
	int result;
	unsigned char data[MAX_LEN];
};

/**
 * struct channel - what the model knows of a channel
 * @reading: a request was fetched and is not read whole.
 * @out: the part of its header that was read.
 * @out_pos: bytes read, header included.
 * @out_user: whose it is, once the header is complete.
 * @in: the part of a reply's header that was written.
 * @in_pos: bytes written, header included.
 * @in_user: whose request gets the data that follows; -1 in a header.
 * @revoked: its calls return ESTALE.
 * @stale: users whose sectors it may still write.
 */
struct channel {
	int fd;
	bool reading;
	struct dm_user_message out;
	size_t out_pos;
	int out_user;
	struct dm_user_message in;
	size_t in_pos;
	int in_user;
	bool revoked;
	bool stale[NR_USERS];
};

/* Memory passed to a call: kernel addresses are refused before anything else. */
struct memory {
	unsigned char *at;
	size_t there;		/* accessible bytes */
	bool kernel;
};

extern struct request requests[NR_USERS];
extern struct channel channels[NR_CHANNELS];
extern struct user *users;

/* The fuzzer lets this user do an I/O. */
void model_submit(int user);
/* A user's I/O has ended with users[user].result. Fails the test if it is wrong. */
void model_done(int user);
/* read() and write() with @ret; fail the test if it is wrong. */
void model_read(struct channel *ch, const struct memory *mem, size_t len, ssize_t ret);
void model_write(struct channel *ch, const struct memory *mem, size_t len, ssize_t ret);
/* poll() with these events. */
void model_poll(struct channel *ch, short events);
void model_opened(struct channel *ch, int fd);
/* Call it before close(). */
void model_close(struct channel *ch);
/* The message "fail" was sent. */
void model_fail(void);
/* Are there requests, and no channel has any of them? */
bool model_expects_request(void);
/* From now on a daemon with an empty disk does all that it is asked. */
void model_drain(void);
/* Requests that channels have fetched, as the status says. */
unsigned int model_inflight(void);

#endif /* FUZZ_MODEL_H */
