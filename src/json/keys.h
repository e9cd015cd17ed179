/*
 * The keys of all objects that are open at one moment: finds a key given twice, and a key that only
 * looks like one that matters. Private to the room.
 */
#pragma once

#include "base/buf.h"

struct json_key {
    const char *data; /* within the body, or NULL: at `at` of the decoded keys */
    size_t at;
    size_t len;
    uint64_t hash; /* only in objects that have a table */
};

/* The keys of one open object: from `first` of the list on. */
struct json_keyset {
    size_t first;
    size_t text; /* where this object's decoded keys begin */
    uint32_t
        *slots;    /* open addressing, index into the list plus 1; NULL while the object is small */
    uint32_t size; /* a power of two */
};

struct json_keys {
    struct json_key *list;
    size_t count, cap;
    struct buf text;  /* decoded keys that were written with escapes */
    uint64_t seed[2]; /* secret: keys can't be chosen to collide */
};

/* 0 or -errno of getrandom(). */
int json_keys_init(struct json_keys *k);
void json_keys_deinit(struct json_keys *k);

void json_keyset_open(struct json_keys *k, struct json_keyset *ret_set);
/*
 * Adds a key to the innermost open object. `lent`: the text must be copied. 0, -EEXIST when it was
 * there, -ENOMEM. O(key.len) on average.
 */
int json_keyset_add(struct json_keys *k, struct json_keyset *set, struct span key, bool lent);
/* Forgets the innermost object's keys and gives their memory back. */
void json_keyset_close(struct json_keys *k, struct json_keyset *set);

/* Keys that no other may imitate: lower-case ASCII without blanks. */
struct json_known {
    const char *const *source; /* what it was made from, NULL-terminated */
    struct span *keys;
    size_t count;
    size_t longest;
};
/* Remembers the keys (borrowed). 0, -ENOMEM. O(1) when they are the ones it has. */
int json_known_set(struct json_known *known, const char *const *keys);
void json_known_deinit(struct json_known *known);
/*
 * Whether key is not one of the known ones, but reads like one: for a parser that folds case
 * (U+017F is an s, U+212A a k), width, blanks or invisible characters.
 */
bool json_known_twin(const struct json_known *known, struct span key);
