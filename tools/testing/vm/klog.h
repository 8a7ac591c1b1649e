/* SPDX-License-Identifier: GPL-2.0-only */
/* The kernel log since a given moment, and whether it holds a complaint. */
#ifndef KLOG_H
#define KLOG_H

#include <stdbool.h>
#include <stddef.h>

struct klog {
	int fd;			/* /dev/kmsg; its position is the mark */
	unsigned long taint;	/* complaints among the taint flags so far */
	char **lines;		/* read since klog_mark() */
	size_t nr;
	size_t splat;		/* index of the first complaint, or nr */
	bool in_race;		/* inside a report of KCSAN */
	bool lost;		/* the ring was overwritten before we read */
};

int klog_open(struct klog *log);
void klog_mark(struct klog *log);
void klog_read(struct klog *log);
bool klog_has_splat(const struct klog *log);
void klog_print(const struct klog *log, size_t max_lines,
		void (*print)(const char *line));

#endif
