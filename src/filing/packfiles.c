/* Files of a pack: those that are made for it, in a folder of its own, and those of the operator.
 */
#include "filing/packparts.h"

#include "base/file.h"
#include "filing/packevidence.h"
#include "sheet/zipread.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define FILE_BYTES   (256u << 20) /* of one file */
#define UNPACK_BYTES (1u << 30)   /* of what is packed within one */
#define LEFT_SECONDS 86400        /* a folder that is older was left by a crash */

int parts_place(struct pack *p, const char *file, char ret_path[PATH_MAX])
{
    struct span state_dir = p->o.dossier->config->state_dir;
    if (!p->dir[0]) {
        char dir[PATH_MAX];
        int n = snprintf(dir, sizeof(dir), "%.*s/filing", SPAN_ARG(state_dir));
        if (n < 0 || n >= (int)sizeof(dir) - 16)
            return -ENAMETOOLONG;
        int r = file_make_dir(dir, 0700);
        if (r < 0)
            return r;
        parts_sweep(state_dir);
        memcpy(dir + n, "/pack-XXXXXX", 13);
        if (!mkdtemp(dir))
            return -errno;
        memcpy(p->dir, dir, sizeof(dir));
    }
    int n = snprintf(ret_path, PATH_MAX, "%s/%s", p->dir, file);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static void remove_folder(const char *path)
{
    DIR *d = opendir(path);
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));)
        if (strcmp(e->d_name, ".") != 0 && strcmp(e->d_name, "..") != 0)
            unlinkat(dirfd(d), e->d_name, 0);
    closedir(d);
    rmdir(path);
}

void parts_sweep(struct span state_dir)
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/filing", SPAN_ARG(state_dir));
    DIR *d = n > 0 && n < (int)sizeof(path) ? opendir(path) : NULL;
    if (!d)
        return;
    for (struct dirent *e; (e = readdir(d));) {
        struct stat st;
        if (strncmp(e->d_name, "pack-", 5) != 0 ||
            fstatat(dirfd(d), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISDIR(st.st_mode) ||
            time(NULL) - st.st_mtime < LEFT_SECONDS)
            continue;
        int m = snprintf(path + n, sizeof(path) - (size_t)n, "/%s", e->d_name);
        if (m > 0 && m < (int)sizeof(path) - n)
            remove_folder(path);
    }
    closedir(d);
}

void parts_forget(struct pack *p)
{
    for (size_t i = 0; i < p->count; i++) {
        buf_deinit(&p->parts[i].content);
        if (p->parts[i].fd >= 0)
            close(p->parts[i].fd);
    }
    free(p->parts);
    if (p->dir[0])
        remove_folder(p->dir);
}

/* ---- what must not leave ---- */

struct search {
    const struct config *config;
    bool check;
    struct buf member;
};

static bool is_secret(const struct search *s, struct span text)
{
    return evidence_has_secret(s->config, text) || (s->check && evidence_looks_secret(text));
}

static int on_begin(void *ctx, struct span name)
{
    buf_clear(&((struct search *)ctx)->member);
    return 0;
}

static int on_piece(void *ctx, struct span piece)
{
    return buf_append(&((struct search *)ctx)->member, piece);
}

static int on_end(void *ctx)
{
    struct search *s = ctx;
    return is_secret(s, buf_span(&s->member)) ? -ENOKEY : 0;
}

/* In its bytes, and, of an archive such as a workbook or a document, in those of its members. */
static int search_file(struct search *s, int fd, struct span bytes)
{
    static const struct zipread_ops ops = {on_begin, on_piece, on_end};
    if (is_secret(s, bytes))
        return -ENOKEY;
    if (!span_starts(bytes, SPAN_LIT("PK\x03\x04")))
        return 0;
    struct buf why = BUF_INIT(4096);
    int r = zipread_each(fd, UNPACK_BYTES, &ops, s, &why);
    buf_deinit(&why);
    /* What we can't read, such as a file with a password, is the operator's own. */
    return r == -EINVAL || r == -EMSGSIZE ? 0 : r;
}

static bool is_paper(struct span name)
{
    static const char *const ends[] = {".txt", ".html", ".htm", ".md", ".json", ".csv", ".xml"};
    for (size_t i = 0; i < sizeof(ends) / sizeof(*ends); i++) {
        struct span end = span_str(ends[i]);
        if (name.len > end.len &&
            span_eq_nocase(span_slice(name, name.len - end.len, name.len), end))
            return true;
    }
    return false;
}

static int open_file(const char *path, int *ret_fd)
{
    struct stat st;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return -errno;
    int r = fstat(fd, &st) < 0        ? -errno
            : S_ISDIR(st.st_mode)     ? -EISDIR
            : !S_ISREG(st.st_mode)    ? -EINVAL
            : st.st_size > FILE_BYTES ? -EFBIG
                                      : 0;
    if (r < 0)
        close(fd);
    else
        *ret_fd = fd;
    return r;
}

int parts_add_file(struct pack *p, struct span name, const char *path, bool check)
{
    struct search s = {p->o.dossier->config, check, BUF_INIT(FILE_BYTES)};
    struct buf bytes = BUF_INIT(FILE_BYTES);
    int fd = -1, r = open_file(path, &fd);
    if (r < 0)
        return r;
    r = file_read(fd, 0, &bytes);
    if (r == 0)
        r = search_file(&s, fd, buf_span(&bytes));
    if (r == 0)
        r = parts_add_text(p, name, &bytes, false);
    if (r == 0) {
        /* What was looked at is what is packed, whoever writes to the file meanwhile; what was made
         * here is read again from its file, so that it takes no memory. */
        struct part *part = &p->parts[p->count - 1];
        part->is_text = check && is_paper(name);
        if (!check) {
            buf_deinit(&part->content);
            part->fd = fd;
            fd = -1;
        }
    }
    if (fd >= 0)
        close(fd);
    buf_deinit(&bytes);
    buf_deinit(&s.member);
    return r;
}
