/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Shared by the tests of the sample device: a card from modprobe to an open
 * VFIO device, and its registers.
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
 * @uuid: its name
 * @vfio: what is open of it
 * @owner: the process that ran mtty_setup() and has these file descriptors
 * @step: what mtty_setup() was doing when it failed
 */
struct mtty {
	char uuid[UUID_SIZE];
	struct vfio_user vfio;
	pid_t owner;
	const char *step;
};

/*
 * Our modules, and back again; if they are to be kept, only the cards go. The
 * distribution's stay loaded.
 */
int mtty_load(void);
int mtty_unload(void);

/*
 * Modules, a card of @type, open, with the function decoding I/O. On failure
 * everything is undone, since the harness then runs no teardown.
 */
int mtty_setup(struct mtty *card, const char *type);
/* The same, and every UART carries words of eight bits. */
int mtty_setup_8n1(struct mtty *card, const char *type);
/*
 * For FIXTURE_TEARDOWN_PARENT, with the card in memory that processes share.
 * It runs once the owner is gone; after a failed assertion it may as well run
 * in the owner, which has the card open then. The card may be gone.
 */
int mtty_teardown(struct mtty *card);

/* One byte at a BAR. The value or a negative errno; 0 or a negative errno. */
int mtty_in(int device, unsigned int port, unsigned int reg);
int mtty_out(int device, unsigned int port, unsigned int reg, uint8_t val);

/* Configuration space by 1, 2 or 4 bytes. */
int64_t mtty_config_in(int device, unsigned int where, unsigned int width);
int mtty_config_out(int device, unsigned int where, unsigned int width,
		    uint32_t val);
/* Where a capability lies; 0 if the list ends without it. */
int mtty_find_cap(int device, uint8_t id);

/*
 * Writable memory up to the address that is returned, none from there on; NULL
 * if there is none to be had.
 */
char *mtty_fence(void);

#endif /* MTTY_TEST_LIB_H */
