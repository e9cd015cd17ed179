#include "access/access.h"

#include "access/keyfile.h"
#include "base/cleanup.h"
#include "base/codec.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdatomic.h>
#include <sys/stat.h>

#define END_USER_KEY_SIZE 32
#define CREDENTIAL_MAX    256 /* longer ones are nobody's */

struct access {
    struct keyfile keys;
    unsigned char end_user_key[END_USER_KEY_SIZE];
    _Atomic unsigned refs;
};

/* state_dir/enduser.key: one line of hex. */
static int read_end_user_key(struct access *a, struct span state_dir, struct buf *messages)
{
    char path[PATH_MAX], text[2 * END_USER_KEY_SIZE + 2];
    int n = snprintf(path, sizeof(path), "%.*s/enduser.key", SPAN_ARG(state_dir));
    if (n < 0 || n >= (int)sizeof(path))
        return -ENAMETOOLONG;
    struct place at = {.file = span_str(path)};
    cleanup(cleanup_close) int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
    int r = 0;
    if (fd >= 0) {
        ssize_t got = read(fd, text, sizeof(text));
        struct stat st;
        if (got < 0 || !codec_unhex(span_trim(span_from(text, (size_t)got)), a->end_user_key,
                                    END_USER_KEY_SIZE)) {
            place_printf(messages, at, "must hold 64 hex digits and nothing else");
            r = -EINVAL;
        } else if (fstat(fd, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO))) {
            place_printf(messages, at, "warning: others can read it; chmod 600 it");
        }
    } else if (errno != ENOENT) {
        r = -errno;
    } else {
        r = secret_random(a->end_user_key, END_USER_KEY_SIZE);
        codec_hex(span_from((const char *)a->end_user_key, END_USER_KEY_SIZE), text);
        text[2 * END_USER_KEY_SIZE] = '\n';
        if (r == 0)
            r = keyfile_replace(state_dir, "enduser.key",
                                span_from(text, 2 * END_USER_KEY_SIZE + 1));
    }
    if (r < 0 && r != -EINVAL)
        place_printf(messages, at, "can't be used: %s", strerror(-r));
    secret_cleanse(text, sizeof(text));
    return r;
}

static void check_keys(const struct access *a, const struct config *config, struct buf *messages)
{
    struct place at = {.file = SPAN_LIT("keys.json")};
    size_t usable = 0;
    for (size_t i = 0; i < a->keys.count; i++) {
        const struct keyfile_key *k = &a->keys.keys[i];
        if (k->revoked.len)
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

int access_load(const struct config *config, struct buf *messages, struct access **ret_access)
{
    struct access *a = calloc(1, sizeof(*a));
    if (!a)
        return -ENOMEM;
    atomic_init(&a->refs, 1);
    int r = keyfile_read(config->state_dir, messages, &a->keys);
    if (r == 0)
        r = read_end_user_key(a, config->state_dir, messages);
    if (r < 0) {
        access_unref(a);
        return r;
    }
    if (config->auth == AUTH_KEYS)
        check_keys(a, config, messages);
    *ret_access = a;
    return 0;
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
    free(a);
    return NULL;
}

/* "Bearer KEY" (RFC 6750; the scheme in any case); anything else is empty. */
static struct span bearer_key(struct span authorization)
{
    struct span s = span_trim(authorization);
    if (s.len < 7 || !span_eq_nocase(span_slice(s, 0, 7), SPAN_LIT("Bearer ")))
        return SPAN_NULL;
    return span_trim(span_slice(s, 7, s.len));
}

bool access_identify(const struct access *a, const struct config *config, struct span authorization,
                     struct span api_key, struct access_identity *ret_identity)
{
    if (config->auth == AUTH_PASSTHROUGH) {
        *ret_identity = (struct access_identity){.app = &config->apps[0]};
        return true;
    }
    struct span key = bearer_key(authorization), other = span_trim(api_key);
    if (authorization.len == 0)
        key = other;
    else if (other.len && !secret_equal(key, other))
        return false;
    unsigned char digest[SHA256_SIZE];
    if (key.len == 0 || key.len > CREDENTIAL_MAX || keyfile_digest(&a->keys, key, digest) < 0)
        return false;
    const struct keyfile_key *found = NULL;
    for (size_t i = 0; i < a->keys.count; i++) {
        const struct keyfile_key *k = &a->keys.keys[i];
        /* No early end: where a key stands in the file shall not show. */
        if (secret_equal(span_from((const char *)digest, sizeof(digest)),
                         span_from((const char *)k->digest, sizeof(k->digest))))
            found = k;
    }
    if (!found || found->revoked.len)
        return false;
    const struct config_app *app = config_find_app(config, found->app);
    if (!app)
        return false;
    *ret_identity = (struct access_identity){.app = app, .key_id = found->id};
    return true;
}

bool access_trusts(const struct config *config, struct span address)
{
    unsigned char bytes[16];
    if (!network_read_address(address, bytes))
        return false;
    for (size_t i = 0; i < config->trusted_proxy_count; i++)
        if (network_contains(&config->trusted_proxies[i], bytes))
            return true;
    return false;
}

void access_hash_end_user(const struct access *a, struct span id, char ret_hex[65])
{
    unsigned char mac[HMAC_SIZE];
    struct span key = span_from((const char *)a->end_user_key, sizeof(a->end_user_key));
    ret_hex[0] = '\0';
    if (hmac_once(key, id, mac) == 0)
        codec_hex(span_from((const char *)mac, sizeof(mac)), ret_hex);
}
