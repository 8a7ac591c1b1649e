// SPDX-License-Identifier: GPL-2.0-only
/*
 * A Xen hotplug program for disks. It gives the back end a disk with its sequence number,
 * waits until that has opened it, and leaves nothing behind: a loop device goes with its
 * last user, which is the back end.
 *
 * See block-seq(8).
 */
#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include "block-seq.h"

/* xl kills a hotplug program after 40 s. */
#define DEFAULT_SECONDS 30
#define MAX_SECONDS 3600
/* For what remains when the time is over: to tell why. */
#define MORE_SECONDS 3

/* Whom the next call may wait for, with a newline. */
static const char *waits_for = "xenstore\n";
static const char *vbd;		/* the path of the virtual disk */
static const char *file_of_kept; /* a loop device without autoclear that we made */
static unsigned long long seq_of_kept;

/* Tell the toolstack, if it listens. */
static void tell_error(const char *text)
{
	nodes_write(vbd, (const char *[]) {
		"hotplug-error", text, "hotplug-status", "error", NULL
	});
}

void fail(const char *fmt, ...)
{
	static bool failing;
	va_list ap;
	char *text;

	va_start(ap, fmt);
	if (vasprintf(&text, fmt, ap) < 0)
		abort();
	va_end(ap);
	fprintf(stderr, "block-seq: %s\n", text);
	if (failing)
		exit(1);
	failing = true;
	if (store && vbd)
		tell_error(text);
	if (file_of_kept)
		disk_detach(file_of_kept, seq_of_kept);
	exit(1);
}

/* Whom we wait for is not there to be told. */
static void on_alarm(int signal)
{
	static const char text[] = "block-seq: no answer from ";

	(void)signal;
	if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0 ||
	    write(STDERR_FILENO, waits_for, strlen(waits_for)) < 0)
		_exit(1);
	_exit(1);
}

/* The handler of SIGALRM reads it. */
static void wait_for(const char *whom)
{
	__atomic_store_n(&waits_for, whom, __ATOMIC_SEQ_CST);
}

static long long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000LL + t.tv_nsec / 1000000;
}

/* Where the back end writes its errors. */
static char *error_folder(void)
{
	const char *rest = strstr(vbd, "/backend/");

	if (!rest)
		fail("%s is not a back end", vbd);
	return format("%.*s/error%s", (int)(rest - vbd), vbd, rest);
}

/* Is the disk open? Fails if it never will be. */
static bool is_opened(const char *folder)
{
	char *opened = node_read(vbd, "opened"), *error = node_read(folder, "error");
	char *state = node_read(vbd, "state");
	bool done = opened && *opened == '1';

	if (!done && error)
		fail("the back end refuses: %s", error);
	if (!done && (!state || !strchr("1234", *state)))
		fail("the back end closes the virtual disk");
	free(opened);
	free(error);
	free(state);
	return done;
}

static void wait_opened(const char *folder, long long end)
{
	struct pollfd fd = { .fd = xs_fileno(store), .events = POLLIN };

	while (!is_opened(folder)) {
		long long rest = end - now_ms();
		char **event;

		if (rest <= 0 || poll(&fd, 1, rest) <= 0)
			fail("the back end does not open the disk");
		event = xs_check_watch(store);
		free(event);
	}
}

static void add_watch(const char *path)
{
	if (!xs_watch(store, path, "block-seq"))
		fail("cannot watch %s: %s", path, strerror(errno));
}

static void write_or_fail(const char *const *nodes)
{
	if (!nodes_write(vbd, nodes))
		fail("cannot write below %s: %s", vbd, strerror(errno));
}

/* The values of the nodes, as each kind of back end takes them. */
static void give(const struct disk *disk, bool checks)
{
	char *number = format("%x:%x", major(disk->number), minor(disk->number));
	char *checked = format("%llx@%s", disk->seq, number);
	char *seq = format("%016llx", disk->seq);

	write_or_fail(checks ? (const char *[]) {
		"node", disk->path, "physical-device-path", disk->path,
		"physical-device", checked, NULL
	} : (const char *[]) {
		"node", disk->path, "physical-device-path", disk->path,
		"diskseq", seq, "physical-device", number, NULL
	});
	free(number);
	free(checked);
	free(seq);
}

