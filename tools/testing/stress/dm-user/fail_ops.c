// SPDX-License-Identifier: GPL-2.0-only
/* Tables, channels and requests, with failed allocations. */
#include <errno.h>
#include <fcntl.h>
#include <linux/dm-ioctl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "dm_calls.h"
#include "dmu_test.h"
#include "fail_nth.h"
#include "stress.h"

#define NAME	"t"
/* Never used. It keeps slabs, which the kernel dumps its stack for if it cannot make one. */
#define KEEPER	"keeper"
#define LEN	4096
/*
 * Nodes of our own: the driver core ignores it if the path of a node in /dev cannot be
 * allocated.
 */
#define DISK_NODE	"/tmp/disk"
#define CONTROL_NODE	"/tmp/control"

static dev_t disk_dev;
static int disk = -1;
static int channel = -1;
static struct io io;
static struct ram_daemon ram;
static struct dm_user_message *message;	/* with room for LEN bytes */
static void *buf;

/* The control device has the name of the mapped device. */
static int load_table(const char *name, unsigned int sectors)
{
	char args[64];

	snprintf(args, sizeof(args), "0 %u %s 2 timeout_ms 0", sectors, name);
	return dm_load(name, sectors, args);
}

static int run_create(void)
{
	return dm_create(NAME, &disk_dev);
}

static int run_load(void)
{
	return load_table(NAME, SECTORS);
}

static int run_resume(void)
{
	return dm_resume(NAME);
}

static int run_remove(void)
{
	return dm_remove(NAME);
}

static int run_clear(void)
{
	return dm_clear(NAME);
}

/*
 * Each load makes the control device, each clear destroys it. The first load, which makes
 * the block device, is done before: to undo it takes seconds on a debug kernel.
 */
static int make_disk(void)
{
	int ret = run_create();

	ret = ret ? ret : run_load();
	return ret ? ret : run_clear();
}

static void undo_load(int ret)
{
	check(!ret || !run_load(), "cannot load after a failure");
	check(!run_clear(), "cannot clear");
}

static void undo_clear(int ret)
{
	check(!ret || !run_clear(), "cannot clear after a failure");
}

static void undo_first_resume(int ret)
{
	check(!ret || !run_resume(), "cannot resume after a failure");
	check(!run_remove(), "cannot remove");
	check(!make_disk(), "cannot make it again");
}

static int prepare_resumed(void)
{
	int ret = run_load();

	return ret ? ret : run_resume();
}

static void undo_remove(int ret)
{
	check(!ret || !run_remove(), "cannot remove after a failure");
	check(!make_disk(), "cannot make it again");
}

static const struct fail_op table_ops[] = {
	{ "load", true, NULL, run_load, undo_load },
	{ "clear", false, run_load, run_clear, undo_clear },
	{ "resume", false, run_load, run_resume, undo_first_resume },
	{ "remove", false, prepare_resumed, run_remove, undo_remove },
};

/* With another size. */
static int run_reload(void)
{
	return load_table(NAME, SECTORS / 2);
}

static void undo_reload(int ret)
{
	check(!ret || !run_reload(), "cannot load after a failure");
	check(!run_clear(), "cannot clear");
}

static void undo_resume(int ret)
{
	check(!ret || !run_resume(), "cannot resume after a failure");
	check(!run_load() && !run_resume(), "cannot go back to the first table");
}

static int run_suspend(void)
{
	return dm_suspend(NAME, 0);
}

static void undo_suspend(int ret)
{
	check(!ret || !run_suspend(), "cannot suspend after a failure");
	check(!run_resume(), "cannot resume");
}

static const struct fail_op reload_ops[] = {
	{ "reload", true, NULL, run_reload, undo_reload },
	{ "resume_with_another_table", false, run_reload, run_resume, undo_resume },
	{ "clear_another_table", false, run_reload, run_clear, undo_clear },
	{ "suspend", false, NULL, run_suspend, undo_suspend },
};

static int run_open(void)
{
	channel = channel_open(CONTROL_NODE);
	return channel < 0 ? channel : 0;
}

static int run_close(void)
{
	int ret = close(channel) ? -errno : 0;

	channel = -1;
	return ret;
}

static void undo_open(int ret)
{
	check(!ret || !run_open(), "cannot open after a failure");
	check(!run_close(), "cannot close");
}

