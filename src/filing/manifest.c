#include "filing/manifest.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"

#include <errno.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#define PIECE 65536

void manifest_deinit(struct manifest *m)
{
    free(m->files);
    facts_deinit(&m->facts);
    arena_deinit(&m->arena);
    *m = MANIFEST_INIT;
}

const struct manifest_file *manifest_find(const struct manifest *m, struct span name)
{
    for (size_t i = 0; i < m->count; i++)
        if (span_eq(m->files[i].name, name))
            return &m->files[i];
    return NULL;
}

int manifest_digest(struct span text, char ret_digest[MANIFEST_DIGEST])
{
    unsigned char bytes[SHA256_SIZE];
    int r = sha256_once(text, bytes);
    if (r == 0)
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), ret_digest);
    return r;
}

static int add_file(struct manifest *m, const struct manifest_file *file)
{
    if (manifest_find(m, file->name))
        return -EEXIST;
    if (m->count == m->cap) {
        size_t cap = m->cap ? 2 * m->cap : 64;
        struct manifest_file *more = reallocarray(m->files, cap, sizeof(*more));
        if (!more)
            return -ENOMEM;
        m->files = more;
        m->cap = cap;
    }
    struct manifest_file *new = &m->files[m->count];
    *new = *file;
    new->name = arena_copy(&m->arena, file->name);
    if (!new->name.data)
        return -ENOMEM;
    m->count++;
    return 0;
}

int manifest_add(struct manifest *m, struct span name, struct span content)
{
    struct manifest_file file = {.name = name, .size = content.len};
    int r = manifest_digest(content, file.sha256);
    return r < 0 ? r : add_file(m, &file);
}

static int digest_fd(struct sha256 *h, int fd, struct manifest_file *file)
{
    unsigned char bytes[SHA256_SIZE];
    char piece[PIECE];
    int r = sha256_begin(h);
    for (ssize_t n = 1; r == 0 && n > 0;) {
        n = pread(fd, piece, sizeof(piece), (off_t)file->size);
        if (n < 0 && errno == EINTR) {
            n = 1;
            continue;
        }
        if (n < 0)
            return -errno;
        r = n ? sha256_add(h, span_from(piece, (size_t)n)) : 0;
        file->size += (uint64_t)n;
    }
    if (r == 0)
        r = sha256_end(h, bytes);
    if (r == 0)
        codec_hex(span_from((const char *)bytes, sizeof(bytes)), file->sha256);
    return r;
}

int manifest_add_fd(struct manifest *m, struct span name, int fd)
{
    struct manifest_file file = {.name = name};
    struct sha256 *h = sha256_new();
    int r = h ? digest_fd(h, fd, &file) : -ENOMEM;
    sha256_free(h);
    return r < 0 ? r : add_file(m, &file);
}

/* ---- as text ---- */

static struct json_value *write_facts(const struct facts *f)
{
    struct json_value *list = value_object();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < f->count && r == 0; i++)
        r = value_set(list, f->list[i].key, value_string(f->list[i].value));
    if (r == 0)
        return list;
    value_free(list);
    return NULL;
}

static struct json_value *write_file(const struct manifest_file *file)
{
    struct json_value *o = value_object();
    int r = o ? value_set(o, SPAN_LIT("name"), value_string(file->name)) : -ENOMEM;
    if (r == 0)
        r = value_set(o, SPAN_LIT("size"), value_integer((int64_t)file->size));
    if (r == 0)
        r = value_set(o, SPAN_LIT("sha256"), value_string(span_str(file->sha256)));
    if (r == 0)
        return o;
    value_free(o);
    return NULL;
}

static struct json_value *write_files(const struct manifest *m)
{
    struct json_value *list = value_array();
    int r = list ? 0 : -ENOMEM;
    for (size_t i = 0; i < m->count && r == 0; i++)
        r = value_append(list, write_file(&m->files[i]));
    if (r == 0)
        return list;
    value_free(list);
    return NULL;
}

