// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: [SEED=n] [CALLS=n] fuzz_vfio
 *
 * Makes calls on an open mtty card. First one thread does: a model predicts each
 * result, and the same seed makes the same calls. Then several threads use the
 * same file while another one closes and reopens it. At the end the card must
 * work, and the initial state must be back.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/pci_regs.h>
#include <linux/serial_reg.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fuzz_model.h"
#include "mdev_test_lib.h"
#include "stress.h"
#include "vfio_user.h"

#define CALLS		1000000
#define REOPEN_EVERY	5000
#define RACERS		3

/* No other file gets these numbers, so that a closed one stays closed. */
#define DEVICE_FD	100
#define EVENT_FD	110
#define NR_EVENTS	6

#define MEM_SIZE	4096
#define REGION_SHIFT	40

static char uuid[UUID_SIZE];
static struct vfio_user vfio;
static struct model model;

static struct tally tallies[] = {
	{ .name = "GET_INFO" }, { .name = "GET_REGION_INFO" },
	{ .name = "GET_IRQ_INFO" }, { .name = "SET_IRQS" }, { .name = "RESET" },
	{ .name = "other ioctls" }, { .name = "reads" }, { .name = "writes" },
	{ .name = "mmap" }, { .name = "eventfd signalled" },
	{ .name = "eventfd closed and made anew" },
	{ .name = "card closed and opened" },
};

enum {
	INFO, REGION, IRQ, SET, RESET, OTHER, READ, WRITE, MMAP, SIGNAL, RENEW,
	REOPEN
};

/* Per-thread state; model is NULL if results cannot be predicted. */
struct fuzzer {
	struct rng rng;
	struct model *model;
	char *writable;		/* MEM_SIZE bytes, then no access */
	char *readonly;
};

static bool is_clean(int ret)
{
	switch (ret) {
	case 0:
	case -EINVAL:
	case -EFAULT:
	case -EBADF:
	case -ENOTTY:
	case -EBUSY:
	case -ENODEV:
		return true;
	}
	return false;
}

static void *map_fenced(int prot)
{
	char *map = mmap(NULL, 2 * MEM_SIZE, PROT_READ | PROT_WRITE,
			 MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);

	if (map == MAP_FAILED || mprotect(map, MEM_SIZE, prot) ||
	    mprotect(map + MEM_SIZE, MEM_SIZE, PROT_NONE))
		abort();
	return map;
}

static void fuzzer_init(struct fuzzer *f, uint64_t seed, struct model *m)
{
	rng_init(&f->rng, seed);
	f->model = m;
	f->writable = map_fenced(PROT_READ | PROT_WRITE);
	f->readonly = map_fenced(PROT_READ);
}

static int make_eventfd(int fd)
{
	int new = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), ret;

	if (new < 0)
		return -errno;
	ret = dup3(new, fd, O_CLOEXEC);
	close(new);
	return ret < 0 ? -errno : 0;
}

/* Place @size bytes of @data in memory: mostly good, sometimes bad. */
static struct memory place(struct fuzzer *f, const void *data, size_t size)
{
	static void * const nowhere[] = {
		NULL, (void *)1, (void *)0x7ffffffffff0,
		(void *)0xffff888000000000, (void *)-1UL, (void *)-4096UL,
	};
	uint32_t what = rng_below(&f->rng, 1000);
	struct memory mem = { 0 };
	size_t start;

	if (what < 30) {
		mem.at = nowhere[rng_below(&f->rng, ARRAY_SIZE(nowhere))];
		return mem;
	}
	if (what < 60) {
		mprotect(f->readonly, MEM_SIZE, PROT_READ | PROT_WRITE);
		memcpy(f->readonly, data, size);
		mprotect(f->readonly, MEM_SIZE, PROT_READ);
		mem.at = f->readonly;
		mem.there = MEM_SIZE;
		mem.readonly = true;
		return mem;
	}
	/* Aligned or not; with ample room, or with 0 to @size + 8 bytes. */
	mem.there = what < 200 ? rng_below(&f->rng, size + 9) :
		    MEM_SIZE - rng_below(&f->rng, 16);
	start = MEM_SIZE - mem.there;
	mem.at = f->writable + start;
	memcpy(mem.at, data, size < mem.there ? size : mem.there);
	return mem;
}

