#include "access/access.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/clock.h"
#include "base/codec.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define SECRET_SIZE    32
#define CREDENTIAL_MAX 256 /* longer ones are nobody's */

struct access {
    struct keyfile keys;
    struct access_stamp stamp;
    uint32_t *index; /* of keys + 1, by their digests; 0: free */
    size_t index_mask;
    _Atomic uint64_t *used; /* by key: when it last opened, wall clock; 0: not yet */
    unsigned char end_user_key[SECRET_SIZE];
    unsigned char label_key[SECRET_SIZE];
    _Atomic unsigned refs;
};

/* -ENOENT when there is none. */
static int read_secret(const char *path, struct buf *messages, unsigned char ret_key[SECRET_SIZE])
{
    char text[2 * SECRET_SIZE + 2];
    struct place at = {.file = span_str(path)};
    struct stat st;
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd < 0)
        return -errno;
    int r = 0;
    ssize_t got = read(fd, text, sizeof(text));
    if (got < 0 || !codec_unhex(span_trim(span_from(text, (size_t)got)), ret_key, SECRET_SIZE)) {
        place_printf(messages, at, "must hold 64 hex digits and nothing else");
        r = -EINVAL;
    } else if (fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO))) {
        place_printf(messages, at, "warning: others can read it; chmod 600 it");
    }
    secret_cleanse(text, sizeof(text));
    return r;
}

static int make_secret(struct span state_dir, const char *name)
{
    unsigned char key[SECRET_SIZE];
    char text[2 * SECRET_SIZE + 1];
    int r = secret_random(key, sizeof(key));
    codec_hex(span_from((const char *)key, sizeof(key)), text);
    text[2 * SECRET_SIZE] = '\n';
    if (r == 0)
        r = keyfile_create(state_dir, name, span_from(text, sizeof(text)));
    secret_cleanse(key, sizeof(key));
    secret_cleanse(text, sizeof(text));
    return r;
}

/*
 * A secret of our own, made at first use: one line of hex. Another process may make it at the same
 * time; the first one's counts, so it is read also by who has made it.
 */
static int take_secret(struct span state_dir, const char *name, struct buf *messages,
                       unsigned char ret_key[SECRET_SIZE])
{
    char path[PATH_MAX];
    int n = snprintf(path, sizeof(path), "%.*s/%s", SPAN_ARG(state_dir), name);
    if (n < 0 || n >= (int)sizeof(path))
        return -ENAMETOOLONG;
    int r = read_secret(path, messages, ret_key);
    if (r == -ENOENT) {
        r = make_secret(state_dir, name);
        if (r == 0 || r == -EEXIST)
            r = read_secret(path, messages, ret_key);
    }
    if (r < 0 && r != -EINVAL)
        place_printf(messages, (struct place){.file = span_str(path)}, "can't be used: %s",
                     strerror(-r));
    return r;
}

static void check_keys(const struct access *a, const struct config *config, struct buf *messages)
{
    struct place at = {.file = SPAN_LIT("keys.json")};
    size_t usable = 0;
    for (size_t i = 0; i < a->keys.count; i++) {
        const struct keyfile_key *k = &a->keys.keys[i];
        if (k->revoked.len || k->expires_us <= clock_wall_us())
            continue;
        if (config_find_app(config, k->app))
            usable++;
        else
            place_printf(messages, at, "warning: %.*s is for the app '%.*s', which isn't there",
                         SPAN_ARG(k->id), SPAN_ARG(k->app));
    }
    if (usable == 0)
        place_printf(messages, at,
                     "warning: no key is in force, every request will be refused; "
                     "see `juyong key create`");
}

static size_t digest_slot(const struct access *a, const unsigned char digest[SHA256_SIZE])
{
    uint64_t first;
    memcpy(&first, digest, sizeof(first));
    return (size_t)first & a->index_mask;
}

