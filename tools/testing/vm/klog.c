// SPDX-License-Identifier: GPL-2.0-only
/*
 * Reads /dev/kmsg record by record. A complaint is recognised by its text and,
 * because text can be lost when the ring wraps, by the kernel's taint flags.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "klog.h"

#define BIT(n)		(1UL << (n))
#define LINES_BEFORE	15
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* "Call Trace:" also catches what only dumps a stack: kobject, sysfs, ... */
static const char * const complaints[] = {
	"------------[ cut here ]------------",
	"WARNING: ",
	"BUG: ",
	"kernel BUG at",
	"KASAN: ",
	"KFENCE: ",
	"UBSAN: ",
	"ODEBUG: ",
	"Oops: ",
	"general protection fault",
	"unable to handle",
	"Call Trace:",
	"possible circular locking dependency",
	"possible recursive locking",
	"possible irq lock inversion",
	"inconsistent lock state",
	"suspicious RCU usage",
	"scheduling while atomic",
	"sleeping function called from invalid context",
	"blocked for more than",
	"soft lockup",
	"hard LOCKUP",
	"detected stall",
	"self-detected stall",
	"refcount_t: ",
	"does not have a release() function",
	"list_add corruption",
	"list_del corruption",
	"Objects remaining in",
	"new suspected memory leaks",
};

/* What DEBUG_KOBJECT_RELEASE says of each would leave no room for the rest. */
static const char chatter[] = ": kobject_release, parent ";

/* KCSAN watches the whole kernel; a race counts when ours is in its stacks. */
static const char * const our_frames[] = { "[mdev]", "[vfio_mdev]", "[mtty]" };

/* Bad page, machine died, warning, soft lockup: see tainted-kernels.rst. */
#define TAINT_COMPLAINTS	(BIT(5) | BIT(7) | BIT(9) | BIT(14))

static unsigned long read_taint(void)
{
	unsigned long taint = 0;
	FILE *f = fopen("/proc/sys/kernel/tainted", "r");

	if (!f)
		return 0;
	if (fscanf(f, "%lu", &taint) != 1)
		taint = 0;
	fclose(f);
	return taint & TAINT_COMPLAINTS;
}

static bool is_complaint(struct klog *log, const char *text)
{
	size_t i;

	if (strstr(text, "BUG: KCSAN: ")) {
		log->in_race = true;
	} else if (log->in_race && strstr(text, "==========")) {
		log->in_race = false;
		return false;
	}
	if (log->in_race) {
		for (i = 0; i < ARRAY_SIZE(our_frames); i++)
			if (strstr(text, our_frames[i]))
				return true;
		return false;
	}
	for (i = 0; i < ARRAY_SIZE(complaints); i++)
		if (strstr(text, complaints[i]))
			return true;
	return false;
}

int klog_open(struct klog *log)
{
	memset(log, 0, sizeof(*log));
	log->fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return log->fd < 0 ? -1 : 0;
}

/* Forgets what was read, so that the next complaint counts as a new one. */
void klog_mark(struct klog *log)
{
	size_t i;

	for (i = 0; i < log->nr; i++)
		free(log->lines[i]);
	free(log->lines);
	log->lines = NULL;
	log->nr = 0;
	log->splat = 0;
	log->lost = false;
	log->taint = read_taint();
}

static void add_line(struct klog *log, const char *text, bool from_kernel)
{
	bool complaint = from_kernel && is_complaint(log, text);
	char **lines = realloc(log->lines, (log->nr + 1) * sizeof(*lines));
	char *copy = strdup(text);

	if (!lines || !copy) {
		perror("kernel log");
		exit(1);
	}
	log->lines = lines;
	log->lines[log->nr] = copy;
	if (log->splat == log->nr && !complaint)
		log->splat++;
	log->nr++;
}

/* A record is "priority,sequence,microseconds,flags;text\n key=value\n ...". */
static void add_record(struct klog *log, char *record)
{
	char line[1024], *text = strchr(record, ';');
	unsigned long long usec;
	unsigned int prio;

	if (!text || sscanf(record, "%u,%*u,%llu", &prio, &usec) != 2)
		return;
	text++;
	text[strcspn(text, "\n")] = '\0';
	if (strstr(text, chatter))
		return;
	snprintf(line, sizeof(line), "[%5llu.%06llu] %s", usec / 1000000,
		 usec % 1000000, text);
	/* What user space wrote has another facility; it cannot complain. */
	add_line(log, line, prio >> 3 == 0);
}

void klog_read(struct klog *log)
{
	char record[8192];
	ssize_t len;

	for (;;) {
		len = read(log->fd, record, sizeof(record) - 1);
		if (len > 0) {
			record[len] = '\0';
			add_record(log, record);
		} else if (len < 0 && errno == EPIPE) {
			log->lost = true;
		} else if (len >= 0 || errno != EINTR) {
			return;
		}
	}
}

bool klog_has_splat(const struct klog *log)
{
	return log->splat < log->nr || read_taint() & ~log->taint;
}

/* From just before the first complaint on, or the last lines when there is none. */
void klog_print(const struct klog *log, size_t max_lines,
		void (*print)(const char *line))
{
	size_t i;

	if (log->lost)
		print("(part of the kernel log was overwritten unread)");
	if (log->splat < log->nr)
		i = log->splat > LINES_BEFORE ? log->splat - LINES_BEFORE : 0;
	else
		i = log->nr > max_lines ? log->nr - max_lines : 0;
	for (; i < log->nr && max_lines--; i++)
		print(log->lines[i]);
}
