// SPDX-License-Identifier: GPL-2.0-only
/* Threads that act on devices they did not create. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "soak.h"
#include "vfio_user.h"

#define MAX_THREADS	64
#define HOLD_PAUSES	40

static struct tally tally_rival = { .name = "remove by somebody else" };
static struct tally tally_open = { .name = "open and use" };
static struct tally tally_read = { .name = "attributes read" };
static struct tally tally_unbind = { .name = "unbind by hand" };
static struct tally tally_bind = { .name = "bind by hand" };
static unsigned long signals;

static bool stop;

/* Threads to signal; those in a remove are exposed. */
static pthread_t targets[MAX_THREADS];
static bool exposed[MAX_THREADS];
static int nr_targets;
static __thread int my_target = -1;
/* Held while signalling, so that the target cannot exit. */
static pthread_mutex_t targets_lock = PTHREAD_MUTEX_INITIALIZER;

void others_signals(bool on)
{
	if (my_target < 0) {
		my_target = add(nr_targets, 1) - 1;
		if (my_target >= MAX_THREADS)
			abort();
		targets[my_target] = pthread_self();
	}
	/* Once this is off, no further signal is sent. */
	pthread_mutex_lock(&targets_lock);
	exposed[my_target] = on;
	pthread_mutex_unlock(&targets_lock);
}

/* Returns an open slot, whose owner waits until slot_put(), or NULL. */
static struct soak_slot *slot_get(struct rng *rng)
{
	struct soak_slot *slot = &soak_slots[rng_below(rng, NR_SLOTS)];

	add(slot->busy, 1);
	if (load(slot->open))
		return slot;
	add(slot->busy, -1);
	return NULL;
}

static void slot_put(struct soak_slot *slot)
{
	add(slot->busy, -1);
}

/* The loop of each thread: call @act about once per @period creates. */
static void live(struct rng *rng, unsigned int period,
		 void (*act)(struct soak_slot *, struct rng *))
{
	unsigned long next = load(soak_creates);
	struct soak_slot *slot;

	while (!load(stop)) {
		slot = load(soak_creates) < next ? NULL : slot_get(rng);
		if (!slot) {
			poll_pause();
			continue;
		}
		act(slot, rng);
		slot_put(slot);
		next = load(soak_creates) + rng_below(rng, 2 * period + 1);
	}
}

static void rival(struct soak_slot *slot, struct rng *rng)
{
	int ret = soak_remove(slot, &tally_rival);

	(void)rng;
	switch (ret) {
	case 0:
	case -ENOENT:
	case -ENODEV:
	case -EAGAIN:
	case -EBUSY:
	case -EINTR:
		break;
	default:
		fail("%s cannot be removed by somebody else: %s", slot->uuid, strerror(-ret));
	}
}

int others_use(struct soak_slot *slot, struct rng *rng)
{
	struct vfio_device_info info;
	struct vfio_user vfio;
	uint32_t word = 0;
	int ret, i;

	ret = vfio_user_open(&vfio, slot->uuid);
	if (ret)
		return ret;
	ret = vfio_user_device_info(vfio.device, &info);
	check(!ret, "an open device does not answer: %s", strerror(-ret));
	/* Offset 0 is a register of mtty, or memory of a test device. */
	for (i = rng_below(rng, 4); i; i--) {
		check(pwrite(vfio.device, &word, 1, 0) == 1 &&
		      pread(vfio.device, &word, 1, 0) == 1,
		      "an open device cannot be written and read: %s",
		      strerror(errno));
	}
	if (rng_permille(rng, 200))
		ioctl(vfio.device, VFIO_DEVICE_RESET);
	/* Hold it open for a while, so that removes have to wait. */
	if (rng_permille(rng, 300))
		for (i = rng_below(rng, HOLD_PAUSES); i; i--)
			poll_pause();
	vfio_user_close(&vfio);
	return 0;
}

static void user(struct soak_slot *slot, struct rng *rng)
{
	tally_add(&tally_open, others_use(slot, rng));
}

static void read_one(const char *path)
{
	char text[4096];
	ssize_t ret = read_file(path, text, sizeof(text));

	tally_add(&tally_read, ret);
	switch (ret) {
	case -ENOENT:
	case -ENODEV:
	case -EISDIR:
	/* Write-only files, and unsupported power/ attributes. */
	case -EACCES:
	case -EIO:
	case -EINVAL:
		return;
	}
	check(ret >= 0, "reading %s: %s", path, strerror(-ret));
}

