/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log since klog_mark(), and whether it has a complaint. */
#ifndef KLOG_H
#define KLOG_H

#include <stdbool.h>
#include <stddef.h>

struct klog_line {
	char *text;
	bool complaint;
};

struct klog {
	int fd;			/* /dev/kmsg; its position is the mark */
	unsigned long taint;	/* complaints among the taint flags so far */
	struct klog_line *lines;	/* read since klog_mark() */
	size_t nr;
	bool in_race;		/* inside a KCSAN report */
	bool race_counts;	/* and the race may be ours */
	bool lost;		/* the ring was overwritten before we read it */
};

int klog_open(struct klog *log);
void klog_mark(struct klog *log);
void klog_read(struct klog *log);
/*
 * Forgives the expected complaint whose headline has @text, along with the
 * lines that every report has. Returns false if there is none. Complaints with
 * another headline still count.
 */
bool klog_forgive(struct klog *log, const char *text);
bool klog_has_splat(const struct klog *log);
/* One line about the first complaint, if klog_has_splat(). */
const char *klog_headline(const struct klog *log);
void klog_print(const struct klog *log, size_t max_lines,
		void (*print)(const char *line));

#endif
