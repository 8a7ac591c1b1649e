// SPDX-License-Identifier: GPL-2.0-only
/* Shared by the test programs of all systems. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "test_lib.h"

unsigned long long now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (unsigned long long)ts.tv_sec * 1000 + ts.tv_nsec / 1000000;
}

void poll_pause(void)
{
	poll(NULL, 0, 1);
}

static int modprobe(const char *option, const char *name)
{
	int status;
	pid_t pid = fork();

	if (pid < 0)
		return -errno;
	if (!pid) {
		execlp("modprobe", "modprobe", option, name, NULL);
		_exit(127);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	return WIFEXITED(status) && !WEXITSTATUS(status) ? 0 : -EIO;
}

/* Insert NAME.ko from the folder of this program, with its dependencies. */
static int insert_from_here(const char *name)
{
	char path[PATH_MAX], command[PATH_MAX + 32], depends[256] = "";
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);
	char *dep, *state;
	FILE *modinfo;
	int ret;

	if (n < 0)
		return -errno;
	path[n] = '\0';
	n = strrchr(path, '/') + 1 - path;
	snprintf(path + n, sizeof(path) - n, "%s.ko", name);
	if (!path_exists(path))
		return -ENOENT;
	snprintf(command, sizeof(command), "modinfo -F depends '%s'", path);
	modinfo = popen(command, "r");
	if (!modinfo)
		return -errno;
	if (!fgets(depends, sizeof(depends), modinfo))
		depends[0] = '\0';
	pclose(modinfo);
	for (dep = strtok_r(depends, ",\n", &state); dep;
	     dep = strtok_r(NULL, ",\n", &state)) {
		ret = load_module(dep);
		if (ret)
			return ret;
	}
	return insert_module(path, "");
}

int load_module(const char *name)
{
	char path[PATH_MAX], state[16];
	int ret;

	/* Look the file up as modprobe does, however slow that is. */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	if (read_file(path, state, sizeof(state)) > 0 &&
	    !strcmp(state, "live"))
		return 0;
	ret = insert_from_here(name);
	return ret == -ENOENT ? modprobe("--", name) : ret;
}

bool module_available(const char *name)
{
	return !modprobe("-nq", name);
}

int insert_module(const char *path, const char *params)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (syscall(SYS_finit_module, fd, params, 0) < 0)
		ret = -errno;
	close(fd);
	return ret;
}

/* Are the sysfs names of the module's drivers, class and bus free? */
static bool names_free(const char *module)
{
	static const char * const names[] = {
		"/sys/bus/*/drivers/%s",
		"/sys/bus/*/drivers/%s_other",
		"/sys/bus/%s",
		"/sys/class/%s",
		"/sys/class/%s_bus",
		NULL
	};
	char pattern[PATH_MAX];
	bool free = true;
	glob_t found;
	int i;

	for (i = 0; free && names[i]; i++) {
		snprintf(pattern, sizeof(pattern), names[i], module);
		free = glob(pattern, 0, NULL, &found) == GLOB_NOMATCH;
		globfree(&found);
	}
	return free;
}

int unload_module(const char *name)
{
	if (syscall(SYS_delete_module, name, O_NONBLOCK) < 0)
		return -errno;
	return wait_until(names_free(name), UNLOAD_MS) ? 0 : -ETIMEDOUT;
}

int unload_soon(const char *name)
{
	int ret;

	wait_until((ret = unload_module(name)) != -EWOULDBLOCK, UNLOAD_MS);
	return ret == -ENOENT ? 0 : ret;
}

bool keep_modules(void)
{
	return getenv("KEEP_MODULES");
}

bool module_loaded(const char *name)
{
	char path[PATH_MAX];

	/* Built-in code has a directory here as well, but no initstate. */
	snprintf(path, sizeof(path), "/sys/module/%s/initstate", name);
	return path_exists(path);
}

bool module_built_in(const char *name)
{
	char path[PATH_MAX], line[PATH_MAX], file[NAME_MAX];
	struct utsname uts;
	bool found = false;
	FILE *f;

	uname(&uts);
	snprintf(path, sizeof(path), "/lib/modules/%s/modules.builtin", uts.release);
	snprintf(file, sizeof(file), "/%s.ko\n", name);
	f = fopen(path, "re");
	if (!f)
		return false;
	while (!found && fgets(line, sizeof(line), f)) {
		char *base = strrchr(line, '/');

		found = base && !strcmp(base, file);
	}
	fclose(f);
	return found;
}

int module_refcount(const char *name)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s/refcnt", name);
	return read_number(path);
}

bool module_held_by(const char *name, const char *holder)
{
	char path[PATH_MAX];

	snprintf(path, sizeof(path), "/sys/module/%s/holders/%s", name, holder);
	return link_exists(path);
}

int write_file_n(const char *path, const void *data, size_t count)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);
	ssize_t n;
	int ret = 0;

	if (fd < 0)
		return -errno;
	n = write(fd, data, count);
	if (n < 0)
		ret = -errno;
	else if ((size_t)n != count)
		ret = -EIO;
	close(fd);
	return ret;
}

int write_file(const char *path, const char *text)
{
	return write_file_n(path, text, strlen(text));
}

int write_file_fmt(const char *path, const char *fmt, ...)
{
	char text[512];
	va_list ap;
	int n;

	va_start(ap, fmt);
	n = vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	if (n < 0 || (size_t)n >= sizeof(text))
		return -EOVERFLOW;
	return write_file_n(path, text, n);
}

ssize_t read_file(const char *path, char *buf, size_t size)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	size_t len = 0;
	ssize_t n;

	if (fd < 0)
		return -errno;
	while (len < size - 1) {
		n = read(fd, buf + len, size - 1 - len);
		if (n < 0) {
			n = -errno;
			close(fd);
			return n;
		}
		if (!n)
			break;
		len += n;
	}
	close(fd);
	if (len && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return len;
}

long long read_number(const char *path)
{
	char buf[64], *end;
	long long val;
	ssize_t n = read_file(path, buf, sizeof(buf));

	if (n < 0)
		return n;
	errno = 0;
	val = strtoll(buf, &end, 10);
	if (errno || end == buf || *end)
		return -EBADMSG;
	return val;
}

bool path_exists(const char *path)
{
	return !access(path, F_OK);
}

bool link_exists(const char *path)
{
	struct stat st;

	return !lstat(path, &st);
}

int link_target_name(const char *path, char *buf, size_t size)
{
	char target[PATH_MAX], *name;
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return -errno;
	target[n] = '\0';
	name = strrchr(target, '/');
	snprintf(buf, size, "%s", name ? name + 1 : target);
	return 0;
}

int count_dir(const char *path)
{
	DIR *dir = opendir(path);
	int n = 0;

	if (!dir)
		return -errno;
	while (readdir(dir))
		n++;
	closedir(dir);
	return n - 2;
}

int kmsg_open(void)
{
	int fd = open("/dev/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	lseek(fd, 0, SEEK_END);
	return fd;
}

bool kmsg_find(int fd, const char *a, const char *b)
{
	char record[8192];
	ssize_t n;

	for (;;) {
		n = read(fd, record, sizeof(record) - 1);
		/* EPIPE: records were overwritten before being read. Go on. */
		if (n < 0 && errno == EPIPE)
			continue;
		if (n <= 0)
			return false;
		record[n] = '\0';
		if (strstr(record, a) && strstr(record, b))
			return true;
	}
}
