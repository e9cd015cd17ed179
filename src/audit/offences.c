#include "audit/offences.h"

#include "audit/sealed.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

/* As in the file. All bytes, so that it has no padding and any alignment. */
struct entry_bytes {
    unsigned char code[AUDIT_OFFENCE_SIZE];
    unsigned char told;
    unsigned char zero[3];
};
_Static_assert(sizeof(struct entry_bytes) == 24, "the file's entries have a fixed size");
_Static_assert(sizeof(struct audit_offence) == AUDIT_OFFENCE_SIZE + 1, "any alignment will do");

#define NONE UINT32_MAX

struct slot {
    unsigned char code[AUDIT_OFFENCE_SIZE];
    bool told;
    uint32_t next; /* of the same bucket, or NONE */
};

struct offences {
    pthread_mutex_t lock; /* of the table, held for a few instructions */
    struct slot *slots;   /* a ring: the oldest is at `first` */
    size_t max, first, count;
    uint32_t *buckets;
    size_t mask;

    struct sealed file; /* the writer's */
};

/* --- the table --- */

static uint32_t *bucket_of(const struct offences *o, const unsigned char *code)
{
    uint32_t start; /* a keyed code's bits are as good as any hash's */
    memcpy(&start, code, sizeof(start));
    return &o->buckets[start & o->mask];
}

static struct slot *find(const struct offences *o, const unsigned char *code)
{
    for (uint32_t i = *bucket_of(o, code); i != NONE; i = o->slots[i].next)
        if (memcmp(o->slots[i].code, code, AUDIT_OFFENCE_SIZE) == 0)
            return &o->slots[i];
    return NULL;
}

static void drop_oldest(struct offences *o)
{
    uint32_t *link = bucket_of(o, o->slots[o->first].code);
    while (*link != o->first)
        link = &o->slots[*link].next;
    *link = o->slots[o->first].next;
    o->first = (o->first + 1) % o->max;
    o->count--;
}

/* True when the table knows more than before. */
static bool insert(struct offences *o, const unsigned char *code, bool told)
{
    struct slot *known = find(o, code);
    if (known) {
        bool news = told && !known->told;
        known->told = known->told || told;
        return news;
    }
    if (o->count == o->max)
        drop_oldest(o);
    uint32_t at = (uint32_t)((o->first + o->count++) % o->max), *bucket = bucket_of(o, code);
    struct slot *s = &o->slots[at];
    memcpy(s->code, code, AUDIT_OFFENCE_SIZE);
    s->told = told;
    s->next = *bucket;
    *bucket = at;
    return true;
}

static int make_table(struct offences *o, size_t max)
{
    size_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    o->max = max;
    o->mask = buckets - 1;
    o->slots = calloc(max, sizeof(*o->slots));
    o->buckets = malloc(buckets * sizeof(*o->buckets));
    if (!o->slots || !o->buckets)
        return -ENOMEM;
    memset(o->buckets, 0xff, buckets * sizeof(*o->buckets));
    return 0;
}

enum audit_memory offences_find(struct offences *o, const unsigned char code[AUDIT_OFFENCE_SIZE])
{
    pthread_mutex_lock(&o->lock);
    const struct slot *s = find(o, code);
    enum audit_memory m = !s ? AUDIT_UNKNOWN : s->told ? AUDIT_TOLD : AUDIT_REMEMBERED;
    pthread_mutex_unlock(&o->lock);
    return m;
}

size_t offences_count(const struct offences *o)
{
    return o->count;
}

/* --- codes --- */

static int add_sized(struct hmac *h, struct span s)
{
    unsigned char len[8];
    for (int i = 0; i < 8; i++)
        len[i] = (unsigned char)((uint64_t)s.len >> 8 * i);
    int r = hmac_add(h, span_from((const char *)len, sizeof(len)));
    return r < 0 ? r : hmac_add(h, s);
}