static int build_index(struct access *a)
{
    size_t size = 16;
    while (size < a->keys.count * 2)
        size *= 2;
    a->index = calloc(size, sizeof(*a->index));
    a->used = calloc(a->keys.count + 1, sizeof(*a->used));
    if (!a->index || !a->used)
        return -ENOMEM;
    a->index_mask = size - 1;
    for (size_t i = 0; i < a->keys.count; i++) {
        size_t slot = digest_slot(a, a->keys.keys[i].digest);
        while (a->index[slot])
            slot = (slot + 1) & a->index_mask;
        a->index[slot] = (uint32_t)(i + 1);
    }
    return 0;
}

int access_load(const struct config *config, struct buf *messages, struct access **ret_access)
{
    struct access *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    atomic_init(&a->refs, 1);
    a->stamp = access_stamp(config->state_dir); /* before it is read: never newer than the keys */
    int r = keyfile_read(config->state_dir, messages, &a->keys);
    if (r == 0)
        r = take_secret(config->state_dir, "enduser.key", messages, a->end_user_key);
    if (r == 0)
        r = take_secret(config->state_dir, "label.key", messages, a->label_key);
    if (r == 0)
        r = build_index(a);
    if (r < 0) {
        access_unref(a);
        return r;
    }
    if (config->auth == AUTH_KEYS)
        check_keys(a, config, messages);
    *ret_access = a;
    return 0;
}

struct access_stamp access_stamp(struct span state_dir)
{
    char path[PATH_MAX];
    struct stat st;
    int n = snprintf(path, sizeof(path), "%.*s/keys.json", SPAN_ARG(state_dir));
    if (n < 0 || n >= (int)sizeof(path) || stat(path, &st) < 0)
        return (struct access_stamp){0};
    return (struct access_stamp){
        .exists = true,
        .device = st.st_dev,
        .inode = st.st_ino,
        .size = (uint64_t)st.st_size,
        .changed_ns = (uint64_t)st.st_ctim.tv_sec * 1000000000u + (uint64_t)st.st_ctim.tv_nsec,
    };
}

struct access_stamp access_stamp_of(const struct access *a)
{
    return a->stamp;
}

bool access_stamp_eq(const struct access_stamp *a, const struct access_stamp *b)
{
    return a->exists == b->exists && a->device == b->device && a->inode == b->inode &&
           a->size == b->size && a->changed_ns == b->changed_ns;
}

size_t access_key_count(const struct access *a)
{
    size_t count = 0;
    uint64_t now = clock_wall_us();
    for (size_t i = 0; i < a->keys.count; i++)
        count += a->keys.keys[i].revoked.len == 0 && a->keys.keys[i].expires_us > now;
    return count;
}

struct access *access_ref(struct access *a)
{
    atomic_fetch_add_explicit(&a->refs, 1, memory_order_relaxed);
    return a;
}

struct access *access_unref(struct access *a)
{
    if (!a || atomic_fetch_sub_explicit(&a->refs, 1, memory_order_acq_rel) != 1)
        return NULL;
    keyfile_deinit(&a->keys);
    secret_cleanse(a->end_user_key, sizeof(a->end_user_key));
    secret_cleanse(a->label_key, sizeof(a->label_key));
    free(a->index);
    free(a->used);
    free(a);
    return NULL;
}

struct access_hasher {
    const struct access *of;
    struct sha256 *keys;
    struct hmac *end_users, *labels;
};

struct access_hasher *access_hasher_new(const struct access *a)
{
    struct access_hasher *h = calloc(1, sizeof(*h));
    if (!h)
        return NULL;
    h->of = a;
    h->keys = sha256_new();
    h->end_users = hmac_new(span_from((const char *)a->end_user_key, sizeof(a->end_user_key)));
    h->labels = hmac_new(span_from((const char *)a->label_key, sizeof(a->label_key)));
    if (h->keys && h->end_users && h->labels)
        return h;
    access_hasher_free(h);
    return NULL;
}

