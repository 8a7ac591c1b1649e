// SPDX-License-Identifier: GPL-2.0-only
/*
 * usage: runner CASES PROGRAMS VERDICT SECONDS
 *
 * Runs in the virtual machine. CASES has one "program case" per line. Runs one
 * at a time, as "PROGRAMS/program -r case", for at most SECONDS, and writes the
 * results to the tty VERDICT:
 *
 *	# run program:case
 *	# diagnostics of a failed case
 *	# measured: ...		also if the case passed
 *	ok - program:case [# SKIP reason]
 *	not ok - program:case
 *	ok - kernel:what	about the machine after all cases
 *	bail		the machine cannot run another case
 *	spent		likewise, and the case was expected to do that
 *	end		all cases were run
 *
 * A case also fails if the kernel complains meanwhile, if it leaves a process
 * or one of our modules behind, or if it prints no result. Indented results in
 * its output are passed on as results of their own, "program:name".
 *
 * A case that provokes a kernel complaint prints "# expected complaint: part of
 * its headline", and fails if that does not come. A case of a fixture whose
 * name begins with "alone" may leave processes and modules behind, and is the
 * last of its boot if it does so or expects a complaint.
 *
 * With KEEP_MODULES in the environment, which the cases see as well, modules
 * may stay loaded until the end, when all must unload. Kernels with kmemleak
 * are checked for leaks at the end.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>

#include "klog.h"
#include "leaks.h"
#include "our_modules.h"

#define MAX_OUTPUT	(64 * 1024)
#define MAX_KLOG_LINES	100
#define KILL_SECONDS	60
/* Programs that the case has told to end may still be at it. */
#define LINGER_SECONDS	10

static FILE *verdict;
static int kmsg;		/* gets the name of each case */
static struct klog klog;
static bool keep_modules;

/* The output and the outcome of a case. */
struct outcome {
	char output[MAX_OUTPUT];
	size_t len;
	int status;		/* of waitpid() */
	bool timed_out;
};

static double now(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec + ts.tv_nsec / 1e9;
}

/* Drain each line: a panic must not lose the lines before it. */
static void say(const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vfprintf(verdict, fmt, ap);
	va_end(ap);
	fputc('\n', verdict);
	fflush(verdict);
	tcdrain(fileno(verdict));
}

/* For readers of the console. Not dprintf(), which tries to seek there. */
static void say_to_kernel(const char *fmt, const char *name)
{
	char line[512];

	snprintf(line, sizeof(line), fmt, name);
	if (write(kmsg, line, strlen(line)) < 0)
		fprintf(verdict, "# /dev/kmsg: %s\n", strerror(errno));
}

static void diag(const char *line)
{
	fprintf(verdict, "# %s\n", line);
}

static void diag_text(char *text)
{
	char *line;

	while ((line = strsep(&text, "\n")))
		if (*line || text)
			diag(line);
}

static void diag_file(const char *fmt, int pid)
{
	char path[64], text[4096];
	ssize_t len;
	int fd;

	snprintf(path, sizeof(path), fmt, pid);
	fd = open(path, O_RDONLY);
	if (fd < 0)
		return;
	len = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (len <= 0)
		return;
	text[len] = '\0';
	fprintf(verdict, "# %s:\n", path);
	diag_text(text);
}

/* Printed last, next to the result: long output may lose its beginning. */
static void diag_complaint(void)
{
	if (klog_has_splat(&klog))
		fprintf(verdict, "# the kernel complained: %s\n",
			klog_headline(&klog));
}

/* Children include orphaned grandchildren: we are their subreaper. */
static int next_child(void)
{
	FILE *f = fopen("/proc/thread-self/children", "r");
	int pid = 0;

	if (!f || fscanf(f, "%d", &pid) != 1)
		pid = 0;
	if (f)
		fclose(f);
	return pid;
}