/* No request is left with anybody. */
static void check_idle(void)
{
	check(!dm_number(NAME, "queued") && !dm_number(NAME, "inflight") &&
	      !dm_number(NAME, "channels"), "requests or channels are left");
}

/* Another process makes a request, and a channel is open. */
static int prepare_request(enum io_op op)
{
	int ret = run_open();

	if (!ret)
		ret = io_start(&io, op, DISK_NODE, 8, LEN, 'w');
	/* Take our pages back from the child: a page that a call cannot get is EFAULT. */
	memset(message, 0, HEADER + LEN);
	memset(buf, 0, HEADER + LEN);
	if (!ret && !wait_until(dm_number(NAME, "queued") == 1, SOON_MS))
		ret = -ETIME;
	return ret;
}

static int prepare_read(void)
{
	return prepare_request(IO_READ);
}

static int prepare_write(void)
{
	return prepare_request(IO_WRITE);
}

/* The request is with the channel, or has been before. */
static void end_request(int result)
{
	check(io_wait(&io, SOON_MS) == result, "the request has another result");
	if (!result && message->type == DM_USER_REQ_MAP_READ)
		check(io_has(&io, 'r'), "the request has read other data");
	if (!result && message->type == DM_USER_REQ_MAP_WRITE)
		check(message->buf[0] == 'w' && message->buf[LEN - 1] == 'w',
		      "the channel has read other data");
	io_end(&io);
	check(!run_close(), "cannot close");
	check_idle();
}

static int run_reply(void)
{
	size_t len = HEADER + (message->type == DM_USER_REQ_MAP_READ ? LEN : 0);
	struct dm_user_message m = { .seq = message->seq };
	ssize_t n;

	memcpy(buf, &m, HEADER);
	memset(buf + HEADER, 'r', LEN);
	n = write(channel, buf, len);
	if (n < 0)
		return -errno;
	return n == (ssize_t)len ? 0 : -EIO;
}

static int run_fetch(void)
{
	ssize_t n = read(channel, message, HEADER);

	if (n < 0)
		return -errno;
	if (n != HEADER)
		return -EIO;
	return message->type != DM_USER_REQ_MAP_WRITE ||
	       read(channel, message->buf, LEN) == LEN ? 0 : -EIO;
}

static void undo_fetch(int ret)
{
	check(!ret || !run_fetch(), "cannot fetch after a failure");
	check(!run_reply(), "cannot reply");
	end_request(0);
}

static int prepare_fetched_read(void)
{
	int ret = prepare_read();

	return ret ? ret : run_fetch();
}

static int prepare_fetched_write(void)
{
	int ret = prepare_write();

	return ret ? ret : run_fetch();
}

static void undo_reply(int ret)
{
	check(!ret || !run_reply(), "cannot reply after a failure");
	end_request(0);
}

/* The channel that has it is closed: another one gets it. */
static void undo_close(int ret)
{
	check(!ret, "a close has failed");
	check(!run_open() && !run_fetch() && !run_reply(),
	      "the request is not delivered again");
	end_request(0);
}

static int run_fail(void)
{
	return dm_message(NAME, "fail");
}

static void undo_fail(int ret)
{
	check(!ret || !run_fail(), "cannot send a message after a failure");
	end_request(-ETIMEDOUT);
}

/* What was never fetched goes back to device mapper, and comes again at resume. */
static int run_suspend_noflush(void)
{
	return dm_suspend(NAME, DM_NOFLUSH_FLAG);
}

static void undo_suspend_noflush(int ret)
{
	check(!ret || !run_suspend_noflush(), "cannot suspend after a failure");
	check(!run_resume(), "cannot resume");
	check(wait_until(dm_number(NAME, "queued") == 1, SOON_MS),
	      "the request does not come back");
	/* It was not fetched so far. */
	undo_fetch(-EAGAIN);
}

static int run_info(void)
{
	struct dm_user_info info;

	return ioctl(channel, DM_USER_INFO, &info) ? -errno : 0;
}

static int run_poll(void)
{
	struct pollfd p = { .fd = channel, .events = POLLIN };

	return poll(&p, 1, 0) < 0 ? -errno : 0;
}

static void undo_query(int ret)
{
	check(!ret, "a query has failed: %s", strerror(-ret));
	check(!run_close(), "cannot close");
}

static int run_status(void)
{
	char status[512];

	return dm_status(NAME, status, sizeof(status));
}

