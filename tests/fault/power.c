/*
 * A disk whose power can be cut, for a program that is otherwise as users have it: preloaded, it
 * writes down in order what the program does to files below a directory: what it writes, truncates,
 * creates, renames, removes, and which of it it syncs. From any beginning of that journal
 * powercut.js makes what the disk could hold if the power had been cut there.
 *
 *   JUYONG_TEST_POWER_ROOT     the directory
 *   JUYONG_TEST_POWER_JOURNAL  the journal, elsewhere; several programs may share it
 *
 * An entry: op[1] zero[3] ino[8] at[8] lengths of name, other name, data[4 each], then those.
 * Operation and entry are one step under a lock, so that the journal's order is that of the disk.
 */
/* Both names of a function are defined here, and none of them inline. */
#undef _FILE_OFFSET_BITS
#undef _FORTIFY_SOURCE

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define PUBLIC __attribute__((visibility("default")))

static char root[PATH_MAX];
static size_t root_len;
static int journal = -1;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

struct entry {
    char op, zero[3];
    uint32_t name_len, other_len, data_len;
    uint64_t ino, at;
};

__attribute__((constructor)) static void begin(void)
{
    const char *dir = getenv("JUYONG_TEST_POWER_ROOT");
    const char *file = getenv("JUYONG_TEST_POWER_JOURNAL");
    if (!dir || !file || strlen(dir) >= sizeof(root))
        return;
    strcpy(root, dir);
    root_len = strlen(dir);
    journal =
        (int)syscall(SYS_openat, AT_FDCWD, file, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);
    if (journal < 0)
        abort();
}

/* One step of the disk, among the threads and among the programs that share it. */
static void enter(void)
{
    pthread_mutex_lock(&lock);
    while (journal >= 0 && flock(journal, LOCK_EX) < 0)
        if (errno != EINTR)
            abort();
}

static void leave(void)
{
    int e = errno;
    if (journal >= 0)
        flock(journal, LOCK_UN);
    pthread_mutex_unlock(&lock);
    errno = e;
}

static void append(const void *data, size_t size)
{
    for (size_t done = 0; done < size;) {
        long n = syscall(SYS_write, journal, (const char *)data + done, size - done);
        if (n < 0 && errno != EINTR)
            abort();
        done += n > 0 ? (size_t)n : 0;
    }
}

static void note(char op, uint64_t ino, uint64_t at, const char *name, const char *other,
                 const void *data, size_t size)
{
    struct entry e = {.op = op,
                      .ino = ino,
                      .at = at,
                      .name_len = name ? (uint32_t)strlen(name) : 0,
                      .other_len = other ? (uint32_t)strlen(other) : 0,
                      .data_len = (uint32_t)size};
    size_t all = sizeof(e) + e.name_len + e.other_len + size;
    char *whole = malloc(all), *to = whole;
    int before = errno;
    if (!whole)
        abort();
    to = mempcpy(to, &e, sizeof(e));
    if (name)
        to = mempcpy(to, name, e.name_len);
    if (other)
        to = mempcpy(to, other, e.other_len);
    if (size)
        memcpy(to, data, size);
    append(whole, all);
    free(whole);
    errno = before;
}

/* The path below the root, "" for the root itself; NULL: elsewhere. */
static const char *below(const char *path)
{
    if (journal < 0 || strncmp(path, root, root_len) != 0)
        return NULL;
    if (path[root_len] == '\0')
        return path + root_len;
    return path[root_len] == '/' ? path + root_len + 1 : NULL;
}

static bool path_of_fd(int fd, char ret_path[PATH_MAX])
{
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    long n = syscall(SYS_readlinkat, AT_FDCWD, link, ret_path, PATH_MAX - 1);
    ret_path[n > 0 ? n : 0] = '\0';
    return n > 0;
}

/* What a name within a directory means, without following links. */
static const char *resolve(int dir_fd, const char *name, char ret_path[PATH_MAX])
{
    char dir[PATH_MAX];
    int n;
    if (journal < 0)
        return NULL;
    if (name[0] == '/')
        n = snprintf(ret_path, PATH_MAX, "%s", name);
    else if (dir_fd != AT_FDCWD && path_of_fd(dir_fd, dir))
        n = snprintf(ret_path, PATH_MAX, "%s/%s", dir, name);
    else
        return NULL;
    while (n > 1 && n < PATH_MAX && ret_path[n - 1] == '/')
        ret_path[--n] = '\0';
    return n > 0 && n < PATH_MAX ? below(ret_path) : NULL;
}

