// SPDX-License-Identifier: GPL-2.0-only
/* Runs kmemleak and reads its report. */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "leaks.h"

#define KMEMLEAK	"/sys/kernel/debug/kmemleak"

/* kmemleak does not report objects younger than five seconds. */
#define MIN_AGE_SECONDS	6

bool leaks_known(void)
{
	return !access(KMEMLEAK, W_OK);
}

/* The write returns when the kernel has executed the command. */
static bool command(const char *what)
{
	int fd = open(KMEMLEAK, O_WRONLY | O_CLOEXEC);
	ssize_t len;

	if (fd < 0)
		return false;
	len = write(fd, what, strlen(what));
	close(fd);
	return len == (ssize_t)strlen(what);
}

/*
 * Scan twice: kmemleak does not report objects that changed since the last
 * scan, as their only pointer may have been in flight.
 */
int leaks_find(void (*print)(const char *line))
{
	const struct timespec age = { .tv_sec = MIN_AGE_SECONDS };
	char line[512];
	int found = 0;
	FILE *f;

	nanosleep(&age, NULL);
	if (!command("scan") || !command("scan"))
		return -1;
	f = fopen(KMEMLEAK, "re");
	if (!f)
		return -1;
	while (fgets(line, sizeof(line), f)) {
		line[strcspn(line, "\n")] = '\0';
		if (!strncmp(line, "unreferenced object", 19))
			found++;
		print(line);
	}
	fclose(f);
	return found;
}
