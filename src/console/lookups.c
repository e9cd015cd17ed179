#include "console/lookups.h"

#include "crypto/sha256.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#define LOOKUPS 256
#define KEEP_MS (30u * 60000)

struct look {
    unsigned char key[SHA256_SIZE];
    uint64_t until_ms; /* 0: none */
};

struct lookups {
    pthread_mutex_t lock;
    size_t next;
    struct look list[LOOKUPS];
};

struct lookups *lookups_new(void)
{
    struct lookups *l = calloc(1, sizeof(*l));
    if (l)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

void lookups_free(struct lookups *l)
{
    if (!l)
        return;
    pthread_mutex_destroy(&l->lock);
    free(l);
}

/* Each part with its length before it: none can pass for another's end. */
static bool make_key(const struct span parts[3], unsigned char ret_key[SHA256_SIZE])
{
    struct sha256 *h = sha256_new();
    bool good = h && sha256_begin(h) == 0;
    for (int i = 0; good && i < 3; i++) {
        uint64_t len = parts[i].len;
        good = sha256_add(h, span_from((const char *)&len, sizeof(len))) == 0 &&
               sha256_add(h, parts[i]) == 0;
    }
    good = good && sha256_end(h, ret_key) == 0;
    sha256_free(h);
    return good;
}

/* Under the lock. */
static struct look *find(struct lookups *l, const unsigned char key[SHA256_SIZE])
{
    for (size_t i = 0; i < LOOKUPS; i++)
        if (l->list[i].until_ms && memcmp(l->list[i].key, key, SHA256_SIZE) == 0)
            return &l->list[i];
    return NULL;
}

bool lookups_has(struct lookups *l, struct span who, struct span end_user, struct span app,
                 uint64_t now_ms)
{
    const struct span parts[3] = {who, end_user, app};
    unsigned char key[SHA256_SIZE];
    if (!make_key(parts, key))
        return false;
    pthread_mutex_lock(&l->lock);
    const struct look *e = find(l, key);
    bool noted = e && now_ms < e->until_ms;
    pthread_mutex_unlock(&l->lock);
    return noted;
}

void lookups_note(struct lookups *l, struct span who, struct span end_user, struct span app,
                  uint64_t now_ms)
{
    const struct span parts[3] = {who, end_user, app};
    unsigned char key[SHA256_SIZE];
    if (!make_key(parts, key))
        return; /* the next page is on record, too */
    pthread_mutex_lock(&l->lock);
    struct look *e = find(l, key);
    if (!e) {
        e = &l->list[l->next];
        l->next = (l->next + 1) % LOOKUPS;
        memcpy(e->key, key, SHA256_SIZE);
    }
    e->until_ms = now_ms + KEEP_MS;
    pthread_mutex_unlock(&l->lock);
}
