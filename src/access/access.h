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
    struct span key_id;   /* empty with passthrough */
    struct span key_line; /* the first of the keys that follow each other by rotation */
};

/*
 * What one thread keeps ready so that keys and end users cost it a microsecond and not four: made
 * for one snapshot of the keys, which must outlive it. NULL wherever one is asked for: without.
 */
struct access_hasher;
struct access_hasher *access_hasher_new(const struct access *a);
void access_hasher_free(struct access_hasher *h);

/* The headers that a key may come in: Authorization is "Bearer KEY", the others are the key. */
struct access_credentials {
    struct span authorization, x_api_key, api_key, x_goog_api_key;
};
/*
 * Who bears these credentials at that time (wall clock); two that differ are nobody's. O(length of
 * the credential): keys are found by their salted digest, which tells nobody anything. False:
 * nobody. With auth: passthrough everyone is the app default.
 */
bool access_identify(const struct access *a, struct access_hasher *hasher,
                     const struct config *config, const struct access_credentials *credentials,
                     uint64_t wall_us, struct access_identity *ret_identity);

/* The same by the key alone, whatever config->auth says: nobody bears none. */
bool access_identify_key(const struct access *a, struct access_hasher *hasher,
                         const struct config *config, const struct access_credentials *credentials,
                         uint64_t wall_us, struct access_identity *ret_identity);

/*
 * May that app be asked from there? `peer` is the connection's other end. Where that is a trusted
 * proxy, `client`, whom it says that it speaks for, counts in its place; empty: it did not say, and
 * nobody knows. A proxy that the list names itself (access_is_itself()) is the app's own back end,
 * and may speak for anyone. Numeric texts.
 */
bool access_admits(const struct config *config, const struct config_app *app, struct span peer,
                   struct span client);

/* Does the app's list name that one address, and not only a network that it is in? */
bool access_is_itself(const struct config_app *app, struct span address);

/*
 * The code by which a machine's label is known to be ours: HMAC-SHA-256 under state_dir/label.key
 * over who produced what, 64 hex digits; empty when the library failed.
 */
#define ACCESS_LABEL_CODE_SIZE 65
void access_label_code(const struct access *a, struct access_hasher *hasher, struct span producer,
                       struct span id, char ret_hex[ACCESS_LABEL_CODE_SIZE]);

/* Is that address (numeric text) one of trusted_proxies? */
bool access_trusts(const struct config *config, struct span address);

/* HMAC-SHA-256 of an end user's id under the operator's key (state_dir/enduser.key), 64 hex digits;
 * empty when the library failed.
 */
void access_hash_end_user(const struct access *a, struct access_hasher *hasher, struct span id,
                          char ret_hex[65]);

/* Tells one keys.json from the next: it is replaced whole, never written in place. */
struct access_stamp {
    bool exists;
    uint64_t device, inode, size, changed_ns;
};
/* Of the file as it is now. */
struct access_stamp access_stamp(struct span state_dir);
/* Of the file that was read. */
struct access_stamp access_stamp_of(const struct access *a);
bool access_stamp_eq(const struct access_stamp *a, const struct access_stamp *b);
/* Keys that can be used now. */
size_t access_key_count(const struct access *a);

/* When that key last opened, by the second, since the start; 0: not yet. Any thread. O(keys). */
uint64_t access_key_used(const struct access *a, struct span id);
/* Takes over what `old` knows of that, before `a` is in force in its place. */
void access_carry(const struct access *a, const struct access *old);

#define ACCESS_NEVER     UINT64_MAX
#define ACCESS_AS_BEFORE 0

/* A key as people may know it. Spans are borrowed for the call. */
struct access_key {
    struct span id, app, alias, last4, created, expires, line; /* expires empty: never */
    bool revoked, expired;
};
/*
 * Is told of what is about to be done, while nobody else can change the keys, and puts it on
 * record: the new key, or the one that is revoked; `old` is the one that a rotation replaces, or
 * NULL. Negative: it is not done, and that is the result.
 */
struct access_witness {
    int (*fn)(void *ctx, const struct access_key *key, const struct access_key *old);
    void *ctx;
};

/*
 * For `juyong key` and the console: creates, appending the only copy of the key to *ret_key; lists;
 * revokes at once. Times are of the wall clock. The witness may be NULL. 0; -EINVAL on a bad name
 * or a damaged file, -ENOSPC at 4096 keys, -ENOENT without such a key, -errno.
 */
int access_key_create(struct span state_dir, struct span app, struct span alias,
                      uint64_t expires_us, const struct access_witness *witness,
                      struct buf *ret_key, struct buf *ret_id);
/*
 * A new key for the same app under the same alias; the old one ends at until_us, unless it would
 * before. Both share the limits of one. -ESTALE when the old one is no longer in force.
 */
int access_key_rotate(struct span state_dir, struct span id, uint64_t until_us, uint64_t expires_us,
                      const struct access_witness *witness, struct buf *ret_key,
                      struct buf *ret_id);
typedef void (*access_key_fn)(void *ctx, const struct access_key *key);
int access_key_list(struct span state_dir, access_key_fn fn, void *ctx);
/* A key that was revoked before stays so; the witness is not told. */
int access_key_revoke(struct span state_dir, struct span id, const struct access_witness *witness);
