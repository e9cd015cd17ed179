#include "audit/sealed.h"

#include "audit/files.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static int seal(struct sealed *s, const void *entry, unsigned char ret_seal[SEALED_MAX])
{
    unsigned char mac[HMAC_SIZE];
    int r = hmac_begin(s->seal);
    if (r == 0)
        r = hmac_add(s->seal, s->domain);
    if (r == 0)
        r = hmac_add(s->seal, span_from(entry, s->entry_size));
    if (r == 0)
        r = hmac_end(s->seal, mac);
    if (r == 0)
        memcpy(ret_seal, mac, SEALED_MAX);
    return r;
}

static int put(struct sealed *s, const void *entry, struct buf *out)
{
    unsigned char end[SEALED_MAX];
    int r = seal(s, entry, end);
    if (r == 0)
        r = buf_append(out, span_from(entry, s->entry_size));
    return r < 0 ? r : buf_append(out, span_from((const char *)end, s->seal_size));
}

int sealed_add(struct sealed *s, const void *entry)
{
    size_t before = s->fresh.len;
    int r = put(s, entry, &s->fresh);
    if (r < 0)
        s->fresh.len = before;
    return r;
}

int sealed_sync(struct sealed *s)
{
    if (s->fresh.len == 0)
        return 0;
    int r = file_write(s->fd, buf_span(&s->fresh));
    if (r == 0 && fdatasync(s->fd) < 0)
        r = -errno;
    if (r == 0)
        s->written += s->fresh.len / (s->entry_size + s->seal_size);
    else /* some of it may be there; a file whose sync failed can't be trusted either */
        s->stale = true;
    buf_clear(&s->fresh);
    return r;
}

int sealed_replace(struct sealed *s, const void *entries, size_t count)
{
    struct buf all = BUF_INIT(SEALED_MAGIC_LEN + count * (s->entry_size + s->seal_size) + 1);
    int r = buf_append(&all, s->magic);
    for (size_t i = 0; r == 0 && i < count; i++)
        r = put(s, (const char *)entries + i * s->entry_size, &all);
    if (r == 0)
        r = files_replace(s->path, buf_span(&all), 0600);
    if (r == 0)
        r = files_sync_dir(s->dir);
    buf_deinit(&all);
    int fd = r == 0 ? open(s->path, O_WRONLY | O_APPEND | O_CLOEXEC | O_NOFOLLOW) : -1;
    if (r == 0 && fd < 0)
        r = -errno;
    if (r < 0) {
        s->stale = true;
        return r;
    }
    if (s->fd >= 0)
        close(s->fd);
    s->fd = fd;
    s->written = count;
    s->stale = false;
    buf_clear(&s->fresh);
    return 0;
}

/* Reads what is whole. *ret_bad: entries that are not; *ret_torn: a part of one at the end. */
static int read_entries(struct sealed *s, const struct sealed_options *o, size_t *ret_bad,
                        bool *ret_torn)
{
    char magic[SEALED_MAGIC_LEN];
    size_t one = s->entry_size + s->seal_size, have = 0, room = one * 256;
    ssize_t n = read(s->fd, magic, sizeof(magic));
    if (n < (ssize_t)sizeof(magic)) {
        *ret_torn = true; /* made and never begun */
        return n < 0 ? -errno : 0;
    }
    if (!span_eq(span_from(magic, sizeof(magic)), s->magic)) {
        ++*ret_bad;
        return 0;
    }
    char *chunk = malloc(room);
    int r = chunk ? 0 : -ENOMEM;
    while (r == 0 && (n = read(s->fd, chunk + have, room - have)) > 0) {
        size_t at = 0;
        for (have += (size_t)n; r == 0 && have - at >= one; at += one) {
            unsigned char want[SEALED_MAX];
            r = seal(s, chunk + at, want);
            s->written++;
            if (r == 0 && memcmp(want, chunk + at + s->entry_size, s->seal_size) == 0)
                o->entry(o->ctx, chunk + at);
            else
                ++*ret_bad;
        }
        have -= at;
        memmove(chunk, chunk + at, have);
    }
    if (r == 0 && n < 0)
        r = -errno;
    *ret_torn = *ret_torn || have > 0;
    free(chunk);
    return r;
}

