// SPDX-License-Identifier: GPL-2.0-only
/* Shared by the stress programs. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>

#include "klog.h"
#include "leaks.h"
#include "stress.h"
#include "test_lib.h"

#define MAX_SHOWN	20
#define MAX_KLOG_LINES	100

static const char *test_name;
static unsigned long failures;
static int status;
static struct klog klog;

/* splitmix64: works with any seed, and with any sequence of seeds. */
void rng_init(struct rng *rng, uint64_t seed)
{
	rng->state = seed;
}

uint64_t rng_next(struct rng *rng)
{
	uint64_t z = rng->state += 0x9e3779b97f4a7c15;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9;
	z = (z ^ (z >> 27)) * 0x94d049bb133111eb;
	return z ^ (z >> 31);
}

uint32_t rng_below(struct rng *rng, uint32_t n)
{
	return (rng_next(rng) >> 32) * n >> 32;
}

bool rng_permille(struct rng *rng, uint32_t n)
{
	return rng_below(rng, 1000) < n;
}

void rng_uuid(struct rng *rng, char uuid[37])
{
	uint64_t a = rng_next(rng), b = rng_next(rng);

	snprintf(uuid, 37, "%08x-%04x-%04x-%04x-%012llx",
		 (unsigned int)(a >> 32), (unsigned int)(a >> 16 & 0xffff),
		 (unsigned int)(a & 0xffff), (unsigned int)(b >> 48),
		 (unsigned long long)b & 0xffffffffffff);
}

unsigned long stress_seed(void)
{
	const char *text = getenv("SEED");
	unsigned long seed;

	if (text && *text)
		return strtoul(text, NULL, 0);
	if (getrandom(&seed, sizeof(seed), 0) != sizeof(seed))
		abort();
	/* Short enough to retype. */
	return seed >> 32;
}

unsigned long stress_param(const char *name, unsigned long value)
{
	const char *text = getenv(name);

	return text && *text ? strtoul(text, NULL, 0) : value;
}

void tally_add(struct tally *tally, long ret)
{
	unsigned long *count = &tally->done;

	if (ret < 0)
		count = &tally->failed[-ret < TALLY_ERRNOS ? -ret : 0];
	__atomic_fetch_add(count, 1, __ATOMIC_RELAXED);
}

unsigned long tally_total(const struct tally *tally)
{
	unsigned long total = tally->done;
	size_t i;

	for (i = 0; i < TALLY_ERRNOS; i++)
		total += tally->failed[i];
	return total;
}

void tally_print(const struct tally *tally)
{
	char line[1024];
	size_t i, len;

	len = snprintf(line, sizeof(line), "%s: %lu calls, success %lu",
		       tally->name, tally_total(tally), tally->done);
	for (i = 0; i < TALLY_ERRNOS && len < sizeof(line); i++) {
		const char *name = i ? strerrorname_np(i) : "unknown";

		if (tally->failed[i])
			len += snprintf(line + len, sizeof(line) - len,
					", %s %lu", name ? name : "?",
					tally->failed[i]);
	}
	diag("%s", line);
}

void diag(const char *fmt, ...)
{
	char line[1024];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	/* Print and flush whole lines: threads race, and the machine may crash. */
	printf("# %s\n", line);
	fflush(stdout);
}

void fail(const char *fmt, ...)
{
	unsigned long before;
	char line[900];
	va_list ap;

	before = __atomic_fetch_add(&failures, 1, __ATOMIC_RELAXED);
	if (before >= MAX_SHOWN)
		return;
	va_start(ap, fmt);
	vsnprintf(line, sizeof(line), fmt, ap);
	va_end(ap);
	diag("FAILED: %s", line);
}

bool failed(void)
{
	return __atomic_load_n(&failures, __ATOMIC_RELAXED);
}

void stress_begin(const char *name)
{
	if (!klog.fd && klog_open(&klog))
		fail("cannot read the kernel log");
	klog_read(&klog);
	klog_mark(&klog);
	test_name = name;
	failures = 0;
}

static void print_line(const char *line)
{
	diag("  %s", line);
}

void stress_end(void)
{
	klog_read(&klog);
	if (klog_has_splat(&klog)) {
		fail("the kernel complained");
		klog_print(&klog, MAX_KLOG_LINES, print_line);
	}
	if (failures > MAX_SHOWN)
		diag("%lu failures in all", failures);
	printf("%sok - %s\n", failures ? "not " : "", test_name);
	fflush(stdout);
	if (failures)
		status = 1;
}

void stress_skip(const char *name, const char *reason)
{
	printf("ok - %s # SKIP %s\n", name, reason);
	fflush(stdout);
}

int stress_status(void)
{
	return status;
}

void unload_all(const char * const *modules)
{
	int ret;

	for (; *modules; modules++) {
		wait_until((ret = unload_module(*modules)) != -EWOULDBLOCK,
			   UNLOAD_MS);
		check(!ret || ret == -ENOENT, "cannot unload %s: %s (%d users)",
		      *modules, strerror(-ret), module_refcount(*modules));
	}
}

void check_leaks(void)
{
	int found;

	if (!leaks_known())
		return;
	found = leaks_find(print_line);
	check(found >= 0, "kmemleak does not scan");
	check(found <= 0, "kmemleak has found %d objects", found);
}
