#include "console/throttle.h"

#include "config/network.h"
#include "config/value.h"
#include "crypto/sha256.h"

#include <pthread.h>
#include <stdlib.h>

#define ENTRIES   2048
#define KEY_SIZE  16
#define FORGET_MS 3600000u

enum kind { PAIR, ADDRESS, NAME, KINDS };

static const struct {
    unsigned free, cap_s; /* failures without a wait; the longest wait */
} limits[KINDS] = {[PAIR] = {5, 900}, [ADDRESS] = {20, 900}, [NAME] = {100, 30}};

struct entry {
    unsigned char key[KEY_SIZE];
    unsigned failures; /* 0: a free place */
    uint64_t until, last;
};

struct throttle {
    pthread_mutex_t lock;
    struct entry list[ENTRIES];
};

struct throttle *throttle_new(void)
{
    struct throttle *t = calloc(1, sizeof(*t));
    if (t)
        pthread_mutex_init(&t->lock, NULL);
    return t;
}

void throttle_free(struct throttle *t)
{
    if (!t)
        return;
    pthread_mutex_destroy(&t->lock);
    free(t);
}

/* A front or a tunnel on this machine is one address for all: nobody pays for another then. */
static bool counts(enum kind kind, struct span address)
{
    return kind != ADDRESS || !value_is_loopback(address);
}

/* Who has a /64 has all of its addresses. */
static size_t address_bytes(struct span text, unsigned char ret[16])
{
    if (!network_read_address(text, ret))
        return 0;
    static const unsigned char mapped[12] = {[10] = 0xff, [11] = 0xff};
    return memcmp(ret, mapped, sizeof(mapped)) == 0 ? 16 : 8;
}

static bool key_of(enum kind kind, struct span name, struct span address,
                   unsigned char ret_key[KEY_SIZE])
{
    unsigned char digest[SHA256_SIZE], ip[16];
    size_t len = kind == NAME ? 0 : address_bytes(address, ip);
    struct sha256 *h = sha256_new();
    bool good = h && sha256_begin(h) == 0 &&
                sha256_add(h, span_from((const char[]){(char)kind, (char)len}, 2)) == 0 &&
                sha256_add(h, span_from((const char *)ip, len)) == 0 &&
                (kind == ADDRESS || sha256_add(h, name) == 0) && sha256_end(h, digest) == 0;
    sha256_free(h);
    if (good)
        memcpy(ret_key, digest, KEY_SIZE);
    return good;
}

/* The entry of that key, or, with `make`, a free place or that which failed longest ago. */
static struct entry *look(struct throttle *t, const unsigned char key[KEY_SIZE], uint64_t now,
                          bool make)
{
    struct entry *spare = &t->list[0];
    for (size_t i = 0; i < ENTRIES; i++) {
        struct entry *e = &t->list[i];
        if (e->failures && now > e->last + FORGET_MS)
            e->failures = 0;
        if (e->failures && memcmp(e->key, key, KEY_SIZE) == 0)
            return e;
        if (spare->failures && (!e->failures || e->last < spare->last))
            spare = e;
    }
    if (!make)
        return NULL;
    *spare = (struct entry){.last = now};
    memcpy(spare->key, key, KEY_SIZE);
    return spare;
}

unsigned throttle_wait(struct throttle *t, struct span name, struct span address, uint64_t now)
{
    uint64_t until = now;
    pthread_mutex_lock(&t->lock);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        unsigned char key[KEY_SIZE];
        const struct entry *e = key_of(kind, name, address, key) ? look(t, key, now, false) : NULL;
        if (e && e->until > until)
            until = e->until;
    }
    pthread_mutex_unlock(&t->lock);
    return (unsigned)((until - now + 999) / 1000);
}

static bool count(struct throttle *t, enum kind kind, const unsigned char key[KEY_SIZE],
                  uint64_t now)
{
    struct entry *e = look(t, key, now, true);
    e->failures++;
    e->last = now;
    if (e->failures <= limits[kind].free)
        return false;
    unsigned over = e->failures - limits[kind].free;
    unsigned wait_s = over > 16 ? limits[kind].cap_s : 1u << (over - 1);
    if (wait_s > limits[kind].cap_s)
        wait_s = limits[kind].cap_s;
    e->until = now + wait_s * (uint64_t)1000;
    return over == 1;
}

bool throttle_failed(struct throttle *t, struct span name, struct span address, uint64_t now)
{
    bool began = false;
    pthread_mutex_lock(&t->lock);
    for (enum kind kind = 0; kind < KINDS; kind++) {
        unsigned char key[KEY_SIZE];
        if (counts(kind, address) && key_of(kind, name, address, key))
            began = count(t, kind, key, now) || began;
    }
    pthread_mutex_unlock(&t->lock);
    return began;
}

void throttle_good(struct throttle *t, struct span name, struct span address)
{
    unsigned char key[KEY_SIZE];
    pthread_mutex_lock(&t->lock);
    struct entry *e = key_of(PAIR, name, address, key) ? look(t, key, 0, false) : NULL;
    if (e)
        e->failures = 0;
    pthread_mutex_unlock(&t->lock);
}
