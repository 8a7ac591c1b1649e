// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test.h: threads that sleep in a system call. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dmu_test.h"

/* Reads a line of the thread's status. */
static bool thread_status(pid_t tid, const char *key, char *value, size_t size)
{
	char line[256];
	bool found = false;
	FILE *f;

	snprintf(line, sizeof(line), "/proc/self/task/%d/status", tid);
	f = fopen(line, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		found = !strncmp(line, key, strlen(key));
		if (found)
			snprintf(value, size, "%s", line + strlen(key));
	}
	fclose(f);
	return found;
}

char thread_state(pid_t tid)
{
	char state[64];

	return thread_status(tid, "State:\t", state, sizeof(state)) ? state[0] : '?';
}

long thread_sleeps_so_far(pid_t tid)
{
	char count[64];

	if (!thread_status(tid, "voluntary_ctxt_switches:\t", count, sizeof(count)))
		return -1;
	return atol(count);
}

static void on_signal(int sig)
{
}

void thread_interrupt(pthread_t thread)
{
	struct sigaction action = { .sa_handler = on_signal };

	sigaction(SIGUSR1, &action, NULL);
	pthread_kill(thread, SIGUSR1);
}
