/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the sample device's tests: set a card up, from modprobe to an open
 * VFIO device, and access its registers.
 */
#ifndef MTTY_TEST_LIB_H
#define MTTY_TEST_LIB_H

#include "mdev_test_lib.h"
#include "vfio_user.h"

#define MTTY_PARENT	"mtty"
#define MTTY_SINGLE	"mtty-1"
#define MTTY_DUAL	"mtty-2"

#define MTTY_CONFIG	VFIO_PCI_CONFIG_REGION_INDEX
#define MTTY_CONFIG_SIZE 256
#define MTTY_UART_PORTS	8
#define MTTY_MAX_PORTS	2

/**
 * struct mtty - one card of the fixture
 * @uuid: its UUID
 * @vfio: its open VFIO files
 * @owner: the process that ran mtty_setup() and owns the file descriptors
 * @step: the step of mtty_setup() that failed
 */
struct mtty {
	char uuid[UUID_SIZE];
	struct vfio_user vfio;
	pid_t owner;
	const char *step;
};

/*
 * Load our modules, and unload them. With keep_modules() only the cards are
 * removed. The distribution's modules stay loaded.
 */
int mtty_load(void);
int mtty_unload(void);

/*
 * Load the modules, create a card of @type, open it and enable I/O decoding.
 * Undoes everything on failure, since the harness then runs no teardown.
 */
int mtty_setup(struct mtty *card, const char *type);
/* The same, and set all UARTs to eight data bits. */
int mtty_setup_8n1(struct mtty *card, const char *type);
/*
 * For FIXTURE_TEARDOWN_PARENT, with @card in shared memory. Normally it runs
 * after the owner has ended. After a failed assertion it may run in the owner,
 * which then still has the card open. The card may have been removed.
 */
int mtty_teardown(struct mtty *card);

/* Read (returns the byte) or write one byte of a BAR. */
int mtty_in(int device, unsigned int port, unsigned int reg);
int mtty_out(int device, unsigned int port, unsigned int reg, uint8_t val);

/* Access configuration space by 1, 2 or 4 bytes. */
int64_t mtty_config_in(int device, unsigned int where, unsigned int width);
int mtty_config_out(int device, unsigned int where, unsigned int width,
		    uint32_t val);
/* Offset of a capability, or 0 if the card has none. */
int mtty_find_cap(int device, uint8_t id);

/*
 * Map writable memory that ends at the returned address, with nothing mapped
 * behind it. Returns NULL on failure.
 */
char *mtty_fence(void);

#endif /* MTTY_TEST_LIB_H */
