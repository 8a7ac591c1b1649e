// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [KILLS=n] kill_soak
 *
 * Kills daemons by SIGKILL while processes read and write the disk, until KILLS of them
 * had requests in flight. With "on_exit redeliver" there is no I/O error, and each read
 * returns what the last write wrote. With "on_exit error" those requests fail that the
 * daemon had fetched, before another daemon comes, and no others.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dm_calls.h"
#include "soak.h"

#define KILLS		1000
#define STUCK_MS	120000

struct soak *soak;

/*
 * Device mapper splits requests at multiples of max_io_kib, here the size of the disk:
 * each read or write of a writer is one request.
 */
static const struct phase {
	const char *name;
	const char *features;
	bool may_fail;
} phases[] = {
	{ "kill_soak_redeliver", "4 timeout_ms 0 max_io_kib 8192", false },
	{ "kill_soak_error", "6 timeout_ms 0 max_io_kib 8192 on_exit error", true },
};

/* Requests in flight when daemons were killed: all, and by the state of the daemon. */
static unsigned long lost, lost_unread, idle_kills;

static pid_t start_child(void)
{
	pid_t pid = fork();

	if (!pid)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return pid;
}

static pid_t start_writer(int number, struct rng *rng)
{
	uint64_t seed = rng_next(rng);
	pid_t pid = start_child();

	if (!pid)
		_exit(soak_writer(number, seed));
	return pid;
}

static pid_t start_daemon(struct rng *rng)
{
	uint64_t seed = rng_next(rng);
	pid_t pid;
	int ret;

	memset(soak->lanes, 0, sizeof(soak->lanes));
	pid = start_child();
	if (!pid) {
		ret = soak_daemon(seed);
		if (ret)
			diag("a daemon has failed: %s", strerror(-ret));
		_exit(!!ret);
	}
	return pid;
}

static bool holds_something(void)
{
	for (int i = 0; i < NR_CHANNELS; i++)
		for (int j = 0; j < MAX_HELD; j++)
			if (load(soak->lanes[i].held[j].state) != FREE)
				return true;
	return false;
}

static unsigned int failed_writers(void)
{
	unsigned int nr = 0;

	for (int i = 0; i < NR_WRITERS; i++)
		nr += load(soak->ops[i].state) == FAILED;
	return nr;
}

/* Was it with the killed daemon? Forgets it, so that it cannot fail twice. */
static bool was_held(const struct writer_op *op)
{
	for (int i = 0; i < NR_CHANNELS; i++) {
		for (int j = 0; j < MAX_HELD; j++) {
			struct held *h = &soak->lanes[i].held[j];

			if (h->state != FREE && h->type == op->type &&
			    h->sector == op->sector && h->len == op->len) {
				h->state = FREE;
				return true;
			}
		}
	}
	return false;
}

/* The daemon was killed with @nr requests in flight. No other one runs yet. */
static void check_failed(unsigned int nr, unsigned int unread)
{
	check(wait_until(failed_writers() >= nr, SOON_MS),
	      "%u requests have failed at the kill, %u writers know", nr,
	      failed_writers());
	check(failed_writers() == nr, "%u requests have failed at the kill, %u writers say so",
	      nr, failed_writers());
	for (int i = 0; i < NR_WRITERS; i++) {
		struct writer_op *op = &soak->ops[i];

		if (load(op->state) != FAILED)
			continue;
		if (!was_held(op)) {
			check(unread, "EIO, and the daemon did not have it: type %lu, sector %lu",
			      op->type, op->sector);
			unread -= !!unread;
		}
		store(op->state, IDLE);
	}
}

