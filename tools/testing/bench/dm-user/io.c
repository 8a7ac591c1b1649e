// SPDX-License-Identifier: GPL-2.0-only
/*
 * Keeps a number of requests in flight, and prints the time that each took, in the best of
 * some rounds.
 */
#include <fcntl.h>
#include <liburing.h>
#include <string.h>
#include <time.h>

#include "bench.h"

#define ROUNDS 8

struct load {
	struct io_uring ring;
	int fd;
	bool writes, random;
	unsigned int depth, size;
	unsigned long long count, submitted;
	unsigned int seed;
	char *buffers;
};

static long long now_ns(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec * 1000000000LL + ts.tv_nsec;
}

static void submit(struct load *l, unsigned int slot)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(&l->ring);
	unsigned long long places = DISK_SIZE / l->size, place = l->submitted++;
	char *buffer = l->buffers + (size_t)slot * l->size;

	if (l->random) {
		l->seed = l->seed * 1103515245 + 12345;
		place = l->seed >> 4;
	}
	place = place % places * l->size;
	if (l->writes)
		io_uring_prep_write(sqe, l->fd, buffer, l->size, place);
	else
		io_uring_prep_read(sqe, l->fd, buffer, l->size, place);
	io_uring_sqe_set_data64(sqe, slot);
}

/* Returns the nanoseconds that it took. */
static long long run(struct load *l, unsigned long long count)
{
	unsigned long long done = 0;
	long long begin = now_ns();

	l->submitted = 0;
	for (unsigned int slot = 0; slot < l->depth; slot++)
		submit(l, slot);
	while (done < count) {
		struct io_uring_cqe *cqe;
		unsigned int head, n = 0;

		if (io_uring_submit_and_wait(&l->ring, 1) < 0)
			fail("submit");
		io_uring_for_each_cqe(&l->ring, head, cqe) {
			if (cqe->res != (int)l->size) {
				errno = -cqe->res;
				fail("I/O of %u bytes", l->size);
			}
			n++;
			if (l->submitted < count)
				submit(l, cqe->user_data);
		}
		io_uring_cq_advance(&l->ring, n);
		done += n;
	}
	return now_ns() - begin;
}

int cmd_io(char **argv)
{
	struct load l = { .seed = 1 };
	long long ns, best = 0;

	l.writes = !strcmp(argv[2], "write");
	l.random = !strcmp(argv[3], "random");
	if (sscanf(argv[4], "%u,%u", &l.depth, &l.size) != 2)
		return 2;
	l.count = atoll(argv[5]);
	l.fd = open(argv[1], O_RDWR | O_DIRECT | O_CLOEXEC);
	if (l.fd < 0)
		fail("%s", argv[1]);
	errno = -io_uring_queue_init(l.depth, &l.ring, 0);
	if (errno)
		fail("io_uring");
	l.buffers = aligned_alloc(4096, (size_t)l.depth * l.size);
	memset(l.buffers, 1, (size_t)l.depth * l.size);
	for (int round = 0; round < ROUNDS; round++) {
		ns = run(&l, l.count);
		if (!round || ns < best)
			best = ns;
	}
	printf("= %s %.0f\n", argv[0], (double)best / l.count);
	return 0;
}
