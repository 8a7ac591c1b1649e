// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: klog_judge <LOG
 *
 * Feeds a kernel log to klog.c, line by line as /dev/kmsg does, and prints the
 * headline of the first complaint. Exits with 0 if there is one, with 1 if not.
 */
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "klog.h"

int main(void)
{
	char line[1024], record[1100];
	struct klog log = {};
	int fds[2];

	/* Like /dev/kmsg: one record per read, EAGAIN instead of EOF. */
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_NONBLOCK, 0, fds))
		return 2;
	log.fd = fds[0];
	klog_mark(&log);
	while (fgets(line, sizeof(line), stdin)) {
		const char *text = strstr(line, "] ");
		int len = snprintf(record, sizeof(record), "6,1,0,-;%s",
				   text ? text + 2 : line);

		if (write(fds[1], record, len) != len)
			return 2;
		klog_read(&log);
	}
	if (!klog_has_splat(&log))
		return 1;
	printf("%s\n", klog_headline(&log));
	return 0;
}