int manifest_write(const struct manifest *m, struct buf *out)
{
    char made[CLOCK_TEXT_SIZE];
    clock_format((uint64_t)m->made * 1000000, made);
    struct json_value *o = value_object();
    if (!o)
        return -ENOMEM;
    struct {
        const char *key;
        struct json_value *value;
    } members[] = {
        {"v", value_integer(1)},
        {"kind", value_string(SPAN_LIT("juyong.pack"))},
        {"made", value_string(span_str(made))},
        {"by", value_string(m->by)},
        {"software", value_string(m->software)},
        {"configuration_sha256", value_string(m->configuration)},
        {"forced", value_boolean(m->forced)},
        {"errors", value_integer(m->errors)},
        {"warnings", value_integer(m->warnings)},
        {"facts", write_facts(&m->facts)},
        {"files", write_files(m)},
    };
    int r = 0;
    for (size_t i = 0; i < sizeof(members) / sizeof(*members); i++) {
        int e = value_set(o, span_str(members[i].key), members[i].value);
        r = r < 0 ? r : e;
    }
    if (r == 0)
        r = value_dump(o, out);
    value_free(o);
    return r < 0 ? r : buf_append_char(out, '\n');
}

/* ---- back again ---- */

static int read_fact(void *ctx, struct span key, const struct json_value *value)
{
    struct span text;
    return value_get_string(value, &text) ? facts_add(ctx, key, text) : -EBADMSG;
}

static int read_file(struct manifest *m, const struct json_value *v)
{
    struct manifest_file file = {0};
    unsigned char bytes[SHA256_SIZE];
    struct span digest;
    int64_t size;
    if (!value_get_string(value_get(v, SPAN_LIT("name")), &file.name) || file.name.len == 0 ||
        !value_get_integer(value_get(v, SPAN_LIT("size")), &size) || size < 0 ||
        !value_get_string(value_get(v, SPAN_LIT("sha256")), &digest) ||
        !codec_unhex(digest, bytes, sizeof(bytes)))
        return -EBADMSG;
    file.size = (uint64_t)size;
    codec_hex(span_from((const char *)bytes, sizeof(bytes)), file.sha256);
    int r = add_file(m, &file);
    return r == -EEXIST ? -EBADMSG : r;
}

static bool read_count(const struct json_value *v, const char *key, unsigned *ret)
{
    int64_t n;
    if (!value_get_integer(value_get(v, span_str(key)), &n) || n < 0 || n > INT32_MAX)
        return false;
    *ret = (unsigned)n;
    return true;
}

static int read_members(const struct json_value *v, struct manifest *m)
{
    struct span kind, made, by, software, configuration;
    uint64_t us;
    int64_t version;
    if (!value_get_integer(value_get(v, SPAN_LIT("v")), &version) || version != 1 ||
        !value_get_string(value_get(v, SPAN_LIT("kind")), &kind) ||
        !span_eq(kind, SPAN_LIT("juyong.pack")) ||
        !value_get_string(value_get(v, SPAN_LIT("made")), &made) || !clock_read(made, &us) ||
        !value_get_string(value_get(v, SPAN_LIT("by")), &by) ||
        !value_get_string(value_get(v, SPAN_LIT("software")), &software) ||
        !value_get_string(value_get(v, SPAN_LIT("configuration_sha256")), &configuration) ||
        !value_get_boolean(value_get(v, SPAN_LIT("forced")), &m->forced) ||
        !read_count(v, "errors", &m->errors) || !read_count(v, "warnings", &m->warnings) ||
        !value_is_array(value_get(v, SPAN_LIT("files"))) ||
        !value_is_object(value_get(v, SPAN_LIT("facts"))))
        return -EBADMSG;
    m->made = (int64_t)(us / 1000000);
    m->by = arena_copy(&m->arena, by);
    m->software = arena_copy(&m->arena, software);
    m->configuration = arena_copy(&m->arena, configuration);
    if (!m->by.data || !m->software.data || !m->configuration.data)
        return -ENOMEM;
    const struct json_value *files = value_get(v, SPAN_LIT("files"));
    int r = value_each(value_get(v, SPAN_LIT("facts")), read_fact, &m->facts);
    for (size_t i = 0; i < value_count(files) && r == 0; i++)
        r = read_file(m, value_at(files, i));
    return r;
}

int manifest_read(struct span text, struct manifest *m, struct buf *why)
{
    struct json_value *v = value_parse(text, why);
    if (!v)
        return -EBADMSG;
    int r = read_members(v, m);
    if (r == -EBADMSG)
        buf_append(why, SPAN_LIT("it is no manifest of a pack, or of a newer version"));
    value_free(v);
    return r;
}