/* Reaps children until none is left; returns false if one lives on. */
static bool children_end(int seconds)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	double deadline = now() + seconds;

	for (;;) {
		while (waitpid(-1, NULL, WNOHANG) > 0)
			;
		if (!next_child())
			return true;
		if (now() >= deadline)
			return false;
		nanosleep(&tick, NULL);
	}
}

/* Kills every child; returns false if one survives KILL_SECONDS. */
static bool kill_children(void)
{
	const struct timespec tick = { .tv_nsec = 10 * 1000 * 1000 };
	double deadline = now() + KILL_SECONDS;
	int pid;

	while ((pid = next_child())) {
		kill(pid, SIGKILL);
		if (waitpid(pid, NULL, WNOHANG) == pid)
			continue;
		if (now() > deadline) {
			fprintf(verdict, "# cannot be killed: %d\n", pid);
			diag_file("/proc/%d/comm", pid);
			diag_file("/proc/%d/stack", pid);
			return false;
		}
		nanosleep(&tick, NULL);
	}
	return true;
}

static void collect(struct outcome *o, int fd)
{
	char drop[4096];
	ssize_t len;

	for (;;) {
		if (o->len < sizeof(o->output) - 1)
			len = read(fd, o->output + o->len,
				   sizeof(o->output) - 1 - o->len);
		else
			len = read(fd, drop, sizeof(drop));
		if (len <= 0)
			break;
		if (o->len < sizeof(o->output) - 1)
			o->len += len;
	}
	o->output[o->len] = '\0';
}

static int start(const char *path, const char *name, int out)
{
	int pid = fork();

	if (pid)
		return pid;
	setsid();
	dup2(out, STDOUT_FILENO);
	dup2(out, STDERR_FILENO);
	execl(path, path, "-r", name, NULL);
	dprintf(STDERR_FILENO, "cannot run %s: %s\n", path, strerror(errno));
	_exit(127);
}

static bool run(struct outcome *o, const char *path, const char *name,
		int seconds)
{
	double deadline = now() + seconds, left;
	int fds[2], pid, pidfd;

	memset(o, 0, sizeof(*o));
	if (pipe2(fds, O_CLOEXEC | O_NONBLOCK))
		return false;
	/* The child's end blocks as usual; only ours must not. */
	fcntl(fds[1], F_SETFL, 0);
	pid = start(path, name, fds[1]);
	close(fds[1]);
	pidfd = pid < 0 ? -1 : syscall(SYS_pidfd_open, pid, 0);
	if (pidfd < 0) {
		close(fds[0]);
		return false;
	}

	struct pollfd pfd[] = {
		{ .fd = pidfd, .events = POLLIN },
		{ .fd = fds[0], .events = POLLIN },
		{ .fd = klog.fd, .events = POLLIN },
	};

	while ((left = deadline - now()) > 0) {
		poll(pfd, 3, (int)(left * 1000) + 1);
		collect(o, fds[0]);
		klog_read(&klog);
		if (pfd[1].revents & POLLHUP)
			pfd[1].fd = -1;
		if (pfd[0].revents)
			break;
	}
	o->timed_out = left <= 0;
	if (!o->timed_out)
		waitpid(pid, &o->status, 0);
	collect(o, fds[0]);
	close(fds[0]);
	close(pidfd);
	return true;
}

/* The case's own line: "ok 1 name", "not ok 1 name", "ok 1 name # SKIP x". */
static const char *find_result(const char *output, char *skip, size_t size)
{
	const char *line = output, *result = NULL, *reason;

	skip[0] = '\0';
	while (line && *line) {
		size_t len = strcspn(line, "\n");

		if (!strncmp(line, "not ok ", 7)) {
			result = "not ok";
		} else if (!strncmp(line, "ok ", 3) && !result) {
			result = "ok";
			reason = strstr(line, "# SKIP");
			if (reason && reason < line + len)
				snprintf(skip, size, " %.*s",
					 (int)(line + len - reason), reason);
		}
		line += len;
		line += *line == '\n';
	}
	return result;
}

