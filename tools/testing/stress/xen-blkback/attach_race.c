// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [TIME=seconds] attach_race
 *
 * Some processes attach loop devices as virtual disks, by the sequence number that they
 * had with the file that is meant. Another one gives the loop devices other files all the
 * while. A guest gets the file that was meant, or no disk. Both must have happened.
 */
#include <errno.h>
#include <linux/loop.h>
#include <linux/major.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "stress.h"
#include "xbb_test.h"

#define TIME		60
#define NR_LOOPS	4
#define NR_FILES	8
#define NR_ATTACHERS	4
#define FILES		"/tmp/file-"	/* each begins with its name */

/* Memory shared by all processes. */
struct race {
	int loops[NR_LOOPS];
	bool stop;
	bool failed;
	unsigned long tried;
	unsigned long swaps;
	unsigned long attached;
	unsigned long refused;
};

static struct race *race;

static void count(unsigned long *counter)
{
	__atomic_add_fetch(counter, 1, __ATOMIC_SEQ_CST);
}

static unsigned long tried(void)
{
	return __atomic_load_n(&race->tried, __ATOMIC_SEQ_CST);
}

static bool is_set(bool *flag)
{
	return __atomic_load_n(flag, __ATOMIC_SEQ_CST);
}

static void set(bool *flag)
{
	__atomic_store_n(flag, true, __ATOMIC_SEQ_CST);
}

static const char *file_name(unsigned int n)
{
	static char name[32];

	snprintf(name, sizeof(name), FILES "%u", n);
	return name;
}

/* One of the loop devices gets another file, if nobody has it open. */
static void swap(struct rng *rng)
{
	int n = race->loops[rng_below(rng, NR_LOOPS)];

	loop_detach(n);
	if (!loop_configure(n, file_name(rng_below(rng, NR_FILES)), 0))
		count(&race->swaps);
}

/* Find what the loop device has. The number tells whether that was so all the while. */
static unsigned long long lookup(int n, char *name, size_t size)
{
	unsigned long long seq = loop_seq(n);
	struct loop_info64 info;
	int fd = loop_open(n);
	bool ok = fd >= 0 && !ioctl(fd, LOOP_GET_STATUS64, &info);

	if (fd >= 0)
		close(fd);
	if (!ok || loop_seq(n) != seq)
		return 0;
	snprintf(name, size, "%s", info.lo_file_name);
	return seq;
}

static bool attach(struct vbd *vbd, unsigned int number, struct rng *rng)
{
	int n = race->loops[rng_below(rng, NR_LOOPS)], ret;
	unsigned long long seq;
	char name[64];

	seq = lookup(n, name, sizeof(name));
	if (!seq)
		return true;
	count(&race->tried);
	ret = vbd_create(vbd, number, "w") ?: vbd_give(vbd, "%llx@%x:%x", seq, LOOP_MAJOR, n);
	if (!ret)
		ret = vbd_result(vbd);
	if (!ret) {
		count(&race->attached);
		check(wait_until(begins_with(vbd->dev, FILES), SOON_MS),
		      "%s cannot be read", vbd->dev);
		check(begins_with(vbd->dev, name), "%s is not %s", vbd->dev, name);
	} else {
		count(&race->refused);
		check(ret == -ENODEV, "attaching %s: %d %s", name, ret, vbd_said);
		check(vbd_has(vbd, "opened", "0"), "opened, although refused");
		check(!vbd_has_node(vbd, "sectors"), "exported, although refused");
	}
	ret = vbd_remove(vbd);
	return check(!ret, "detaching %s: %d", vbd->dev, ret) && !failed();
}

static int attacher(unsigned int number, uint64_t seed)
{
	struct vbd vbd = {};
	struct rng rng;

	rng_init(&rng, seed);
	while (!is_set(&race->stop) && attach(&vbd, number, &rng))
		;
	return failed();
}

/* Swaps as often as disks are attached, so that some are in time and some are not. */
static int churner(uint64_t seed)
{
	struct rng rng;

	rng_init(&rng, seed);
	while (!is_set(&race->stop)) {
		unsigned long target = tried() + rng_below(&rng, NR_ATTACHERS);

		while (!is_set(&race->stop) && tried() < target)
			poll_pause();
		swap(&rng);
	}
	return 0;
}

/* The last child is the churner. */
static pid_t start(unsigned int number, struct rng *rng)
{
	uint64_t seed = rng_next(rng);
	pid_t pid = fork();

	if (!pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		pid = number == NR_ATTACHERS ? churner(seed) : attacher(number, seed);
		if (pid)
			set(&race->failed);
		_exit(pid);
	}
	return pid;
}

static bool prepare(void)
{
	for (unsigned int i = 0; i < NR_FILES; i++)
		if (image_create(file_name(i), file_name(i), 1 << 20))
			return false;
	if (load_module("loop") || load_module("xen-blkfront") || load_module("xen-blkback"))
		return false;
	for (unsigned int i = 0; i < NR_LOOPS; i++) {
		race->loops[i] = loop_attach(file_name(i), 0);
		if (race->loops[i] < 0)
			return false;
	}
	return true;
}

static void finish(void)
{
	for (unsigned int i = 0; i < NR_LOOPS; i++) {
		if (loop_attached(race->loops[i]))
			loop_detach(race->loops[i]);
		check(wait_until(!loop_attached(race->loops[i]), SOON_MS),
		      "loop%d is still held", race->loops[i]);
	}
	for (unsigned int i = 0; i < NR_FILES; i++)
		unlink(file_name(i));
	check(!unload_soon("xen_blkback"), "cannot unload the module");
}

int main(void)
{
	unsigned long seconds = stress_param("TIME", TIME), seed = stress_seed();
	unsigned long long end;
	pid_t pids[NR_ATTACHERS + 1];
	struct rng rng;

	race = mmap(NULL, sizeof(*race), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		    -1, 0);
	if (race == MAP_FAILED)
		abort();
	stress_begin("attach_race");
	diag("SEED=%lu TIME=%lu", seed, seconds);
	rng_init(&rng, seed);
	if (check(prepare(), "cannot prepare the loop devices")) {
		for (unsigned int i = 0; i <= NR_ATTACHERS; i++)
			pids[i] = start(i, &rng);
		end = now_ms() + seconds * 1000;
		while (!is_set(&race->failed) && now_ms() < end)
			poll_pause();
		set(&race->stop);
		for (unsigned int i = 0; i <= NR_ATTACHERS; i++)
			waitpid(pids[i], NULL, 0);
		diag("%lu swaps, %lu attached, %lu refused", race->swaps, race->attached,
		     race->refused);
		check(!race->failed, "a process has failed");
		check(race->attached && race->refused, "only one of both outcomes");
	}
	finish();
	check_leaks();
	stress_end();
	return stress_status();
}
