#include "base/file.h"

#include "base/cleanup.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <unistd.h>

int file_read(int fd, off_t from, struct buf *out)
{
    char piece[16384];
    for (;;) {
        ssize_t n = pread(fd, piece, sizeof(piece), from);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        int r = buf_append(out, span_from(piece, (size_t)n));
        if (r < 0)
            return r;
        from += n;
    }
}

int file_write(int fd, struct span s)
{
    while (s.len) {
        ssize_t n = write(fd, s.data, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : -EIO;
        s = span_slice(s, (size_t)n, s.len);
    }
    return 0;
}

/* Also for one that is there: who made it may have died before he synced it. */
int file_make_dir(const char *path, mode_t mode)
{
    char parent[PATH_MAX];
    size_t n = strlen(path);
    if (mkdir(path, mode) < 0 && errno != EEXIST)
        return -errno;
    if (n >= sizeof(parent) - 1)
        return -ENAMETOOLONG;
    memcpy(parent, path, n + 1);
    while (n > 1 && parent[n - 1] == '/')
        n--;
    while (n > 0 && parent[n - 1] != '/')
        n--;
    if (n == 0)
        parent[n++] = '.';
    parent[n] = '\0';
    int fd cleanup(cleanup_close) = open(parent, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return errno == EACCES || errno == EPERM ? 0 : -errno;
    return fsync(fd) < 0 && errno != EINVAL && errno != EROFS ? -errno : 0;
}

int file_room(int fd, unsigned percent)
{
    struct statvfs v;
    if (fstatvfs(fd, &v) < 0)
        return -errno;
    /* What root alone may use is neither used nor free. */
    uint64_t used = v.f_blocks - v.f_bfree, all = used + v.f_bavail;
    return all == 0 || used * 100 < all * percent ? 0 : -ENOSPC;
}