/* Passes the subtests of a case on: "    ok 1 name" and the like. */
static void say_parts(const char *prog, const char *output)
{
	const char *line;
	char name[256];

	for (line = output; line; line = strchr(line, '\n')) {
		const char *verdict = "ok";

		line += *line == '\n';
		if (*line != ' ')
			continue;
		line += strspn(line, " ");
		if (!strncmp(line, "not ok ", 7)) {
			verdict = "not ok";
			line += 4;
		} else if (strncmp(line, "ok ", 3)) {
			continue;
		}
		if (sscanf(line, "ok %*d %255[^\n]", name) == 1)
			say("%s - %s:%s", verdict, prog, name);
	}
}

/* Measurements are shown even if the case passes. */
static void say_measured(const char *output)
{
	static const char mark[] = "# measured: ";
	const char *line;

	for (line = output; line; line = strchr(line, '\n')) {
		line += *line == '\n';
		if (!strncmp(line, mark, strlen(mark)))
			say("%.*s", (int)strcspn(line, "\n"), line);
	}
}

/* Forgives the announced complaints; returns false if one did not come. */
static bool forgive_expected(const char *output, bool *any)
{
	static const char mark[] = "# expected complaint: ";
	const char *line = output;
	bool all = true;
	char text[256];

	*any = false;
	while ((line = strstr(line, mark))) {
		line += strlen(mark);
		snprintf(text, sizeof(text), "%.*s", (int)strcspn(line, "\n"),
			 line);
		*any = true;
		if (!klog_forgive(&klog, text)) {
			fprintf(verdict, "# not in the kernel log: %s\n", text);
			all = false;
		}
	}
	return all;
}

/* Cleans up after a case; returns false if the machine is unusable. */
static bool clean_up(bool timed_out, bool *passed)
{
	char modules[512];
	bool usable = true;

	if (!children_end(timed_out ? 0 : LINGER_SECONDS)) {
		if (!timed_out) {
			fprintf(verdict, "# left a process behind\n");
			diag_file("/proc/%d/comm", next_child());
			diag_file("/proc/%d/cmdline", next_child());
		}
		*passed = false;
		usable = kill_children();
	}
	if (!(keep_modules && *passed) &&
	    our_modules(modules, sizeof(modules), false)) {
		/* Expected after a failure. */
		fprintf(verdict, "# left loaded:%s\n", modules);
		*passed = false;
		if (!unload_our_modules()) {
			our_modules(modules, sizeof(modules), false);
			fprintf(verdict, "# cannot unload:%s\n", modules);
			usable = false;
		}
	}
	return usable;
}

/* The state of the machine after a case. */
enum machine { USABLE, SPENT, BROKEN };

