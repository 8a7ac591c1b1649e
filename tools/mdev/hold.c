// SPDX-License-Identifier: GPL-2.0-only
/*
 * mdev-serial -w: hold the device open, and release it on request.
 */
#include "mdev-serial.h"
#include "vfio_user.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

/* The stdin of a background job is at EOF from the start: ignore it. */
static bool stdin_is_null(void)
{
	struct stat st;

	return fstat(STDIN_FILENO, &st) ||
	       (S_ISCHR(st.st_mode) && st.st_rdev == makedev(1, 3));
}

static int wait_for_end(int request, int signals)
{
	struct pollfd fds[] = {
		{ .fd = request, .events = POLLIN },
		{ .fd = signals, .events = POLLIN },
		{ .fd = stdin_is_null() ? -1 : STDIN_FILENO, .events = POLLIN },
	};
	char discard[256];

	for (;;) {
		if (poll(fds, 3, -1) < 0)
			return complain_errno(-errno, "poll");
		if (fds[0].revents) {
			puts("asked to give the device back, letting go");
			return 0;
		}
		if (fds[1].revents) {
			puts("got a signal, letting go");
			return 0;
		}
		if (fds[2].revents &&
		    read(STDIN_FILENO, discard, sizeof(discard)) <= 0) {
			puts("end of input, letting go");
			return 0;
		}
	}
}

int hold_open(int device, const char *uuid)
{
	int request, signals, ret;
	sigset_t set;

	sigemptyset(&set);
	sigaddset(&set, SIGINT);
	sigaddset(&set, SIGTERM);
	sigaddset(&set, SIGHUP);
	sigprocmask(SIG_BLOCK, &set, NULL);
	signals = signalfd(-1, &set, SFD_CLOEXEC);
	if (signals < 0)
		return complain_errno(-errno, "signalfd");

	request = vfio_user_eventfd();
	if (request < 0) {
		close(signals);
		return complain_errno(request, "make an eventfd");
	}
	ret = vfio_user_irq_eventfd(device, VFIO_PCI_REQ_IRQ_INDEX,
				    VFIO_IRQ_SET_ACTION_TRIGGER, request);
	if (ret) {
		ret = complain_errno(ret, "connect the request interrupt");
	} else {
		printf("holding %s open\n", uuid);
		fflush(stdout);
		ret = wait_for_end(request, signals);
	}
	close(request);
	close(signals);
	return ret;
}