static uint32_t odd_u32(struct rng *rng)
{
	static const uint32_t odd[] = {
		0, 1, 2, 4, 0x7fffffff, 0x80000000, 0xfffffffe, 0xffffffff,
	};

	return rng_permille(rng, 800) ?
	       odd[rng_below(rng, ARRAY_SIZE(odd))] : rng_next(rng);
}

/* Mostly right, often off by up to 4, sometimes far off. */
static uint32_t some_argsz(struct rng *rng, uint32_t right)
{
	if (rng_permille(rng, 700))
		return right;
	return rng_permille(rng, 700) ? right - 4 + rng_below(rng, 9) :
					odd_u32(rng);
}

static uint32_t some_index(struct rng *rng, uint32_t nr)
{
	return rng_permille(rng, 950) ? rng_below(rng, nr + 1) : odd_u32(rng);
}

static int call(unsigned int cmd, void *arg)
{
	return ioctl(DEVICE_FD, cmd, arg) < 0 ? -errno : 0;
}

static void try_info(struct fuzzer *f, int kind)
{
	static const struct {
		unsigned int cmd;
		uint32_t minsz;
		uint32_t nr;
	} what[] = {
		[INFO] = { VFIO_DEVICE_GET_INFO, 16, 1 },
		[REGION] = { VFIO_DEVICE_GET_REGION_INFO, 32,
			     VFIO_PCI_NUM_REGIONS },
		[IRQ] = { VFIO_DEVICE_GET_IRQ_INFO, 16, VFIO_PCI_NUM_IRQS },
	};
	struct {
		uint32_t argsz, flags, index, more[13];
	} arg = { 0 };
	struct memory mem;
	bool right;
	int ret;

	arg.argsz = some_argsz(&f->rng, what[kind].minsz);
	arg.index = some_index(&f->rng, what[kind].nr);
	mem = place(f, &arg, sizeof(arg));
	ret = call(what[kind].cmd, mem.at);
	right = is_clean(ret);
	tally_add(&tallies[kind], ret);
	if (f->model) {
		/* The reply may have overwritten the request: use the original. */
		mem.at = &arg;
		if (kind == INFO)
			right = model_info(&mem, 16, 64, ret);
		else if (kind == REGION)
			right = model_region_info(&mem, ret);
		else
			right = model_irq_info(&mem, ret);
	}
	check(right, "%s returned %d: argsz %u, index %u, %zu bytes there%s",
	      tallies[kind].name, ret, arg.argsz, arg.index, mem.there,
	      mem.readonly ? ", read-only" : "");
}

static uint32_t some_irq_flags(struct rng *rng)
{
	static const uint32_t data[] = {
		VFIO_IRQ_SET_DATA_NONE, VFIO_IRQ_SET_DATA_BOOL,
		VFIO_IRQ_SET_DATA_EVENTFD, VFIO_IRQ_SET_DATA_EVENTFD,
	};
	static const uint32_t action[] = {
		VFIO_IRQ_SET_ACTION_TRIGGER, VFIO_IRQ_SET_ACTION_TRIGGER,
		VFIO_IRQ_SET_ACTION_MASK, VFIO_IRQ_SET_ACTION_UNMASK,
	};

	if (rng_permille(rng, 50))
		return rng_below(rng, 64);
	if (rng_permille(rng, 20))
		return rng_next(rng);
	return data[rng_below(rng, ARRAY_SIZE(data))] |
	       action[rng_below(rng, ARRAY_SIZE(action))];
}

static int32_t some_fd(struct rng *rng, int *kind)
{
	*kind = FD_EVENTFD;
	if (rng_permille(rng, 800))
		return EVENT_FD + rng_below(rng, NR_EVENTS);
	switch (rng_below(rng, 4)) {
	case 0:
		return -1;
	case 1:
		*kind = FD_OTHER;
		return vfio.group;
	case 2:
		*kind = FD_CLOSED;
		return rng_permille(rng, 500) ? 1000 : INT_MAX;
	default:
		return -2 - (int32_t)rng_below(rng, INT_MAX);
	}
}

