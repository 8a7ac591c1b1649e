// SPDX-License-Identifier: GPL-2.0-only
/*
 * dm-user-log CONTROL FILE LOG: serves a device from FILE, and logs what would be left
 * of it after a power cut, as dm-log-writes does: writes go to LOG with the flush that
 * made them durable, or at once with FUA. Its single thread takes a request after it has
 * answered the one before, so a flush covers all writes that were answered, and no other.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

#include "libdmuser.h"
#include "writes_log.h"

struct write {
	struct write *next;
	struct log_entry entry;
	char data[];
};

struct server {
	int fd;
	int log;
	/* Answered, and not yet flushed. */
	struct write *first;
	struct write **last;
};

/* Entries are appended whole, so that others may append marks. */
static int append(struct server *s, const struct log_entry *entry, const void *data)
{
	char head[SECTOR] = "";
	struct iovec iov[] = {
		{ head, sizeof(head) },
		{ (void *)data, data ? entry->sectors * SECTOR : 0 },
	};

	memcpy(head, entry, sizeof(*entry));
	if (writev(s->log, iov, 2) != (ssize_t)(iov[0].iov_len + iov[1].iov_len))
		return -EIO;
	return 0;
}

static int transfer(struct server *s, const struct dmuser_request *r, bool write)
{
	ssize_t n = write ? pwrite(s->fd, r->data, r->len, r->offset) :
			    pread(s->fd, r->data, r->len, r->offset);

	return n == (ssize_t)r->len ? 0 : -EIO;
}

static int log_write(struct server *s, const struct dmuser_request *r)
{
	struct log_entry entry = {
		.sector = r->offset / SECTOR,
		.sectors = r->len / SECTOR,
	};
	struct write *w;

	if (r->flags & DM_USER_REQ_MAP_FLAG_FUA) {
		entry.flags = LOG_FUA;
		return append(s, &entry, r->data);
	}
	w = malloc(sizeof(*w) + r->len);
	if (!w)
		return -ENOMEM;
	w->next = NULL;
	w->entry = entry;
	memcpy(w->data, r->data, r->len);
	*s->last = w;
	s->last = &w->next;
	return 0;
}

static int log_flush(struct server *s)
{
	const struct log_entry flush = { .flags = LOG_FLUSH };
	struct write *w;
	int error = 0;

	while ((w = s->first)) {
		error = error ?: append(s, &w->entry, w->data);
		s->first = w->next;
		free(w);
	}
	s->last = &s->first;
	return error ?: append(s, &flush, NULL);
}

static int handle(void *context, const struct dmuser_request *r)
{
	struct server *s = context;

	switch (r->type) {
	case DM_USER_REQ_MAP_READ:
		return transfer(s, r, false);
	case DM_USER_REQ_MAP_WRITE:
		return transfer(s, r, true) ?: log_write(s, r);
	case DM_USER_REQ_MAP_FLUSH:
		return log_flush(s);
	default:
		return -EOPNOTSUPP;
	}
}

static void ready(void *context)
{
	puts("ready");
	fflush(stdout);
}

int main(int argc, char **argv)
{
	const struct log_super super = {
		.magic = LOG_MAGIC,
		.version = LOG_VERSION,
		.entries = UINT64_MAX,	/* up to the end of the file */
		.sector_size = SECTOR,
	};
	struct server s = { .last = &s.first };
	struct dmuser_options options = {
		.threads = 1, .handle = handle, .context = &s, .ready = ready,
	};
	char head[SECTOR] = "";
	int error;

	if (argc != 4) {
		fprintf(stderr, "usage: %s CONTROL FILE LOG\n", argv[0]);
		return 2;
	}
	s.fd = open(argv[2], O_RDWR);
	s.log = open(argv[3], O_WRONLY | O_CREAT | O_TRUNC | O_APPEND, 0600);
	if (s.fd < 0 || s.log < 0) {
		perror(s.fd < 0 ? argv[2] : argv[3]);
		return 1;
	}
	memcpy(head, &super, sizeof(super));
	if (write(s.log, head, sizeof(head)) != sizeof(head)) {
		perror(argv[3]);
		return 1;
	}
	error = dmuser_serve(argv[1], &options);
	if (error)
		fprintf(stderr, "%s: %s\n", argv[1], strerror(-error));
	return error ? 1 : 0;
}
