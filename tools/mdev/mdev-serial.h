/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the files of mdev-serial.
 */
#ifndef VFIO_MDEV_MDEV_SERIAL_H
#define VFIO_MDEV_MDEV_SERIAL_H

/* Flush stdout, then print an error on stderr. Both return -1. */
[[gnu::format(printf, 1, 2)]]
int complain(const char *fmt, ...);
int complain_errno(int error, const char *what);

/*
 * Hold a VFIO device open until end of input, a signal, or the request interrupt.
 * Returns 0, or -1 after printing an error.
 */
int hold_open(int device, const char *uuid);

#endif /* VFIO_MDEV_MDEV_SERIAL_H */
