#include "audit/verifier.h"

#include "base/cleanup.h"
#include "base/codec.h"
#include "crypto/sign.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#define KEY_ID_SIZE 8 /* of the key: the beginning of its hash */

static int read_file(const char *path, struct buf *out)
{
    int fd cleanup(cleanup_close) = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return -errno;
    for (;;) {
        int r = buf_reserve(out, 65536);
        if (r < 0)
            return r;
        ssize_t n = read(fd, out->data + out->len, 65536);
        if (n < 0 && errno == EINTR)
            continue;
        if (n <= 0)
            return n < 0 ? -errno : 0;
        out->len += (size_t)n;
    }
}

static bool take_literal(struct span *s, struct span literal)
{
    if (!span_starts(*s, literal))
        return false;
    *s = span_slice(*s, literal.len, s->len);
    return true;
}

static bool take_number(struct span *s, uint64_t *ret_value)
{
    size_t n = 0;
    unsigned long long value;
    while (n < s->len && s->data[n] >= '0' && s->data[n] <= '9')
        n++;
    if (!span_to_u64(span_slice(*s, 0, n), &value))
        return false;
    *s = span_slice(*s, n, s->len);
    *ret_value = value;
    return true;
}

static bool take_hex(struct span *s, unsigned char *ret_bytes, size_t size)
{
    if (s->len < 2 * size || !codec_unhex(span_slice(*s, 0, 2 * size), ret_bytes, size))
        return false;
    *s = span_slice(*s, 2 * size, s->len);
    return true;
}

/* True when the line has the form of a checkpoint, the key's name and its signature. */
static bool read_mark(struct span line, const unsigned char key[SIGN_PUBLIC_SIZE],
                      const unsigned char id[KEY_ID_SIZE], struct mark *ret_mark)
{
    static const char domain[] = "juyong.checkpoint.v1";
    unsigned char key_id[KEY_ID_SIZE], signature[SIGN_SIGNATURE_SIZE];
    char text[256];
    uint64_t time_us;
    struct span s = line;
    if (!take_literal(&s, SPAN_LIT("{\"v\":1,\"size\":")) || !take_number(&s, &ret_mark->size) ||
        !take_literal(&s, SPAN_LIT(",\"head\":\"")) || !take_hex(&s, ret_mark->head, HASH_SIZE) ||
        !take_literal(&s, SPAN_LIT("\",\"time\":")) || !take_number(&s, &time_us))
        return false;
    size_t len = line.len - s.len;
    if (!take_literal(&s, SPAN_LIT(",\"key\":\"")) || !take_hex(&s, key_id, sizeof(key_id)) ||
        memcmp(key_id, id, KEY_ID_SIZE) != 0 || !take_literal(&s, SPAN_LIT("\",\"sig\":\"")) ||
        !take_hex(&s, signature, sizeof(signature)) || !span_eq(s, SPAN_LIT("\"}")) ||
        len > sizeof(text) - sizeof(domain))
        return false;
    memcpy(text, domain, sizeof(domain));
    memcpy(text + sizeof(domain), line.data, len);
    return sign_verify(key, span_from(text, sizeof(domain) + len), signature);
}

static int read_key(struct verify *v, unsigned char ret_key[SIGN_PUBLIC_SIZE])
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(1u << 17);
    int r = 0;
    if (v->o->public_key.len)
        r = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(v->o->public_key)) < PATH_MAX
                ? 0
                : -ENAMETOOLONG;
    else
        r = verify_path(v->o->dir, "keys/checkpoint.pub", path);
    if (r == 0)
        r = read_file(path, &text);
    if (r == 0 && !codec_unhex(span_trim(buf_span(&text)), ret_key, SIGN_PUBLIC_SIZE))
        r = -EBADMSG;
    buf_deinit(&text);
    return r;
}

static int add_mark(struct verify *v, const struct mark *m)
{
    if ((v->mark_count & (v->mark_count - 1)) == 0) {
        size_t room = v->mark_count ? 2 * v->mark_count : 1;
        struct mark *marks = realloc(v->marks, room * sizeof(*marks));
        if (!marks)
            return -ENOMEM;
        v->marks = marks;
    }
    v->marks[v->mark_count++] = *m;
    return 0;
}

static int compare_marks(const void *a, const void *b)
{
    const struct mark *x = a, *y = b;
    return x->size != y->size ? (x->size > y->size) - (x->size < y->size)
                              : (x->line > y->line) - (x->line < y->line);
}

/* In any order: an export that a crash interrupted sends lines again. Each must fit the chain. */
static int check_lines(struct verify *v, struct span text)
{
    unsigned char key[SIGN_PUBLIC_SIZE], id[SHA256_SIZE];
    uint64_t number = 0;
    int r = read_key(v, key);
    if (r == -ENOENT)
        return verify_wrong(v, 0, "the public key of the checkpoints is missing");
    if (r == -EBADMSG)
        return verify_wrong(v, 0, "the public key of the checkpoints is unreadable");
    if (r == 0)
        r = sha256_once(span_from((const char *)key, sizeof(key)), id);
    if (r < 0)
        return r;
    /* What a crash left of a last line has no newline and counts for nothing. */
    while (text.len && text.data[text.len - 1] != '\n')
        text.len--;
    struct span line;
    while (r == 0 && span_split(&text, '\n', &line)) {
        struct mark m = {.line = ++number};
        if (line.len == 0 && text.len == 0)
            break;
        if (!read_mark(line, key, id, &m))
            return verify_wrong(v, 0, "line %" PRIu64 ": not signed by this key", number);
        r = add_mark(v, &m);
    }
    if (v->mark_count)
        qsort(v->marks, v->mark_count, sizeof(*v->marks), compare_marks);
    return r;
}

int verifymarks_read(struct verify *v)
{
    char path[PATH_MAX];
    struct buf text = BUF_INIT(1u << 30);
    snprintf(v->report->file, sizeof(v->report->file), "checkpoints.jsonl");
    int r = 0;
    if (v->o->checkpoints.len)
        r = snprintf(path, sizeof(path), "%.*s", SPAN_ARG(v->o->checkpoints)) < PATH_MAX
                ? 0
                : -ENAMETOOLONG;
    else
        r = verify_path(v->o->dir, "checkpoints.jsonl", path);
    if (r == 0)
        r = read_file(path, &text);
    if (r == -ENOENT && v->o->checkpoints.len == 0)
        r = 0; /* a log that never ran a minute has none */
    else if (r == 0 && text.len)
        r = check_lines(v, buf_span(&text));
    buf_deinit(&text);
    return r;
}

int verifymarks_check(struct verify *v)
{
    while (v->mark_next < v->mark_count && v->marks[v->mark_next].size <= v->seq) {
        const struct mark *m = &v->marks[v->mark_next++];
        if (m->size < v->seq)
            continue; /* of a file that has been removed */
        if (memcmp(m->head, v->hash, HASH_SIZE) != 0)
            return verify_wrong(v, v->seq,
                                "the signed checkpoint on line %" PRIu64
                                " names another record here: the "
                                "chain was written anew",
                                m->line);
        v->report->checkpoints++;
        v->report->checkpoint_size = m->size;
    }
    return 0;
}
