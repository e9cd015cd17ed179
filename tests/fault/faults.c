#include "faults.h"

#include <dlfcn.h>
#include <errno.h>
#include <stdatomic.h>
#include <stddef.h>
#include <sys/types.h>
#include <unistd.h>

static struct {
    atomic_uint calls, from, count;
    atomic_int error;
} faults[2];
static atomic_uint failures;

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
}

unsigned fault_calls(enum fault_call call)
{
    return atomic_load(&faults[call].calls);
}

unsigned fault_failures(void)
{
    return atomic_load(&failures);
}

static int fails(enum fault_call call)
{
    unsigned n = atomic_fetch_add(&faults[call].calls, 1) + 1,
             from = atomic_load(&faults[call].from);
    if (from == 0 || n < from || n - from >= atomic_load(&faults[call].count))
        return 0;
    atomic_fetch_add(&failures, 1);
    errno = atomic_load(&faults[call].error);
    return 1;
}

ssize_t pwrite64(int fd, const void *data, size_t size, off_t at);
ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    static ssize_t (*real)(int, const void *, size_t, off_t);
    if (fails(FAULT_WRITE))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "pwrite64");
    return real(fd, data, size, at);
}

int fdatasync(int fd)
{
    static int (*real)(int);
    if (fails(FAULT_SYNC))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fdatasync");
    return real(fd);
}

int fsync(int fd)
{
    static int (*real)(int);
    if (fails(FAULT_SYNC))
        return -1;
    if (!real)
        *(void **)&real = dlsym(RTLD_NEXT, "fsync");
    return real(fd);
}
