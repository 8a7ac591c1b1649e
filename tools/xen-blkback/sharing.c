// SPDX-License-Identifier: GPL-2.0-only
/* See block-seq.h: the other virtual disks. */
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "block-seq.h"

/* The lock of Xen's script "block". Its owner may remove the file. */
#define LOCK_FOLDER "/run/xen-hotplug"
#define LOCK_FILE LOCK_FOLDER "/block"

static int lock_fd = -1;

void lock(void)
{
	struct stat ours, now;

	mkdir(LOCK_FOLDER, 0755);
	for (;;) {
		lock_fd = open(LOCK_FILE, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
		if (lock_fd < 0 || flock(lock_fd, LOCK_EX) || fstat(lock_fd, &ours))
			fail("%s: %s", LOCK_FILE, strerror(errno));
		if (!stat(LOCK_FILE, &now) && now.st_dev == ours.st_dev &&
		    now.st_ino == ours.st_ino)
			return;
		close(lock_fd);
	}
}

void unlock(void)
{
	close(lock_fd);
}

bool parse_physical(const char *value, unsigned long long *seq, dev_t *number)
{
	const char *at = strchr(value, '@');
	unsigned int major, minor;

	*seq = at ? strtoull(value, NULL, 16) : 0;
	if (sscanf(at ? at + 1 : value, "%x:%x", &major, &minor) != 2)
		return false;
	*number = makedev(major, minor);
	return true;
}

void visit_vbds(const char *folder, void (*visit)(const char *vbd, void *data), void *data)
{
	unsigned int nr_domains, nr_vbds;
	char **domains = xs_directory(store, XBT_NULL, folder, &nr_domains);

	for (unsigned int d = 0; domains && d < nr_domains; d++) {
		char *domain = format("%s/%s", folder, domains[d]);
		char **vbds = xs_directory(store, XBT_NULL, domain, &nr_vbds);

		for (unsigned int i = 0; vbds && i < nr_vbds; i++) {
			char *vbd = format("%s/%s", domain, vbds[i]);

			visit(vbd, data);
			free(vbd);
		}
		free(vbds);
		free(domain);
	}
	free(domains);
}

struct check {
	const char *vbd;
	const char *name;
	const struct disk *disk;
	bool writable;
};

static bool is_same_disk(const struct disk *a, const struct disk *b)
{
	return a->number == b->number || (a->is_loop && b->is_loop &&
					  a->file == b->file && a->inode == b->inode);
}

/* The configuration of the guest. Both sides of a local migration have the same. */
static char *vm_of(const char *vbd)
{
	char *domain = node_read(vbd, "frontend-id"), *path, *vm;

	path = format("/local/domain/%s", domain ?: "");
	vm = node_read(path, "vm");
	free(path);
	free(domain);
	return vm;
}

static bool is_same_vm(const char *a, const char *b)
{
	char *vm_a = vm_of(a), *vm_b = vm_of(b);
	bool same = vm_a && vm_b && !strcmp(vm_a, vm_b);

	free(vm_a);
	free(vm_b);
	return same;
}

static void check_vbd(const char *vbd, void *data)
{
	const struct check *check = data;
	char *physical, *mode;
	unsigned long long seq;
	struct disk disk;
	dev_t number;

	if (!strcmp(vbd, check->vbd))
		return;
	physical = node_read(vbd, "physical-device");
	if (!physical || !parse_physical(physical, &seq, &number) ||
	    !disk_of_number(&disk, number)) {
		free(physical);
		return;
	}
	mode = node_read(vbd, "mode");
	if (is_same_disk(&disk, check->disk) &&
	    (check->writable || (mode && strchr(mode, 'w'))) && !is_same_vm(vbd, check->vbd))
		fail("%s is in use by %s, in mode %s", check->name, vbd, mode ?: "unknown");
	free(mode);
	free(disk.path);
	free(physical);
}

void check_sharing(const char *vbd, const char *name, const struct disk *disk,
		   bool writable)
{
	struct check check = {
		.vbd = vbd, .name = name, .disk = disk, .writable = writable
	};
	char *folder = format("%s", vbd);

	visit_vbds(dirname(dirname(folder)), check_vbd, &check);
	free(folder);
}