static enum machine run_case(const char *dir, const char *prog,
			     const char *name, int seconds)
{
	static struct outcome o;
	bool alone = !strncmp(name, "alone", 5);
	char path[512], skip[256], shown[256];
	enum machine machine = USABLE;
	bool passed = true, expected;
	const char *result;

	/* TEST() cases belong to the fixture "global"; don't show that. */
	snprintf(shown, sizeof(shown), "%s:%s", prog,
		 strncmp(name, "global.", 7) ? name : name + 7);
	snprintf(path, sizeof(path), "%s/%s", dir, prog);

	say("# run %s", shown);
	say_to_kernel("<6>run %s\n", shown);
	klog_read(&klog);
	klog_mark(&klog);
	if (!run(&o, path, name, seconds)) {
		fprintf(verdict, "# cannot start: %s\n", strerror(errno));
		passed = false;
	}

	result = find_result(o.output, skip, sizeof(skip));
	if (o.timed_out) {
		fprintf(verdict, "# no result within %d s\n", seconds);
		passed = false;
	} else if (WIFSIGNALED(o.status)) {
		fprintf(verdict, "# ended by signal %d\n", WTERMSIG(o.status));
		passed = false;
	} else if (WEXITSTATUS(o.status) && WEXITSTATUS(o.status) != 4) {
		fprintf(verdict, "# exit status %d\n", WEXITSTATUS(o.status));
		passed = false;
	} else if (!result || strcmp(result, "ok")) {
		fprintf(verdict, "# %s\n", result ? result : "said nothing");
		passed = false;
	}

	klog_read(&klog);
	if (!forgive_expected(o.output, &expected))
		passed = false;
	if (alone && (next_child() || expected))
		machine = SPENT;
	else if (!clean_up(o.timed_out, &passed))
		machine = BROKEN;

	klog_read(&klog);
	if (klog_has_splat(&klog))
		passed = false;
	if (!passed) {
		if (klog.nr)
			diag("kernel log:");
		klog_print(&klog, MAX_KLOG_LINES, diag);
		diag_text(o.output);
		diag_complaint();
	} else {
		say_measured(o.output);
	}
	say_parts(prog, o.output);
	say("%sok - %s%s", passed ? "" : "not ", shown, passed ? skip : "");
	return machine;
}

/* Reports a check of the whole machine after all cases. */
static void say_kernel(const char *what, bool good)
{
	klog_read(&klog);
	if (klog_has_splat(&klog))
		good = false;
	if (!good) {
		klog_print(&klog, MAX_KLOG_LINES, diag);
		diag_complaint();
	}
	klog_mark(&klog);
	say("%sok - kernel:%s", good ? "" : "not ", what);
}

static void say_leaks(const char *what)
{
	int found;

	if (!leaks_known())
		return;
	found = leaks_find(diag);
	if (found)
		fprintf(verdict, "# leaks: %d\n", found);
	say_kernel(what, !found);
}

/* Reports have symbols while modules are loaded, and find more after that. */
static void last_look(void)
{
	char modules[512];

	klog_read(&klog);
	klog_mark(&klog);
	say_leaks("no_memory_leaked_with_modules_loaded");
	if (keep_modules) {
		if (our_modules(modules, sizeof(modules), true))
			fprintf(verdict, "# cannot unload:%s\n", modules);
		say_kernel("modules_unload", !modules[0]);
	}
	say_leaks("no_memory_leaked");
}

static int open_verdict(const char *path)
{
	struct termios t;
	int fd = open(path, O_WRONLY | O_NOCTTY | O_CLOEXEC);

	if (fd < 0)
		return -1;
	if (!tcgetattr(fd, &t)) {
		cfmakeraw(&t);
		cfsetspeed(&t, B115200);
		tcsetattr(fd, TCSANOW, &t);
	}
	verdict = fdopen(fd, "w");
	return verdict ? 0 : -1;
}

int main(int argc, char **argv)
{
	enum machine machine;
	char prog[128], name[128];
	FILE *cases;

	if (argc != 5 || open_verdict(argv[3]))
		return 1;
	cases = fopen(argv[1], "re");
	kmsg = open("/dev/kmsg", O_WRONLY | O_CLOEXEC);
	if (!cases || kmsg < 0 || klog_open(&klog)) {
		say("bail");
		return 1;
	}
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	keep_modules = getenv("KEEP_MODULES");

	/* A complaint before the first case has no case to blame. */
	klog_read(&klog);
	if (klog_has_splat(&klog)) {
		klog_print(&klog, MAX_KLOG_LINES, diag);
		say("not ok - boot");
	}
	while (fscanf(cases, "%127s %127s", prog, name) == 2) {
		machine = run_case(argv[2], prog, name, atoi(argv[4]));
		if (machine != USABLE) {
			say(machine == SPENT ? "spent" : "bail");
			return 1;
		}
	}
	last_look();
	say_to_kernel("<6>run %s\n", "over:");
	say("end");
	return 0;
}