static const struct fail_op channel_ops[] = {
	{ "open", true, NULL, run_open, undo_open },
	{ "info", false, run_open, run_info, undo_query },
	{ "poll", false, run_open, run_poll, undo_query },
	{ "status", true, NULL, run_status, NULL },
	{ "fetch_a_read", true, prepare_read, run_fetch, undo_fetch },
	{ "fetch_a_write", true, prepare_write, run_fetch, undo_fetch },
	{ "reply_to_a_read", false, prepare_fetched_read, run_reply, undo_reply },
	{ "reply_to_a_write", false, prepare_fetched_write, run_reply, undo_reply },
	{ "close", false, prepare_fetched_write, run_close, undo_close },
	{ "fail_queued", true, prepare_read, run_fail, undo_fail },
	{ "fail_fetched", true, prepare_fetched_write, run_fail, undo_fail },
	{ "suspend_noflush", false, prepare_write, run_suspend_noflush,
	  undo_suspend_noflush },
};

/* This task does I/O, and a daemon serves it. */
static int do_io(enum io_op op)
{
	return io_do(disk, op, buf, LEN, 8);
}

static int run_read(void)
{
	return do_io(IO_READ);
}

static int run_write(void)
{
	return do_io(IO_WRITE);
}

static int run_flush(void)
{
	return do_io(IO_FSYNC);
}

static const struct fail_op io_ops[] = {
	{ "read", false, NULL, run_read, NULL },
	{ "write", false, NULL, run_write, NULL },
	{ "flush", false, NULL, run_flush, NULL },
};

static bool make_node(const char *path, mode_t type, dev_t dev)
{
	unlink(path);
	return !mknod(path, type | 0600, dev);
}

static bool enter_live(void)
{
	unsigned int major, minor;
	char dev[32];

	return !make_disk() && !prepare_resumed() &&
	       read_file("/sys/class/dm-user/dm-user!" NAME "/dev", dev, sizeof(dev)) > 0 &&
	       sscanf(dev, "%u:%u", &major, &minor) == 2 &&
	       make_node(CONTROL_NODE, S_IFCHR, makedev(major, minor)) &&
	       make_node(DISK_NODE, S_IFBLK, disk_dev);
}

static bool leave_live(void)
{
	unlink(CONTROL_NODE);
	unlink(DISK_NODE);
	return !run_remove();
}

static bool enter_made(void)
{
	return !make_disk();
}

static bool leave_made(void)
{
	return !run_remove();
}

static bool enter_served(void)
{
	if (!enter_live() || ram_start(&ram, CONTROL_NODE, SECTORS * 512, SIZE_MAX))
		return false;
	disk = open(DISK_NODE, O_RDWR | O_DIRECT | O_CLOEXEC);
	return disk >= 0;
}

static bool leave_served(void)
{
	bool closed = !close(disk);

	ram_end(&ram);
	return closed && leave_live();
}

static bool start(void)
{
	message = malloc(HEADER + LEN);
	return message && !posix_memalign(&buf, 4096, HEADER + LEN) && !module_load() &&
	       !dm_open() && !dm_create(KEEPER, NULL) && !load_table(KEEPER, SECTORS);
}

static void stop(void)
{
	free(message);
	free(buf);
	check(!dm_remove(KEEPER), "cannot remove " KEEPER);
	check(!module_unload(), "cannot unload the module");
}

static const struct fail_stage stages[] = {
	{ enter_made, leave_made, table_ops, ARRAY_SIZE(table_ops) },
	{ enter_live, leave_live, reload_ops, ARRAY_SIZE(reload_ops) },
	{ enter_live, leave_live, channel_ops, ARRAY_SIZE(channel_ops) },
	{ enter_served, leave_served, io_ops, ARRAY_SIZE(io_ops) },
};

static const struct fail_door doors[] = {
	{ "disk", start, stop, stages, ARRAY_SIZE(stages) },
};

static const char * const trees[] = {
	"/sys/devices/virtual/dm-user", "/sys/class/dm-user", NULL
};

static const char * const modules[] = { "dm_user", NULL };

static const char * const dirs[] = {
	"/sys/class/block", "/sys/class/bdi", "/sys/dev/char", NULL
};

static const char * const no_numbers[] = { NULL };

const struct fail_system fail_system = {
	doors, ARRAY_SIZE(doors), NULL, trees, no_numbers, modules, dirs,
};
