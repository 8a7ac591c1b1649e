// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: fail_nth
 *
 * Repeats each operation while fault injection fails its 1st, 2nd, ...
 * allocation, until no allocation is left to fail. The operation must return
 * ENOMEM and change nothing, or succeed completely. Either way, undoing it must
 * restore the state and the modules' reference counts. At the end the modules must
 * unload, and no memory may be leaked.
 *
 * fail-nth counts the allocations of this task and overrides failslab's filters.
 * So it also fails what the driver core, sysfs and other subsystems allocate on our
 * behalf, and the few allocations of debugging features, which cope without. Nothing
 * fails per-CPU allocations.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "fail_nth.h"
#include "fail_state.h"
#include "stress.h"
#include "test_lib.h"

#define FAIL_NTH	"/proc/thread-self/fail-nth"
#define DEBUGFS		"/sys/kernel/debug"
#define MAX_SITES	3000
/* Check late state rarely: waiting for it takes seconds. */
#define LATE_EVERY	32

static int fail_fd = -1;

static bool arm(unsigned int nth)
{
	char text[16];
	int len = snprintf(text, sizeof(text), "%u", nth);

	return pwrite(fail_fd, text, len, 0) == len;
}

/* Returns true if an allocation was failed since arm(). */
static bool disarm(void)
{
	char text[16] = "";
	ssize_t n = pread(fail_fd, text, sizeof(text) - 1, 0);
	bool fired = n > 0 && !strtoul(text, NULL, 10);

	check(n > 0 && arm(0), "cannot read " FAIL_NTH);
	return fired;
}

/* Let slab and page allocations of any kind fail, without log messages. */
static bool inject(void)
{
	static const struct {
		const char *file;
		const char *text;
	} files[] = {
		{ DEBUGFS "/failslab/verbose", "0" },
		{ DEBUGFS "/failslab/ignore-gfp-wait", "N" },
		{ DEBUGFS "/fail_page_alloc/verbose", "0" },
		{ DEBUGFS "/fail_page_alloc/ignore-gfp-wait", "N" },
		{ DEBUGFS "/fail_page_alloc/ignore-gfp-highmem", "N" },
		{ DEBUGFS "/fail_page_alloc/min-order", "0" },
	};
	size_t i;

	if (fail_system.spare && !check(!load_module(fail_system.spare),
					"cannot load %s", fail_system.spare))
		return false;
	for (i = 0; i < ARRAY_SIZE(files); i++)
		if (!check(!write_file(files[i].file, files[i].text),
			   "cannot write %s", files[i].file))
			return false;
	/* Our own page faults must not allocate during an operation. */
	if (!check(!mlockall(MCL_CURRENT | MCL_FUTURE), "cannot lock memory"))
		return false;
	fail_fd = open(FAIL_NTH, O_RDWR | O_CLOEXEC);
	return check(fail_fd >= 0, "cannot open " FAIL_NTH);
}

/* Number of runs with a failed allocation, by outcome. */
struct sites {
	unsigned int enomem;
	unsigned int harmless;
};

/* Run once without failures. @done takes the state afterwards. */
static bool run_unharmed(const struct fail_op *op, struct fail_state *done)
{
	int ret = op->prepare ? op->prepare() : 0;

	state_take(done);
	if (!check(!ret, "it cannot be prepared: %s", strerror(-ret)))
		return false;
	state_free(done);
	ret = op->run();
	state_take(done);
	check(!ret, "it does not work at all: %s", strerror(-ret));
	if (op->undo)
		op->undo(ret);
	return !ret;
}

/* Returns true if there was an allocation number @nth to fail. */
static bool run_nth(const struct fail_op *op, unsigned int nth,
		    const struct fail_state *done, struct sites *sites)
{
	int ret = op->prepare ? op->prepare() : 0;
	struct fail_state prepared;
	char when[64];
	bool fired;

	snprintf(when, sizeof(when), "allocation %u", nth);
	if (!check(!ret, "%s: cannot be prepared: %s", when, strerror(-ret)))
		return false;
	state_take(&prepared);
	check(arm(nth), "cannot write " FAIL_NTH);
	ret = op->run();
	fired = disarm();
	check(!ret || (fired && ret == -ENOMEM), "%s: %s%s", when,
	      strerror(-ret), fired ? "" : ", and none was failed");
	state_compare(ret ? &prepared : done, when);
	state_free(&prepared);
	if (op->undo)
		op->undo(ret);
	if (failed())
		diag("that was allocation %u: %s", nth, strerror(-ret));
	if (fired && ret)
		sites->enomem++;
	else if (fired)
		sites->harmless++;
	return fired;
}

static void run_each(const struct fail_op *op, const struct fail_state *state,
		     const struct late_state *late)
{
	struct fail_state done;
	struct sites sites = {};
	unsigned int nth = 0;
	char when[64];
	bool more;

	if (run_unharmed(op, &done)) {
		do {
			more = run_nth(op, ++nth, &done, &sites);
			snprintf(when, sizeof(when), "after allocation %u",
				 nth);
			state_compare(state, when);
			if (!more || nth % LATE_EVERY == 0)
				late_compare(late, when);
		} while (more && nth < MAX_SITES && !failed());
	}
	state_free(&done);
	diag("%s: %u allocations failed, one at a time: ENOMEM %u, success all the same %u",
	     op->name, sites.enomem + sites.harmless, sites.enomem,
	     sites.harmless);
	check(nth < MAX_SITES, "it does not come to an end");
	check(sites.enomem || !op->allocates, "nothing made it fail");
}

static const char *test_name(const struct fail_door *door, const char *what)
{
	static char name[128];

	snprintf(name, sizeof(name), "fail_nth_%s_%s", door->name, what);
	return name;
}

/* Returns false if entering or leaving failed; run_door() reports leaving. */
static bool run_stage(const struct fail_door *door,
		      const struct fail_stage *stage, bool ready)
{
	struct late_state before, late;
	struct fail_state state;
	size_t i;

	late_take(&before);
	ready = ready && (!stage->enter || stage->enter());
	state_take(&state);
	late_take(&late);
	for (i = 0; i < stage->nr; i++) {
		stress_begin(test_name(door, stage->ops[i].name));
		if (check(ready, "it cannot be tried"))
			run_each(&stage->ops[i], &state, &late);
		stress_end();
	}
	state_free(&state);
	return ready && (!stage->leave || stage->leave()) &&
	       late_compare(&before, "after the stage");
}

static void run_door(const struct fail_door *door)
{
	bool ready = door->start(), clean = true;
	size_t i;

	for (i = 0; i < door->nr; i++)
		clean &= run_stage(door, &door->stages[i], ready);
	stress_begin(test_name(door, "nothing_is_left"));
	check(clean, "what was set up cannot be taken down");
	door->stop();
	check_leaks();
	stress_end();
}

static void run_all(void)
{
	const char * const modules[] = { fail_system.spare, NULL };
	bool ready;
	size_t i;

	stress_begin("fail_nth_begin");
	ready = inject();
	stress_end();
	for (i = 0; ready && i < fail_system.nr_doors; i++)
		run_door(&fail_system.doors[i]);
	stress_begin("fail_nth_end");
	unload_all(modules);
	stress_end();
}

int main(void)
{
	if (access(FAIL_NTH, F_OK))
		stress_skip("fail_nth", "this kernel has no fail-nth");
	else
		run_all();
	return stress_status();
}