/* Is it a file of the disk? Its number; 0: no. */
static uint64_t file_of(int fd)
{
    struct stat st;
    char path[PATH_MAX];
    if (journal < 0 || fd == journal || fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) ||
        !path_of_fd(fd, path) || !below(path))
        return 0;
    return st.st_ino;
}

/* ---- files ---- */

static int open_at(int dir_fd, const char *name, int flags, mode_t mode)
{
    char path[PATH_MAX];
    struct stat st;
    const char *file = flags & (O_CREAT | O_TRUNC) ? resolve(dir_fd, name, path) : NULL;
    if (!file || (flags & O_TMPFILE) == O_TMPFILE)
        return (int)syscall(SYS_openat, dir_fd, name, flags, mode);
    enter();
    bool existed = fstatat(dir_fd, name, &st, AT_SYMLINK_NOFOLLOW) == 0;
    int fd = (int)syscall(SYS_openat, dir_fd, name, flags, mode);
    if (fd >= 0 && fstat(fd, &st) == 0 && S_ISREG(st.st_mode)) {
        if (!existed)
            note('C', st.st_ino, st.st_mode & 07777, file, NULL, NULL, 0);
        else if (flags & O_TRUNC)
            note('T', st.st_ino, 0, NULL, NULL, NULL, 0);
    }
    leave();
    return fd;
}

static mode_t mode_of(int flags, va_list ap)
{
    return flags & (O_CREAT | (O_TMPFILE & ~O_DIRECTORY)) ? va_arg(ap, mode_t) : 0;
}

#define OPEN(symbol)                                                                               \
    PUBLIC int symbol(const char *name, int flags, ...);                                           \
    PUBLIC int symbol(const char *name, int flags, ...)                                            \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return open_at(AT_FDCWD, name, flags, mode);                                               \
    }
#define OPENAT(symbol)                                                                             \
    PUBLIC int symbol(int dir_fd, const char *name, int flags, ...);                               \
    PUBLIC int symbol(int dir_fd, const char *name, int flags, ...)                                \
    {                                                                                              \
        va_list ap;                                                                                \
        va_start(ap, flags);                                                                       \
        mode_t mode = mode_of(flags, ap);                                                          \
        va_end(ap);                                                                                \
        return open_at(dir_fd, name, flags, mode);                                                 \
    }
OPEN(open)
OPEN(open64)
OPENAT(openat)
OPENAT(openat64)

PUBLIC ssize_t write(int fd, const void *data, size_t size)
{
    uint64_t ino = file_of(fd);
    if (!ino)
        return syscall(SYS_write, fd, data, size);
    enter();
    ssize_t n = syscall(SYS_write, fd, data, size);
    if (n > 0)
        note('W', ino, (uint64_t)(lseek(fd, 0, SEEK_CUR) - n), NULL, NULL, data, (size_t)n);
    leave();
    return n;
}

static ssize_t write_at(int fd, const void *data, size_t size, off_t at)
{
    uint64_t ino = file_of(fd);
    if (!ino)
        return syscall(SYS_pwrite64, fd, data, size, at);
    enter();
    ssize_t n = syscall(SYS_pwrite64, fd, data, size, at);
    if (n > 0)
        note('W', ino, (uint64_t)at, NULL, NULL, data, (size_t)n);
    leave();
    return n;
}

PUBLIC ssize_t pwrite(int fd, const void *data, size_t size, off_t at)
{
    return write_at(fd, data, size, at);
}

PUBLIC ssize_t pwrite64(int fd, const void *data, size_t size, off_t at)
{
    return write_at(fd, data, size, at);
}

static int truncate_to(int fd, off_t size)
{
    uint64_t ino = file_of(fd);
    enter();
    int r = (int)syscall(SYS_ftruncate, fd, size);
    if (r == 0 && ino)
        note('T', ino, (uint64_t)size, NULL, NULL, NULL, 0);
    leave();
    return r;
}

PUBLIC int ftruncate(int fd, off_t size)
{
    return truncate_to(fd, size);
}

