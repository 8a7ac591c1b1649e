#!/usr/bin/python3
# SPDX-License-Identifier: GPL-2.0-only
#
# usage: daemon.py CONTROL FILE
#
# Serves a dm-user device from a file, with nothing but Python's standard library. It is
# written from Documentation/admin-guide/device-mapper/dm-user.rst and <linux/dm-user.h>
# alone, to show that they say enough.

import ctypes
import errno
import os
import struct
import sys

READ, WRITE, FLUSH, DISCARD, WRITE_ZEROES = 0, 1, 2, 3, 6
FUA, NOUNMAP = 0x200, 0x8000
SUCCESS, ERROR, UNSUPPORTED = 0, 1, 2

HEADER = struct.Struct("=5Q")

PR_SET_IO_FLUSHER = 57
MCL_CURRENT, MCL_FUTURE = 1, 2
KEEP_SIZE, PUNCH_HOLE = 0x01, 0x02

ZEROES = bytes(1024 * 1024)

libc = ctypes.CDLL(None, use_errno=True)


def checked(result):
    if result < 0:
        raise OSError(ctypes.get_errno(), os.strerror(ctypes.get_errno()))


def read_all(channel, length):
    data = b""
    while len(data) < length:
        data += os.read(channel, length - len(data))
    return data


def write_all(channel, data):
    view = memoryview(data)
    while view:
        view = view[os.write(channel, view):]


def pwrite_all(file, data, offset):
    view = memoryview(data)
    while view:
        done = os.pwrite(file, view, offset)
        view, offset = view[done:], offset + done


def punch_hole(file, offset, length):
    checked(libc.fallocate(file, KEEP_SIZE | PUNCH_HOLE, ctypes.c_long(offset),
                           ctypes.c_long(length)))


def carry_out(file, kind, flags, offset, length, data):
    """Returns the data of a read."""
    if kind == READ:
        data = os.pread(file, length, offset)
        if len(data) < length:
            raise OSError(errno.EIO, "the file is shorter than the device")
        return data
    if kind == WRITE:
        pwrite_all(file, data, offset)
    elif kind == FLUSH:
        os.fdatasync(file)
    elif kind == DISCARD:
        punch_hole(file, offset, length)
    elif kind == WRITE_ZEROES and flags & NOUNMAP:
        for done in range(0, length, len(ZEROES)):
            pwrite_all(file, ZEROES[:length - done], offset + done)
    elif kind == WRITE_ZEROES:
        punch_hole(file, offset, length)
    else:
        raise OSError(errno.EOPNOTSUPP, os.strerror(errno.EOPNOTSUPP))
    if flags & FUA:
        os.fdatasync(file)
    return b""


def serve(channel, file):
    while True:
        seq, kind, flags, sector, length = HEADER.unpack(
            read_all(channel, HEADER.size))
        data = read_all(channel, length) if kind == WRITE else b""
        try:
            data = carry_out(file, kind, flags, sector * 512, length, data)
            answer = SUCCESS
        except OSError as error:
            print(f"request {seq}: {error}", file=sys.stderr)
            data = b""
            answer = UNSUPPORTED if error.errno == errno.EOPNOTSUPP else ERROR
        write_all(channel, HEADER.pack(seq, answer, 0, 0, 0) + data)


def main():
    file = os.open(sys.argv[2], os.O_RDWR)
    checked(libc.mlockall(MCL_CURRENT | MCL_FUTURE))
    checked(libc.prctl(PR_SET_IO_FLUSHER, 1, 0, 0, 0))
    channel = os.open(sys.argv[1], os.O_RDWR)
    print("ready", flush=True)
    try:
        serve(channel, file)
    except OSError as error:
        # The device was removed.
        if error.errno != errno.ENOTBLK:
            raise


main()
