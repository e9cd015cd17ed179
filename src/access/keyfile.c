#include "access/keyfile.h"

#include "access/access.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "base/file.h"
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
#define KEY_SIZE        (3 + KEY_CHARACTERS)

static int path_of(struct span dir, const char *name, char ret_path[PATH_MAX])
{
    int n = snprintf(ret_path, PATH_MAX, "%.*s/%s", SPAN_ARG(dir), name);
    return n > 0 && n < PATH_MAX ? 0 : -ENAMETOOLONG;
}

/* Opens the folder, creating it when it is absent (its parent must be there). */
static int open_dir(struct span dir)
{
    char path[PATH_MAX];
    int r = path_of(dir, ".", path);
    if (r < 0)
        return r;
    path[dir.len] = '\0';
    r = file_make_dir(path, 0700);
    if (r < 0)
        return r;
    int fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    return fd < 0 ? -errno : fd;
}

static int put(struct span dir, const char *name, const char *temporary, int flags,
               struct span content, bool replace)
{
    cleanup(cleanup_close) int dir_fd = open_dir(dir);
    if (dir_fd < 0)
        return dir_fd;
    cleanup(cleanup_close) int fd =
        openat(dir_fd, temporary, O_WRONLY | O_CREAT | O_CLOEXEC | O_NOFOLLOW | flags, 0600);
    if (fd < 0)
        return -errno;
    int r = file_write(fd, content);
    if (r == 0 && (fchmod(fd, 0600) < 0 || fsync(fd) < 0))
        r = -errno;
    if (r == 0 && !replace && linkat(dir_fd, temporary, dir_fd, name, 0) < 0) {
        replace = errno == EPERM || errno == EOPNOTSUPP; /* a file system without links */
        r = replace ? 0 : -errno;
    }
    if (r == 0 && replace && renameat(dir_fd, temporary, dir_fd, name) < 0)
        r = -errno;
    if (r < 0 || !replace)
        unlinkat(dir_fd, temporary, 0);
    if (r == 0 && fsync(dir_fd) < 0)
        r = -errno;
    return r;
}