void access_hasher_free(struct access_hasher *h)
{
    if (!h)
        return;
    sha256_free(h->keys);
    hmac_free(h->end_users);
    hmac_free(h->labels);
    free(h);
}

static int hash_key(const struct access *a, struct access_hasher *h, struct span key,
                    unsigned char ret_digest[SHA256_SIZE])
{
    if (!h)
        return keyfile_digest(&a->keys, key, ret_digest);
    int r = sha256_begin(h->keys);
    if (r == 0)
        r = sha256_add(h->keys, span_from((const char *)a->keys.salt, KEYFILE_SALT_SIZE));
    if (r == 0)
        r = sha256_add(h->keys, key);
    return r < 0 ? r : sha256_end(h->keys, ret_digest);
}

/* "Bearer KEY" (RFC 6750; the scheme in any case); anything else is empty. */
static struct span bearer_key(struct span authorization)
{
    struct span s = span_trim(authorization);
    if (s.len < 7 || !span_eq_nocase(span_slice(s, 0, 7), SPAN_LIT("Bearer ")))
        return SPAN_NULL;
    return span_trim(span_slice(s, 7, s.len));
}

/* The one key that the headers agree on, or the empty span. */
static struct span one_key(const struct access_credentials *c)
{
    struct span all[] = {bearer_key(c->authorization), span_trim(c->x_api_key),
                         span_trim(c->api_key), span_trim(c->x_goog_api_key)};
    struct span key = SPAN_NULL;
    if (c->authorization.len && all[0].len == 0)
        return SPAN_NULL;
    for (size_t i = 0; i < sizeof(all) / sizeof(*all); i++) {
        if (all[i].len == 0)
            continue;
        if (key.len && !secret_equal(key, all[i]))
            return SPAN_NULL;
        key = all[i];
    }
    return key;
}

static const struct keyfile_key *find_digest(const struct access *a,
                                             const unsigned char digest[SHA256_SIZE])
{
    struct span want = span_from((const char *)digest, SHA256_SIZE);
    for (size_t slot = digest_slot(a, digest); a->index[slot]; slot = (slot + 1) & a->index_mask) {
        const struct keyfile_key *k = &a->keys.keys[a->index[slot] - 1];
        if (secret_equal(want, span_from((const char *)k->digest, SHA256_SIZE)))
            return k;
    }
    return NULL;
}

bool access_identify(const struct access *a, struct access_hasher *hasher,
                     const struct config *config, const struct access_credentials *credentials,
                     uint64_t wall_us, struct access_identity *ret_identity)
{
    if (config->auth == AUTH_PASSTHROUGH) {
        *ret_identity = (struct access_identity){.app = &config->apps[0]};
        return true;
    }
    return access_identify_key(a, hasher, config, credentials, wall_us, ret_identity);
}

bool access_identify_key(const struct access *a, struct access_hasher *hasher,
                         const struct config *config, const struct access_credentials *credentials,
                         uint64_t wall_us, struct access_identity *ret_identity)
{
    struct span key = one_key(credentials);
    unsigned char digest[SHA256_SIZE];
    if (key.len == 0 || key.len > CREDENTIAL_MAX || hash_key(a, hasher, key, digest) < 0)
        return false;
    const struct keyfile_key *found = find_digest(a, digest);
    if (!found || found->revoked.len || found->expires_us <= wall_us)
        return false;
    const struct config_app *app = config_find_app(config, found->app);
    if (!app)
        return false;
    *ret_identity =
        (struct access_identity){.app = app, .key_id = found->id, .key_line = found->line};
    /* Told by the second, so that workers which share a key don't contend for its word. */
    _Atomic uint64_t *used = &a->used[found - a->keys.keys];
    if (atomic_load_explicit(used, memory_order_relaxed) + 1000000 <= wall_us)
        atomic_store_explicit(used, wall_us, memory_order_relaxed);
    return true;
}

