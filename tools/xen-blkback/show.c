// SPDX-License-Identifier: GPL-2.0-only
/* See block-seq.h: a table of the virtual disks. */
#include <stdio.h>
#include <stdlib.h>

#include "block-seq.h"

static void show_vbd(const char *vbd, void *unused)
{
	char *domain = node_read(vbd, "frontend-id"), *dev = node_read(vbd, "dev");
	char *params = node_read(vbd, "params"), *opened = node_read(vbd, "opened");
	char *physical = node_read(vbd, "physical-device");
	char *number = node_read(vbd, "diskseq"), text[32] = "-";
	unsigned long long seq = 0;
	dev_t disk;

	(void)unused;
	if (physical && parse_physical(physical, &seq, &disk)) {
		if (!seq && number && opened)
			seq = strtoull(number, NULL, 16);
		snprintf(text, sizeof(text), seq ? "%llu" : "unchecked", seq);
	}
	printf("%-7s %-9s %-10s %-7s %s\n", domain ?: "?", dev ?: "?", text,
	       !opened ? "-" : *opened == '1' ? "yes" : "no", params ?: "");
	free(domain);
	free(dev);
	free(params);
	free(opened);
	free(physical);
	free(number);
}

void show(void)
{
	char *own = own_path(), *folder = format("%s/backend/vbd", own);

	printf("%-7s %-9s %-10s %-7s %s\n", "DOMAIN", "DEVICE", "DISKSEQ", "OPENED", "TARGET");
	visit_vbds(folder, show_vbd, NULL);
	free(folder);
	free(own);
}
