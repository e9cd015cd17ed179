#include "base/file.h"

#include <errno.h>
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
