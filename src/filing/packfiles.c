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
        buf_deinit(&p->parts[i].said);
        if (p->parts[i].fd >= 0)
            close(p->parts[i].fd);
    }
    free(p->parts);
    secrets_forget(p);
    if (p->dir[0])
        remove_folder(p->dir);
}

/* ---- what must not leave ---- */

struct search {
    const struct pack *pack;
    bool check;
    struct buf member;
    bool speaks; /* the member is what a document or a workbook says */
    struct buf said;
    bool closed; /* something in it can't be looked into */
};

static bool is_secret(const struct search *s, struct span text)
{
    return secrets_are_in(s->pack, text) || (s->check && evidence_looks_secret(text));
}

/* The text of an XML part, without its marks; a paragraph or a cell ends a line. */
static int add_text(struct buf *out, struct span xml)
{
    int r = 0;
    for (size_t at = 0; at < xml.len && r == 0;) {
        struct span rest = span_slice(xml, at, xml.len);
        if (rest.data[0] != '<') {
            size_t n = span_find(rest, SPAN_LIT("<"));
            r = buf_append(out, span_slice(rest, 0, n));
            at += n;
            continue;
        }
        if (span_starts(rest, SPAN_LIT("</w:p>")) || span_starts(rest, SPAN_LIT("</si>")))
            r = buf_append_char(out, '\n');
        at += span_find(rest, SPAN_LIT(">")) + 1;
    }
    return r;
}

static int on_begin(void *ctx, struct span name)
{
    struct search *s = ctx;
    s->speaks = s->check && (span_eq(name, SPAN_LIT("word/document.xml")) ||
                             span_eq(name, SPAN_LIT("xl/sharedStrings.xml")));
    buf_clear(&s->member);
    return 0;
}

static int on_piece(void *ctx, struct span piece)
{
    return buf_append(&((struct search *)ctx)->member, piece);
}

static bool is_archive(struct span bytes)
{
    return span_starts(bytes, SPAN_LIT("PK\x03\x04"));
}

static int on_end(void *ctx)
{
    struct search *s = ctx;
    struct span bytes = buf_span(&s->member);
    s->closed = s->closed || is_archive(bytes);
    if (is_secret(s, bytes))
        return -ENOKEY;
    return s->speaks ? add_text(&s->said, bytes) : 0;
}

/* In its bytes, and, of an archive such as a workbook or a document, in those of its members. */
static int search_file(struct search *s, int fd, struct span bytes)
{
    static const struct zipread_ops ops = {on_begin, on_piece, on_end};
    if (is_secret(s, bytes))
        return -ENOKEY;
    if (!is_archive(bytes))
        return 0;
    struct buf why = BUF_INIT(4096);
    int r = zipread_each(fd, UNPACK_BYTES, &ops, s, &why);
    buf_deinit(&why);
    /* What has a password, say, is the operator's own; the linter tells of it. */
    if (r != -EINVAL && r != -EMSGSIZE)
        return r;
    s->closed = true;
    return 0;
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

/* What was looked at is what is packed, whoever writes to the file meanwhile; what was made here is
 * read again from its file, so that it takes no memory. Takes the descriptor over. */
static void keep_file(struct part *part, struct search *s, int fd)
{
    part->is_text = s->check && (is_paper(part->name) || s->said.len);
    part->is_closed = s->check && s->closed;
    part->said = s->said;
    s->said = BUF_INIT(0);
    if (s->check) {
        close(fd);
        return;
    }
    buf_deinit(&part->content);
    part->fd = fd;
}

int parts_add_file(struct pack *p, struct span name, const char *path, bool check)
{
    struct search s = {
        .pack = p, .check = check, .member = BUF_INIT(FILE_BYTES), .said = BUF_INIT(FILE_BYTES)};
    struct buf bytes = BUF_INIT(FILE_BYTES);
    int fd = -1, r = open_file(path, &fd);
    if (r < 0)
        return r;
    r = file_read(fd, 0, &bytes);
    if (r == 0)
        r = search_file(&s, fd, buf_span(&bytes));
    if (r == 0)
        r = parts_add_text(p, name, &bytes, false);
    if (r == 0)
        keep_file(&p->parts[p->count - 1], &s, fd);
    else
        close(fd);
    buf_deinit(&bytes);
    buf_deinit(&s.member);
    buf_deinit(&s.said);
    return r;
}
