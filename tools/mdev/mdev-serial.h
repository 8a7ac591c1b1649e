/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of mdev-serial.
 */
#ifndef VFIO_MDEV_MDEV_SERIAL_H
#define VFIO_MDEV_MDEV_SERIAL_H

/* Say on stderr what went wrong, after all that stdout has. Both return -1. */
[[gnu::format(printf, 1, 2)]]
int complain(const char *fmt, ...);
int complain_errno(int error, const char *what);

/*
 * Keep an open VFIO device until end of input, a signal, or the request
 * interrupt. Returns 0, or -1 after a complaint.
 */
int hold_open(int device, const char *uuid);

#endif /* VFIO_MDEV_MDEV_SERIAL_H */
