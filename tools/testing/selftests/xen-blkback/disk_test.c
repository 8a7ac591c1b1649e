// SPDX-License-Identifier: GPL-2.0-only
/* The kinds of disks that a back end opens. */
#include <errno.h>
#include <fcntl.h>
#include <linux/loop.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <kselftest_harness.h>
#include "xbb_test.h"

#define IMAGE "/tmp/disk.raw"
#define SIZE (16 << 20)
#define SECTOR 512
#define PARTITION 2048		/* its first sector */

/* The bits of the node "info", from Xen's public/io/blkif.h. */
#define VDISK_CDROM 1
#define VDISK_READONLY 4

FIXTURE(disk) {
	struct vbd vbd;
	int loop;
};

FIXTURE_SETUP(disk)
{
	self->loop = -1;
	ASSERT_EQ(0, load_module("loop"));
	ASSERT_EQ(0, load_module("xen-blkfront"));
	ASSERT_EQ(0, load_module("xen-blkback"));
	ASSERT_EQ(0, image_create(IMAGE, "this is the disk", SIZE));
}

FIXTURE_TEARDOWN(disk)
{
	EXPECT_EQ(0, vbd_remove(&self->vbd));
	if (self->loop >= 0 && loop_attached(self->loop))
		loop_detach(self->loop);
	EXPECT_TRUE(self->loop < 0 || wait_until(!loop_attached(self->loop), SOON_MS));
	unlink(IMAGE);
	EXPECT_EQ(0, keep_modules() ? 0 : unload_soon("xen_blkback"));
}

/* Attach the disk or partition @name with this sequence number. */
static int attach(struct vbd *vbd, const char *name, unsigned long long seq,
		  const char *mode)
{
	unsigned int major = 0, minor = 0;

	return disk_number(name, &major, &minor) ?: vbd_create(vbd, 0, mode) ?:
	       vbd_give(vbd, "%llx@%x:%x", seq, major, minor) ?: vbd_result(vbd);
}

/* Attach it once with a wrong number, and once with that of the disk. */
static int attach_twice(struct vbd *vbd, const char *name, const char *disk,
			const char *mode)
{
	int error = attach(vbd, name, disk_seq(disk) + 1, mode);

	if (error != -ENODEV)
		return error ?: -ENOTUNIQ;
	return vbd_remove(vbd) ?: attach(vbd, name, disk_seq(disk), mode);
}

static bool write_at(const char *path, off_t offset, const void *data, ssize_t len)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	bool ok = fd >= 0 && pwrite(fd, data, len, offset) == len;

	if (fd >= 0)
		close(fd);
	return ok;
}

/* A partition table with one partition, which begins with a text. */
static bool make_partition(void)
{
	static const unsigned char table[] = {
		0, 0, 0, 0, 0x83, 0, 0, 0,
		PARTITION & 0xff, PARTITION >> 8, 0, 0, 0, 8, 0, 0,
	};

	return write_at(IMAGE, 446, table, sizeof(table)) &&
	       write_at(IMAGE, 510, "\x55\xaa", 2) &&
	       write_at(IMAGE, PARTITION * SECTOR, "this is a partition", 19);
}

TEST_F(disk, partition_has_the_number_of_its_disk)
{
	char disk[16], partition[32], path[64];

	ASSERT_TRUE(make_partition());
	self->loop = loop_attach(IMAGE, LO_FLAGS_PARTSCAN);
	ASSERT_LE(0, self->loop);
	snprintf(disk, sizeof(disk), "loop%d", self->loop);
	snprintf(partition, sizeof(partition), "%sp1", disk);
	snprintf(path, sizeof(path), "/sys/class/block/%s/dev", partition);
	ASSERT_TRUE(wait_until(path_exists(path), SOON_MS));
	ASSERT_EQ(0, attach_twice(&self->vbd, partition, disk, "w")) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is a partition"), SOON_MS));
}

