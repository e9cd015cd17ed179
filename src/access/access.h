/*
 * Who asks: keys, apps, end users. Keys live as hashes in state_dir/keys.json, written by
 * `juyong key`, read here at start and reload.
 */
#pragma once

#include "config/config.h"

struct access; /* immutable, counted snapshot of the keys */

/*
 * Reads the keys, and the key for end users' ids, which is created (with state_dir) when it is
 * absent. 0; -EINVAL when a file is damaged, with messages; -errno, with a message. Warnings such
 * as "no key yet" are messages too.
 */
int access_load(const struct config *config, struct buf *messages, struct access **ret_access);
struct access *access_ref(struct access *a);
struct access *access_unref(struct access *a);

struct access_identity {
    const struct config_app *app;
    struct span key_id; /* empty with passthrough */
};
/*
 * Who bears these credentials (the Authorization header's value or an api-key header's; two that
 * differ are nobody's). The time depends on the number of keys and the length of the credential,
 * not on its content. O(keys). False: nobody. With auth: passthrough everyone is the app default.
 */
bool access_identify(const struct access *a, const struct config *config, struct span authorization,
                     struct span api_key, struct access_identity *ret_identity);

/* Is that address (numeric text) one of trusted_proxies? */
bool access_trusts(const struct config *config, struct span address);

/* HMAC-SHA-256 of an end user's id under the operator's key (state_dir/enduser.key), 64 hex digits;
 * empty when the library failed.
 */
void access_hash_end_user(const struct access *a, struct span id, char ret_hex[65]);

/*
 * For `juyong key`: creates (appending the only copy of the key to *ret_key), lists, revokes. 0;
 * -EINVAL on a bad name or a damaged file, -ENOSPC at 4096 keys, -errno.
 */
int access_key_create(struct span state_dir, struct span app, struct span alias,
                      struct buf *ret_key, struct buf *ret_id);
typedef void (*access_key_fn)(void *ctx, struct span id, struct span app, struct span alias,
                              struct span last4, struct span created, bool revoked);
int access_key_list(struct span state_dir, access_key_fn fn, void *ctx);
int access_key_revoke(struct span state_dir, struct span id); /* -ENOENT: no such key */
