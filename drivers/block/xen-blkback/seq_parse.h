/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * How user space names a disk in xenstore, with its sequence number.
 */
#ifndef XEN_BLKBACK_SEQ_PARSE_H
#define XEN_BLKBACK_SEQ_PARSE_H

#include <linux/types.h>

/**
 * struct seq_disk - a disk that user space names
 * @seq: its sequence number, or 0 if any disk of this number will do
 * @major: the device number
 * @minor: the device number
 */
struct seq_disk {
	u64 seq;
	unsigned int major;
	unsigned int minor;
};

int seq_parse_disk(const char *value, size_t len, struct seq_disk *disk);
int seq_parse_number(const char *value, size_t len, u64 *seq);

#endif