static void read_dir(const char *dir, int depth)
{
	char path[PATH_MAX];
	struct dirent *de;
	DIR *d = opendir(dir);

	if (!d)
		return;
	while ((de = readdir(d))) {
		if (de->d_name[0] == '.')
			continue;
		snprintf(path, sizeof(path), "%s/%s", dir, de->d_name);
		if (de->d_type == DT_REG)
			read_one(path);
		else if (de->d_type == DT_DIR && depth)
			read_dir(path, depth - 1);
	}
	closedir(d);
}

static void reader(struct soak_slot *slot, struct rng *rng)
{
	char path[PATH_MAX], text[64];
	ssize_t ret;

	mdev_path(path, slot->uuid, "mdevseq");
	ret = read_file(path, text, sizeof(text));
	tally_add(&tally_read, ret);
	check(ret < 0 || (ret > 0 && strspn(text, "0123456789") == (size_t)ret),
	      "mdevseq is \"%s\"", text);
	mdev_path(path, slot->uuid, "in_use");
	ret = read_file(path, text, sizeof(text));
	tally_add(&tally_read, ret);
	check(ret < 0 || (ret == 1 && text[0] >= '0' && text[0] <= '9'),
	      "in_use is \"%s\"", text);
	if (rng_permille(rng, 100)) {
		mdev_path(path, slot->uuid, "mdev_type");
		read_dir(path, 0);
		mdev_path(path, slot->uuid, "");
		read_dir(path, 2);
	}
}

static void unbinder(struct soak_slot *slot, struct rng *rng)
{
	char link[PATH_MAX], driver[64], path[PATH_MAX];

	mdev_path(link, slot->uuid, "driver");
	(void)rng;
	if (link_target_name(link, driver, sizeof(driver)))
		return;
	snprintf(path, sizeof(path), "/sys/bus/mdev/drivers/%s/unbind",
		 driver);
	tally_add(&tally_unbind, write_file(path, slot->uuid));
	snprintf(path, sizeof(path), "/sys/bus/mdev/drivers/%s/bind", driver);
	tally_add(&tally_bind, write_file(path, slot->uuid));
}

static void *rivals(void *rng)
{
	live(rng, 3, rival);
	return NULL;
}

static void *users(void *rng)
{
	live(rng, 30, user);
	return NULL;
}

static void *readers(void *rng)
{
	live(rng, 20, reader);
	return NULL;
}

static void *unbinders(void *rng)
{
	live(rng, 50, unbinder);
	return NULL;
}

static void on_signal(int sig)
{
	(void)sig;
}

static void *signaller(void *rng)
{
	int i;

	while (!load(stop)) {
		i = rng_below(rng, MAX_THREADS);
		pthread_mutex_lock(&targets_lock);
		if (exposed[i]) {
			pthread_kill(targets[i], SIGUSR1);
			add(signals, 1);
		}
		pthread_mutex_unlock(&targets_lock);
		poll_pause();
	}
	return NULL;
}

static void *(*const kinds[])(void *) = {
	rivals, rivals, users, users, readers, unbinders, signaller,
};

static pthread_t threads[ARRAY_SIZE(kinds)];
static struct rng rngs[ARRAY_SIZE(kinds)];

static void clear(struct tally *tally)
{
	memset(tally->failed, 0, sizeof(tally->failed));
	tally->done = 0;
}

void others_start(uint64_t seed)
{
	struct sigaction sa = { .sa_handler = on_signal };
	struct rng rng;
	size_t i;

	clear(&tally_rival);
	clear(&tally_open);
	clear(&tally_read);
	clear(&tally_unbind);
	clear(&tally_bind);
	signals = 0;
	memset(exposed, 0, sizeof(exposed));
	nr_targets = 0;
	stop = false;
	/* No SA_RESTART: signals must interrupt system calls. */
	sigaction(SIGUSR1, &sa, NULL);
	rng_init(&rng, seed);
	for (i = 0; i < ARRAY_SIZE(kinds); i++) {
		rng_init(&rngs[i], rng_next(&rng));
		if (pthread_create(&threads[i], NULL, kinds[i], &rngs[i]))
			abort();
	}
}

void others_stop(void)
{
	size_t i;

	store(stop, true);
	for (i = 0; i < ARRAY_SIZE(kinds); i++)
		pthread_join(threads[i], NULL);
}

void others_print(void)
{
	tally_print(&tally_rival);
	tally_print(&tally_open);
	tally_print(&tally_read);
	tally_print(&tally_unbind);
	tally_print(&tally_bind);
	diag("signals to threads in remove: %lu", signals);
}
