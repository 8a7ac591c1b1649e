/* SPDX-License-Identifier: GPL-2.0-only WITH Linux-syscall-note */
/*
 * dm-user: block devices that a user-space daemon serves.
 *
 * Each device-mapper target "user" has a control device, /dev/dm-user/NAME. Each
 * open of it is a channel, on which the daemon reads requests and writes replies:
 * a byte stream of messages, with no padding between them.
 */
#ifndef _UAPI_LINUX_DM_USER_H
#define _UAPI_LINUX_DM_USER_H

#include <linux/ioctl.h>
#include <linux/types.h>

/* Of the batch interface and of what the structures below mean. */
#define DM_USER_VERSION 1

/* Types of requests. */
#define DM_USER_REQ_MAP_READ		0
#define DM_USER_REQ_MAP_WRITE		1
#define DM_USER_REQ_MAP_FLUSH		2
#define DM_USER_REQ_MAP_DISCARD		3
#define DM_USER_REQ_MAP_SECURE_ERASE	4
#define DM_USER_REQ_MAP_WRITE_SAME	5	/* never sent */
#define DM_USER_REQ_MAP_WRITE_ZEROES	6
#define DM_USER_REQ_MAP_ZONE_OPEN	7	/* 7 to 12 are never sent */
#define DM_USER_REQ_MAP_ZONE_CLOSE	8
#define DM_USER_REQ_MAP_ZONE_FINISH	9
#define DM_USER_REQ_MAP_ZONE_APPEND	10
#define DM_USER_REQ_MAP_ZONE_RESET	11
#define DM_USER_REQ_MAP_ZONE_RESET_ALL	12

/* Flags of requests. All are hints, but for FUA, PREFLUSH and NOUNMAP. */
#define DM_USER_REQ_MAP_FLAG_FAILFAST_DEV	0x00001
#define DM_USER_REQ_MAP_FLAG_FAILFAST_TRANSPORT	0x00002
#define DM_USER_REQ_MAP_FLAG_FAILFAST_DRIVER	0x00004
#define DM_USER_REQ_MAP_FLAG_SYNC		0x00008
#define DM_USER_REQ_MAP_FLAG_META		0x00010
#define DM_USER_REQ_MAP_FLAG_PRIO		0x00020
#define DM_USER_REQ_MAP_FLAG_NOMERGE		0x00040
#define DM_USER_REQ_MAP_FLAG_IDLE		0x00080
#define DM_USER_REQ_MAP_FLAG_INTEGRITY		0x00100
#define DM_USER_REQ_MAP_FLAG_FUA		0x00200
#define DM_USER_REQ_MAP_FLAG_PREFLUSH		0x00400
#define DM_USER_REQ_MAP_FLAG_RAHEAD		0x00800
#define DM_USER_REQ_MAP_FLAG_BACKGROUND		0x01000
#define DM_USER_REQ_MAP_FLAG_NOWAIT		0x02000
#define DM_USER_REQ_MAP_FLAG_CGROUP_PUNT	0x04000
#define DM_USER_REQ_MAP_FLAG_NOUNMAP		0x08000
#define DM_USER_REQ_MAP_FLAG_HIPRI		0x10000
#define DM_USER_REQ_MAP_FLAG_DRV		0x20000
#define DM_USER_REQ_MAP_FLAG_SWAP		0x40000

/* Of the batch interface: a channel that may have begun the request has lost it. */
#define DM_USER_REQ_REDELIVERED			0x80000000

/* Types of replies, with the error that the submitter gets. */
#define DM_USER_RESP_SUCCESS		0
#define DM_USER_RESP_ERROR		1	/* EIO */
#define DM_USER_RESP_UNSUPPORTED	2	/* EOPNOTSUPP */
/* Only in the batch interface. */
#define DM_USER_RESP_REMAP		3	/* none; see struct dm_user_reply */
#define DM_USER_RESP_NOSPC		4	/* ENOSPC */
#define DM_USER_RESP_TIMEDOUT		5	/* ETIMEDOUT */
#define DM_USER_RESP_NOLINK		6	/* ENOLINK */
#define DM_USER_RESP_ILSEQ		7	/* EILSEQ: the data is known to be damaged */
#define DM_USER_RESP_AGAIN		8	/* none: the request is delivered again */

