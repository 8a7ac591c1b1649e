// SPDX-License-Identifier: GPL-2.0-only
/* A server of ublk with one queue that answers at once, as dm_user.c does. */
#include <errno.h>
#include <fcntl.h>
#include <liburing.h>
#include <linux/types.h>
#include <pthread.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The header of the measured kernel: that of this machine is older. */
#include UBLK_CMD_H

#include "bench.h"

#define PAGE 4096

static struct io_uring queue;
static const struct ublksrv_io_desc *descs;
static char *buffers;
static pthread_barrier_t fetching;

static struct io_uring_sqe *prepare(struct io_uring *ring, int fd, unsigned int cmd)
{
	struct io_uring_sqe *sqe = io_uring_get_sqe(ring);

	if (!sqe)
		fail("no room for a command");
	/* A ring with SQE128 clears only half. */
	memset(sqe, 0, 2 * sizeof(*sqe));
	sqe->opcode = IORING_OP_URING_CMD;
	sqe->fd = fd;
	sqe->cmd_op = cmd;
	return sqe;
}

static void control(int fd, struct io_uring *ring, unsigned int cmd,
		    struct ublksrv_ctrl_cmd *arg, const char *what)
{
	struct io_uring_sqe *sqe = prepare(ring, fd, cmd);
	struct io_uring_cqe *cqe;

	arg->queue_id = -1;
	memcpy(sqe->cmd, arg, sizeof(*arg));
	io_uring_submit(ring);
	if (io_uring_wait_cqe(ring, &cqe))
		fail("%s", what);
	errno = -cqe->res;
	if (cqe->res < 0)
		fail("%s", what);
	io_uring_cqe_seen(ring, cqe);
}

static void fetch(unsigned int tag, int result, unsigned int cmd)
{
	struct io_uring_sqe *sqe = prepare(&queue, 0, cmd);
	struct ublksrv_io_cmd io = {
		.tag = tag,
		.result = result,
		.addr = (uintptr_t)(buffers + (size_t)tag * MAX_IO),
	};

	sqe->flags = IOSQE_FIXED_FILE;
	sqe->user_data = tag;
	memcpy(sqe->cmd, &io, sizeof(io));
}

static void *serve(void *arg)
{
	unsigned long long calls = 0, answered = 0;
	int fd = *(int *)arg;

	errno = -io_uring_queue_init(DEPTH, &queue, IORING_SETUP_SQE128);
	if (errno || io_uring_register_files(&queue, &fd, 1))
		fail("queue");
	for (unsigned int tag = 0; tag < DEPTH; tag++)
		fetch(tag, -1, UBLK_U_IO_FETCH_REQ);
	io_uring_submit(&queue);
	pthread_barrier_wait(&fetching);
	for (;;) {
		struct io_uring_cqe *cqe;
		unsigned int head, n = 0;

		if (io_uring_submit_and_wait(&queue, 1) < 0)
			break;
		calls++;
		io_uring_for_each_cqe(&queue, head, cqe) {
			unsigned int tag = cqe->user_data;

			n++;
			if (cqe->res != UBLK_IO_RES_OK)
				goto out;
			fetch(tag, descs[tag].nr_sectors * 512, UBLK_U_IO_COMMIT_AND_FETCH_REQ);
		}
		io_uring_cq_advance(&queue, n);
		answered += n;
	}
out:
	print_calls(calls, answered);
	return NULL;
}

int cmd_ublk(char **argv)
{
	struct ublksrv_ctrl_dev_info info = {
		.nr_hw_queues = 1,
		.queue_depth = DEPTH,
		.max_io_buf_bytes = MAX_IO,
		.ublksrv_pid = getpid(),
		.flags = UBLK_F_CMD_IOCTL_ENCODE,
	};
	struct ublk_params params = {
		.len = sizeof(params),
		.types = UBLK_PARAM_TYPE_BASIC,
		.basic = {
			.logical_bs_shift = 9,
			.physical_bs_shift = 12,
			.io_opt_shift = 12,
			.io_min_shift = 9,
			.max_sectors = MAX_IO / 512,
			.dev_sectors = DISK_SIZE / 512,
		},
	};
	struct ublksrv_ctrl_cmd cmd = { .addr = (uintptr_t)&info, .len = sizeof(info) };
	size_t size = (DEPTH * sizeof(*descs) + PAGE - 1) / PAGE * PAGE;
	struct io_uring ring;
	pthread_t thread;
	int fd, device;

	(void)argv;
	fd = open("/dev/ublk-control", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		fail("/dev/ublk-control");
	errno = -io_uring_queue_init(4, &ring, IORING_SETUP_SQE128);
	if (errno)
		fail("io_uring");
	control(fd, &ring, UBLK_U_CMD_ADD_DEV, &cmd, "add");
	cmd = (struct ublksrv_ctrl_cmd) { .addr = (uintptr_t)&params, .len = sizeof(params) };
	control(fd, &ring, UBLK_U_CMD_SET_PARAMS, &cmd, "parameters");
	device = open("/dev/ublkc0", O_RDWR | O_CLOEXEC);
	if (device < 0)
		fail("/dev/ublkc0");
	descs = mmap(NULL, size, PROT_READ, MAP_SHARED | MAP_POPULATE, device,
		     UBLKSRV_CMD_BUF_OFFSET);
	buffers = mmap(NULL, (size_t)DEPTH * MAX_IO, PROT_READ | PROT_WRITE,
		       MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
	if (descs == MAP_FAILED || buffers == MAP_FAILED)
		fail("memory");
	catch_end();
	pthread_barrier_init(&fetching, NULL, 2);
	if (pthread_create(&thread, NULL, serve, &device))
		fail("thread");
	pthread_barrier_wait(&fetching);
	cmd = (struct ublksrv_ctrl_cmd) { .data[0] = getpid() };
	control(fd, &ring, UBLK_U_CMD_START_DEV, &cmd, "start");
	puts("ready");
	while (!has_to_end())
		pause();
	cmd = (struct ublksrv_ctrl_cmd) {};
	control(fd, &ring, UBLK_U_CMD_STOP_DEV, &cmd, "stop");
	pthread_join(thread, NULL);
	/* The device is deleted once nobody uses it. */
	io_uring_queue_exit(&queue);
	munmap((void *)descs, size);
	close(device);
	cmd = (struct ublksrv_ctrl_cmd) {};
	control(fd, &ring, UBLK_U_CMD_DEL_DEV, &cmd, "delete");
	return 0;
}
