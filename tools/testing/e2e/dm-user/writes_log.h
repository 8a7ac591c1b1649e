/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The format of the log of dm-log-writes, which dm-user-log writes as well: sector 0 is
 * a struct log_super; from sector 1 on, each entry is a sector that begins with a struct
 * log_entry, then its data. All numbers are little-endian, sectors are 512 bytes here.
 */
#ifndef WRITES_LOG_H
#define WRITES_LOG_H

#include <stdint.h>

#define SECTOR		512
#define LOG_MAGIC	0x6a736677736872ULL
#define LOG_VERSION	1

#define LOG_FLUSH	0x1
#define LOG_FUA		0x2
#define LOG_DISCARD	0x4	/* no data follows */
#define LOG_MARK	0x8	/* its text is in the entry's sector */

struct log_super {
	uint64_t magic;
	uint64_t version;
	uint64_t entries;
	uint32_t sector_size;
};

struct log_entry {
	uint64_t sector;
	uint64_t sectors;
	uint64_t flags;
	uint64_t data_len;	/* of a mark */
};

#endif
