#include "access/limiter.h"

#include "access/limiterfile.h"

#include <stdlib.h>

#define MINUTE_MS     60000
#define CONCURRENT_MS 1000 /* until one may have ended: nobody knows */
#define KEYS_MAX      8192 /* more than there can be in force */

struct limiter *limiter_new(void)
{
    struct limiter *l = calloc(1, sizeof(*l));
    if (l)
        pthread_mutex_init(&l->lock, NULL);
    return l;
}

void limiter_free(struct limiter *l)
{
    if (!l)
        return;
    for (struct limit_app *a = l->apps, *next; a; a = next) {
        next = a->next;
        subjects_deinit(&a->keys);
        subjects_deinit(&a->end_users);
        pthread_mutex_destroy(&a->lock);
        free(a);
    }
    pthread_mutex_destroy(&l->lock);
    free(l);
}

static struct limit_app *find_app(struct limiter *l, struct span name)
{
    for (struct limit_app *a = l->apps; a; a = a->next)
        if (span_eq(span_str(a->name), name))
            return a;
    struct limit_app *a = name.len < sizeof(a->name) ? calloc(1, sizeof(*a)) : NULL;
    if (!a)
        return NULL;
    memcpy(a->name, name.data, name.len);
    a->limiter = l;
    pthread_mutex_init(&a->lock, NULL);
    subjects_init(&a->keys);
    subjects_init(&a->end_users);
    a->next = l->apps;
    l->apps = a;
    return a;
}

struct limit_app *limiter_app(struct limiter *l, struct span name)
{
    pthread_mutex_lock(&l->lock);
    struct limit_app *a = find_app(l, name);
    pthread_mutex_unlock(&l->lock);
    return a;
}

uint64_t limiter_forgotten(const struct limiter *l)
{
    struct limiter *own = (struct limiter *)l; /* locks are no part of what it says */
    uint64_t n = 0;
    pthread_mutex_lock(&own->lock);
    for (struct limit_app *a = own->apps; a; a = a->next) {
        pthread_mutex_lock(&a->lock);
        n += a->end_users.forgotten;
        pthread_mutex_unlock(&a->lock);
    }
    pthread_mutex_unlock(&own->lock);
    return n;
}

/* --- one subject --- */

static uint64_t day_left_ms(int64_t wall_s)
{
    return (uint64_t)(LIMIT_DAY_S - (wall_s + LIMIT_CHINA_S) % LIMIT_DAY_S) * 1000;
}

static uint64_t minute_left_ms(const struct limit_counter *c, struct limit_time now)
{
    return c->counting ? c->minute_ms + MINUTE_MS - now.mono_ms : 0;
}

/* What is over begins anew. A clock that is set back a little doesn't give a day twice. */
static void roll(struct limit_counter *c, struct limit_time now)
{
    int64_t day = limit_day(now.wall_s);
    if (c->counting && now.mono_ms >= c->minute_ms + MINUTE_MS) {
        c->counting = false;
        c->minute_requests = c->minute_tokens = 0;
    }
    if (day > c->day || day < c->day - 1) {
        c->day = day;
        c->day_requests = c->day_tokens = 0;
    }
}

static void open_minute(struct limit_counter *c, struct limit_time now)
{
    if (c->counting)
        return;
    c->counting = true;
    c->minute_ms = now.mono_ms;
}

/* --- the limits of one subject --- */

struct check {
    struct limit_time now;
    size_t tokens;
    struct limit_verdict *verdict;
    struct limit_counter *refused; /* the one that has to wait longest */
};

static void refuse(struct check *k, struct limit_counter *c, enum limit_scope scope,
                   enum limit_kind kind, bool day, uint64_t wait_ms)
{
    if (k->refused && wait_ms <= k->verdict->wait_ms)
        return;
    k->refused = c;
    k->verdict->kind = kind;
    k->verdict->scope = scope;
    k->verdict->day = day;
    k->verdict->wait_ms = wait_ms;
}

