// SPDX-License-Identifier: GPL-2.0-only
/* The kernel's uevents, read from netlink. */
#include <errno.h>
#include <linux/netlink.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mdev_test_lib.h"
#include "mdev_test_uevent.h"

/* Every kernel has this device, and nothing else sends uevents for it. */
#define MARK_DEVICE "/devices/virtual/mem/null"
#define MARK_UUID "00000000-0000-4000-8000-000000000000"

int uevent_open(void)
{
	struct sockaddr_nl addr = { .nl_family = AF_NETLINK, .nl_groups = 1 };
	int size = 16 << 20;
	int fd, ret;

	fd = socket(AF_NETLINK, SOCK_DGRAM | SOCK_CLOEXEC,
		    NETLINK_KOBJECT_UEVENT);
	if (fd < 0)
		return -errno;
	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &size, sizeof(size)) ||
	    bind(fd, (struct sockaddr *)&addr, sizeof(addr))) {
		ret = -errno;
		close(fd);
		return ret;
	}
	return fd;
}

int uevent_next(int fd, struct uevent *ev, int timeout_ms)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	char buf[sizeof(ev->env)], *at;
	ssize_t n;
	size_t head;

	do {
		n = poll(&pfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n < 0)
		return -errno;
	if (!n)
		return -ETIMEDOUT;
	n = recv(fd, buf, sizeof(buf) - 1, 0);
	if (n < 0)
		return -errno;
	buf[n] = '\0';

	/* "action@devpath", then the variables, each NUL-terminated. */
	at = strchr(buf, '@');
	if (!at)
		return -EBADMSG;
	head = strlen(buf) + 1;
	*at++ = '\0';
	snprintf(ev->action, sizeof(ev->action), "%.*s",
		 (int)sizeof(ev->action) - 1, buf);
	snprintf(ev->devpath, sizeof(ev->devpath), "%.*s",
		 (int)sizeof(ev->devpath) - 1, at);
	ev->env_len = (size_t)n > head ? n - head : 0;
	memcpy(ev->env, buf + head, ev->env_len);
	return 0;
}

const char *uevent_env(const struct uevent *ev, const char *key)
{
	const char *p = ev->env, *end = ev->env + ev->env_len;
	size_t len = strlen(key);

	for (; p < end; p += strlen(p) + 1)
		if (!strncmp(p, key, len) && p[len] == '=')
			return p + len + 1;
	return NULL;
}

bool uevent_is_of(const struct uevent *ev, const char *name)
{
	const char *last = strrchr(ev->devpath, '/');

	return last && !strcmp(last + 1, name);
}

int uevent_mark(unsigned int number)
{
	return write_file_fmt("/sys" MARK_DEVICE "/uevent",
			      "change " MARK_UUID " MDEVMARK=%u", number);
}

bool uevent_is_mark(const struct uevent *ev, unsigned int number)
{
	const char *val = uevent_env(ev, "SYNTH_ARG_MDEVMARK");

	return val && strtoul(val, NULL, 10) == number;
}

int uevent_story(int fd, const char *name, const char *children, char *story,
		 size_t size)
{
	static unsigned int mark = 1000000;
	char child[128] = "";
	struct uevent ev;
	size_t len = 0;
	int ret, n = 0;

	story[0] = '\0';
	if (children)
		snprintf(child, sizeof(child), "/%s/%s/", name, children);
	ret = uevent_mark(++mark);
	if (ret)
		return ret;
	for (;;) {
		bool is_child;

		ret = uevent_next(fd, &ev, SOON_MS);
		if (ret)
			return ret;
		if (uevent_is_mark(&ev, mark))
			return n;
		is_child = children && strstr(ev.devpath, child);
		if (!is_child && !uevent_is_of(&ev, name))
			continue;
		n++;
		if (len < size)
			len += snprintf(story + len, size - len, "%s%s%s",
					len ? ", " : "",
					is_child ? "child " : "", ev.action);
	}
}

void *shared_alloc(size_t size)
{
	void *p = mmap(NULL, size, PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	return p == MAP_FAILED ? NULL : p;
}

static void listen_for_ever(int sock, int out,
			    void (*look)(const struct uevent *ev, void *arg),
			    void *arg)
{
	unsigned int marks = 0;
	struct uevent ev;
	char byte = 0;

	if (write(out, &byte, 1) != 1)
		_exit(1);
	for (;;) {
		if (uevent_next(sock, &ev, -1))
			_exit(1);
		if (uevent_is_mark(&ev, marks + 1)) {
			marks++;
			if (write(out, &byte, 1) != 1)
				_exit(1);
			continue;
		}
		look(&ev, arg);
	}
}

/* Read a byte from the listener: it listens, or has received a marker. */
static int listener_ack(struct listener *l)
{
	struct pollfd pfd = { .fd = l->go, .events = POLLIN };
	char byte;

	if (poll(&pfd, 1, SOON_MS) <= 0)
		return -ETIMEDOUT;
	return read(l->go, &byte, 1) == 1 ? 0 : -EPIPE;
}

int listener_start(struct listener *l,
		   void (*look)(const struct uevent *ev, void *arg), void *arg)
{
	int fds[2], sock, ret;

	l->marks = 0;
	if (pipe(fds) < 0)
		return -errno;
	l->pid = fork();
	if (l->pid < 0) {
		ret = -errno;
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if (!l->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_keep_fd(fds[1]);
		sock = uevent_open();
		if (sock < 0)
			_exit(1);
		listen_for_ever(sock, KEPT_FD, look, arg);
	}
	close(fds[1]);
	l->go = fds[0];
	return listener_ack(l);
}

int listener_sync(struct listener *l)
{
	int ret = uevent_mark(++l->marks);

	return ret ? ret : listener_ack(l);
}

void listener_stop(struct listener *l)
{
	if (l->pid <= 0)
		return;
	kill(l->pid, SIGKILL);
	waitpid(l->pid, NULL, 0);
	close(l->go);
	l->pid = 0;
}