static int load(struct sealed *s, const struct sealed_options *o)
{
    char aside[PATH_MAX];
    size_t bad = 0;
    bool torn = false;
    s->fd = open(s->path, (o->readonly ? O_RDONLY : O_RDWR | O_APPEND) | O_CLOEXEC | O_NOFOLLOW);
    if (s->fd < 0 && errno == ENOENT && !o->readonly) {
        s->stale = true;
        return 0;
    }
    if (s->fd < 0)
        return -errno;
    int r = read_entries(s, o, &bad, &torn);
    if (r < 0 || o->readonly)
        return r;
    if (bad) {
        if (!files_join(o->dir, o->aside, aside))
            return -ENAMETOOLONG;
        log_warning("audit: %zu entries of %s are damaged or of another key; the file is kept as "
                    "%s, what is whole in it counts",
                    bad, s->path, aside);
        if (rename(s->path, aside) < 0)
            return -errno;
    }
    s->stale = bad || torn;
    return 0;
}

/* --- the key --- */

static int read_key(struct sealed *s, int fd, const char *path)
{
    char text[2 * SEALED_KEY_SIZE + 2];
    struct stat st;
    ssize_t n = read(fd, text, sizeof(text));
    int r = n < 0 ? -errno : 0;
    if (r == 0 && !codec_unhex(span_trim(span_from(text, (size_t)n)), s->key, sizeof(s->key))) {
        log_error("audit: %s must hold 64 hex digits and nothing else", path);
        r = -EBADMSG;
    }
    if (r == 0 && fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)))
        log_warning("audit: %s: others can read it; chmod 600 it", path);
    if (r == 0) {
        s->seal = hmac_new(span_from((const char *)s->key, sizeof(s->key)));
        r = s->seal ? 0 : -ENOMEM;
    }
    secret_cleanse(text, sizeof(text));
    return r;
}

static int create_key(const char *path)
{
    unsigned char key[SEALED_KEY_SIZE];
    char text[2 * SEALED_KEY_SIZE + 2];
    int r = secret_random(key, sizeof(key));
    codec_hex(span_from((const char *)key, sizeof(key)), text);
    text[2 * SEALED_KEY_SIZE] = '\n';
    if (r == 0)
        r = files_replace(path, span_from(text, 2 * SEALED_KEY_SIZE + 1), 0600);
    secret_cleanse(key, sizeof(key));
    secret_cleanse(text, sizeof(text));
    return r;
}

/* The open key is the lock as well: two processes would write over each other. */
static int open_key(struct sealed *s, const struct sealed_options *o)
{
    char keys[PATH_MAX], path[PATH_MAX];
    if (!files_join(o->dir, "keys", keys) || !files_join(o->dir, o->key_name, path))
        return -ENAMETOOLONG;
    if (!o->readonly) {
        int r = file_make_dir(keys, 0700);
        if (r == 0 && access(path, F_OK) < 0 && errno == ENOENT)
            r = create_key(path);
        if (r == 0)
            r = files_sync_dir(keys);
        if (r < 0)
            return r;
    }
    s->lock_fd = open(path, (o->readonly ? O_RDONLY : O_RDWR) | O_CLOEXEC | O_NOFOLLOW);
    if (s->lock_fd < 0)
        return -errno;
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    if (!o->readonly && fcntl(s->lock_fd, F_OFD_SETLK, &lock) < 0)
        return errno == EAGAIN || errno == EACCES ? -EBUSY : -errno;
    return read_key(s, s->lock_fd, path);
}

int sealed_open(const struct sealed_options *o, struct sealed *ret)
{
    *ret = (struct sealed){.magic = o->magic,
                           .domain = o->domain,
                           .entry_size = o->entry_size,
                           .seal_size = o->seal_size,
                           .fd = -1,
                           .lock_fd = -1};
    buf_init(&ret->fresh, SIZE_MAX / 4); /* as much as one group of records brings */
    int r = files_join(o->dir, "", ret->dir) && files_join(o->dir, o->name, ret->path)
                ? 0
                : -ENAMETOOLONG;
    if (r == 0)
        r = open_key(ret, o);
    if (r == 0)
        r = load(ret, o);
    if (r < 0)
        sealed_close(ret);
    return r;
}

void sealed_close(struct sealed *s)
{
    hmac_free(s->seal);
    secret_cleanse(s->key, sizeof(s->key));
    if (s->fd >= 0)
        close(s->fd);
    if (s->lock_fd >= 0)
        close(s->lock_fd);
    buf_deinit(&s->fresh);
    s->seal = NULL;
    s->fd = s->lock_fd = -1;
}
