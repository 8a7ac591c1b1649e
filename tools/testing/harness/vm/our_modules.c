// SPDX-License-Identifier: GPL-2.0-only
/* Lists and unloads the modules under test. */
#define _GNU_SOURCE
#include <dirent.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "our_modules.h"

/* A kernel that delays releases takes 1 to 4 s for each step of unloading. */
#define UNLOAD_SECONDS	200
#define EXIT_MS		120000

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Only our modules are in this directory, not the distribution's. */
static DIR *open_updates(void)
{
	struct utsname uts;
	char path[256];

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/updates", uts.release);
	return opendir(path);
}

/* Lists our loaded modules; with @unload, those that could not be unloaded. */
bool our_modules(char *names, size_t size, bool unload)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	double deadline = now() + UNLOAD_SECONDS;
	char path[512], name[256];
	struct dirent *de;
	DIR *dir;

again:
	names[0] = '\0';
	dir = open_updates();
	if (!dir)
		return false;
	while ((de = readdir(dir))) {
		size_t len = strcspn(de->d_name, ".");

		if (!len)
			continue;
		snprintf(name, sizeof(name), "%.*s", (int)len, de->d_name);
		for (char *c = name; *c; c++)
			if (*c == '-')
				*c = '_';
		snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
		if (access(path, F_OK))
			continue;
		if (unload)
			syscall(SYS_delete_module, name, O_NONBLOCK);
		snprintf(names + strlen(names), size - strlen(names), " %s",
			 name);
	}
	closedir(dir);
	if (unload && names[0] && now() < deadline) {
		nanosleep(&tick, NULL);
		goto again;
	}
	return names[0];
}

/* A module's exit may never return, so call it in a child. */
bool unload_our_modules(void)
{
	struct pollfd pfd = { .events = POLLIN };
	char names[512];
	int pid = fork(), status = 1;

	if (!pid)
		_exit(our_modules(names, sizeof(names), true));
	pfd.fd = pid < 0 ? -1 : syscall(SYS_pidfd_open, pid, 0);
	if (pfd.fd < 0)
		return false;
	if (poll(&pfd, 1, EXIT_MS) > 0)
		waitpid(pid, &status, 0);
	close(pfd.fd);
	return !status;
}
