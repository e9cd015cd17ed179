#include "console/sessions.h"

#include "base/codec.h"
#include "crypto/secret.h"
#include "crypto/sha256.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

struct entry {
    unsigned char id[SHA256_SIZE];
    uint64_t begun, used;
    struct session session;
};

struct sessions {
    pthread_mutex_t lock;
    uint64_t idle_ms, life_ms;
    size_t count;
    struct entry list[SESSIONS_MAX];
};

struct sessions *sessions_new(void)
{
    struct sessions *s = calloc(1, sizeof(*s));
    if (!s)
        return NULL;
    pthread_mutex_init(&s->lock, NULL);
    s->idle_ms = 30 * 60000;
    s->life_ms = 12 * 3600000;
    return s;
}

void sessions_free(struct sessions *s)
{
    if (!s)
        return;
    pthread_mutex_destroy(&s->lock);
    secret_cleanse(s, sizeof(*s));
    free(s);
}

void sessions_set_times(struct sessions *s, uint64_t idle_ms, uint64_t life_ms)
{
    pthread_mutex_lock(&s->lock);
    s->idle_ms = idle_ms;
    s->life_ms = life_ms;
    pthread_mutex_unlock(&s->lock);
}

static void drop(struct sessions *s, struct entry *e)
{
    struct entry *last = &s->list[--s->count];
    if (e != last)
        *e = *last;
    secret_cleanse(last, sizeof(*last));
}

static bool is_over(const struct sessions *s, const struct entry *e, uint64_t now)
{
    /* Threads read the clock before they get here: `now` may lie a little back. */
    return now >= e->used + s->idle_ms || now >= e->begun + s->life_ms;
}

/* Makes room: what is over goes, then his longest unused one, then anybody's. */
static void make_room(struct sessions *s, const char *name, uint64_t now)
{
    size_t his = 0;
    struct entry *oldest = NULL, *his_oldest = NULL;
    for (size_t i = 0; i < s->count;) {
        struct entry *e = &s->list[i];
        if (is_over(s, e, now)) {
            drop(s, e);
            continue;
        }
        if (!oldest || e->used < oldest->used)
            oldest = e;
        if (strcmp(e->session.name, name) == 0) {
            his++;
            if (!his_oldest || e->used < his_oldest->used)
                his_oldest = e;
        }
        i++;
    }
    if (his >= SESSIONS_EACH)
        drop(s, his_oldest);
    else if (s->count == SESSIONS_MAX)
        drop(s, oldest);
}

int sessions_begin(struct sessions *s, const struct account *a, uint64_t now,
                   char ret_id[SESSION_ID_SIZE])
{
    unsigned char id[32], token[16];
    struct entry e = {.begun = now, .used = now, .session.epoch = a->epoch};
    if (secret_random(id, sizeof(id)) < 0 || secret_random(token, sizeof(token)) < 0)
        return -EIO;
    codec_hex(span_from((const char *)id, sizeof(id)), ret_id);
    codec_hex(span_from((const char *)token, sizeof(token)), e.session.token);
    memcpy(e.session.name, a->name, sizeof(e.session.name));
    int r = sha256_once(span_from(ret_id, SESSION_ID_SIZE - 1), e.id);
    if (r == 0) {
        pthread_mutex_lock(&s->lock);
        make_room(s, a->name, now);
        s->list[s->count++] = e;
        pthread_mutex_unlock(&s->lock);
    }
    secret_cleanse(id, sizeof(id));
    secret_cleanse(&e, sizeof(e));
    return r;
}

/* Under the lock. All are compared by their digests: the time tells nothing about an id. */
static struct entry *look(struct sessions *s, struct span id)
{
    unsigned char digest[SHA256_SIZE];
    if (id.len != SESSION_ID_SIZE - 1 || sha256_once(id, digest) < 0)
        return NULL;
    for (size_t i = 0; i < s->count; i++)
        if (memcmp(s->list[i].id, digest, sizeof(digest)) == 0)
            return &s->list[i];
    return NULL;
}

bool sessions_find(struct sessions *s, struct span id, uint64_t now, bool use,
                   struct session *ret_session)
{
    pthread_mutex_lock(&s->lock);
    struct entry *e = look(s, id);
    if (e && is_over(s, e, now)) {
        drop(s, e);
        e = NULL;
    }
    if (e) {
        if (use)
            e->used = now;
        *ret_session = e->session;
    }
    pthread_mutex_unlock(&s->lock);
    return e != NULL;
}

void sessions_end(struct sessions *s, struct span id)
{
    pthread_mutex_lock(&s->lock);
    struct entry *e = look(s, id);
    if (e)
        drop(s, e);
    pthread_mutex_unlock(&s->lock);
}

void sessions_keep_secret(struct sessions *s, struct span id, const unsigned char *secret)
{
    pthread_mutex_lock(&s->lock);
    struct entry *e = look(s, id);
    if (e) {
        e->session.has_secret = secret != NULL;
        if (secret)
            memcpy(e->session.secret, secret, OTP_SECRET_SIZE);
        else
            secret_cleanse(e->session.secret, OTP_SECRET_SIZE);
    }
    pthread_mutex_unlock(&s->lock);
}
