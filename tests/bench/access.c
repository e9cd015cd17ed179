/*
 * What it costs to know and count who asks, alone: the key, the end user's hash, the limits of app,
 * key and end user. Nanoseconds a request, with one thread and with two on one app.
 *
 *   bench-access FOLDER      an empty folder, for a key
 */
#include "access/limiter.h"

#include "access/access.h"
#include "base/clock.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define ROUNDS 400000
#define USERS  1000

static struct config *config;
static struct access *access_keys;
static struct access_hasher *hasher;
static struct limit_app *app;
static char bearer[64];
static char users[USERS][65];

static void die(const char *what)
{
    fprintf(stderr, "bench-access: %s\n", what);
    exit(1);
}

static void set_up(const char *folder)
{
    char text[1024];
    struct buf messages = BUF_INIT(65536), key = BUF_INIT(64), id = BUF_INIT(64);
    struct config_rates many = {900000000, 900000000, 900000000, 900000000, 900000000};
    if (chdir(folder) < 0)
        die("no such folder");
    snprintf(text, sizeof(text),
             "auth: keys\nallow_unfiled: true\nstate_dir: state\nupstreams:\n"
             "  - { name: u, base_url: 'http://127.0.0.1:1/v1', api_key_file: key, models: [{ id: "
             "m }] }\n");
    FILE *f = fopen("key", "w");
    if (!f || fputs("sk-x\n", f) < 0 || fclose(f) != 0)
        die("can't write there");
    if (config_read(span_str(text), SPAN_LIT("bench"), &messages, &config) < 0 ||
        access_key_create(config->state_dir, SPAN_LIT("default"), SPAN_LIT(""), ACCESS_NEVER, NULL,
                          &key, &id) < 0 ||
        access_load(config, &messages, &access_keys) < 0)
        die(buf_cstr(&messages));
    hasher = access_hasher_new(access_keys);
    config->apps[0].limits.app = config->apps[0].limits.key = config->apps[0].limits.end_user =
        many;
    snprintf(bearer, sizeof(bearer), "Bearer %s", buf_cstr(&key));
    for (unsigned i = 0; i < USERS; i++) {
        char name[16];
        snprintf(name, sizeof(name), "user-%u", i);
        access_hash_end_user(access_keys, hasher, span_str(name), users[i]);
    }
}

static uint64_t identify(void)
{
    struct access_credentials c = {.authorization = span_str(bearer)};
    struct access_identity who;
    uint64_t start = clock_mono_us();
    for (unsigned i = 0; i < ROUNDS / 4; i++)
        if (!access_identify(access_keys, hasher, config, &c, clock_wall_us(), &who))
            die("the key is not known");
    return (clock_mono_us() - start) * 1000 / (ROUNDS / 4);
}

static uint64_t hash(void)
{
    char hex[65];
    uint64_t start = clock_mono_us();
    for (unsigned i = 0; i < ROUNDS / 4; i++)
        access_hash_end_user(access_keys, hasher, SPAN_LIT("user-4711"), hex);
    return (clock_mono_us() - start) * 1000 / (ROUNDS / 4);
}

static void *count(void *arg)
{
    struct limit_ask ask = {.limits = &config->apps[0].limits, .key = SPAN_LIT("key-00112233")};
    struct limit_hold hold;
    struct limit_verdict verdict;
    for (unsigned i = 0; i < ROUNDS; i++) {
        ask.end_user = span_from(users[i % USERS], 64);
        ask.tokens = 25;
        ask.now = (struct limit_time){clock_mono_ms(), clock_wall_s()};
        struct limit_ask peek = {.limits = ask.limits, .key = ask.key, .now = ask.now};
        if (!limiter_acquire(app, &peek, NULL, &verdict) ||
            !limiter_acquire(app, &ask, &hold, &verdict))
            die("refused");
        limiter_release(&hold, 300, ask.now);
    }
    return NULL;
}

int main(int argc, char **argv)
{
    if (argc != 2)
        return 2;
    set_up(argv[1]);
    struct limiter *l = limiter_new();
    app = l ? limiter_app(l, SPAN_LIT("default")) : NULL;
    if (!app)
        die("no memory");
    printf("a key, found by its digest     %6llu ns\n", (unsigned long long)identify());
    printf("an end user's keyed hash       %6llu ns\n", (unsigned long long)hash());
    uint64_t start = clock_mono_us();
    count(NULL);
    printf("asked, counted, given back     %6llu ns\n",
           (unsigned long long)((clock_mono_us() - start) * 1000 / ROUNDS));
    pthread_t other;
    start = clock_mono_us();
    if (pthread_create(&other, NULL, count, NULL) != 0)
        die("no thread");
    count(NULL);
    pthread_join(other, NULL);
    printf("the same by two threads        %6llu ns a request of both\n",
           (unsigned long long)((clock_mono_us() - start) * 1000 / (2 * ROUNDS)));
    limiter_free(l);
    access_hasher_free(hasher);
    access_unref(access_keys);
    config_unref(config);
    return 0;
}
