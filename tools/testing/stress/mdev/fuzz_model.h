/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * The answers that an open mtty card must give, by the rules of the VFIO interface: the
 * fuzzer's second opinion, which knows nothing of the driver's code.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory that a call is given: how many bytes are there, and of what kind. */
struct memory {
	void *at;
	size_t there;
	bool readonly;
};

/* Files that SET_IRQS may be given. */
enum { FD_CLOSED, FD_OTHER, FD_EVENTFD };

struct model {
	unsigned int ports;
	unsigned int irq;	/* INTx or MSI is set up, or NUM_IRQS */
	bool request;		/* has an eventfd */
	int mask_fd;		/* the bound eventfd, or -1 */
	int unmask_fd;
};

void model_reset(struct model *m, unsigned int ports);
/* All users have closed the card. */
void model_closed(struct model *m);
void model_eventfd_closed(struct model *m, int fd);

/* Each says whether @ret, 0 or a negative errno, is a right answer. */
bool model_info(const struct memory *mem, size_t minsz, size_t maxsz, int ret);
bool model_region_info(const struct memory *mem, int ret);
bool model_irq_info(const struct memory *mem, int ret);

/*
 * The answer to VFIO_DEVICE_SET_IRQS, with the model changed accordingly.
 * @kind tells of what kind the file descriptor in the data is.
 */
int model_set_irqs(struct model *m, const struct memory *mem, int kind);

/* Is @ret right for so many bytes at an offset of the device file? */
bool model_access(const struct model *m, const struct memory *mem,
		  int64_t offset, size_t count, bool is_read, ssize_t ret);

#endif /* FUZZ_MODEL_H */
