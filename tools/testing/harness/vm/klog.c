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
#define MAX_RACE_LINES	100
#define ARRAY_SIZE(a)	(sizeof(a) / sizeof((a)[0]))

/* Parts of complaints, or complaints if alone: some code only dumps a stack. */
static const char * const parts[] = {
	"------------[ cut here ]------------",
	"Call Trace:",
};

static const char * const complaints[] = {
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

/* DEBUG_KOBJECT_RELEASE logs this per kobject, which crowds out the rest. */
static const char chatter[] = ": kobject_release, parent ";

/*
 * Not complaints, whoever the caller is: waiters for a mutex or an rwsem queue
 * up per CPU, and osq_wait_next(), inlined in both functions, reads a link
 * without READ_ONCE() before it takes it with xchg().
 */
static const char * const the_kernels_races[] = {
	"data-race in osq_lock / osq_",
	"data-race in osq_lock+",
	"data-race in osq_unlock+",
};

/* Bad page, machine died, warning, soft lockup: see tainted-kernels.rst. */
#define TAINT_WARN		BIT(9)
#define TAINT_COMPLAINTS	(BIT(5) | BIT(7) | TAINT_WARN | BIT(14))

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

static bool has_one_of(const char *text, const char * const *words, size_t nr)
{
	size_t i;

	for (i = 0; i < nr; i++)
		if (strstr(text, words[i]))
			return true;
	return false;
}

/*
 * KCSAN watches the whole kernel; a race counts only if a module of OUR_MODULES
 * is in its stacks.
 */
static bool is_our_frame(const char *text)
{
	const char *name = getenv("OUR_MODULES");
	char frame[64];
	int len;

	for (; name && *name; name += len + !!name[len]) {
		len = strcspn(name, " ");
		snprintf(frame, sizeof(frame), "[%.*s]", len, name);
		if (strstr(text, frame))
			return true;
	}
	return false;
}

static bool is_complaint(struct klog *log, const char *text)
{
	if (strstr(text, "BUG: KCSAN: ")) {
		log->in_race = true;
		log->race_counts = !has_one_of(text, the_kernels_races,
						ARRAY_SIZE(the_kernels_races));
	} else if (log->in_race && strstr(text, "==========")) {
		log->in_race = false;
		return false;
	}
	if (log->in_race)
		return log->race_counts && is_our_frame(text);
	return has_one_of(text, complaints, ARRAY_SIZE(complaints)) ||
	       has_one_of(text, parts, ARRAY_SIZE(parts));
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
		free(log->lines[i].text);
	free(log->lines);
	log->lines = NULL;
	log->nr = 0;
	log->lost = false;
	log->taint = read_taint();
}

static void add_line(struct klog *log, const char *text, bool from_kernel)
{
	bool complaint = from_kernel && is_complaint(log, text);
	struct klog_line *lines = realloc(log->lines,
					  (log->nr + 1) * sizeof(*lines));
	char *copy = strdup(text);

	if (!lines || !copy) {
		perror("kernel log");
		exit(1);
	}
	log->lines = lines;
	log->lines[log->nr].text = copy;
	log->lines[log->nr].complaint = complaint;
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
	/* Messages from user space have another facility and never count. */
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

/* Returns the index of the first complaint, or the number of lines. */
static size_t first_splat(const struct klog *log)
{
	size_t i;

	for (i = 0; i < log->nr && !log->lines[i].complaint; i++)
		;
	return i;
}

bool klog_forgive(struct klog *log, const char *text)
{
	bool found = false;
	size_t i;

	for (i = 0; i < log->nr; i++) {
		struct klog_line *line = &log->lines[i];

		if (line->complaint && strstr(line->text, text)) {
			line->complaint = false;
			found = true;
		}
	}
	if (!found)
		return false;
	for (i = 0; i < log->nr; i++)
		if (has_one_of(log->lines[i].text, parts, ARRAY_SIZE(parts)))
			log->lines[i].complaint = false;
	log->taint |= TAINT_WARN;
	return true;
}

bool klog_has_splat(const struct klog *log)
{
	return first_splat(log) < log->nr || read_taint() & ~log->taint;
}

/* The line a reader looks for first; the rest may be long or truncated. */
const char *klog_headline(const struct klog *log)
{
	size_t i = first_splat(log), above;

	if (i == log->nr)
		return "a taint flag was set";
	/* The headline follows "cut here". */
	if (strstr(log->lines[i].text, parts[0]) && i + 1 < log->nr)
		return log->lines[i + 1].text;
	/* A race counts by a frame of ours, which is below the headline. */
	for (above = i; above && i - above < MAX_RACE_LINES; above--)
		if (strstr(log->lines[above].text, "BUG: KCSAN: "))
			return log->lines[above].text;
	return log->lines[i].text;
}

/* Prints from just before the first complaint, or the last lines if none. */
void klog_print(const struct klog *log, size_t max_lines,
		void (*print)(const char *line))
{
	size_t i = first_splat(log);

	if (log->lost)
		print("(part of the kernel log was overwritten unread)");
	if (i < log->nr)
		i = i > LINES_BEFORE ? i - LINES_BEFORE : 0;
	else
		i = log->nr > max_lines ? log->nr - max_lines : 0;
	for (; i < log->nr && max_lines--; i++)
		print(log->lines[i].text);
}
