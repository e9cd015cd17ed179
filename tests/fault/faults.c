#include "faults.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

static struct {
    atomic_uint calls, from, count;
    atomic_int error;
} faults[2];
static atomic_uint failures, full_percent;
static const char *_Atomic within;
static atomic_llong clock_shift_us;
static pthread_mutex_t shadow_lock = PTHREAD_MUTEX_INITIALIZER;
static char shadowed[PATH_MAX], shadow[PATH_MAX];

void fault_set(enum fault_call call, unsigned from, unsigned count, int error)
{
    atomic_store(&faults[call].calls, 0);
    atomic_store(&faults[call].count, count);
    atomic_store(&faults[call].error, error);
    atomic_store(&faults[call].from, from);
}

void fault_clear(void)
{
    for (int i = 0; i < 2; i++)
        fault_set((enum fault_call)i, 0, 0, 0);
    atomic_store(&failures, 0);
    atomic_store(&within, NULL);
    atomic_store(&clock_shift_us, 0);
    atomic_store(&full_percent, 0);
    fault_shadow(NULL, NULL);
}

unsigned fault_calls(enum fault_call call)
{
    return atomic_load(&faults[call].calls);
}

unsigned fault_failures(void)
{
    return atomic_load(&failures);
}

void fault_within(const char *part)
{
    atomic_store(&within, part);
}

static int is_meant(int fd)
{
    char link[64], path[PATH_MAX];
    const char *part = atomic_load(&within);
    if (!part)
        return 1;
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = readlink(link, path, sizeof(path) - 1);
    path[n > 0 ? n : 0] = '\0';
    return strstr(path, part) != NULL;
}

static int fails(enum fault_call call, int fd)
{
    if (!is_meant(fd))
        return 0;
    unsigned n = atomic_fetch_add(&faults[call].calls, 1) + 1,
             from = atomic_load(&faults[call].from);
    if (from == 0 || n < from || n - from >= atomic_load(&faults[call].count))
        return 0;
    atomic_fetch_add(&failures, 1);
    errno = atomic_load(&faults[call].error);
    return 1;
}

void fault_shift_clock(long long us)
{
    atomic_store(&clock_shift_us, us);
}

void fault_fill_disk(unsigned percent)
{
    atomic_store(&full_percent, percent);
}

void fault_shadow(const char *dir, const char *into)
{
    pthread_mutex_lock(&shadow_lock);
    snprintf(shadowed, sizeof(shadowed), "%s", dir ? dir : "");
    snprintf(shadow, sizeof(shadow), "%s", into ? into : "");
    pthread_mutex_unlock(&shadow_lock);
}

static void run(const char *command)
{
    if (system(command) != 0)
        abort();
}

void fault_cut_power(const char *copy)
{
    char command[3 * PATH_MAX];
    pthread_mutex_lock(&shadow_lock);
    snprintf(command, sizeof(command), "rm -rf %s && cp -r %s %s && rm -f %s/*.part", copy, shadow,
             copy, copy);
    run(command);
    pthread_mutex_unlock(&shadow_lock);
}

static void forget_deleted(void)
{
    char path[2 * PATH_MAX], kept[2 * PATH_MAX + 256];
    DIR *d = opendir(shadow);
    struct dirent *e;
    while (d && (e = readdir(d))) {
        snprintf(path, sizeof(path), "%s/%s", shadowed, e->d_name);
        snprintf(kept, sizeof(kept), "%s/%s", shadow, e->d_name);
        if (e->d_name[0] != '.' && access(path, F_OK) < 0)
            unlink(kept);
    }
    if (d)
        closedir(d);
}

/* The file as it is now, for it has just been synced. */
static void keep_shadow(int fd)
{
    char link[64], path[PATH_MAX], part[3 * PATH_MAX], whole[2 * PATH_MAX], bytes[65536];
    struct stat st;
    pthread_mutex_lock(&shadow_lock);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    ssize_t n = shadow[0] ? readlink(link, path, sizeof(path) - 1) : -1;
    path[n > 0 ? n : 0] = '\0';
    size_t prefix = strlen(shadowed);
    /* A synced directory has forgotten what was deleted in it. */
    if (n > 0 && strcmp(path, shadowed) == 0)
        forget_deleted();
    if (n > 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode) &&
        strncmp(path, shadowed, prefix) == 0 && path[prefix] == '/' &&
        !strchr(path + prefix + 1, '/')) {
        snprintf(whole, sizeof(whole), "%s%s", shadow, path + prefix);
        snprintf(part, sizeof(part), "%s.part", whole);
        int out = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
        for (off_t at = 0; out >= 0 && (n = pread(fd, bytes, sizeof(bytes), at)) > 0; at += n)
            if (write(out, bytes, (size_t)n) != n)
                abort();
        if (out < 0 || close(out) < 0 || rename(part, whole) < 0)
            abort();
    }
    pthread_mutex_unlock(&shadow_lock);
}

int clock_gettime(clockid_t id, struct timespec *t)
{
    static int (*real)(clockid_t, struct timespec *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "clock_gettime");
    int r = real(id, t);
    if (r == 0 && id == CLOCK_REALTIME)
        t->tv_sec += (time_t)(atomic_load(&clock_shift_us) / 1000000);
    return r;
}

int statvfs(const char *path, struct statvfs *v)
{
    static int (*real)(const char *, struct statvfs *);
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "statvfs");
    int r = real(path, v);
    unsigned percent = atomic_load(&full_percent);
    if (r == 0 && percent) {
        v->f_blocks = 1000;
        v->f_bfree = v->f_bavail = 1000 - 10 * percent;
    }
    return r;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (fails(FAULT_WRITE, fd))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, data, size, at);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (fails(FAULT_SYNC, fd))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    int r = real(fd);
    if (r == 0)
        keep_shadow(fd);
    return r;
}

int fsync(int fd)
{
    static int (*real)(int);
    if (fails(FAULT_SYNC, fd))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    int r = real(fd);
    if (r == 0)
        keep_shadow(fd);
    return r;
}