static char *read_or_fail(const char *node)
{
	char *value = node_read(vbd, node);

	if (!value)
		fail("%s/%s does not exist", vbd, node);
	return value;
}

static void add(bool old, unsigned int sector_size, long long end)
{
	char *params = read_or_fail("params"), *mode = read_or_fail("mode");
	char *opened = node_read(vbd, "opened"), *errors = error_folder();
	char *earlier = node_read(vbd, "physical-device");
	struct disk_options options = {
		.writable = strchr(mode, 'w'),
		.exclusive = !strcmp(mode, "w"),
		.autoclear = opened,
		.sector_size = sector_size,
	};
	struct disk disk;

	if (earlier)
		fail("%s has a disk already", vbd);
	if (!opened && !old)
		fail("this back end does not tell when it has opened a disk: see block-seq(8)");
	/* One of an earlier virtual disk of this number may be left. */
	xs_rm(store, XBT_NULL, errors);
	add_watch(vbd);
	add_watch(errors);
	wait_for("another hotplug program, which holds the lock\n");
	lock();
	wait_for("the disk, or xenstore\n");
	disk_open(&disk, params, &options);
	if (disk.is_loop && !opened) {
		file_of_kept = disk.path;
		seq_of_kept = disk.seq;
	}
	if (!strchr(mode, '!'))
		check_sharing(vbd, params, &disk, options.writable);
	give(&disk, opened);
	unlock();
	wait_for("xenstore\n");
	if (opened)
		wait_opened(errors, end);
	write_or_fail((const char *[]) { "hotplug-status", "connected", NULL });
	free(params);
	free(mode);
	free(opened);
	free(earlier);
	free(errors);
}

/* A loop device without autoclear is left, if "add" made one. */
static void remove_kept(void)
{
	char *opened = node_read(vbd, "opened"), *seq = node_read(vbd, "diskseq");
	char *path = node_read(vbd, "node");

	if (!opened && seq && path && !strncmp(path, "/dev/loop", 9))
		disk_detach(path, strtoull(seq, NULL, 16));
	free(opened);
	free(seq);
	free(path);
}

[[gnu::noreturn]]
static void bad_usage(void)
{
	fputs("usage: XENBUS_PATH=... block-seq [--old] [-b SECTOR-SIZE] [-t SECONDS] add\n"
	      "       XENBUS_PATH=... block-seq remove\n"
	      "       block-seq show\n", stderr);
	exit(2);
}

/* xl gives a path relative to that of this domain, as xenstore takes it. */
static char *vbd_path(void)
{
	char *path = getenv("XENBUS_PATH");

	if (!path || !*path)
		bad_usage();
	return *path == '/' ? path : format("%s/%s", own_path(), path);
}

static unsigned int number_of(const char *text, unsigned int max)
{
	char *end;
	unsigned long number = strtoul(text, &end, 10);

	if (*end || !number || number > max)
		bad_usage();
	return number;
}

int main(int argc, char **argv)
{
	static const struct option names[] = {
		{ "old", no_argument, NULL, 'o' }, {}
	};
	unsigned int seconds = DEFAULT_SECONDS, sector_size = 0;
	bool old = false;
	int option;

	while ((option = getopt_long(argc, argv, "b:t:", names, NULL)) != -1) {
		if (option == 'o')
			old = true;
		else if (option == 'b')
			sector_size = number_of(optarg, 1 << 16);
		else if (option == 't')
			seconds = number_of(optarg, MAX_SECONDS);
		else
			bad_usage();
	}
	if (argc != optind + 1)
		bad_usage();
	signal(SIGALRM, on_alarm);
	alarm(seconds + MORE_SECONDS);
	store = xs_open(0);
	if (!store)
		fail("cannot connect to xenstore: %s", strerror(errno));
	if (!strcmp(argv[optind], "show")) {
		show();
		return 0;
	}
	vbd = vbd_path();
	if (!strcmp(argv[optind], "add"))
		add(old, sector_size, now_ms() + seconds * 1000LL);
	else if (!strcmp(argv[optind], "remove"))
		remove_kept();
	else
		bad_usage();
	return 0;
}