int keyfile_replace(struct span dir, const char *name, struct span content)
{
    char temporary[NAME_MAX];
    if (snprintf(temporary, sizeof(temporary), "%s.tmp", name) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    return put(dir, name, temporary, O_TRUNC, content, true);
}

int keyfile_create(struct span dir, const char *name, struct span content)
{
    char temporary[NAME_MAX];
    uint64_t random; /* nobody else's, who is at the same at the same time */
    int r = secret_random(&random, sizeof(random));
    if (r < 0)
        return r;
    if (snprintf(temporary, sizeof(temporary), "%s.%016llx.tmp", name,
                 (unsigned long long)random) >= (int)sizeof(temporary))
        return -ENAMETOOLONG;
    return put(dir, name, temporary, O_EXCL, content, false);
}

int keyfile_sync_dir(struct span dir)
{
    cleanup(cleanup_close) int fd = open_dir(dir);
    if (fd < 0)
        return fd;
    return fsync(fd) < 0 ? -errno : 0;
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

/* Files of older versions have neither of these. */
static bool read_optional(struct keyfile *f, const struct yaml_node *map, const char *name,
                          struct span otherwise, struct span *ret_text)
{
    *ret_text = otherwise;
    return !yaml_get(map, span_str(name)) || read_field(f, map, name, ret_text);
}

static bool read_more(struct keyfile *f, const struct yaml_node *map, struct keyfile_key *k)
{
    k->expires_us = UINT64_MAX;
    return read_optional(f, map, "line", k->id, &k->line) &&
           read_optional(f, map, "expires", SPAN_LIT(""), &k->expires) &&
           (k->expires.len == 0 || clock_read(k->expires, &k->expires_us));
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
            !codec_unhex(digest, k->digest, sizeof(k->digest)) || !read_more(f, n, k)) {
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
        print_field(&out, "line", k->line);
        buf_append_char(&out, ',');
        print_field(&out, "expires", k->expires);
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

/* Appends a key with a new id and draws it. 0, -ENOSPC, -ENOMEM, -EIO. */
static int add_key(struct keyfile *f, const struct keyfile_key *like, char ret_key[KEY_SIZE])
{
    if (f->count >= KEYFILE_KEYS_MAX)
        return -ENOSPC;
    struct keyfile_key *keys = arena_alloc(&f->arena, (f->count + 1) * sizeof(*keys));
    if (!keys)
        return -ENOMEM;
    if (f->count)
        memcpy(keys, f->keys, f->count * sizeof(*keys));
    struct keyfile_key *k = &keys[f->count];
    *k = *like;
    memcpy(ret_key, "sk-", 3);
    int r = random_characters(ret_key + 3, KEY_CHARACTERS);
    if (r == 0)
        r = keyfile_digest(f, span_from(ret_key, KEY_SIZE), k->digest);
    for (bool taken = true; r == 0 && taken;) {
        unsigned char random[4];
        char id[sizeof(random) * 2 + 1];
        r = secret_random(random, sizeof(random));
        codec_hex(span_from((const char *)random, sizeof(random)), id);
        k->id = arena_printf(&f->arena, "key-%s", id);
        if (!k->id.data)
            return -ENOMEM;
        taken = false;
        for (size_t i = 0; i < f->count; i++)
            taken = taken || span_eq(keys[i].id, k->id);
    }
    if (r < 0)
        return r;
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_wall_us(), now);
    k->created = arena_copy(&f->arena, span_str(now));
    k->last4 = arena_copy(&f->arena, span_from(ret_key + KEY_SIZE - 4, 4));
    if (k->line.len == 0)
        k->line = k->id;
    if (!k->created.data || !k->last4.data)
        return -ENOMEM;
    f->keys = keys;
    f->count++;
    return 0;
}

/* Sets when a key ends. 0, -ENOMEM. */
static int set_expiry(struct keyfile *f, struct keyfile_key *k, uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    k->expires = SPAN_LIT("");
    if (wall_us == ACCESS_NEVER)
        return 0;
    clock_format(wall_us, text);
    k->expires = arena_copy(&f->arena, span_str(text));
    return k->expires.data ? 0 : -ENOMEM;
}

/* A keyfile that is being changed: nobody else may do so meanwhile. */
struct edit {
    struct keyfile file;
    int lock;
};

static int edit_begin(struct edit *e, struct span state_dir)
{
    struct buf messages = BUF_INIT(4096);
    e->lock = lock(state_dir);
    if (e->lock < 0)
        return e->lock;
    int r = keyfile_read(state_dir, &messages, &e->file);
    buf_deinit(&messages);
    if (r < 0)
        close(e->lock);
    return r;
}

static void edit_end(struct edit *e)
{
    keyfile_deinit(&e->file);
    close(e->lock);
}

static struct keyfile_key *find_key(const struct keyfile *f, struct span id)
{
    for (size_t i = 0; i < f->count; i++)
        if (span_eq(f->keys[i].id, id))
            return &f->keys[i];
    return NULL;
}

static bool is_over(const struct keyfile_key *k)
{
    return k->revoked.len || k->expires_us <= clock_wall_us();
}

static struct access_key shown(const struct keyfile_key *k)
{
    return (struct access_key){.id = k->id,
                               .app = k->app,
                               .alias = k->alias,
                               .last4 = k->last4,
                               .created = k->created,
                               .expires = k->expires,
                               .line = k->line,
                               .revoked = k->revoked.len > 0,
                               .expired = k->expires_us <= clock_wall_us()};
}

/* Told of it, then it is done: the file is written. */
static int settle(struct span state_dir, const struct keyfile *f,
                  const struct access_witness *witness, const struct keyfile_key *key,
                  const struct keyfile_key *old)
{
    struct access_key a = shown(key), b = old ? shown(old) : a;
    int r = witness ? witness->fn(witness->ctx, &a, old ? &b : NULL) : 0;
    return r < 0 ? r : write_keys(state_dir, f);
}

int access_key_create(struct span state_dir, struct span app, struct span alias,
                      uint64_t expires_us, const struct access_witness *witness,
                      struct buf *ret_key, struct buf *ret_id)
{
    if (app.len == 0 || !is_name(app, NAME_BYTES_MAX) || !is_name(alias, ALIAS_BYTES_MAX))
        return -EINVAL;
    struct edit e;
    int r = edit_begin(&e, state_dir);
    if (r < 0)
        return r;
    struct keyfile_key like = {.app = app, .alias = alias, .revoked = SPAN_LIT("")};
    char key[KEY_SIZE];
    r = set_expiry(&e.file, &like, expires_us);
    if (r == 0)
        r = add_key(&e.file, &like, key);
    if (r == 0)
        r = buf_append(ret_key, span_from(key, sizeof(key)));
    if (r == 0)
        r = buf_append(ret_id, e.file.keys[e.file.count - 1].id);
    if (r == 0)
        r = settle(state_dir, &e.file, witness, &e.file.keys[e.file.count - 1], NULL);
    secret_cleanse(key, sizeof(key));
    edit_end(&e);
    return r;
}

int access_key_rotate(struct span state_dir, struct span id, uint64_t until_us, uint64_t expires_us,
                      const struct access_witness *witness, struct buf *ret_key, struct buf *ret_id)
{
    struct edit e;
    int r = edit_begin(&e, state_dir);
    if (r < 0)
        return r;
    const struct keyfile_key *old = find_key(&e.file, id);
    char key[KEY_SIZE];
    r = !old ? -ENOENT : is_over(old) ? -ESTALE : 0;
    if (r == 0) {
        struct keyfile_key like = {
            .app = old->app, .alias = old->alias, .line = old->line, .revoked = SPAN_LIT("")};
        /* One that ends by itself is followed by one that does, unless told. */
        uint64_t before = old->expires_us;
        r = set_expiry(&e.file, &like, expires_us == ACCESS_AS_BEFORE ? before : expires_us);
        if (r == 0)
            r = add_key(&e.file, &like, key);
        struct keyfile_key *again = find_key(&e.file, id); /* the list has moved */
        if (r == 0 && until_us < before)
            r = set_expiry(&e.file, again, until_us);
    }
    if (r == 0)
        r = buf_append(ret_key, span_from(key, sizeof(key)));
    if (r == 0)
        r = buf_append(ret_id, e.file.keys[e.file.count - 1].id);
    if (r == 0)
        r = settle(state_dir, &e.file, witness, &e.file.keys[e.file.count - 1],
                   find_key(&e.file, id));
    secret_cleanse(key, sizeof(key));
    edit_end(&e);
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
        struct access_key key = shown(&f.keys[i]);
        fn(ctx, &key);
    }
    keyfile_deinit(&f);
    return 0;
}

int access_key_revoke(struct span state_dir, struct span id, const struct access_witness *witness)
{
    struct edit e;
    int r = edit_begin(&e, state_dir);
    if (r < 0)
        return r;
    struct keyfile_key *k = find_key(&e.file, id);
    char now[CLOCK_TEXT_SIZE];
    clock_format(clock_wall_us(), now);
    r = k ? 0 : -ENOENT;
    if (r == 0 && k->revoked.len == 0) {
        k->revoked = arena_copy(&e.file.arena, span_str(now));
        r = k->revoked.data ? settle(state_dir, &e.file, witness, k, NULL) : -ENOMEM;
    }
    edit_end(&e);
    return r;
}