static void try_set_irqs(struct fuzzer *f)
{
	static const uint32_t indexes[] = {
		VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_INTX_IRQ_INDEX,
		VFIO_PCI_INTX_IRQ_INDEX, VFIO_PCI_MSI_IRQ_INDEX,
		VFIO_PCI_REQ_IRQ_INDEX,
	};
	struct {
		uint32_t argsz, flags, index, start, count;
		int32_t data;
	} set;
	struct rng *rng = &f->rng;
	struct memory mem;
	int kind, ret, want;

	set.argsz = some_argsz(rng, sizeof(set));
	set.flags = some_irq_flags(rng);
	set.index = rng_permille(rng, 900) ?
		    indexes[rng_below(rng, ARRAY_SIZE(indexes))] :
		    some_index(rng, VFIO_PCI_NUM_IRQS);
	set.start = rng_permille(rng, 950) ? 0 : odd_u32(rng);
	set.count = rng_permille(rng, 800) ? 1 :
		    rng_permille(rng, 700) ? 0 : odd_u32(rng);
	set.data = some_fd(rng, &kind);
	mem = place(f, &set, sizeof(set));
	ret = call(VFIO_DEVICE_SET_IRQS, mem.at);
	tally_add(&tallies[SET], ret);
	mem.at = &set;
	want = f->model ? model_set_irqs(f->model, &mem, kind) : ret;
	check(ret == want && is_clean(ret),
	      "SET_IRQS returned %d, not %d: argsz %u, flags %x, index %u, start %u, count %u, data %d, %zu bytes there",
	      ret, want, set.argsz, set.flags, set.index, set.start, set.count,
	      set.data, mem.there);
}

static void try_other(struct fuzzer *f)
{
	unsigned int cmd = _IO(VFIO_TYPE, rng_below(&f->rng, 256));
	uint32_t arg[16];
	struct memory mem;
	size_t i;
	int ret;

	switch (cmd) {
	case VFIO_DEVICE_GET_INFO:
	case VFIO_DEVICE_GET_REGION_INFO:
	case VFIO_DEVICE_GET_IRQ_INFO:
	case VFIO_DEVICE_SET_IRQS:
	case VFIO_DEVICE_RESET:
		cmd = VFIO_DEVICE_FEATURE;
		break;
	default:
		if (rng_permille(&f->rng, 300))
			cmd = VFIO_DEVICE_FEATURE;
	}
	for (i = 0; i < ARRAY_SIZE(arg); i++)
		arg[i] = odd_u32(&f->rng);
	if (rng_permille(&f->rng, 700)) {
		arg[0] = sizeof(arg);
		arg[1] = rng_below(&f->rng, 16) |
			 (1 + rng_below(&f->rng, 7)) << 16;
	}
	mem = place(f, arg, sizeof(arg));
	ret = call(cmd, mem.at);
	tally_add(&tallies[OTHER], ret);
	check(is_clean(ret) && (!f->model || cmd == VFIO_DEVICE_FEATURE ||
				ret == -ENOTTY || ret == -EINVAL),
	      "ioctl %x returned %d", cmd, ret);
}

static int64_t some_offset(struct rng *rng, unsigned int *region)
{
	static const int64_t odd[] = {
		-1, LLONG_MIN, LLONG_MAX, LLONG_MAX - 7, INT_MAX, UINT_MAX,
		(1LL << REGION_SHIFT) - 1, (1LL << REGION_SHIFT) - 4,
	};
	int64_t pos;

	if (rng_permille(rng, 30))
		return odd[rng_below(rng, ARRAY_SIZE(odd))];
	*region = rng_permille(rng, 700) ? rng_below(rng, 2) :
		  rng_permille(rng, 700) ? VFIO_PCI_CONFIG_REGION_INDEX :
					   rng_below(rng, 12);
	pos = *region == VFIO_PCI_CONFIG_REGION_INDEX ? rng_below(rng, 300) :
							rng_below(rng, 10);
	return ((int64_t)*region << REGION_SHIFT) + pos;
}

static size_t some_count(struct rng *rng)
{
	static const size_t odd[] = {
		0, MEM_SIZE, INT_MAX, SIZE_MAX, SSIZE_MAX, 1UL << 47,
	};

	if (rng_permille(rng, 700))
		return 1UL << rng_below(rng, 4);
	return rng_permille(rng, 900) ? rng_below(rng, 300) :
					odd[rng_below(rng, ARRAY_SIZE(odd))];
}

