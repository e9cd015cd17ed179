#include "audit/strikes.h"

#include "audit/sealed.h"
#include "base/codec.h"
#include "base/list.h"
#include "base/log.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>

#define CHINA_SECONDS (8 * 3600) /* ahead of UTC, no summer time */
#define DAY_SECONDS   86400
#define DOMAIN        SPAN_LIT("juyong.strikes1\n")

_Static_assert(sizeof(struct strike_entry) == 32 + STRIKE_APP_SIZE + 24 + 24, "no padding");

struct slot {
    struct list link;                /* free, or in the order of change */
    struct slot *next;               /* of the same bucket */
    struct strike_entry live, saved; /* saved.app empty: nothing was */
    bool reverted;                   /* live is older than what may yet be saved */
    int64_t turn;                    /* a limited user's last prompt */
};

struct strikes {
    pthread_mutex_t lock;
    struct slot *slots, **buckets;
    size_t max, mask;
    size_t touched; /* slots that were ever used; memory of the others costs nothing */
    struct list unused, held, suspended; /* the latter two: the longest unchanged first */

    /* The writer's. */
    struct sealed file;
    bool complained;
};

const char *strike_state_name(enum strike_state s)
{
    static const char *const names[STRIKE_STATES] = {"clear", "warn", "limit", "suspend"};
    return names[s];
}

/* --- entries --- */

bool strike_entry_init(struct strike_entry *e, struct span app, struct span end_user)
{
    *e = (struct strike_entry){0};
    if (app.len == 0 || app.len > sizeof(e->app) ||
        !codec_unhex(end_user, e->end_user, sizeof(e->end_user)))
        return false;
    memcpy(e->app, app.data, app.len);
    return true;
}

struct span strike_entry_app(const struct strike_entry *e)
{
    return span_from(e->app, strnlen(e->app, sizeof(e->app)));
}

static int32_t day_of(int64_t now)
{
    return (int32_t)((now + CHINA_SECONDS) / DAY_SECONDS);
}

/* A clock that was set back does not give the day's strikes back. */
static void roll(struct strike_entry *e, int64_t now)
{
    if (day_of(now) > e->day) {
        e->day = day_of(now);
        e->today = 0;
    }
}

unsigned strike_today(const struct strike_entry *e, int64_t now)
{
    return day_of(now) > e->day ? 0 : e->today;
}

static bool is_reached(unsigned count, unsigned number)
{
    return number && count >= number;
}

/* No later than for ever. */
static int64_t after(int64_t now, int64_t seconds)
{
    return seconds > STRIKE_FOREVER - now ? STRIKE_FOREVER : now + seconds;
}

void strike_count(struct strike_entry *e, const struct strike_rules *rules, int64_t now)
{
    roll(e, now);
    /* Who has served a suspension begins a new row. */
    if (e->suspended_until && e->suspended_until <= now) {
        e->suspended_until = 0;
        e->consecutive = 0;
        e->flags = 0;
    }
    e->consecutive++;
    e->today++;
    e->total++;
    e->last = now;
    if (is_reached(e->consecutive, rules->consecutive) || is_reached(e->today, rules->per_day))
        e->suspended_until = after(now, rules->suspend_s);
    else if (is_reached(e->consecutive, rules->limit_consecutive) ||
             is_reached(e->today, rules->limit_per_day))
        e->limited_until = after(now, rules->limit_s);
}

bool strike_pass(struct strike_entry *e, int64_t now)
{
    if (e->consecutive == 0)
        return false;
    roll(e, now);
    e->consecutive = 0;
    return true;
}

void strike_lift(struct strike_entry *e, int64_t now)
{
    roll(e, now);
    e->suspended_until = e->limited_until = 0;
    e->today = e->consecutive = e->flags = 0;
    e->last = now;
}

void strike_suspend(struct strike_entry *e, int64_t now, int64_t until)
{
    roll(e, now);
    e->suspended_until = until;
    e->flags = STRIKE_BY_HAND;
    e->last = now;
}

void strike_appeal(struct strike_entry *e, int64_t now, bool open)
{
    e->flags = open ? e->flags | STRIKE_APPEALED : e->flags & ~STRIKE_APPEALED;
    e->last = now;
}

