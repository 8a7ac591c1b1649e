// SPDX-License-Identifier: GPL-2.0-only
/*
 * replay-log LOG IMAGE OFFSET: applies the entries of LOG from this byte on (the first is
 * at 512) to IMAGE, up to the next flush, write with FUA, or mark. Prints the offset of
 * the next entry, and "flush", "fua" or the text of the mark. Prints nothing at the end
 * of the log.
 *
 * replay-log -m LOG TEXT: appends a mark.
 */
#include <err.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "writes_log.h"

#define CHUNK (1024 * 1024)

union sector {
	struct log_super super;
	struct log_entry entry;
	char bytes[SECTOR];
};

/* Returns false at the end of the log. */
static bool read_sector(int log, off_t offset, union sector *s)
{
	ssize_t n = pread(log, s, sizeof(*s), offset);

	if (n && n != sizeof(*s))
		err(2, "the log ends within an entry");
	return n;
}

static void copy(int log, off_t from, int image, off_t to, uint64_t len)
{
	static char data[CHUNK];

	while (len) {
		size_t n = len < CHUNK ? len : CHUNK;

		if (pread(log, data, n, from) != (ssize_t)n)
			err(2, "the log ends within data");
		if (pwrite(image, data, n, to) != (ssize_t)n)
			err(2, "cannot write to the image");
		from += n;
		to += n;
		len -= n;
	}
}

/* Replays up to the next point at which something is durable. */
static void replay(int log, int image, off_t offset)
{
	union sector s;

	while (read_sector(log, offset, &s)) {
		const struct log_entry *e = &s.entry;
		uint64_t len = e->sectors * SECTOR;

		offset += SECTOR;
		if (e->flags & LOG_DISCARD)
			continue;
		copy(log, offset, image, e->sector * SECTOR, len);
		offset += len;
		if (!(e->flags & (LOG_FLUSH | LOG_FUA | LOG_MARK)))
			continue;
		printf("%jd ", (intmax_t)offset);
		if (e->flags & LOG_MARK)
			printf("%.*s\n", (int)e->data_len, (const char *)(e + 1));
		else
			puts(e->flags & LOG_FLUSH ? "flush" : "fua");
		return;
	}
}

static void append_mark(const char *path, const char *text)
{
	union sector s = { .entry = { .flags = LOG_MARK, .data_len = strlen(text) } };
	int log = open(path, O_WRONLY | O_APPEND);

	if (strlen(text) > SECTOR - sizeof(s.entry))
		errx(2, "too long: %s", text);
	memcpy(s.bytes + sizeof(s.entry), text, strlen(text));
	if (log < 0 || write(log, &s, sizeof(s)) != sizeof(s))
		err(2, "%s", path);
}

int main(int argc, char **argv)
{
	union sector s;
	int log, image;

	if (argc != 4)
		errx(2, "usage: LOG IMAGE OFFSET, or -m LOG TEXT");
	if (!strcmp(argv[1], "-m")) {
		append_mark(argv[2], argv[3]);
		return 0;
	}
	log = open(argv[1], O_RDONLY);
	image = open(argv[2], O_WRONLY);
	if (log < 0 || image < 0)
		err(2, "%s", log < 0 ? argv[1] : argv[2]);
	if (!read_sector(log, 0, &s) || s.super.magic != LOG_MAGIC ||
	    s.super.version != LOG_VERSION || s.super.sector_size != SECTOR)
		errx(2, "%s: no log", argv[1]);
	replay(log, image, strtoull(argv[3], NULL, 10));
	return 0;
}
