#include "audit/files.h"

#include "base/cleanup.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

files_month files_month_of(uint64_t wall_us)
{
    time_t s = (time_t)(wall_us / 1000000u);
    struct tm tm;
    if (!gmtime_r(&s, &tm) || tm.tm_year > 9999 - 1900)
        return 9999 * 12 + 11;
    return (tm.tm_year + 1900) * 12 + tm.tm_mon;
}

bool files_join(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    if (memchr(dir.data, 0, dir.len))
        return false;
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX;
}

bool files_path(struct span dir, int tier, files_month month, char ret_path[PATH_MAX])
{
    char name[48];
    snprintf(name, sizeof(name), "l%d-%04d-%02d.db", tier, month / 12, month % 12 + 1);
    return files_join(dir, name, ret_path);
}

static int compare(const void *a, const void *b)
{
    return *(const files_month *)a - *(const files_month *)b;
}

int files_list(struct span dir, int tier, struct files *ret_files)
{
    char path[PATH_MAX];
    if (!files_join(dir, "", path))
        return -ENAMETOOLONG;
    DIR *d = opendir(path);
    if (!d)
        return -errno;
    ret_files->count = 0;
    int r = 0;
    for (;;) {
        errno = 0;
        struct dirent *e = readdir(d);
        if (!e) {
            r = -errno;
            break;
        }
        int t, year, month, end = 0;
        char want[48];
        if (sscanf(e->d_name, "l%1d-%4d-%2d.db%n", &t, &year, &month, &end) != 3 || end == 0 ||
            e->d_name[end] || t != tier || year < 0 || month < 1 || month > 12)
            continue;
        snprintf(want, sizeof(want), "l%d-%04d-%02d.db", t, year, month);
        if (strcmp(want, e->d_name) != 0)
            continue;
        if (ret_files->count == FILES_MONTHS_MAX) {
            r = -E2BIG;
            break;
        }
        ret_files->months[ret_files->count++] = year * 12 + month - 1;
    }
    closedir(d);
    if (r == 0)
        qsort(ret_files->months, ret_files->count, sizeof(ret_files->months[0]), compare);
    return r;
}

int files_replace(const char *path, struct span content, mode_t mode)
{
    char temporary[PATH_MAX + 8];
    snprintf(temporary, sizeof(temporary), "%s.new", path);
    int fd = open(temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, mode);
    if (fd < 0)
        return -errno;
    int r = file_write(fd, content);
    if (r == 0 && fsync(fd) < 0)
        r = -errno;
    close(fd);
    if (r == 0 && rename(temporary, path) < 0)
        r = -errno;
    return r;
}

int files_sync_dir(const char *path)
{
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    return fsync(fd) < 0 ? -errno : 0;
}

int files_mend_line(int fd)
{
    char text[FILES_LINE_MAX];
    off_t size = lseek(fd, 0, SEEK_END);
    if (size <= 0)
        return size < 0 ? -errno : 0;
    off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
    ssize_t n = pread(fd, text, sizeof(text), from);
    if (n < 0)
        return -errno;
    while (n > 0 && text[n - 1] != '\n')
        n--;
    return from + n < size && ftruncate(fd, from + n) < 0 ? -errno : 0;
}