static void check(struct check *k, struct limit_counter *c, enum limit_scope scope,
                  const struct config_rates *r)
{
    uint64_t minute = minute_left_ms(c, k->now), day = day_left_ms(k->now.wall_s);
    if (r->minute_requests && c->minute_requests >= r->minute_requests)
        refuse(k, c, scope, LIMIT_REQUESTS, false, minute);
    if (r->day_requests && c->day_requests >= r->day_requests)
        refuse(k, c, scope, LIMIT_REQUESTS, true, day);
    if (r->minute_tokens && c->minute_tokens && c->minute_tokens + k->tokens > r->minute_tokens)
        refuse(k, c, scope, LIMIT_TOKENS, false, minute);
    if (r->day_tokens && c->day_tokens && c->day_tokens + k->tokens > r->day_tokens)
        refuse(k, c, scope, LIMIT_TOKENS, true, day);
    if (r->concurrent && c->running >= r->concurrent)
        refuse(k, c, scope, LIMIT_CONCURRENT, false, CONCURRENT_MS);
}

static void measure(struct limit_gauge *g, size_t limit, size_t used, uint64_t reset_ms)
{
    size_t left = used < limit ? limit - used : 0;
    if (limit == 0 ||
        (g->limit && (left > g->remaining || (left == g->remaining && reset_ms <= g->reset_ms))))
        return;
    *g = (struct limit_gauge){limit, left, reset_ms};
}

static void measure_all(const struct check *k, const struct limit_counter *c,
                        const struct config_rates *r)
{
    uint64_t minute = minute_left_ms(c, k->now), day = day_left_ms(k->now.wall_s);
    measure(&k->verdict->requests, r->minute_requests, c->minute_requests, minute);
    measure(&k->verdict->requests, r->day_requests, c->day_requests, day);
    measure(&k->verdict->tokens, r->minute_tokens, c->minute_tokens, minute);
    measure(&k->verdict->tokens, r->day_tokens, c->day_tokens, day);
}

/* --- a request --- */

static const struct config_rates *rates_of(const struct config_app_limits *l,
                                           enum limit_scope scope)
{
    return scope == LIMIT_APP ? &l->app : scope == LIMIT_KEY ? &l->key : &l->end_user;
}

/*
 * The counters that the request counts in; NULL where nothing is limited, and for one that is not
 * there yet when it is only asked about. False when there is no room for one.
 */
static bool find_counters(struct limit_app *app, const struct limit_ask *ask, bool make,
                          struct limit_counter *ret[LIMIT_SCOPES])
{
    const struct config_app_limits *l = ask->limits;
    struct subject *key = NULL, *user = NULL;
    bool keys = config_has_rates(&l->key) && ask->key.len;
    bool users = config_has_rates(&l->end_user);
    if (keys)
        key = make ? subjects_get(&app->keys, ask->key, KEYS_MAX)
                   : subjects_find(&app->keys, ask->key);
    if (users)
        user = make ? subjects_get(&app->end_users, ask->end_user, l->end_users)
                    : subjects_find(&app->end_users, ask->end_user);
    ret[LIMIT_APP] = config_has_rates(&l->app) ? &app->all : NULL;
    ret[LIMIT_KEY] = key ? &key->counter : NULL;
    ret[LIMIT_END_USER] = user ? &user->counter : NULL;
    return !make || ((!keys || key) && (!users || user));
}

static struct subjects *subjects_of(struct limit_app *app, enum limit_scope scope)
{
    return scope == LIMIT_KEY ? &app->keys : scope == LIMIT_END_USER ? &app->end_users : NULL;
}

static void take(struct limit_app *app, const struct limit_ask *ask, enum limit_scope scope,
                 struct limit_counter *c, struct limit_hold *hold)
{
    open_minute(c, ask->now);
    c->minute_requests++;
    c->day_requests++;
    c->minute_tokens += ask->tokens;
    c->day_tokens += ask->tokens;
    if (c->running++ == 0 && scope != LIMIT_APP)
        subjects_busy(subjects_of(app, scope), (struct subject *)c);
    hold->counters[scope] = c;
    hold->minutes[scope] = c->minute_ms;
    hold->days[scope] = c->day;
}

