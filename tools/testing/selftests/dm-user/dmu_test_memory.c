// SPDX-License-Identifier: GPL-2.0-only
/* See dmu_test.h: memory behind a userfaultfd. */
#include <errno.h>
#include <fcntl.h>
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "dmu_test.h"

#define PAGE 4096

int absent_map(struct absent *a)
{
	struct uffdio_register reg = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_api api = { .api = UFFD_API };

	a->uffd = syscall(SYS_userfaultfd, O_CLOEXEC);
	if (a->uffd < 0)
		return -errno;
	a->at = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS,
		     -1, 0);
	reg.range.start = (uintptr_t)a->at;
	reg.range.len = PAGE;
	return a->at == MAP_FAILED || ioctl(a->uffd, UFFDIO_API, &api) ||
	       ioctl(a->uffd, UFFDIO_REGISTER, &reg) ? -errno : 0;
}

int absent_bring(struct absent *a)
{
	struct uffdio_zeropage zero = {
		.range = { .start = (uintptr_t)a->at, .len = PAGE },
	};

	return ioctl(a->uffd, UFFDIO_ZEROPAGE, &zero) ? -errno : 0;
}

void absent_free(struct absent *a)
{
	munmap(a->at, PAGE);
	close(a->uffd);
}
