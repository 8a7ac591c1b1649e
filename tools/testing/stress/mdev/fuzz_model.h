/* SPDX-License-Identifier: GPL-2.0-only */
/*
 * Predicts the results of calls on an open mtty card from the rules of the VFIO
 * interface, independently of the driver's code.
 */
#ifndef FUZZ_MODEL_H
#define FUZZ_MODEL_H

#include <linux/vfio.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* Memory passed to a call: its accessible bytes, and whether they are read-only. */
struct memory {
	void *at;
	size_t there;
	bool readonly;
};

/* Kinds of file descriptor passed to SET_IRQS. */
enum { FD_CLOSED, FD_OTHER, FD_EVENTFD };

struct model {
	unsigned int ports;
	unsigned int irq;	/* INTx or MSI if set up, else NUM_IRQS */
	bool request;		/* an eventfd is bound */
	int mask_fd;		/* the bound eventfd, or -1 */
	int unmask_fd;
};

void model_reset(struct model *m, unsigned int ports);
/* All users have closed the card. */
void model_closed(struct model *m);
void model_eventfd_closed(struct model *m, int fd);

/* Each returns true if @ret, 0 or a negative errno, is a valid result. */
bool model_info(const struct memory *mem, size_t minsz, size_t maxsz, int ret);
bool model_region_info(const struct memory *mem, int ret);
bool model_irq_info(const struct memory *mem, int ret);

/*
 * Returns the expected result of VFIO_DEVICE_SET_IRQS and updates the model.
 * @kind is the kind of the file descriptor in the data.
 */
int model_set_irqs(struct model *m, const struct memory *mem, int kind);

/* Returns true if @ret is valid for @count bytes at @offset of the device file. */
bool model_access(const struct model *m, const struct memory *mem,
		  int64_t offset, size_t count, bool is_read, ssize_t ret);

#endif /* FUZZ_MODEL_H */