/* Compare what the kernel says was in flight with what the daemon has said. */
static bool account(const struct phase *phase, unsigned int nr)
{
	unsigned int held = 0, answering = 0, unread = 0;

	for (int i = 0; i < NR_CHANNELS; i++) {
		unread += soak->lanes[i].reading;
		for (int j = 0; j < MAX_HELD; j++) {
			held += soak->lanes[i].held[j].state == HELD;
			answering += soak->lanes[i].held[j].state == ANSWERING;
		}
	}
	check(nr >= held && nr <= held + answering + unread,
	      "%u requests in flight; the daemon held %u, answered %u, read %u", nr,
	      held, answering, unread);
	if (nr > held + answering)
		lost_unread += nr - held - answering;
	if (phase->may_fail)
		check_failed(nr, unread);
	lost += nr;
	return nr;
}

static void kill_daemons(const struct phase *phase, unsigned long kills, struct rng *rng)
{
	const char *counter = phase->may_fail ? "errors" : "redelivered";
	long long before = 0, now;
	pid_t daemon = start_daemon(rng);
	unsigned long counted = 0;
	int status;

	while (counted < kills && !failed()) {
		unsigned long target = load(soak->served) + rng_below(rng, 64);

		if (!check(wait_until(load(soak->served) >= target && holds_something(),
				      STUCK_MS), "nothing is served"))
			break;
		kill(daemon, SIGKILL);
		waitpid(daemon, &status, 0);
		check(WIFSIGNALED(status), "the daemon has ended by itself: %d",
		      WEXITSTATUS(status));
		now = dm_number("t", counter);
		check(!dm_number("t", "inflight"), "requests of a daemon that is dead");
		if (!account(phase, now - before))
			idle_kills++;
		else if (++counted % 100 == 0)
			diag("%lu killed so far", counted);
		before = now;
		daemon = start_daemon(rng);
	}
	store(soak->stop, true);
	diag("%lu daemons killed with %lu requests in flight, %lu of them read in part; %lu idle",
	     counted, lost, lost_unread, idle_kills);
	check(phase->may_fail || !dm_number("t", "errors"), "errors in the status");
	check(!dm_number("t", "timeouts"), "timeouts in the status");
}

static void end_writers(const pid_t *writers)
{
	int status;

	for (int i = 0; i < NR_WRITERS; i++) {
		if (!check(wait_until(waitpid(writers[i], &status, WNOHANG) == writers[i],
				      STUCK_MS), "writer %d does not end", i))
			kill(writers[i], SIGKILL);
		else
			check(!status, "writer %d has failed", i);
	}
}

/* The last daemon serves until the device is gone. */
static void end_daemon(void)
{
	int status;

	check(!dm("remove --retry t"), "%s", dm_said);
	if (!check(wait_until(waitpid(-1, &status, WNOHANG) > 0, STUCK_MS),
		   "the daemon does not end"))
		return;
	check(WIFEXITED(status) && !WEXITSTATUS(status), "the daemon has failed: %x",
	      status);
}

static void run_phase(const struct phase *phase, unsigned long kills, unsigned long seed)
{
	pid_t writers[NR_WRITERS];
	struct rng rng;

	stress_begin(phase->name);
	diag("SEED=%lu KILLS=%lu", seed, kills);
	rng_init(&rng, seed);
	memset(soak, 0, sizeof(*soak));
	soak->may_fail = phase->may_fail;
	lost = 0;
	lost_unread = 0;
	idle_kills = 0;
	if (check(!module_load() && !dm_open() && !disk_create(phase->features),
		  "cannot make the device: %s", dm_said)) {
		for (int i = 0; i < NR_WRITERS; i++)
			writers[i] = start_writer(i, &rng);
		kill_daemons(phase, kills, &rng);
		end_writers(writers);
		diag("%lu reads, %lu writes, %lu flushes", soak->reads, soak->writes,
		     soak->flushes);
		soak_verify();
		end_daemon();
	}
	check(!module_unload(), "cannot unload the module");
	check_leaks();
	stress_end();
}

int main(void)
{
	unsigned long kills = stress_param("KILLS", KILLS);
	unsigned long seed = stress_seed();

	soak = mmap(NULL, sizeof(*soak), PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (soak == MAP_FAILED)
		abort();
	for (size_t i = 0; i < ARRAY_SIZE(phases); i++)
		run_phase(&phases[i], kills, seed);
	return stress_status();
}