/**
 * struct dm_user_message - header of a request and of a reply
 * @seq: number of the request; a reply repeats it
 * @type: DM_USER_REQ_MAP_* or DM_USER_RESP_*
 * @flags: of a request, DM_USER_REQ_MAP_FLAG_*; not looked at in a reply
 * @sector: of a request, its first sector of 512 bytes; not looked at in a reply
 * @len: of a request, its length in bytes; not looked at in a reply
 * @buf: @len bytes in a write request and in the successful reply to a read
 *
 * Fields are in the byte order of the machine. A request without data has no @buf,
 * whatever its @len: a discard of a gigabyte is 40 bytes.
 *
 * read() waits for a request and returns bytes of one header or of one @buf, never of
 * both. write() takes any number of bytes. Both may be cut anywhere. Replies may come
 * in any order, on the channel that the request was read from, once it was read whole.
 *
 * Errors of both: ENOTBLK, the target is gone, and the channel of no more use;
 * ESTALE, a request of this channel has timed out or was failed by the administrator,
 * and the channel has lost its requests: close it; EFAULT, bad memory, and nothing was
 * consumed; EBUSY, the channel uses the batch interface. read() alone: EAGAIN, no
 * request and O_NONBLOCK; ENOMEM, and the request waits for another read. write()
 * alone: EINVAL, a header with a @seq that this channel does not have to answer, or with
 * an unknown @type; that header is dropped, and the next byte begins a new one.
 */
struct dm_user_message {
	__u64 seq;
	__u64 type;
	__u64 flags;
	__u64 sector;
	__u64 len;
	__u8 buf[];
};

/**
 * struct dm_user_info - the answer of DM_USER_INFO
 * @version: DM_USER_VERSION of the kernel
 * @block_size: bytes; offsets and lengths of requests are multiples of it
 * @max_io: the most bytes that one read or write request has
 * @features: DM_USER_FEATURE_*
 * @sectors: length of the target in sectors of 512 bytes
 * @start: the sector of the daemon that the target begins at
 * @epoch: rises whenever a channel is closed. A daemon with a remote back end passes it
 *	on, to fence what an earlier one sent.
 *
 * These are of the live table; before the first resume, of the one that was loaded.
 * ENOTBLK: the target is gone.
 */
struct dm_user_info {
	__u32 version;
	__u32 block_size;
	__u32 max_io;
	__u32 features;
	__u64 sectors;
	__u64 start;
	__u64 epoch;
};

/* DM_USER_XFER is there; DM_USER_RESP_REMAP and DM_USER_UNMAP are. */
#define DM_USER_FEATURE_XFER	0x1
#define DM_USER_FEATURE_REMAP	0x2

/**
 * struct dm_user_request - a place for a request, of DM_USER_XFER
 * @data: set by the daemon: address of room for the data of a write
 * @room: set by the daemon: bytes there; that many of &struct dm_user_info.max_io suffice
 * @reserved: set by the daemon to 0
 * @type: DM_USER_REQ_MAP_*
 * @flags: DM_USER_REQ_MAP_FLAG_* and DM_USER_REQ_REDELIVERED
 * @seq: number of the request, which its reply repeats
 * @sector: its first sector of 512 bytes
 * @len: its length in bytes; of a write, as many are at @data
 */
struct dm_user_request {
	__u64 data;
	__u32 room;
	__u32 reserved;
	__u32 type;
	__u32 flags;
	__u64 seq;
	__u64 sector;
	__u64 len;
};

/**
 * struct dm_user_reply - an answer, of DM_USER_XFER
 * @seq: of the request
 * @type: DM_USER_RESP_*
 * @flags: of a remap, DM_USER_CACHE_READS and DM_USER_CACHE_WRITES; otherwise 0
 * @data: of a successful read, address of its data
 * @len: of a successful read, bytes there: exactly as many as were asked for
 * @device: of a remap, the number of one of the table's devices, from 0, or
 *	DM_USER_DEVICE_ZERO
 * @reserved: 0
 * @sector: of a remap, where on the device the extent is, or without flags the request
 * @extent: of a remap with flags, first sector of the extent, as the daemon knows it
 * @sectors: of a remap with flags, its length; otherwise 0
 *
 * A remap sends the whole read or write to a device of the table: its data is not copied.
 * With a flag, the kernel remembers where the extent is, which has to hold the request,
 * and sends further reads or writes in it there without asking, until it has to make
 * room, the device is suspended, an overlapping extent comes, or DM_USER_UNMAP. A request
 * that such an extent begins or ends in is split there.
 *
 * DM_USER_DEVICE_ZERO reads as zeroes and takes no writes. Neither does a device that is
 * read-only. All sectors are multiples of the block size.
 */
