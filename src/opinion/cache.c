#include "opinion/cache.h"

#include "base/list.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#include <errno.h>
#include <stdlib.h>

#define CACHE_SLOTS 4096 /* chains; a power of two */

struct entry {
    struct list age;    /* oldest first */
    struct entry *next; /* of its chain */
    uint64_t since_ms;
    unsigned char key[OPINION_KEY_SIZE];
    size_t count;
    struct opinion_score scores[];
};

struct opinion_cache {
    struct hmac *hmac;
    struct list age;
    size_t count;
    struct entry *slots[CACHE_SLOTS];
};

struct opinion_cache *opinion_cache_new(void)
{
    struct opinion_cache *c = calloc(1, sizeof(*c));
    unsigned char key[HMAC_SIZE];
    if (!c)
        return NULL;
    list_init(&c->age);
    if (secret_random(key, sizeof(key)) == 0)
        c->hmac = hmac_new(span_from((const char *)key, sizeof(key)));
    secret_cleanse(key, sizeof(key));
    if (!c->hmac) {
        free(c);
        return NULL;
    }
    return c;
}

static struct entry **slot_of(struct opinion_cache *c, const unsigned char *key)
{
    return &c->slots[((unsigned)key[0] << 8 | key[1]) % CACHE_SLOTS];
}

static void drop(struct opinion_cache *c, struct entry *e)
{
    struct entry **at = slot_of(c, e->key);
    while (*at != e)
        at = &(*at)->next;
    *at = e->next;
    list_remove(&e->age);
    free(e);
    c->count--;
}

static struct entry *oldest(const struct opinion_cache *c)
{
    return list_entry(c->age.next, struct entry, age);
}

void opinion_cache_free(struct opinion_cache *c)
{
    if (!c)
        return;
    while (c->count)
        drop(c, oldest(c));
    hmac_free(c->hmac);
    free(c);
}

static int add_sized(struct hmac *h, struct span s)
{
    unsigned char len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (unsigned char)((uint64_t)s.len >> 8 * i);
    int r = hmac_add(h, span_from((const char *)len, sizeof(len)));
    return r < 0 ? r : hmac_add(h, s);
}

int opinion_cache_key(struct opinion_cache *c, const struct config_opinion *source,
                      const struct opinion_question *q, unsigned char ret_key[OPINION_KEY_SIZE])
{
    char kind[3] = {(char)source->kind, (char)q->direction, (char)q->role};
    int r = hmac_begin(c->hmac);
    if (r == 0)
        r = hmac_add(c->hmac, span_from(kind, sizeof(kind)));
    const struct span parts[] = {source->url, source->model, q->prompt, q->text};
    for (size_t i = 0; r == 0 && i < sizeof(parts) / sizeof(*parts); i++)
        r = add_sized(c->hmac, parts[i]);
    for (size_t i = 0; r == 0 && i < q->turn_count; i++) {
        r = hmac_add(c->hmac, q->turns[i].assistant ? SPAN_LIT("a") : SPAN_LIT("u"));
        if (r == 0)
            r = add_sized(c->hmac, q->turns[i].text);
    }
    return r < 0 ? r : hmac_end(c->hmac, ret_key);
}

static struct entry *find(struct opinion_cache *c, const unsigned char *key)
{
    for (struct entry *e = *slot_of(c, key); e; e = e->next)
        if (memcmp(e->key, key, OPINION_KEY_SIZE) == 0)
            return e;
    return NULL;
}

bool opinion_cache_get(struct opinion_cache *c, const struct config_opinion *source,
                       const unsigned char key[OPINION_KEY_SIZE], uint64_t now_ms,
                       struct opinion_verdict *ret_verdict)
{
    struct entry *e = source->cache ? find(c, key) : NULL;
    if (!e)
        return false;
    if (now_ms - e->since_ms >= source->cache_ms) {
        drop(c, e);
        return false;
    }
    ret_verdict->count = e->count;
    memcpy(ret_verdict->scores, e->scores, e->count * sizeof(*e->scores));
    return true;
}

void opinion_cache_put(struct opinion_cache *c, const struct config_opinion *source,
                       const unsigned char key[OPINION_KEY_SIZE], uint64_t now_ms,
                       const struct opinion_verdict *v)
{
    if (source->cache == 0)
        return;
    struct entry *e = find(c, key);
    if (e)
        drop(c, e);
    while (c->count >= source->cache)
        drop(c, oldest(c));
    e = malloc(sizeof(*e) + v->count * sizeof(*e->scores));
    if (!e)
        return;
    e->since_ms = now_ms;
    e->count = v->count;
    memcpy(e->key, key, OPINION_KEY_SIZE);
    memcpy(e->scores, v->scores, v->count * sizeof(*e->scores));
    struct entry **slot = slot_of(c, key);
    e->next = *slot;
    *slot = e;
    list_append(&c->age, &e->age);
    c->count++;
}

size_t opinion_cache_count(const struct opinion_cache *c)
{
    return c->count;
}
