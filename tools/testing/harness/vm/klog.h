/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log since a given moment, and whether it holds a complaint. */
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
	bool in_race;		/* inside a report of KCSAN */
	bool race_counts;	/* which may be about us */
	bool lost;		/* the ring was overwritten before we read */
};

int klog_open(struct klog *log);
void klog_mark(struct klog *log);
void klog_read(struct klog *log);
/*
 * The complaint whose headline has @text was wanted: forgive it, with the parts
 * that any report has. False if there is none. A complaint with a headline of
 * its own is another one.
 */
bool klog_forgive(struct klog *log, const char *text);
bool klog_has_splat(const struct klog *log);
/* One line about the first complaint, if klog_has_splat(). */
const char *klog_headline(const struct klog *log);
void klog_print(const struct klog *log, size_t max_lines,
		void (*print)(const char *line));

#endif
