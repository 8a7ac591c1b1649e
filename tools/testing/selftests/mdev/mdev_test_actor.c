// SPDX-License-Identifier: GPL-2.0-only
/* Child processes that act in parallel with the test. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "mdev_test_lib.h"

#define ACTORS_MAX 64

/* Actors that have been started and not yet reaped. */
static pid_t actors[ACTORS_MAX];

static bool actor_replace(pid_t old, pid_t new)
{
	int i;

	for (i = 0; i < ACTORS_MAX; i++) {
		if (actors[i] == old) {
			actors[i] = new;
			return true;
		}
	}
	return false;
}

/*
 * In a child: close all files but the standard ones and @fd, which becomes
 * KEPT_FD. A VFIO file that the test closes must not stay open here.
 */
void child_keep_fd(int fd)
{
	if (fd != KEPT_FD)
		dup2(fd, KEPT_FD);
	close_range(KEPT_FD + 1, ~0U, 0);
}

int actor_start(struct actor *actor, int (*act)(void *arg), void *arg)
{
	int fds[2], ret;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	actor->pid = fork();
	if (actor->pid < 0) {
		ret = -errno;
		close(fds[0]);
		close(fds[1]);
		return ret;
	}
	if (!actor->pid) {
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		child_keep_fd(fds[1]);
		ret = act(arg);
		if (write(KEPT_FD, &ret, sizeof(ret)) != sizeof(ret))
			_exit(1);
		_exit(0);
	}
	close(fds[1]);
	actor->fd = fds[0];
	if (!actor_replace(0, actor->pid)) {
		actor_kill(actor, SIGKILL, SOON_MS);
		return -EMFILE;
	}
	return 0;
}

struct write_arg {
	const char *path;
	const char *text;
};

static int act_write(void *arg)
{
	struct write_arg *w = arg;

	return write_file(w->path, w->text);
}

/* fork() copies the argument, so it may be on the caller's stack. */
int actor_write(struct actor *actor, const char *path, const char *text)
{
	struct write_arg w = { path, text };

	return actor_start(actor, act_write, &w);
}

int actor_create(struct actor *actor, const char *parent, const char *type,
		 const char *uuid)
{
	char path[PATH_MAX], random[UUID_SIZE];

	if (!uuid) {
		random_uuid(random);
		uuid = random;
	}
	type_path(path, parent, type, "create");
	return actor_write(actor, path, uuid);
}

int actor_remove(struct actor *actor, const char *uuid)
{
	char path[PATH_MAX];

	mdev_path(path, uuid, "remove");
	return actor_write(actor, path, "1");
}

int actor_wait(struct actor *actor, int timeout_ms)
{
	struct pollfd pfd = { .fd = actor->fd, .events = POLLIN };
	int n, result, status;

	do {
		n = poll(&pfd, 1, timeout_ms);
	} while (n < 0 && errno == EINTR);
	if (n <= 0)
		return ACTOR_TIMEOUT;

	/* The child's death closes the pipe, so this wait is short. */
	n = read(actor->fd, &result, sizeof(result));
	close(actor->fd);
	if (waitpid(actor->pid, &status, 0) < 0)
		status = 0;
	actor_replace(actor->pid, 0);
	actor->pid = 0;
	actor->fd = -1;
	if (n == sizeof(result))
		return result;
	return ACTOR_KILLED - (WIFSIGNALED(status) ? WTERMSIG(status) : 0);
}

bool actor_running(struct actor *actor)
{
	struct pollfd pfd = { .fd = actor->fd, .events = POLLIN };

	return actor->pid > 0 && !poll(&pfd, 1, 0);
}

int actor_kill(struct actor *actor, int sig, int timeout_ms)
{
	if (actor->pid <= 0)
		return -ESRCH;
	kill(actor->pid, sig);
	return actor_wait(actor, timeout_ms);
}

void actors_stop(void)
{
	int i;

	for (i = 0; i < ACTORS_MAX; i++) {
		if (!actors[i])
			continue;
		kill(actors[i], SIGKILL);
		wait_until(waitpid(actors[i], NULL, WNOHANG) != 0, SOON_MS);
		actors[i] = 0;
	}
}