int offences_code(const struct offences *o, const struct audit_offence_key *key,
                  unsigned char ret_code[AUDIT_OFFENCE_SIZE])
{
    unsigned char mac[HMAC_SIZE];
    struct hmac *h = hmac_new(span_from((const char *)o->file.key, SEALED_KEY_SIZE));
    if (!h)
        return -ENOMEM;
    int r = hmac_begin(h);
    if (r == 0)
        r = hmac_add(h, SPAN_LIT("juyong.offence.v1\0"));
    const struct span *const parts[] = {&key->app, &key->end_user, &key->role, &key->rule,
                                        &key->text};
    for (size_t i = 0; i < sizeof(parts) / sizeof(*parts) && r == 0; i++)
        r = add_sized(h, *parts[i]);
    if (r == 0)
        r = hmac_end(h, mac);
    hmac_free(h);
    if (r == 0)
        memcpy(ret_code, mac, AUDIT_OFFENCE_SIZE);
    return r;
}

/* --- the file --- */

static struct entry_bytes entry_of(const unsigned char *code, bool told)
{
    struct entry_bytes e = {.told = told};
    memcpy(e.code, code, AUDIT_OFFENCE_SIZE);
    return e;
}

/* Entries beyond which it is written anew, so that it stays in proportion to the table. */
static size_t ceiling(const struct offences *o)
{
    return 2 * o->max + 1024;
}

/* What the table holds, as a new file in place of the old one. */
static int write_anew(struct offences *o)
{
    struct entry_bytes *all = malloc((o->count + 1) * sizeof(*all));
    if (!all)
        return -ENOMEM;
    for (size_t i = 0; i < o->count; i++) {
        const struct slot *s = &o->slots[(o->first + i) % o->max];
        all[i] = entry_of(s->code, s->told);
    }
    int r = sealed_replace(&o->file, all, o->count);
    free(all);
    return r;
}

void offences_add(struct offences *o, struct span list, bool keep)
{
    struct audit_offence f;
    for (; list.len >= sizeof(f); list = span_slice(list, sizeof(f), list.len)) {
        memcpy(&f, list.data, sizeof(f));
        pthread_mutex_lock(&o->lock);
        bool news = insert(o, f.code, f.told);
        pthread_mutex_unlock(&o->lock);
        struct entry_bytes e = entry_of(f.code, f.told);
        if (news && (!keep || sealed_add(&o->file, &e) < 0))
            o->file.stale = true;
    }
}

int offences_sync(struct offences *o)
{
    bool stale = o->file.stale;
    if (!stale && o->file.fresh.len == 0)
        return 0;
    int r = stale || o->file.written > ceiling(o) ? write_anew(o) : sealed_sync(&o->file);
    if (r == 0)
        return 0;
    if (!stale)
        log_warning("audit: %s can't be written: %s; offences are remembered in memory only, one "
                    "that comes back after a restart counts as new",
                    o->file.path, strerror(-r));
    o->file.stale = true;
    buf_clear(&o->file.fresh);
    return r;
}

static void read_entry(void *ctx, const void *bytes)
{
    struct entry_bytes e;
    memcpy(&e, bytes, sizeof(e));
    insert(ctx, e.code, e.told == 1);
}

int offences_open(struct span state_dir, size_t max, struct offences **ret_offences)
{
    struct offences *o = calloc(1, sizeof(*o));
    if (!o)
        return -ENOMEM;
    pthread_mutex_init(&o->lock, NULL);
    o->file.fd = o->file.lock_fd = -1;
    struct sealed_options options = {
        .dir = state_dir,
        .name = "offences.bin",
        .aside = "offences.bad",
        .key_name = "keys/offence.key",
        .magic = SPAN_LIT("juyong.offence1\n"),
        .domain = SPAN_LIT("juyong.offence.entry.v1\0"),
        .entry_size = sizeof(struct entry_bytes),
        .seal_size = 8,
        .entry = read_entry,
        .ctx = o,
    };
    int r = make_table(o, max);
    if (r == 0)
        r = sealed_open(&options, &o->file);
    /* More than the table holds, damaged or not there: begun anew. */
    if (r == 0 && (o->file.stale || o->file.written > o->max))
        r = write_anew(o);
    if (r < 0) {
        log_error("audit: the offences in %.*s can't be used: %s", SPAN_ARG(state_dir),
                  r == -EBUSY ? "another process uses them" : strerror(-r));
        offences_close(o);
        return r;
    }
    *ret_offences = o;
    return 0;
}

void offences_close(struct offences *o)
{
    if (!o)
        return;
    sealed_close(&o->file);
    free(o->slots);
    free(o->buckets);
    pthread_mutex_destroy(&o->lock);
    free(o);
}