static bool acquire(struct limit_app *app, const struct limit_ask *ask, struct limit_hold *hold,
                    struct limit_verdict *verdict)
{
    struct limit_counter *counters[LIMIT_SCOPES];
    struct check k = {.now = ask->now, .tokens = ask->tokens, .verdict = verdict};
    if (!find_counters(app, ask, hold != NULL, counters)) {
        *verdict = (struct limit_verdict){
            .kind = LIMIT_MEMORY, .scope = LIMIT_END_USER, .wait_ms = CONCURRENT_MS};
        return false;
    }
    for (enum limit_scope s = 0; s < LIMIT_SCOPES; s++) {
        const struct config_rates *r = rates_of(ask->limits, s);
        if (!counters[s])
            continue;
        app->days[s] = app->days[s] || r->day_requests || r->day_tokens;
        roll(counters[s], ask->now);
        check(&k, counters[s], s, r);
    }
    for (enum limit_scope s = 0; s < LIMIT_SCOPES; s++) {
        if (!counters[s])
            continue;
        if (hold && !k.refused)
            take(app, ask, s, counters[s], hold);
        measure_all(&k, counters[s], rates_of(ask->limits, s));
    }
    if (k.refused) {
        struct limit_counter *c = k.refused;
        verdict->first = !c->told || ask->now.mono_ms >= c->told_ms + MINUTE_MS;
        if (verdict->first) {
            c->told = true;
            c->told_ms = ask->now.mono_ms;
        }
        return false;
    }
    if (hold) {
        hold->app = app;
        hold->tokens = ask->tokens;
    }
    return true;
}

bool limiter_acquire(struct limit_app *app, const struct limit_ask *ask, struct limit_hold *hold,
                     struct limit_verdict *ret_verdict)
{
    *ret_verdict = (struct limit_verdict){0};
    if (hold)
        *hold = (struct limit_hold){0};
    pthread_mutex_lock(&app->lock);
    bool let = acquire(app, ask, hold, ret_verdict);
    pthread_mutex_unlock(&app->lock);
    if (let && hold)
        atomic_store_explicit(&app->limiter->changed, true, memory_order_relaxed);
    return let;
}

/* What was estimated becomes what it was; behind the end of its time only what is missing counts.
 */
static size_t settled(size_t used, bool same, size_t estimate, size_t tokens)
{
    if (same)
        return used - estimate + tokens;
    return tokens > estimate ? used + tokens - estimate : used;
}

static void give_back(struct limit_hold *h, enum limit_scope scope, size_t tokens,
                      struct limit_time now)
{
    struct limit_counter *c = h->counters[scope];
    if (!c)
        return;
    roll(c, now);
    bool minute = c->counting && c->minute_ms == h->minutes[scope];
    c->minute_tokens = settled(c->minute_tokens, minute, h->tokens, tokens);
    c->day_tokens = settled(c->day_tokens, c->day == h->days[scope], h->tokens, tokens);
    if (c->minute_tokens)
        open_minute(c, now);
    if (--c->running == 0 && scope != LIMIT_APP)
        subjects_idle(subjects_of(h->app, scope), (struct subject *)c);
}

void limiter_release(struct limit_hold *hold, size_t tokens, struct limit_time now)
{
    struct limit_app *app = hold->app;
    if (!app)
        return;
    pthread_mutex_lock(&app->lock);
    for (enum limit_scope s = 0; s < LIMIT_SCOPES; s++)
        give_back(hold, s, tokens, now);
    pthread_mutex_unlock(&app->lock);
    atomic_store_explicit(&app->limiter->changed, true, memory_order_relaxed);
    *hold = (struct limit_hold){0};
}
