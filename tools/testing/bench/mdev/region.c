// SPDX-License-Identifier: GPL-2.0-only
/* Measures reads and writes of a register of an open serial card. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "bench.h"
#include "vfio_user.h"

/* The scratch register only stores a byte. */
#define SCRATCH 7

int cmd_region(int argc, char **argv)
{
	struct kind kind = { argv[0], argv[1] };
	struct vfio_region_info info;
	int times = atoi(argv[2]), i, ret;
	struct vfio_user vfio;
	char name[NAME_SIZE];
	uint64_t start;
	uint8_t byte = 0;
	off_t pos;

	(void)argc;
	new_name(name);
	i = open_file(kind.create, O_WRONLY);
	create_device(i, name);
	close(i);
	ret = vfio_user_open(&vfio, name);
	if (ret)
		die("cannot open %s: %s: %s", name, vfio.step, strerror(-ret));
	ret = vfio_user_region_info(vfio.device, VFIO_PCI_BAR0_REGION_INDEX,
				    &info);
	if (ret)
		die("no BAR 0: %s", strerror(-ret));
	pos = info.offset + SCRATCH;

	/* The first half is a warm-up and is not counted. */
	for (i = -times, start = 0; i < times; i++) {
		if (!i)
			start = now();
		if (pwrite(vfio.device, &byte, 1, pos) != 1)
			die("cannot write to the card");
	}
	result("region_write", 0, "ns", (double)(now() - start) / times);
	for (i = -times; i < times; i++) {
		if (!i)
			start = now();
		if (pread(vfio.device, &byte, 1, pos) != 1)
			die("cannot read from the card");
	}
	result("region_read", 0, "ns", (double)(now() - start) / times);
	/* Read beyond the region: costs all but the register access itself. */
	pos = info.offset + info.size;
	for (i = -times; i < times; i++) {
		if (!i)
			start = now();
		/* Mainline's card does not refuse this. */
		if (pread(vfio.device, &byte, 1, pos) != -1 || errno != EINVAL)
			break;
	}
	if (i == times)
		result("region_refused", 0, "ns",
		       (double)(now() - start) / times);
	vfio_user_close(&vfio);
	remove_device(&kind, name);
	return 0;
}