static size_t place_of(const struct access *a, struct span id)
{
    for (size_t i = 0; i < a->keys.count; i++)
        if (span_eq(a->keys.keys[i].id, id))
            return i;
    return a->keys.count;
}

uint64_t access_key_used(const struct access *a, struct span id)
{
    size_t i = place_of(a, id);
    return i < a->keys.count ? atomic_load_explicit(&a->used[i], memory_order_relaxed) : 0;
}

void access_carry(const struct access *a, const struct access *old)
{
    /* Keys are only appended, so that most are where they were. */
    for (size_t i = 0; a != old && i < old->keys.count; i++) {
        uint64_t used = atomic_load_explicit(&old->used[i], memory_order_relaxed);
        bool same = i < a->keys.count && span_eq(a->keys.keys[i].id, old->keys.keys[i].id);
        size_t at = same ? i : used ? place_of(a, old->keys.keys[i].id) : a->keys.count;
        if (at < a->keys.count && used)
            atomic_store_explicit(&a->used[at], used, memory_order_relaxed);
    }
}

static bool is_listed(const struct network *networks, size_t count, struct span address)
{
    unsigned char bytes[16];
    if (!network_read_address(address, bytes))
        return false;
    for (size_t i = 0; i < count; i++)
        if (network_contains(&networks[i], bytes))
            return true;
    return false;
}

bool access_is_itself(const struct config_app *app, struct span address)
{
    unsigned char bytes[16];
    if (!network_read_address(address, bytes))
        return false;
    for (size_t i = 0; i < app->address_count; i++)
        if (app->addresses[i].bits == 128 && network_contains(&app->addresses[i], bytes))
            return true;
    return false;
}

bool access_admits(const struct config *config, const struct config_app *app, struct span peer,
                   struct span client)
{
    if (app->address_count == 0)
        return true;
    if (!access_trusts(config, peer))
        return is_listed(app->addresses, app->address_count, peer);
    return access_is_itself(app, peer) || is_listed(app->addresses, app->address_count, client);
}

bool access_trusts(const struct config *config, struct span address)
{
    return is_listed(config->trusted_proxies, config->trusted_proxy_count, address);
}

void access_hash_end_user(const struct access *a, struct access_hasher *hasher, struct span id,
                          char ret_hex[65])
{
    unsigned char mac[HMAC_SIZE];
    struct span key = span_from((const char *)a->end_user_key, sizeof(a->end_user_key));
    int r;
    ret_hex[0] = '\0';
    if (hasher && hasher->of == a) {
        r = hmac_begin(hasher->end_users);
        if (r == 0)
            r = hmac_add(hasher->end_users, id);
        if (r == 0)
            r = hmac_end(hasher->end_users, mac);
    } else {
        r = hmac_once(key, id, mac);
    }
    if (r == 0)
        codec_hex(span_from((const char *)mac, sizeof(mac)), ret_hex);
}

void access_label_code(const struct access *a, struct access_hasher *hasher, struct span producer,
                       struct span id, char ret_hex[ACCESS_LABEL_CODE_SIZE])
{
    bool ready = hasher && hasher->of == a;
    struct hmac *h = ready ? hasher->labels
                           : hmac_new(span_from((const char *)a->label_key, sizeof(a->label_key)));
    unsigned char mac[HMAC_SIZE];
    /* With its length before the producer, so that no two pairs read alike. */
    unsigned char length[2] = {(unsigned char)(producer.len >> 8), (unsigned char)producer.len};
    struct span parts[] = {SPAN_LIT("juyong.label.v1\0"), span_from((const char *)length, 2),
                           producer, id};
    ret_hex[0] = '\0';
    int r = h ? hmac_begin(h) : -ENOMEM;
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(*parts); i++)
        r = hmac_add(h, parts[i]);
    if (r == 0)
        r = hmac_end(h, mac);
    if (r == 0)
        codec_hex(span_from((const char *)mac, sizeof(mac)), ret_hex);
    if (!ready)
        hmac_free(h);
}