static void try_access(struct fuzzer *f, bool is_read)
{
	static const unsigned char pattern[600] = { [0 ... 599] = 0xa5 };
	unsigned char data[600];
	unsigned int region = 0;
	int64_t offset = some_offset(&f->rng, &region);
	size_t count = some_count(&f->rng), i;
	struct memory mem;
	ssize_t ret;

	for (i = 0; i < sizeof(data); i++)
		data[i] = is_read ? pattern[i] : rng_next(&f->rng);
	mem = place(f, data, count < sizeof(data) ? count : sizeof(data));
	ret = is_read ? pread(DEVICE_FD, mem.at, count, offset) :
			pwrite(DEVICE_FD, mem.at, count, offset);
	if (ret < 0)
		ret = -errno;
	tally_add(&tallies[is_read ? READ : WRITE], ret);
	if (!f->model) {
		check(ret > 0 || is_clean(ret), "access returned %zd", ret);
		return;
	}
	check(model_access(f->model, &mem, offset, count, is_read, ret),
	      "%s of %zu bytes at %llx returned %zd, %zu bytes there%s",
	      is_read ? "read" : "write", count, (long long)offset, ret,
	      mem.there,
	      mem.readonly ? ", read-only" : "");
	if (!is_read || ret < 0 || count > sizeof(data) || mem.there < count)
		return;
	check(!memcmp((char *)mem.at + ret, pattern, count - ret),
	      "a read wrote more than the %zd bytes that it returned", ret);
	if (region == VFIO_PCI_CONFIG_REGION_INDEX && ret >= 4 &&
	    !(offset & ((1LL << REGION_SHIFT) - 1)))
		check(!memcmp(mem.at, "\x48\x43\x53\x32", 4),
		      "the card has another vendor or device ID");
}

static void try_mmap(struct fuzzer *f)
{
	unsigned int region;
	int64_t offset = some_offset(&f->rng, &region) & ~4095LL;
	void *map = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_SHARED,
			 DEVICE_FD, offset);
	int ret = map == MAP_FAILED ? -errno : 0;

	tally_add(&tallies[MMAP], ret);
	check(ret == -EINVAL || ret == -EOVERFLOW ||
	      (!f->model && ret == -EBADF), "mmap returned %d", ret);
	if (!ret)
		munmap(map, 4096);
}

static void try_signal(struct fuzzer *f)
{
	int fd = EVENT_FD + rng_below(&f->rng, NR_EVENTS);
	uint64_t one = 1;
	ssize_t ret;

	ret = rng_permille(&f->rng, 700) ? write(fd, &one, sizeof(one)) :
					   read(fd, &one, sizeof(one));
	tally_add(&tallies[SIGNAL], ret < 0 ? -errno : 0);
}

static void try_renew(struct fuzzer *f)
{
	int fd = EVENT_FD + rng_below(&f->rng, NR_EVENTS);

	/* Closing the old eventfd ends its bindings. */
	tally_add(&tallies[RENEW], make_eventfd(fd));
	if (f->model)
		model_eventfd_closed(f->model, fd);
}

static void one_call(struct fuzzer *f)
{
	uint32_t what = rng_below(&f->rng, 1000);

	if (what < 300)
		try_set_irqs(f);
	else if (what < 500)
		try_access(f, true);
	else if (what < 750)
		try_access(f, false);
	else if (what < 780)
		try_info(f, INFO);
	else if (what < 840)
		try_info(f, REGION);
	else if (what < 890)
		try_info(f, IRQ);
	else if (what < 930)
		try_other(f);
	else if (what < 940)
		try_mmap(f);
	else if (what < 980)
		try_signal(f);
	else if (what < 995)
		try_renew(f);
	else
		tally_add(&tallies[RESET], call(VFIO_DEVICE_RESET, NULL));
}

/* Open the device as DEVICE_FD, replacing any open file. */
static int open_device(void)
{
	int fd = vfio_user_get_device(&vfio, uuid), ret;

	if (fd < 0)
		return fd;
	ret = dup3(fd, DEVICE_FD, O_CLOEXEC);
	close(fd);
	return ret < 0 ? -errno : 0;
}

static void reopen(struct rng *rng)
{
	int ret;

	/* Sometimes open the new file before the old one is closed. */
	if (!rng_permille(rng, 300))
		close(DEVICE_FD);
	ret = open_device();
	tally_add(&tallies[REOPEN], ret);
	check(!ret, "cannot open the card again: %d", ret);
}

static void alone(uint64_t seed, unsigned long calls)
{
	struct fuzzer f;
	unsigned long n;

	fuzzer_init(&f, seed, &model);
	for (n = 0; n < calls && !failed(); n++) {
		one_call(&f);
		if (n % REOPEN_EVERY == REOPEN_EVERY - 1) {
			close(DEVICE_FD);
			model_closed(&model);
			reopen(&f.rng);
		}
	}
}

