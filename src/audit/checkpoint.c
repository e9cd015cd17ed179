#include "audit/checkpoint.h"

#include "audit/files.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "base/file.h"
#include "base/log.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"
#include "crypto/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#define DOMAIN        SPAN_LIT("juyong.checkpoint.v1\0")
#define LINE_MAX_SIZE FILES_LINE_MAX

struct checkpoint {
    int fd;
    unsigned char secret[SIGN_SECRET_SIZE];
    char key_id[17];
};

static int load_key(struct checkpoint *c, const char *path)
{
    char text[2 * SIGN_SECRET_SIZE + 2];
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    ssize_t n = read(fd, text, sizeof(text));
    int r = 0;
    if (n < 2 * SIGN_SECRET_SIZE ||
        !codec_unhex(span_from(text, 2 * SIGN_SECRET_SIZE), c->secret, SIGN_SECRET_SIZE))
        r = -EBADMSG;
    secret_cleanse(text, sizeof(text));
    return r;
}

static int create_key(struct checkpoint *c, const char *path)
{
    char text[2 * SIGN_SECRET_SIZE + 2];
    int r = sign_generate(c->secret);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)c->secret, SIGN_SECRET_SIZE), text);
    text[2 * SIGN_SECRET_SIZE] = '\n';
    r = files_replace(path, span_from(text, 2 * SIGN_SECRET_SIZE + 1), 0600);
    secret_cleanse(text, sizeof(text));
    return r;
}

static int open_key(struct checkpoint *c, struct span dir)
{
    char path[PATH_MAX], text[2 * SIGN_PUBLIC_SIZE + 2];
    unsigned char public_key[SIGN_PUBLIC_SIZE], digest[SHA256_SIZE];
    if (!files_join(dir, "keys", path))
        return -ENAMETOOLONG;
    int r = file_make_dir(path, 0700);
    if (r < 0)
        return r;
    if (!files_join(dir, "keys/checkpoint.key", path))
        return -ENAMETOOLONG;
    r = load_key(c, path);
    if (r == -ENOENT)
        r = create_key(c, path);
    if (r == 0)
        r = sign_public(c->secret, public_key);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)public_key, sizeof(public_key)), text);
    text[2 * SIGN_PUBLIC_SIZE] = '\n';
    if (!files_join(dir, "keys/checkpoint.pub", path))
        return -ENAMETOOLONG;
    if (access(path, F_OK) < 0)
        r = files_replace(path, span_from(text, 2 * SIGN_PUBLIC_SIZE + 1), 0644);
    if (r == 0 && !files_join(dir, "keys", path))
        r = -ENAMETOOLONG;
    if (r == 0)
        r = files_sync_dir(path);
    if (r == 0)
        r = sha256_once(span_from((const char *)public_key, sizeof(public_key)), digest);
    if (r == 0)
        codec_hex(span_from((const char *)digest, 8), c->key_id);
    return r;
}

int checkpoint_open(struct span dir, struct checkpoint **ret_checkpoint)
{
    char path[PATH_MAX];
    if (!files_join(dir, "checkpoints.jsonl", path))
        return -ENAMETOOLONG;
    struct checkpoint *c = calloc(1, sizeof(*c));
    if (!c)
        return -ENOMEM;
    c->fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
    int r = c->fd < 0 ? -errno : files_mend_line(c->fd);
    if (r == 0)
        r = open_key(c, dir);
    /* A line that is synced needs a name to be found by. */
    if (r == 0)
        r = files_join(dir, "", path) ? files_sync_dir(path) : -ENAMETOOLONG;
    if (r < 0) {
        log_error("audit: checkpoints in %.*s can't be signed: %s", SPAN_ARG(dir), strerror(-r));
        checkpoint_close(c);
        return r;
    }
    *ret_checkpoint = c;
    return 0;
}

void checkpoint_close(struct checkpoint *c)
{
    if (!c)
        return;
    if (c->fd >= 0)
        close(c->fd);
    secret_cleanse(c->secret, sizeof(c->secret));
    free(c);
}

int checkpoint_write(struct checkpoint *c, const struct checkpoint_line *line)
{
    char head[65], digits[2 * SIGN_SIGNATURE_SIZE + 1], text[LINE_MAX_SIZE];
    unsigned char signature[SIGN_SIGNATURE_SIZE];
    struct span domain = DOMAIN;
    codec_hex(span_from((const char *)line->head, sizeof(line->head)), head);
    memcpy(text, domain.data, domain.len);
    char *start = text + domain.len;
    int n = snprintf(start, sizeof(text) - domain.len,
                     "{\"v\":1,\"size\":%" PRIu64 ",\"head\":\"%s\",\"time\":%" PRIu64, line->size,
                     head, line->time_us);
    int r = sign_make(c->secret, span_from(text, domain.len + (size_t)n), signature);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)signature, sizeof(signature)), digits);
    n += snprintf(start + n, sizeof(text) - domain.len - (size_t)n,
                  ",\"key\":\"%s\",\"sig\":\"%s\"}\n", c->key_id, digits);
    off_t before = lseek(c->fd, 0, SEEK_END);
    r = file_write(c->fd, span_from(start, (size_t)n));
    if (r == 0 && fdatasync(c->fd) < 0)
        r = -errno;
    /* A part of a line would spoil the next one. */
    if (r < 0 && before >= 0 && ftruncate(c->fd, before) < 0)
        return -EIO;
    return r;
}

/* Reads the decimal number behind `key` in a line of ours. */
static bool number_after(struct span line, struct span key, uint64_t *ret_value)
{
    size_t at = span_find(line, key);
    if (at == line.len)
        return false;
    size_t from = at + key.len, to = from;
    while (to < line.len && line.data[to] >= '0' && line.data[to] <= '9')
        to++;
    unsigned long long value;
    if (!span_to_u64(span_slice(line, from, to), &value))
        return false;
    *ret_value = value;
    return true;
}

int checkpoint_last(struct span dir, struct checkpoint_line *ret_line)
{
    char path[PATH_MAX], text[2 * LINE_MAX_SIZE];
    if (!files_join(dir, "checkpoints.jsonl", path))
        return -ENAMETOOLONG;
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? 0 : -errno;
    off_t size = lseek(fd, 0, SEEK_END);
    off_t from = size > (off_t)sizeof(text) ? size - (off_t)sizeof(text) : 0;
    ssize_t n = pread(fd, text, sizeof(text), from);
    if (n < 0)
        return -errno;
    while (n > 0 && text[n - 1] != '\n')
        n--;
    if (n == 0)
        return 0;
    ssize_t start = n - 1;
    while (start > 0 && text[start - 1] != '\n')
        start--;
    struct span line = span_from(text + start, (size_t)(n - 1 - start));
    size_t at = span_find(line, SPAN_LIT("\"head\":\""));
    if (!number_after(line, SPAN_LIT("\"size\":"), &ret_line->size) ||
        !number_after(line, SPAN_LIT("\"time\":"), &ret_line->time_us) || line.len - at < 8 + 64 ||
        !codec_unhex(span_slice(line, at + 8, at + 8 + 64), ret_line->head, 32))
        return -EBADMSG;
    return 1;
}