/* As with autoclear, but for device mapper. */
TEST_F(disk, mapped_device_with_deferred_removal_goes_with_the_back_end)
{
	char disk[16], command[128];
	struct stat st;

	ASSERT_EQ(0, load_module("dm_mod"));
	/* dmsetup makes the node. */
	setenv("DM_DISABLE_UDEV", "1", 1);
	self->loop = loop_attach(IMAGE, 0);
	ASSERT_LE(0, self->loop);
	snprintf(command, sizeof(command),
		 "dmsetup create z --table '0 %d linear /dev/loop%d 0'", SIZE / SECTOR,
		 self->loop);
	ASSERT_EQ(0, system(command));
	ASSERT_EQ(0, stat("/dev/mapper/z", &st));
	snprintf(disk, sizeof(disk), "dm-%u", minor(st.st_rdev));
	ASSERT_EQ(0, attach_twice(&self->vbd, disk, disk, "w")) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	ASSERT_EQ(0, system("dmsetup remove --deferred z"));
	EXPECT_EQ(0, system("dmsetup info z"));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is the disk"), SOON_MS));
	ASSERT_EQ(0, vbd_remove(&self->vbd));
	EXPECT_TRUE(wait_until(system("dmsetup info z >/dev/null 2>&1"), SOON_MS));
}

TEST_F(disk, ram_disk_has_a_number)
{
	ASSERT_EQ(0, load_module("brd"));
	ASSERT_TRUE(write_at("/dev/ram0", 0, "this is in memory", 17));
	sync();
	ASSERT_EQ(0, attach_twice(&self->vbd, "ram0", "ram0", "w")) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_TRUE(wait_until(begins_with(self->vbd.dev, "this is in memory"), SOON_MS));
	ASSERT_EQ(0, vbd_remove(&self->vbd));
	EXPECT_EQ(0, unload_soon("brd"));
}

TEST_F(disk, mode_and_type_are_told_to_the_guest)
{
	char disk[16], path[128], ro[64];

	self->loop = loop_attach(IMAGE, LO_FLAGS_READ_ONLY);
	ASSERT_LE(0, self->loop);
	snprintf(disk, sizeof(disk), "loop%d", self->loop);
	ASSERT_EQ(0, attach_twice(&self->vbd, disk, disk, "r")) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "1"));
	EXPECT_EQ(VDISK_READONLY, vbd_number(&self->vbd, "info"));
	snprintf(ro, sizeof(ro), "/sys/block/%s/ro", strrchr(self->vbd.dev, '/') + 1);
	EXPECT_TRUE(wait_until(read_number(ro) == 1, SOON_MS));
	ASSERT_EQ(0, vbd_remove(&self->vbd));

	ASSERT_EQ(0, vbd_create(&self->vbd, 0, "r"));
	snprintf(path, sizeof(path), "%s/device-type", self->vbd.front);
	ASSERT_EQ(0, store_write(path, "cdrom", 5));
	ASSERT_EQ(0, vbd_give(&self->vbd, "%llx@7:%x", loop_seq(self->loop), self->loop));
	ASSERT_EQ(0, vbd_result(&self->vbd));
	EXPECT_EQ(VDISK_READONLY | VDISK_CDROM, vbd_number(&self->vbd, "info"));
}

/* The kernel's own back end says ENOENT. */
TEST_F(disk, read_only_medium_cannot_be_opened_for_writing)
{
	ASSERT_EQ(0, load_module("sr_mod"));
	ASSERT_EQ(0, system("modprobe scsi_debug ptype=5"));
	ASSERT_TRUE(wait_until(path_exists("/sys/block/sr0"), SOON_MS));
	EXPECT_EQ(-EROFS, attach(&self->vbd, "sr0", disk_seq("sr0"), "w")) {
		TH_LOG("%s", vbd_said);
	}
	EXPECT_TRUE(vbd_has(&self->vbd, "opened", "0"));
	ASSERT_EQ(0, vbd_remove(&self->vbd));
	EXPECT_EQ(0, unload_soon("scsi_debug"));
}

TEST_HARNESS_MAIN
