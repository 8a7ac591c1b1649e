// SPDX-License-Identifier: GPL-2.0-only
/* The processes that read and write while the soak test kills daemons. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "soak.h"

#define WORDS		(SECTOR / sizeof(uint64_t))
#define OWN_SECTORS	(SECTORS / NR_WRITERS)

/* Each word of a sector encodes the sector, its generation and the index of the word. */
static uint64_t word(uint64_t sector, uint64_t generation, unsigned int i)
{
	/* A disk that was never written has zeroes. */
	return generation ? sector << 48 | generation << 8 | i : 0;
}

static uint64_t generation_of(uint64_t word)
{
	return word << 16 >> 24;
}

static void check_sector(const uint64_t *data, uint64_t sector, uint64_t from, uint64_t to)
{
	for (unsigned int i = 0; i < WORDS; i++) {
		uint64_t generation = generation_of(data[i]);

		if (!check(data[i] == word(sector, generation, i),
			   "sector %lu has %016lx at word %u", sector, data[i], i) ||
		    !check(generation >= from && generation <= to,
			   "sector %lu has generation %lu, not %lu to %lu", sector,
			   generation, from, to))
			return;
	}
}

struct writer {
	struct writer_op *op;
	struct rng rng;
	int fd;
	uint64_t first;
	uint64_t (*buf)[WORDS];
};

static void start(struct writer *w, uint64_t type, uint64_t sector, unsigned int nr)
{
	w->op->type = type;
	w->op->sector = sector;
	w->op->len = nr * SECTOR;
	store(w->op->state, RUNNING);
}

/* Returns true if it has succeeded. */
static bool end(struct writer *w, ssize_t n)
{
	int error = n < 0 ? errno : 0;

	if (!error) {
		check(n == (ssize_t)w->op->len, "%zd of %lu bytes", n, w->op->len);
		store(w->op->state, IDLE);
		return true;
	}
	if (!check(error == EIO && soak->may_fail, "type %lu, sector %lu: %s",
		   w->op->type, w->op->sector, strerror(error)))
		return false;
	store(w->op->state, FAILED);
	check(wait_until(load(w->op->state) == IDLE, 2 * SOON_MS),
	      "type %lu, sector %lu: EIO, and no daemon was killed", w->op->type,
	      w->op->sector);
	return false;
}

static void do_read(struct writer *w, uint64_t sector, unsigned int nr)
{
	uint64_t done[MAX_LEN];
	unsigned int i;

	for (i = 0; i < nr; i++)
		done[i] = load(soak->done[sector + i]);
	start(w, DM_USER_REQ_MAP_READ, sector, nr);
	if (!end(w, pread(w->fd, w->buf, nr * SECTOR, sector * SECTOR)))
		return;
	for (i = 0; i < nr; i++)
		check_sector(w->buf[i], sector + i, done[i], load(soak->begun[sector + i]));
	add(soak->reads, 1);
}

static void do_write(struct writer *w, uint64_t sector, unsigned int nr)
{
	unsigned int i, j;

	for (i = 0; i < nr; i++) {
		uint64_t generation = add(soak->begun[sector + i], 1);

		for (j = 0; j < WORDS; j++)
			w->buf[i][j] = word(sector + i, generation, j);
	}
	start(w, DM_USER_REQ_MAP_WRITE, sector, nr);
	if (!end(w, pwrite(w->fd, w->buf, nr * SECTOR, sector * SECTOR)))
		return;
	for (i = 0; i < nr; i++)
		store(soak->done[sector + i], load(soak->begun[sector + i]));
	add(soak->writes, 1);
}

static void do_flush(struct writer *w)
{
	start(w, DM_USER_REQ_MAP_FLUSH, 0, 0);
	if (end(w, fsync(w->fd)))
		add(soak->flushes, 1);
}

static bool writer_open(struct writer *w)
{
	w->fd = open(DISK, O_RDWR | O_DIRECT | O_CLOEXEC);
	return check(w->fd >= 0 &&
		     !posix_memalign((void **)&w->buf, 4096, MAX_LEN * SECTOR),
		     "cannot open " DISK);
}

int soak_writer(int number, uint64_t seed)
{
	struct writer w = { .op = &soak->ops[number], .first = number * OWN_SECTORS };

	rng_init(&w.rng, seed);
	if (!writer_open(&w))
		return 1;
	while (!load(soak->stop) && !failed()) {
		uint32_t what = rng_below(&w.rng, 100);
		unsigned int nr = 1 + rng_below(&w.rng, what % 4 ? 8 : MAX_LEN);

		if (what < 4)
			do_flush(&w);
		else if (what < 50)
			do_read(&w, rng_below(&w.rng, SECTORS - nr + 1), nr);
		else
			do_write(&w, w.first + rng_below(&w.rng, OWN_SECTORS - nr + 1),
				 nr);
	}
	return failed();
}

void soak_verify(void)
{
	struct writer w = {};
	uint64_t sector;

	if (!writer_open(&w))
		return;
	for (sector = 0; sector < SECTORS && !failed(); sector += MAX_LEN) {
		if (!check(pread(w.fd, w.buf, MAX_LEN * SECTOR, sector * SECTOR) ==
			   MAX_LEN * SECTOR, "cannot read sector %lu", sector))
			break;
		for (unsigned int i = 0; i < MAX_LEN; i++)
			check_sector(w.buf[i], sector + i, soak->done[sector + i],
				     soak->begun[sector + i]);
	}
	free(w.buf);
	close(w.fd);
}