PUBLIC int ftruncate64(int fd, off_t size)
{
    return truncate_to(fd, size);
}

static int reserve(int fd, off_t from, off_t size)
{
    uint64_t ino = file_of(fd);
    struct stat st;
    enter();
    int before = errno;
    int r = syscall(SYS_fallocate, fd, 0, from, size) == 0 ? 0 : errno;
    errno = before;
    if (r == 0 && ino && fstat(fd, &st) == 0)
        note('T', ino, (uint64_t)st.st_size, NULL, NULL, NULL, 0);
    leave();
    return r;
}

PUBLIC int posix_fallocate(int fd, off_t from, off_t size)
{
    return reserve(fd, from, size);
}

PUBLIC int posix_fallocate64(int fd, off_t from, off_t size)
{
    return reserve(fd, from, size);
}

/* Of a file its content, of a directory its names. */
static int sync_fd(int fd, long call)
{
    char path[PATH_MAX];
    struct stat st;
    const char *name;
    enter();
    int r = (int)syscall(call, fd);
    if (r == 0 && journal >= 0 && fstat(fd, &st) == 0 && path_of_fd(fd, path) &&
        (name = below(path))) {
        if (S_ISREG(st.st_mode))
            note('S', st.st_ino, 0, NULL, NULL, NULL, 0);
        else if (S_ISDIR(st.st_mode))
            note('Y', 0, 0, name, NULL, NULL, 0);
    }
    leave();
    return r;
}

PUBLIC int fsync(int fd)
{
    return sync_fd(fd, SYS_fsync);
}

PUBLIC int fdatasync(int fd)
{
    return sync_fd(fd, SYS_fdatasync);
}

/* ---- names ---- */

static int make_dir(int dir_fd, const char *name, mode_t mode)
{
    char path[PATH_MAX];
    const char *file = resolve(dir_fd, name, path);
    enter();
    int r = (int)syscall(SYS_mkdirat, dir_fd, name, mode);
    if (r == 0 && file)
        note('D', 0, mode & 07777, file, NULL, NULL, 0);
    leave();
    return r;
}

PUBLIC int mkdir(const char *name, mode_t mode)
{
    return make_dir(AT_FDCWD, name, mode);
}

PUBLIC int mkdirat(int dir_fd, const char *name, mode_t mode)
{
    return make_dir(dir_fd, name, mode);
}

static int move(int from_fd, const char *from, int to_fd, const char *to)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *file = resolve(from_fd, from, a), *other = resolve(to_fd, to, b);
    enter();
    int r = (int)syscall(SYS_renameat, from_fd, from, to_fd, to);
    if (r == 0 && file && other)
        note('R', 0, 0, file, other, NULL, 0);
    leave();
    return r;
}

PUBLIC int rename(const char *from, const char *to)
{
    return move(AT_FDCWD, from, AT_FDCWD, to);
}

PUBLIC int renameat(int from_fd, const char *from, int to_fd, const char *to)
{
    return move(from_fd, from, to_fd, to);
}

PUBLIC int linkat(int from_fd, const char *from, int to_fd, const char *to, int flags)
{
    char a[PATH_MAX], b[PATH_MAX];
    const char *file = resolve(from_fd, from, a), *other = resolve(to_fd, to, b);
    enter();
    int r = (int)syscall(SYS_linkat, from_fd, from, to_fd, to, flags);
    if (r == 0 && file && other)
        note('L', 0, 0, file, other, NULL, 0);
    leave();
    return r;
}

static int drop(int dir_fd, const char *name, int flags)
{
    char path[PATH_MAX];
    const char *file = resolve(dir_fd, name, path);
    enter();
    int r = (int)syscall(SYS_unlinkat, dir_fd, name, flags);
    if (r == 0 && file)
        note('U', 0, 0, file, NULL, NULL, 0);
    leave();
    return r;
}

PUBLIC int unlink(const char *name)
{
    return drop(AT_FDCWD, name, 0);
}

PUBLIC int unlinkat(int dir_fd, const char *name, int flags)
{
    return drop(dir_fd, name, flags);
}

PUBLIC int rmdir(const char *name)
{
    return drop(AT_FDCWD, name, AT_REMOVEDIR);
}
