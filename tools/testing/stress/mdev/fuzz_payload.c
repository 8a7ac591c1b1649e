// SPDX-License-Identifier: GPL-2.0-only
/* Bytes to write to sysfs files, and ways to write them. */
#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/uio.h>
#include <unistd.h>

#include "fuzz_payload.h"

#define MAX_PIECES 5
/* The kernel warns if a write to uevent overflows its buffer of 2 KiB. */
#define WORD_MAX 1024

static void set_text(struct payload *p, const char *text)
{
	p->len = strlen(text);
	memcpy(p->data, text, p->len);
}

static unsigned char any_byte(struct rng *rng)
{
	static const char likely[] = "\0\n\r -0123456789abcdefABCDEFgxX{}+./%\x7f";

	if (rng_permille(rng, 700))
		return likely[rng_below(rng, sizeof(likely))];
	return rng_next(rng);
}

static void insert_byte(struct payload *p, size_t at, unsigned char byte)
{
	if (p->len == PAYLOAD_MAX)
		return;
	memmove(p->data + at + 1, p->data + at, p->len - at);
	p->data[at] = byte;
	p->len++;
}

static void delete_byte(struct payload *p, size_t at)
{
	if (at >= p->len)
		return;
	memmove(p->data + at, p->data + at + 1, p->len - at - 1);
	p->len--;
}

static void mutate(struct payload *p, struct rng *rng)
{
	size_t at = rng_below(rng, p->len + 1);

	switch (rng_below(rng, 8)) {
	case 0:
	case 1:
		if (at < p->len)
			p->data[at] = any_byte(rng);
		break;
	case 2:
		insert_byte(p, at, any_byte(rng));
		break;
	case 3:
		delete_byte(p, at);
		break;
	case 4:
		if (at < p->len)
			p->data[at] = '\0';
		break;
	case 5:
		insert_byte(p, p->len, any_byte(rng));
		break;
	case 6:
		insert_byte(p, 0, any_byte(rng));
		break;
	case 7:
		p->len = at;
		break;
	}
}

/* Truncate to @len, or pad by repeating the payload or a single byte. */
static void stretch(struct payload *p, struct rng *rng, size_t len)
{
	size_t unit = p->len;
	bool repeat = unit && rng_permille(rng, 300);
	unsigned char fill = any_byte(rng);

	while (p->len < len) {
		p->data[p->len] = repeat ? p->data[p->len - unit] : fill;
		p->len++;
	}
	p->len = len;
}

static void upper(struct payload *p)
{
	size_t i;

	for (i = 0; i < p->len; i++)
		p->data[i] = toupper(p->data[i]);
}

void payload_make(struct payload *p, struct rng *rng, const char *good,
		  unsigned int right)
{
	/* Cycle through all lengths. */
	static size_t next_len;
	unsigned int i;

	set_text(p, good);
	if (rng_permille(rng, right)) {
		if (rng_permille(rng, 400))
			insert_byte(p, p->len, '\n');
		if (rng_permille(rng, 200))
			upper(p);
		return;
	}
	switch (rng_below(rng, 10)) {
	case 0:
		stretch(p, rng, next_len++ % PAYLOAD_MAX);
		break;
	case 1:
		p->len = rng_permille(rng, 900) ? rng_below(rng, 64) :
						  rng_below(rng, PAYLOAD_MAX);
		for (i = 0; i < p->len; i++)
			p->data[i] = any_byte(rng);
		break;
	default:
		/* A second newline is always invalid. */
		if (rng_permille(rng, 100))
			insert_byte(p, p->len, '\n');
		for (i = 1 + rng_below(rng, 3); i; i--)
			mutate(p, rng);
		break;
	}
}

void payload_word(struct payload *p, struct rng *rng, const char *name)
{
	static const char * const words[] = {
		"add", "remove", "change", "bind", "unbind", "move", "online",
		"offline", "on", "auto", "enabled", "disabled", "0", "1", "-1",
		"change 01234567-89ab-4cde-8f01-23456789abcd A=1",
		"add 01234567-89ab-4cde-8f01-23456789abcd", "2147483647",
		"99999999999999999999", "", "\n", "vfio_mdev", "*", "..",
	};
	unsigned int i;

	set_text(p, rng_permille(rng, 400) ? name :
		 words[rng_below(rng, ARRAY_SIZE(words))]);
	if (rng_permille(rng, 400))
		insert_byte(p, p->len, '\n');
	if (rng_permille(rng, 400))
		for (i = 1 + rng_below(rng, 3); i; i--)
			mutate(p, rng);
	if (rng_permille(rng, 50))
		stretch(p, rng, rng_below(rng, WORD_MAX));
}

void delivery_choose(struct delivery *how, struct rng *rng)
{
	static const off_t odd[] = {
		-1, LLONG_MIN, LLONG_MAX, LLONG_MAX - 36, 36, SYSFS_MAX,
	};

	memset(how, 0, sizeof(*how));
	if (rng_permille(rng, 250)) {
		how->pieces = 1 + rng_below(rng, MAX_PIECES);
		how->offset = 0;
	} else if (rng_permille(rng, 150)) {
		how->offset = rng_permille(rng, 300) ?
			      odd[rng_below(rng, ARRAY_SIZE(odd))] :
			      (off_t)rng_below(rng, 2 * SYSFS_MAX);
	}
	how->beyond = rng_permille(rng, 20);
}

/* Returns the end of writable memory; what follows it is unmapped. */
static unsigned char *fence(void)
{
	static unsigned char *end;
	size_t room = 2 * SYSFS_MAX;

	if (!end) {
		end = mmap(NULL, 2 * room, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
		if (end == MAP_FAILED || munmap(end + room, room))
			abort();
		end += room;
	}
	return end;
}

ssize_t deliver(int fd, const struct payload *p, const struct delivery *how,
		struct rng *rng)
{
	size_t there = how->beyond ? p->len / 2 : p->len, used = 0;
	unsigned char *start = fence() - there;
	struct iovec iov[MAX_PIECES];
	unsigned int i;
	ssize_t ret;

	memcpy(start, p->data, there);
	if (!how->pieces) {
		ret = pwrite(fd, start, p->len, how->offset);
		return ret < 0 ? -errno : ret;
	}
	for (i = 0; i < how->pieces; i++) {
		iov[i].iov_base = start + used;
		iov[i].iov_len = i + 1 < how->pieces ?
				 rng_below(rng, p->len - used + 1) :
				 p->len - used;
		used += iov[i].iov_len;
	}
	ret = pwritev(fd, iov, how->pieces, how->offset);
	return ret < 0 ? -errno : ret;
}

ssize_t delivery_expect(const struct payload *p, const struct delivery *how)
{
	size_t passed = p->len < SYSFS_MAX ? p->len : SYSFS_MAX;
	size_t there = how->beyond ? p->len / 2 : p->len;

	/* Negative offsets and overflowing ranges are invalid for any file. */
	if (how->offset < 0 ||
	    how->offset > LLONG_MAX - (off_t)p->len)
		return -EINVAL;
	if (there < passed)
		return -EFAULT;
	return passed;
}