enum strike_state strike_state_at(const struct strike_entry *e, int64_t now, int64_t *ret_until)
{
    *ret_until = 0;
    if (e->suspended_until > now || e->limited_until > now) {
        bool suspended = e->suspended_until > now;
        *ret_until = suspended ? e->suspended_until : e->limited_until;
        return suspended ? STRIKE_SUSPEND : STRIKE_LIMIT;
    }
    bool served = e->suspended_until != 0; /* its row is over */
    return strike_today(e, now) || (e->consecutive && !served) ? STRIKE_WARN : STRIKE_CLEAR;
}

/* --- the table --- */

static bool is_same(const struct strike_entry *a, const struct strike_entry *b)
{
    return memcmp(a->end_user, b->end_user, sizeof(a->end_user)) == 0 &&
           memcmp(a->app, b->app, sizeof(a->app)) == 0;
}

static struct slot **bucket_of(const struct strikes *t, const struct strike_entry *e)
{
    uint64_t start; /* a keyed hash's bits are as good as any hash's; few users have two apps */
    memcpy(&start, e->end_user, sizeof(start));
    return &t->buckets[start & t->mask];
}

static struct slot *find(const struct strikes *t, const struct strike_entry *e)
{
    for (struct slot *s = *bucket_of(t, e); s; s = s->next)
        if (is_same(&s->live, e))
            return s;
    return NULL;
}

static void drop(struct strikes *t, struct slot *s)
{
    struct slot **link = bucket_of(t, &s->live);
    while (*link != s)
        link = &(*link)->next;
    *link = s->next;
    list_remove(&s->link);
    *s = (struct slot){0};
    list_append(&t->unused, &s->link);
}

static struct slot *take(struct strikes *t, const struct strike_entry *e)
{
    struct slot *s = find(t, e);
    if (s) {
        list_remove(&s->link);
        return s;
    }
    if (list_empty(&t->unused) && t->touched < t->max) {
        s = &t->slots[t->touched++];
    } else {
        if (list_empty(&t->unused))
            drop(t, list_entry(list_empty(&t->held) ? t->suspended.next : t->held.next, struct slot,
                               link));
        s = list_entry(t->unused.next, struct slot, link);
        list_remove(&s->link);
    }
    s->next = *bucket_of(t, e);
    *bucket_of(t, e) = s;
    return s;
}

void strikes_put(struct strikes *t, const struct strike_entry *e)
{
    struct slot *s = take(t, e);
    s->live = *e;
    s->reverted = false;
    /* By what is written, not by the time: who was suspended is the last to be forgotten. */
    list_append(e->suspended_until ? &t->suspended : &t->held, &s->link);
}

bool strikes_find(const struct strikes *t, struct strike_entry *e)
{
    const struct slot *s = find(t, e);
    if (s)
        *e = s->live;
    return s != NULL;
}

int64_t strikes_take_turn(struct strikes *t, const struct strike_entry *e, int64_t pace_s,
                          int64_t now)
{
    struct slot *s = find(t, e);
    /* A clock that was set back must not keep him waiting for long. */
    if (s && now >= s->turn && now - s->turn < pace_s)
        return pace_s - (now - s->turn);
    if (s)
        s->turn = now;
    return 0;
}

void strikes_each(const struct strikes *t, void (*fn)(void *ctx, const struct strike_entry *e),
                  void *ctx)
{
    const struct list *const lists[] = {&t->held, &t->suspended};
    for (int i = 0; i < 2; i++)
        list_for_each (e, lists[i])
            fn(ctx, &list_entry(e, struct slot, link)->live);
}

void strikes_lock(struct strikes *t)
{
    pthread_mutex_lock(&t->lock);
}

void strikes_unlock(struct strikes *t)
{
    pthread_mutex_unlock(&t->lock);
}

/* --- the writer's side --- */

void strikes_save(struct strikes *t, struct span entry)
{
    struct strike_entry e;
    memcpy(&e, entry.data, sizeof(e));
    strikes_lock(t);
    struct slot *s = find(t, &e);
    /* An earlier event's failure took this one's change back with its own, or the whole slot. */
    if (!s || s->reverted) {
        strikes_put(t, &e);
        s = find(t, &e);
    }
    s->saved = e;
    strikes_unlock(t);
    if (sealed_add(&t->file, &e) < 0)
        t->file.stale = true;
}

