/* Is an archive what its manifest says, and the manifest what was signed? */
#include "filing/pack.h"

#include "base/cleanup.h"
#include "base/codec.h"
#include "sheet/zipread.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>

#define UNPACKED_MAX (4ull << 30) /* bytes of all files */

struct verify {
    struct buf *lines;
    struct pack_report *report;
    /* Of the member that is being read. */
    struct sha256 *hash;
    struct buf name;
    uint64_t size;
    struct buf *kept; /* the manifest or its signature; else NULL */
    struct buf text, signature;
    bool has_text, has_signature;
    struct manifest seen; /* what is there */
};

static int differ(struct verify *v, struct span what, const char *how)
{
    v->report->differences++;
    return buf_printf(v->lines, "%.*s: %s\n", SPAN_ARG(what), how);
}

static int on_begin(void *ctx, struct span name)
{
    struct verify *v = ctx;
    buf_clear(&v->name);
    v->size = 0;
    v->kept = NULL;
    bool text = span_eq(name, SPAN_LIT(MANIFEST_NAME));
    bool signature = span_eq(name, SPAN_LIT(MANIFEST_SIG));
    if ((text && v->has_text) || (signature && v->has_signature)) {
        int r = differ(v, name, "it is there twice");
        if (r < 0)
            return r;
    } else if (text) {
        v->kept = &v->text;
        v->has_text = true;
    } else if (signature) {
        v->kept = &v->signature;
        v->has_signature = true;
    }
    int r = buf_append(&v->name, name.len ? name : SPAN_LIT("?"));
    return r < 0 ? r : sha256_begin(v->hash);
}

static int on_piece(void *ctx, struct span piece)
{
    struct verify *v = ctx;
    v->size += piece.len;
    int r = v->kept ? buf_append(v->kept, piece) : 0;
    return r < 0 ? r : sha256_add(v->hash, piece);
}

static int on_end(void *ctx)
{
    struct verify *v = ctx;
    unsigned char bytes[SHA256_SIZE];
    int r = sha256_end(v->hash, bytes);
    if (r < 0 || v->kept)
        return r;
    r = manifest_add(&v->seen, buf_span(&v->name), SPAN_LIT(""));
    if (r == -EEXIST)
        return differ(v, buf_span(&v->name), "it is there twice");
    if (r < 0)
        return r;
    struct manifest_file *file = &v->seen.files[v->seen.count - 1];
    file->size = v->size;
    codec_hex(span_from((const char *)bytes, sizeof(bytes)), file->sha256);
    return 0;
}

static int compare_files(struct verify *v)
{
    const struct manifest *m = &v->report->manifest;
    int r = 0;
    for (size_t i = 0; i < m->count && r == 0; i++) {
        const struct manifest_file *is = manifest_find(&v->seen, m->files[i].name);
        if (!is)
            r = differ(v, m->files[i].name, "it is missing");
        else if (is->size != m->files[i].size)
            r = differ(v, m->files[i].name, "it has another size");
        else if (strcmp(is->sha256, m->files[i].sha256) != 0)
            r = differ(v, m->files[i].name, "its content was changed");
    }
    for (size_t i = 0; i < v->seen.count && r == 0; i++)
        if (!manifest_find(m, v->seen.files[i].name))
            r = differ(v, v->seen.files[i].name, "the manifest doesn't name it");
    return r;
}

static int compare_signature(struct verify *v, struct span known_key)
{
    struct pack_report *report = v->report;
    if (!v->has_signature)
        return differ(v, SPAN_LIT(MANIFEST_SIG), "it is missing");
    if (manifest_check(buf_span(&v->text), buf_span(&v->signature), report->key) < 0)
        return differ(v, SPAN_LIT(MANIFEST_SIG), "the signature doesn't fit the manifest");
    if (known_key.len && !span_eq_nocase(known_key, span_str(report->key)))
        return differ(v, SPAN_LIT(MANIFEST_SIG), "it was signed by another key than the known one");
    return 0;
}

static int compare(struct verify *v, struct span known_key)
{
    if (!v->has_text) {
        buf_append(v->lines, SPAN_LIT("there is no " MANIFEST_NAME " in it: it is no pack\n"));
        return -EINVAL;
    }
    struct buf why = BUF_INIT(65536);
    int r = manifest_read(buf_span(&v->text), &v->report->manifest, &why);
    if (r == -EBADMSG)
        buf_printf(v->lines, MANIFEST_NAME ": %.*s\n", SPAN_ARG(buf_span(&why)));
    buf_deinit(&why);
    if (r == 0)
        r = manifest_digest(buf_span(&v->text), v->report->digest);
    if (r == 0)
        r = compare_signature(v, known_key);
    if (r == 0)
        r = compare_files(v);
    return r == -EBADMSG ? -EINVAL : r;
}

int pack_verify(struct span path, struct span known_key, struct buf *lines,
                struct pack_report *ret_report)
{
    static const struct zipread_ops ops = {on_begin, on_piece, on_end};
    *ret_report = (struct pack_report){.manifest = MANIFEST_INIT};
    struct verify v = {.lines = lines,
                       .report = ret_report,
                       .hash = sha256_new(),
                       .name = BUF_INIT(65536),
                       .text = BUF_INIT(MANIFEST_MAX),
                       .signature = BUF_INIT(65536),
                       .seen = MANIFEST_INIT};
    char name[PATH_MAX];
    struct buf why = BUF_INIT(65536);
    int n = snprintf(name, sizeof(name), "%.*s", SPAN_ARG(path));
    int fd cleanup(cleanup_close) =
        n > 0 && n < (int)sizeof(name) ? open(name, O_RDONLY | O_CLOEXEC) : -1;
    int r = fd < 0 ? -errno : v.hash ? 0 : -ENOMEM;
    if (r == 0)
        r = zipread_each(fd, UNPACKED_MAX, &ops, &v, &why);
    if (r == -EMSGSIZE) /* a manifest or a signature that is larger than any of ours */
        r = -EINVAL;
    if (r < 0 && r != -ENOMEM)
        buf_printf(lines, "%.*s: %.*s\n", SPAN_ARG(path),
                   SPAN_ARG(why.len ? buf_span(&why) : span_str(strerror(-r))));
    if (r == 0)
        r = compare(&v, known_key);
    manifest_deinit(&v.seen);
    buf_deinit(&v.name);
    buf_deinit(&v.text);
    buf_deinit(&v.signature);
    buf_deinit(&why);
    sha256_free(v.hash);
    return r;
}