static unsigned long race_calls;	/* remaining, of all threads */
static int racers;			/* still running */

static void *race(void *arg)
{
	struct fuzzer f;

	fuzzer_init(&f, *(uint64_t *)arg, NULL);
	while (!failed() &&
	       (long)__atomic_sub_fetch(&race_calls, 1, __ATOMIC_RELAXED) >= 0)
		one_call(&f);
	__atomic_sub_fetch(&racers, 1, __ATOMIC_RELEASE);
	return NULL;
}

static void together(uint64_t seed, unsigned long calls)
{
	uint64_t seeds[RACERS];
	pthread_t thread[RACERS];
	struct rng rng;
	int i;

	rng_init(&rng, seed);
	race_calls = calls;
	racers = RACERS;
	for (i = 0; i < RACERS; i++) {
		seeds[i] = rng_next(&rng);
		if (pthread_create(&thread[i], NULL, race, &seeds[i]))
			abort();
	}
	while (__atomic_load_n(&racers, __ATOMIC_ACQUIRE)) {
		reopen(&rng);
		poll_pause();
	}
	for (i = 0; i < RACERS; i++)
		pthread_join(thread[i], NULL);
}

static bool prepare(unsigned int ports)
{
	char type[] = "mtty-1";
	int i, ret;

	type[5] = '0' + ports;
	random_uuid(uuid);
	model_reset(&model, ports);
	ret = load_module("vfio_iommu_type1");
	if (!ret)
		ret = load_module("mtty");
	if (!ret)
		ret = mdev_create("mtty", type, uuid);
	if (!ret)
		ret = vfio_user_open_group(&vfio, uuid);
	if (!ret)
		ret = open_device();
	for (i = 0; !ret && i < NR_EVENTS; i++)
		ret = make_eventfd(EVENT_FD + i);
	return check(!ret, "cannot open a card: %s", strerror(-ret));
}

static void out(unsigned int reg, uint8_t val)
{
	check(pwrite(DEVICE_FD, &val, 1, reg) == 1, "cannot write a register");
}

/* Use the card as a driver would: a sent byte comes back with an interrupt. */
static void use(void)
{
	int event = vfio_user_eventfd();
	uint8_t val = 0;

	close(DEVICE_FD);
	check(!open_device(), "cannot open the card");
	check(!vfio_user_irq_eventfd(DEVICE_FD, VFIO_PCI_INTX_IRQ_INDEX,
				     VFIO_IRQ_SET_ACTION_TRIGGER, event),
	      "cannot set up INTx");
	out(UART_LCR, UART_LCR_WLEN8);
	out(UART_IER, UART_IER_RDI);
	out(UART_TX, 'm');
	check(!vfio_user_eventfd_wait(event, SOON_MS, NULL),
	      "no interrupt for a byte");
	check(pread(DEVICE_FD, &val, 1, UART_RX) == 1 && val == 'm',
	      "the byte came back as %#x", val);
	close(event);
}

static void finish(void)
{
	static const char * const modules[] = {
		"mtty", "vfio_mdev", "mdev", NULL
	};
	int i;

	close(DEVICE_FD);
	vfio_user_close(&vfio);
	for (i = 0; i < NR_EVENTS; i++)
		close(EVENT_FD + i);
	check(!mdev_remove(uuid), "cannot remove the card");
	check(available_instances("mtty", "mtty-1") == 24, "ports are missing");
	unload_all(modules);
	check_leaks();
}

int main(void)
{
	unsigned long calls = stress_param("CALLS", CALLS), total = 0;
	unsigned long seed = stress_seed();
	size_t i;

	vfio_user_init(&vfio);
	stress_begin("fuzz_vfio_calls");
	diag("SEED=%lu CALLS=%lu, 3 of 10 while the card is closed and opened",
	     seed, calls);
	if (prepare(1 + seed % 2)) {
		alone(seed, calls * 7 / 10);
		together(seed, calls - calls * 7 / 10);
		use();
	}
	finish();
	for (i = 0; i < ARRAY_SIZE(tallies); i++) {
		tally_print(&tallies[i]);
		total += tally_total(&tallies[i]);
	}
	diag("%lu calls in all", total);
	stress_end();
	return stress_status();
}