struct dm_user_reply {
	__u64 seq;
	__u32 type;
	__u32 flags;
	__u64 data;
	__u64 len;
	__u32 device;
	__u32 reserved;
	__u64 sector;
	__u64 extent;
	__u64 sectors;
};

#define DM_USER_CACHE_READS	0x1
#define DM_USER_CACHE_WRITES	0x2
#define DM_USER_DEVICE_ZERO	0xffffffff

/**
 * struct dm_user_xfer - the argument of DM_USER_XFER
 * @replies: address of an array of struct dm_user_reply
 * @requests: address of an array of struct dm_user_request
 * @nr_replies: length of @replies, at most DM_USER_XFER_MAX
 * @nr_requests: length of @requests, at most DM_USER_XFER_MAX
 * @replied: set by the kernel: number of replies that it took
 * @fetched: set by the kernel: number of requests that it put into @requests
 * @flags: DM_USER_XFER_VOLATILE or 0
 * @reserved: 0
 *
 * The call takes the replies in order, then fetches requests. If no request is queued, it
 * waits for one, unless @nr_requests is 0 or the file has O_NONBLOCK. It succeeds if it took
 * a reply or fetched a request, even if an error then stopped it. Pass the replies that were
 * not taken to the next call, which returns that error.
 *
 * Errors: ENOTBLK, ESTALE as of struct dm_user_message; EBUSY, the channel uses the byte
 * stream; EINTR. EFAULT, bad memory: the reply can be given again, and the request waits
 * for another call. EINVAL, a reserved field or an unknown flag is not 0, there are more
 * than DM_USER_XFER_MAX, or the first reply has a @seq that this channel does not have to
 * answer, an unknown type, a wrong length or a remap that is not possible; its request
 * can still be answered.
 * EAGAIN, no request and O_NONBLOCK; ENOMEM, and the request waits for another call;
 * EMSGSIZE, the data of the first request does not fit into the first place.
 */
struct dm_user_xfer {
	__u64 replies;
	__u64 requests;
	__u32 nr_replies;
	__u32 nr_requests;
	__u32 replied;
	__u32 fetched;
	__u32 flags;
	__u32 reserved;
};

#define DM_USER_XFER_MAX	1024

/*
 * The daemon may lose what it wrote until it has answered a flush. If the channel is closed
 * and its last call had this flag, the next flush fails with EIO, once. Before an orderly
 * end the daemon makes its writes durable, and calls once more without the flag.
 */
#define DM_USER_XFER_VOLATILE	0x1

/**
 * struct dm_user_unmap - the argument of DM_USER_UNMAP
 * @sector: first sector, as the daemon knows it
 * @sectors: how many; to the end of the device if there are fewer
 *
 * The kernel forgets the extents that overlap these sectors, wholly, and waits until no
 * request to these sectors that was remapped before is in flight. A remap that answers a
 * request which was fetched before has no effect: the request is delivered again. So
 * the daemon changes its own map first, then calls this, and may then use what the old
 * extents occupied.
 *
 * Errors: ENOTBLK, ESTALE as of struct dm_user_message; EFAULT; EINVAL, @sectors is 0;
 * EINTR: the extents are forgotten, but call again to wait.
 */
struct dm_user_unmap {
	__u64 sector;
	__u64 sectors;
};

#define DM_USER_IOCTL	0xDE
#define DM_USER_INFO	_IOR(DM_USER_IOCTL, 0x00, struct dm_user_info)
#define DM_USER_XFER	_IOWR(DM_USER_IOCTL, 0x01, struct dm_user_xfer)
#define DM_USER_UNMAP	_IOW(DM_USER_IOCTL, 0x02, struct dm_user_unmap)

#endif
