// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test.h: dmsetup, the device. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "dmu_test.h"

#define MODULE "dm_user"

char dm_said[4096];

int module_load(void)
{
	setenv("DM_DISABLE_UDEV", "1", 1);
	return load_module(MODULE);
}

int module_unload(void)
{
	return unload_soon(MODULE);
}

int dm(const char *fmt, ...)
{
	char command[1024] = "dmsetup ";
	size_t len = strlen(command), said = 0, n;
	va_list ap;
	FILE *f;
	int status;

	va_start(ap, fmt);
	vsnprintf(command + len, sizeof(command) - len, fmt, ap);
	va_end(ap);
	strncat(command, " 2>&1", sizeof(command) - strlen(command) - 1);
	f = popen(command, "re");
	if (!f)
		return -errno;
	while ((n = fread(dm_said + said, 1, sizeof(dm_said) - 1 - said, f)))
		said += n;
	dm_said[said] = '\0';
	if (said && dm_said[said - 1] == '\n')
		dm_said[said - 1] = '\0';
	status = pclose(f);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -EINTR;
}

int disk_create(const char *features)
{
	return dm("create t --table '0 %d user 0 %d t %s'", SECTORS, SECTORS, features);
}

int disk_remove(void)
{
	if (!path_exists(DISK) && !path_exists(CONTROL))
		return 0;
	dm("message t 0 fail");
	if (!dm("remove --retry t"))
		return 0;
	/* A case that failed may have left it suspended, with requests. */
	dm("remove --retry --force t");
	return -EBUSY;
}

pid_t disk_suspend_start(void)
{
	pid_t pid = fork();

	if (!pid) {
		execlp("dmsetup", "dmsetup", "suspend", "--noflush", "t", NULL);
		_exit(127);
	}
	return pid;
}

long long disk_status(const char *key)
{
	char pattern[64], *at;

	if (dm("status t"))
		return -1;
	snprintf(pattern, sizeof(pattern), " %s ", key);
	at = strstr(dm_said, pattern);
	return at ? atoll(at + strlen(pattern)) : -1;
}