void strikes_revert(struct strikes *t, struct span entry)
{
    struct strike_entry e;
    memcpy(&e, entry.data, sizeof(e));
    strikes_lock(t);
    struct slot *s = find(t, &e);
    if (s && s->saved.app[0]) {
        e = s->saved;
        strikes_put(t, &e);
        s->reverted = true;
    } else if (s) {
        drop(t, s);
    }
    strikes_unlock(t);
}

struct collection {
    struct strike_entry *list;
    size_t count;
};

static void collect(const struct list *from, struct collection *c)
{
    list_for_each (e, from) {
        const struct slot *s = list_entry(e, struct slot, link);
        if (s->saved.app[0])
            c->list[c->count++] = s->saved;
    }
}

/* What is on record, not what is on its way there. */
static int write_anew(struct strikes *t)
{
    struct collection c = {calloc(t->max, sizeof(*c.list)), 0};
    if (!c.list)
        return -ENOMEM;
    strikes_lock(t);
    collect(&t->held, &c);
    collect(&t->suspended, &c);
    strikes_unlock(t);
    int r = sealed_replace(&t->file, c.list, c.count);
    free(c.list);
    return r;
}

int strikes_sync(struct strikes *t)
{
    if (!t->file.stale && t->file.fresh.len == 0)
        return 0;
    /* In proportion to the table, so that reading it stays quick. */
    bool anew = t->file.stale || t->file.written > 2 * t->max + 1024;
    int r = anew ? write_anew(t) : sealed_sync(&t->file);
    if (r < 0 && !t->complained)
        log_warning("audit: %s can't be written: %s; strikes are remembered in memory only",
                    t->file.path, strerror(-r));
    t->complained = r < 0;
    if (r < 0)
        t->file.stale = true;
    return r;
}

/* --- opening --- */

static void read_entry(void *ctx, const void *bytes)
{
    struct strikes *t = ctx;
    struct strike_entry e;
    memcpy(&e, bytes, sizeof(e));
    if (e.app[0] == '\0')
        return;
    strikes_put(t, &e);
    find(t, &e)->saved = e;
}

static int make_table(struct strikes *t, size_t max)
{
    size_t buckets = 16;
    while (buckets < max)
        buckets *= 2;
    t->max = max;
    t->mask = buckets - 1;
    t->slots = calloc(max, sizeof(*t->slots));
    t->buckets = calloc(buckets, sizeof(struct slot *));
    return t->slots && t->buckets ? 0 : -ENOMEM;
}

int strikes_open(struct span state_dir, size_t max, bool readonly, struct strikes **ret_strikes)
{
    struct strikes *t = calloc(1, sizeof(*t));
    if (!t)
        return -ENOMEM;
    pthread_mutex_init(&t->lock, NULL);
    list_init(&t->unused);
    list_init(&t->held);
    list_init(&t->suspended);
    t->file.fd = t->file.lock_fd = -1;
    struct sealed_options o = {
        .dir = state_dir,
        .name = "strikes.bin",
        .key_name = "keys/strike.key",
        .aside = "strikes.bin.bad",
        .magic = span_slice(DOMAIN, 0, SEALED_MAGIC_LEN),
        .domain = DOMAIN,
        .entry_size = sizeof(struct strike_entry),
        .seal_size = SEALED_MAX,
        .readonly = readonly,
        .entry = read_entry,
        .ctx = t,
    };
    int r = make_table(t, max);
    if (r == 0)
        r = sealed_open(&o, &t->file);
    /* More than the table holds, damaged or not there: begun anew. */
    if (r == 0 && !readonly && (t->file.stale || t->file.written > t->max))
        r = write_anew(t);
    if (r < 0) {
        if (!readonly || r != -ENOENT)
            log_error("audit: the strikes in %.*s can't be used: %s", SPAN_ARG(state_dir),
                      r == -EBUSY ? "another process uses them" : strerror(-r));
        strikes_close(t);
        return r;
    }
    *ret_strikes = t;
    return 0;
}

void strikes_close(struct strikes *t)
{
    if (!t)
        return;
    sealed_close(&t->file);
    pthread_mutex_destroy(&t->lock);
    free(t->slots);
    free(t->buckets);
    free(t);
}
