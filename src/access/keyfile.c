#include "access/keyfile.h"

#include "access/access.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "crypto/secret.h"
#include "yaml/yaml.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sys/file.h>
#include <sys/stat.h>

/* A file larger than the reader takes must not be written. */
#define FILE_BYTES_MAX  (900u << 10)
#define NAME_BYTES_MAX  64
#define ALIAS_BYTES_MAX 128
#define KEY_CHARACTERS  43 /* of 62: just over 256 bits */

static int path_of(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

static int write_all(int fd, struct span s)
{
    while (s.len) {
        ssize_t n = write(fd, s.data, s.len);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return -errno;
        s = span_slice(s, (size_t)n, s.len);
    }
    return 0;
}

/* Opens the folder, creating it when it is absent (its parent must be there). */
static int open_dir(struct span dir)
{
    char path[PATH_MAX];
    int r = path_of(dir, ".", path);
    if (r < 0)
        return r;
    path[dir.len] = '\0';
    if (mkdir(path, 0700) < 0 && errno != EEXIST)
        return -errno;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

int keyfile_replace(struct span dir, const char *name, struct span content)
{
    char temporary[NAME_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.tmp", name) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    cleanup(cleanup_close) int dir_fd = open_dir(dir);
    if (dir_fd < 0)
        return dir_fd;
    cleanup(cleanup_close) int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    int r = write_all(fd, content);
    if (r == 0 && (fchmod(fd, 0600) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r == 0 && renameat(dir_fd, temporary, dir_fd, name) < 0)
        r = -errno;
    if (r == 0 && fsync(dir_fd) < 0)
        r = -errno;
    if (r < 0)
        unlinkat(dir_fd, temporary, 0);
    return r;
}

int keyfile_digest(const struct keyfile *f, struct span key, unsigned char ret_digest[SHA256_SIZE])
{
    char text[KEYFILE_SALT_SIZE + 256];
    if (key.len > sizeof(text) - KEYFILE_SALT_SIZE)
        return -EINVAL;
    memcpy(text, f->salt, KEYFILE_SALT_SIZE);
    memcpy(text + KEYFILE_SALT_SIZE, key.data, key.len);
    int r = sha256_once(span_from(text, KEYFILE_SALT_SIZE + key.len), ret_digest);
    secret_cleanse(text, sizeof(text));
    return r;
}

void keyfile_deinit(struct keyfile *f)
{
    arena_deinit(&f->arena);
    *f = (struct keyfile){.arena = f->arena};
}

static bool read_field(struct keyfile *f, const struct yaml_node *map, const char *name,
                       struct span *ret_text)
{
    const struct yaml_node *n = yaml_get(map, span_str(name));
    if (!n || n->kind != YAML_SCALAR)
        return false;
    *ret_text = yaml_is_null(n) ? SPAN_LIT("") : arena_copy(&f->arena, n->text);
    return ret_text->data != NULL;
}

static int read_keys(struct keyfile *f, const struct yaml_node *root, struct buf *messages)
{
    const struct yaml_node *salt = yaml_get(root, SPAN_LIT("salt"));
    const struct yaml_node *list = yaml_get(root, SPAN_LIT("keys"));
    if (!salt || salt->kind != YAML_SCALAR || !codec_unhex(salt->text, f->salt, sizeof(f->salt)) ||
        !list || list->kind != YAML_LIST || list->count > KEYFILE_KEYS_MAX) {
        place_printf(messages, root->at, "no file of keys: salt or keys are missing or damaged");
        return -EINVAL;
    }
    f->keys = arena_alloc(&f->arena, (list->count + 1) * sizeof(*f->keys));
    if (!f->keys)
        return -ENOMEM;
    for (const struct yaml_node *n = list->first; n; n = n->next) {
        struct keyfile_key *k = &f->keys[f->count];
        struct span digest;
        if (!read_field(f, n, "id", &k->id) || !read_field(f, n, "app", &k->app) ||
            !read_field(f, n, "alias", &k->alias) || !read_field(f, n, "last4", &k->last4) ||
            !read_field(f, n, "created", &k->created) ||
            !read_field(f, n, "revoked", &k->revoked) || !read_field(f, n, "sha256", &digest) ||
            !codec_unhex(digest, k->digest, sizeof(k->digest))) {
            place_printf(messages, n->at, "a damaged key");
            return -EINVAL;
        }
        f->count++;
    }
    return 0;
}

int keyfile_read(struct span state_dir, struct buf *messages, struct keyfile *ret_file)
{
    char path[PATH_MAX];
    int r = path_of(state_dir, "keys.json", path);
    if (r < 0)
        return r;
    struct keyfile f = {0};
    arena_init(&f.arena, 8u << 20);
    if (access(path, F_OK) < 0 && errno == ENOENT) {
        r = secret_random(f.salt, sizeof(f.salt));
    } else {
        struct yaml_doc *doc = NULL;
        r = yaml_load(span_str(path), messages, &doc);
        if (r == 0)
            r = read_keys(&f, yaml_root(doc), messages);
        yaml_free(doc);
    }
    if (r < 0) {
        keyfile_deinit(&f);
        return r;
    }
    *ret_file = f;
    return 0;
}

/* Names are free of control characters, so only these two need an escape. */
static void print_field(struct buf *out, const char *name, struct span text)
{
    buf_printf(out, "\"%s\":\"", name);
    for (size_t i = 0; i < text.len; i++) {
        if (text.data[i] == '"' || text.data[i] == '\\')
            buf_append_char(out, '\\');
        buf_append_char(out, text.data[i]);
    }
    buf_append_char(out, '"');
}

static int write_keys(struct span state_dir, const struct keyfile *f)
{
    char hex[2 * SHA256_SIZE + 1];
    struct buf out = BUF_INIT(FILE_BYTES_MAX);
    codec_hex(span_from((const char *)f->salt, sizeof(f->salt)), hex);
    buf_printf(&out, "{\"version\":1,\"salt\":\"%s\",\"keys\":[", hex);
    for (size_t i = 0; i < f->count; i++) {
        const struct keyfile_key *k = &f->keys[i];
        buf_append(&out, i ? SPAN_LIT(",\n{") : SPAN_LIT("\n{"));
        print_field(&out, "id", k->id);
        buf_append_char(&out, ',');
        print_field(&out, "app", k->app);
        buf_append_char(&out, ',');
        print_field(&out, "alias", k->alias);
        buf_append_char(&out, ',');
        print_field(&out, "last4", k->last4);
        buf_append_char(&out, ',');
        print_field(&out, "created", k->created);
        buf_append_char(&out, ',');
        print_field(&out, "revoked", k->revoked);
        codec_hex(span_from((const char *)k->digest, sizeof(k->digest)), hex);
        buf_printf(&out, ",\"sha256\":\"%s\"}", hex);
    }
    /* Appends past the ceiling leave the text without its end; so its end tells. */
    int r = buf_append(&out, SPAN_LIT("\n]}\n"));
    if (r == 0 && out.len > FILE_BYTES_MAX - 1024)
        r = -EMSGSIZE;
    if (r == 0)
        r = keyfile_replace(state_dir, "keys.json", buf_span(&out));
    buf_deinit(&out);
    return r;
}

/* Two commands at once must not lose each other's key. */
static int lock(struct span state_dir)
{
    cleanup(cleanup_close) int dir_fd = open_dir(state_dir);
    if (dir_fd < 0)
        return dir_fd;
    int fd = openat(dir_fd, "keys.lock", O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
    if (fd < 0)
        return -errno;
    while (flock(fd, LOCK_EX) < 0) {
        if (errno != EINTR) {
            int r = -errno;
            close(fd);
            return r;
        }
    }
    return fd;
}

static bool is_name(struct span text, size_t max)
{
    for (size_t i = 0; i < text.len; i++)
        if ((unsigned char)text.data[i] < 0x20 || text.data[i] == 0x7f)
            return false;
    return text.len <= max;
}

/* Characters of 62, each equally likely: bytes that would favour the first ones are thrown away. */
static int random_characters(char *ret_text, size_t count)
{
    static const char alphabet[] = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
    for (size_t i = 0; i < count;) {
        unsigned char byte;
        int r = secret_random(&byte, 1);
        if (r < 0)
            return r;
        if (byte < 4 * 62)
            ret_text[i++] = alphabet[byte % 62];
    }
    return 0;
}

static int add_key(struct keyfile *f, struct span app, struct span alias, struct span key)
{
    if (f->count >= KEYFILE_KEYS_MAX)
        return -ENOSPC;
    struct keyfile_key *keys = arena_alloc(&f->arena, (f->count + 1) * sizeof(*keys));
    unsigned char random[4];
    char id[sizeof(random) * 2 + 1], now[CLOCK_TEXT_SIZE];
    if (!keys)
        return -ENOMEM;
    if (f->count)
        memcpy(keys, f->keys, f->count * sizeof(*keys));
    struct keyfile_key *k = &keys[f->count];
    int r = secret_random(random, sizeof(random));
    if (r == 0)
        r = keyfile_digest(f, key, k->digest);
    if (r < 0)
        return r;
    codec_hex(span_from((const char *)random, sizeof(random)), id);
    clock_format(clock_wall_us(), now);
    k->id = arena_printf(&f->arena, "key-%s", id);
    k->created = arena_copy(&f->arena, span_str(now));
    k->app = app;
    k->alias = alias;
    k->last4 = arena_copy(&f->arena, span_slice(key, key.len - 4, key.len));
    if (!k->id.data || !k->created.data || !k->last4.data)
        return -ENOMEM;
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(keys[i].id, k->id))
            return -EAGAIN;
    f->keys = keys;
    f->count++;
    return 0;
}

int access_key_create(struct span state_dir, struct span app, struct span alias,
                      struct buf *ret_key, struct buf *ret_id)
{
    if (app.len == 0 || !is_name(app, NAME_BYTES_MAX) || !is_name(alias, ALIAS_BYTES_MAX))
        return -EINVAL;
    cleanup(cleanup_close) int locked = lock(state_dir);
    if (locked < 0)
        return locked;
    struct buf messages = BUF_INIT(4096);
    struct keyfile f;
    int r = keyfile_read(state_dir, &messages, &f);
    buf_deinit(&messages);
    if (r < 0)
        return r;
    char key[3 + KEY_CHARACTERS] = "sk-";
    r = random_characters(key + 3, KEY_CHARACTERS);
    if (r == 0) {
        do /* an id that is taken: draw another */
            r = add_key(&f, app, alias, span_from(key, sizeof(key)));
        while (r == -EAGAIN);
    }
    if (r == 0)
        r = buf_append(ret_key, span_from(key, sizeof(key)));
    if (r == 0)
        r = buf_append(ret_id, f.keys[f.count - 1].id);
    if (r == 0)
        r = write_keys(state_dir, &f);
    secret_cleanse(key, sizeof(key));
    keyfile_deinit(&f);
    return r;
}

int access_key_list(struct span state_dir, access_key_fn fn, void *ctx)
{
    struct buf messages = BUF_INIT(4096);
    struct keyfile f;
    int r = keyfile_read(state_dir, &messages, &f);
    buf_deinit(&messages);
    if (r < 0)
        return r;
    for (size_t i = 0; i < f.count; i++) {
        const struct keyfile_key *k = &f.keys[i];
        fn(ctx, k->id, k->app, k->alias, k->last4, k->created, k->revoked.len > 0);
    }
    keyfile_deinit(&f);
    return 0;
}

int access_key_revoke(struct span state_dir, struct span id)
{
    cleanup(cleanup_close) int locked = lock(state_dir);
    if (locked < 0)
        return locked;
    struct buf messages = BUF_INIT(4096);
    struct keyfile f;
    int r = keyfile_read(state_dir, &messages, &f);
    buf_deinit(&messages);
    if (r < 0)
        return r;
    r = -ENOENT;
    for (size_t i = 0; i < f.count; i++) {
        struct keyfile_key *k = &f.keys[i];
        if (!span_eq(k->id, id))
            continue;
        char now[CLOCK_TEXT_SIZE];
        clock_format(clock_wall_us(), now);
        if (k->revoked.len == 0)
            k->revoked = arena_copy(&f.arena, span_str(now));
        r = k->revoked.data ? write_keys(state_dir, &f) : -ENOMEM;
        break;
    }
    keyfile_deinit(&f);
    return r;
}
