#include "../unit.h"

#include "access/limiterfile.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* 2026-11-26 12:00 in China. */
#define NOON     1795665600
#define MIDNIGHT (NOON + 12 * 3600)

static struct limiter *limiter;
static struct limit_app *app;
static struct limit_time now;

static int set_up(void **state)
{
    limiter = limiter_new();
    app = limiter_app(limiter, SPAN_LIT("shop"));
    now = (struct limit_time){1000000, NOON};
    return limiter && app ? 0 : -1;
}

static int tear_down(void **state)
{
    limiter_free(limiter);
    return 0;
}

static void pass(unsigned ms)
{
    now.mono_ms += ms;
    now.wall_s = NOON + (int64_t)(now.mono_ms - 1000000) / 1000;
}

static struct limit_verdict verdict;

static bool ask(const struct config_app_limits *l, const char *key, const char *user, size_t tokens,
                struct limit_hold *hold)
{
    struct limit_ask a = {l, span_str(key), span_str(user), tokens, now};
    return limiter_acquire(app, &a, hold, &verdict);
}

/* A request that is over at once. */
static bool once(const struct config_app_limits *l, const char *key, const char *user)
{
    struct limit_hold hold;
    bool let = ask(l, key, user, 0, &hold);
    limiter_release(&hold, 0, now);
    return let;
}

static void test_requests_of_a_minute(void **state)
{
    struct config_app_limits l = {.app = {.minute_requests = 3}, .end_users = 16};
    pass(500);
    assert_true(once(&l, "", ""));
    assert_int_equal(verdict.requests.limit, 3);
    assert_int_equal(verdict.requests.remaining, 2);
    assert_int_equal(verdict.requests.reset_ms, 60000);
    assert_int_equal(verdict.tokens.limit, 0);
    pass(20000);
    assert_true(once(&l, "", ""));
    assert_true(once(&l, "", ""));
    assert_int_equal(verdict.requests.remaining, 0);
    assert_false(once(&l, "", ""));
    assert_int_equal(verdict.kind, LIMIT_REQUESTS);
    assert_int_equal(verdict.scope, LIMIT_APP);
    assert_false(verdict.day);
    assert_true(verdict.first);
    assert_int_equal(verdict.wait_ms, 40000);
    assert_false(once(&l, "", ""));
    assert_false(verdict.first); /* one record a minute is enough */
    pass(39999);
    assert_false(once(&l, "", ""));
    assert_int_equal(verdict.wait_ms, 1);
    pass(1);
    for (int i = 0; i < 3; i++)
        assert_true(once(&l, "", ""));
    assert_false(once(&l, "", ""));
    /* Whoever is asked whether it would, counts nothing. */
    pass(60000);
    for (int i = 0; i < 10; i++)
        assert_true(ask(&l, "", "", 0, NULL));
    for (int i = 0; i < 3; i++)
        assert_true(once(&l, "", ""));
    assert_false(ask(&l, "", "", 0, NULL));
}

static void test_day_of_china(void **state)
{
    struct config_app_limits l = {.app = {.day_requests = 2, .minute_requests = 10},
                                  .end_users = 16};
    now.wall_s = MIDNIGHT - 5;
    assert_true(once(&l, "", ""));
    assert_true(once(&l, "", ""));
    assert_int_equal(verdict.requests.limit, 2); /* the nearer one */
    assert_false(once(&l, "", ""));
    assert_true(verdict.day);
    assert_int_equal(verdict.wait_ms, 5000);
    now.wall_s = MIDNIGHT - 1;
    assert_false(once(&l, "", ""));
    now.wall_s = MIDNIGHT;
    assert_true(once(&l, "", ""));
    now.wall_s = MIDNIGHT - 3600; /* set back: no day is given twice */
    assert_true(once(&l, "", ""));
    assert_false(once(&l, "", ""));
    now.wall_s = MIDNIGHT - 3 * 86400; /* a clock that was far wrong */
    assert_true(once(&l, "", ""));
}

static void test_scopes_are_all_or_nothing(void **state)
{
    struct config_app_limits l = {.app = {.minute_requests = 10},
                                  .key = {.minute_requests = 4},
                                  .end_user = {.minute_requests = 2},
                                  .end_users = 16};
    assert_true(once(&l, "key-1", "ann"));
    assert_true(once(&l, "key-1", "ann"));
    for (int i = 0; i < 20; i++) { /* takes nothing from the app or the key */
        assert_false(once(&l, "key-1", "ann"));
        assert_int_equal(verdict.scope, LIMIT_END_USER);
    }
    assert_true(once(&l, "key-1", "bob"));
    assert_true(once(&l, "key-1", ""));
    assert_false(once(&l, "key-1", "cyd"));
    assert_int_equal(verdict.scope, LIMIT_KEY);
    assert_true(once(&l, "key-2", "cyd"));
    assert_true(once(&l, "key-2", "")); /* who names none is one user */
    assert_false(once(&l, "key-2", ""));
    assert_int_equal(verdict.scope, LIMIT_END_USER);
    for (int i = 0; i < 4; i++) {
        char user[8];
        snprintf(user, sizeof(user), "u%d", i);
        assert_true(once(&l, "key-3", user));
    }
    assert_false(once(&l, "key-4", "zoe"));
    assert_int_equal(verdict.scope, LIMIT_APP);
    /* With passthrough there are no keys. */
    struct config_app_limits none = {.key = {.minute_requests = 1}, .end_users = 16};
    assert_true(once(&none, "", "") && once(&none, "", ""));
    /* Another app has counts of its own. */
    app = limiter_app(limiter, SPAN_LIT("blog"));
    assert_true(once(&l, "key-1", "ann"));
    assert_ptr_equal(limiter_app(limiter, SPAN_LIT("blog")), app);
}

static void test_concurrent(void **state)
{
    struct config_app_limits l = {
        .app = {.concurrent = 3}, .end_user = {.concurrent = 2}, .end_users = 16};
    struct limit_hold a, b, c, d;
    assert_true(ask(&l, "", "ann", 0, &a));
    assert_true(ask(&l, "", "ann", 0, &b));
    assert_false(ask(&l, "", "ann", 0, &c));
    assert_int_equal(verdict.kind, LIMIT_CONCURRENT);
    assert_int_equal(verdict.scope, LIMIT_END_USER);
    assert_int_equal(verdict.wait_ms, 1000);
    limiter_release(&c, 0, now); /* held nothing */
    assert_true(ask(&l, "", "bob", 0, &c));
    assert_false(ask(&l, "", "cyd", 0, &d));
    assert_int_equal(verdict.scope, LIMIT_APP);
    pass(600000); /* time frees nothing */
    assert_false(ask(&l, "", "cyd", 0, &d));
    limiter_release(&a, 0, now);
    limiter_release(&a, 0, now);
    assert_true(ask(&l, "", "cyd", 0, &d));
    assert_false(ask(&l, "", "cyd", 0, &a));
    limiter_release(&b, 0, now);
    limiter_release(&c, 0, now);
    limiter_release(&d, 0, now);
    for (int i = 0; i < 5; i++)
        assert_true(once(&l, "", "ann"));
    /* Those of whom nothing is known are one. */
    struct limit_ask nobody = {&l, SPAN_NULL, SPAN_NULL, 0, now};
    assert_true(limiter_acquire(app, &nobody, &a, &verdict));
    assert_true(limiter_acquire(app, &nobody, &b, &verdict));
    assert_false(limiter_acquire(app, &nobody, &c, &verdict));
    assert_int_equal(verdict.scope, LIMIT_END_USER);
    limiter_release(&a, 0, now);
    limiter_release(&b, 0, now);
}

static void test_tokens(void **state)
{
    struct config_app_limits l = {.app = {.minute_tokens = 1000, .day_tokens = 5000},
                                  .end_users = 16};
    struct limit_hold a, b;
    assert_true(ask(&l, "", "", 400, &a));
    assert_int_equal(verdict.tokens.limit, 1000);
    assert_int_equal(verdict.tokens.remaining, 600);
    assert_true(ask(&l, "", "", 600, &b));
    assert_false(ask(&l, "", "", 1, NULL)); /* estimates count while they run */
    assert_int_equal(verdict.kind, LIMIT_TOKENS);
    limiter_release(&a, 100, now); /* it took less */
    assert_true(ask(&l, "", "", 300, NULL));
    assert_false(ask(&l, "", "", 301, NULL));
    limiter_release(&b, 2600, now); /* it took more: known too late */
    assert_false(ask(&l, "", "", 0, NULL) && ask(&l, "", "", 1, NULL));
    pass(60000);
    /* The first one of a minute passes whatever its size. */
    assert_true(ask(&l, "", "", 1500, &a));
    assert_int_equal(verdict.tokens.remaining, 0);
    assert_false(ask(&l, "", "", 1, NULL));
    /* What ends in another minute brings only what was not counted. */
    pass(60000);
    limiter_release(&a, 1800, now);
    assert_int_equal(app->all.minute_tokens, 300);
    assert_int_equal(app->all.day_tokens, 4500);
    assert_true(ask(&l, "", "", 500, NULL));
    assert_false(ask(&l, "", "", 501, NULL));
    assert_true(verdict.day);
    /* And one that took less than was estimated gives nothing to a minute that never had it. */
    pass(60000);
    assert_true(ask(&l, "", "", 200, &a));
    pass(60000);
    limiter_release(&a, 0, now);
    assert_int_equal(app->all.minute_tokens, 0);
    assert_int_equal(app->all.day_tokens, 4500);
}

static void test_forgetting(void **state)
{
    struct config_app_limits l = {.end_user = {.day_requests = 1, .concurrent = 5},
                                  .end_users = 16};
    char name[16];
    struct limit_hold held;
    assert_true(ask(&l, "", "busy", 0, &held));
    for (int i = 0; i < 15; i++) {
        snprintf(name, sizeof(name), "u%d", i);
        assert_true(once(&l, "", name));
    }
    assert_false(once(&l, "", "u0")); /* so that u1 is the one who was away longest */
    assert_int_equal(limiter_forgotten(limiter), 0);
    assert_true(once(&l, "", "new"));
    assert_int_equal(limiter_forgotten(limiter), 1);
    assert_false(once(&l, "", "u0"));
    assert_false(once(&l, "", "u2"));
    assert_true(once(&l, "", "u1")); /* begins anew */
    assert_int_equal(limiter_forgotten(limiter), 2);
    assert_false(once(&l, "", "busy")); /* never while something runs */
    limiter_release(&held, 0, now);
    /* As many as there may be, all running: there is no room for another. */
    struct limit_hold many[16];
    pass(86400000);
    for (int i = 0; i < 16; i++) {
        snprintf(name, sizeof(name), "b%d", i);
        assert_true(ask(&l, "", name, 0, &many[i]));
    }
    assert_false(ask(&l, "", "one more", 0, &held));
    assert_int_equal(verdict.kind, LIMIT_MEMORY);
    for (int i = 0; i < 16; i++)
        limiter_release(&many[i], 0, now);
    assert_true(once(&l, "", "one more"));
}

/* Many end users: the table grows, and each keeps his own. */
static void test_many(void **state)
{
    struct config_app_limits l = {.end_user = {.minute_requests = 1}, .end_users = 100000};
    char name[80];
    for (int round = 0; round < 2; round++)
        for (int i = 0; i < 20000; i++) {
            snprintf(name, sizeof(name), "%064d", i);
            if (once(&l, "", name) != (round == 0))
                fail_msg("user %d in round %d", i, round);
        }
}

/* --- several workers --- */

#define THREADS 8
static struct config_app_limits shared;
static pthread_barrier_t barrier;

static void *worker(void *arg)
{
    size_t *let = arg;
    struct limit_ask a = {&shared, SPAN_LIT("key"), SPAN_LIT("ann"), 0, now};
    struct limit_verdict v;
    struct limit_hold hold;
    pthread_barrier_wait(&barrier);
    for (int i = 0; i < 20000; i++) {
        if (!limiter_acquire(app, &a, &hold, &v))
            continue;
        ++*let;
        limiter_release(&hold, 3, now);
    }
    return NULL;
}

static void test_threads(void **state)
{
    shared = (struct config_app_limits){.app = {.day_requests = 70000},
                                        .key = {.minute_requests = 50001},
                                        .end_user = {.concurrent = 3},
                                        .end_users = 16};
    pthread_t threads[THREADS];
    size_t let[THREADS] = {0}, sum = 0;
    pthread_barrier_init(&barrier, NULL, THREADS);
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, worker, &let[i]), 0);
    for (int i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        sum += let[i];
    }
    pthread_barrier_destroy(&barrier);
    assert_true(sum <= 50001);
    for (; once(&shared, "key", "ann"); sum++)
        ;
    assert_int_equal(sum, 50001); /* to the request */
    assert_int_equal(app->all.day_requests, 50001);
    assert_int_equal(app->all.running, 0);
}

/* --- over a restart --- */

static void restart(const char *want)
{
    limiter_free(limiter);
    limiter = limiter_new();
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(limiter_restore(limiter, SPAN_LIT("."), now.wall_s, &messages), 0);
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
    app = limiter_app(limiter, SPAN_LIT("my shop"));
}

static void test_restart(void **state)
{
    char folder[] = "/tmp/juyong-limiter-XXXXXX";
    assert_non_null(mkdtemp(folder));
    assert_int_equal(chdir(folder), 0);
    struct config_app_limits l = {.app = {.day_requests = 500, .minute_requests = 400},
                                  .key = {.minute_requests = 300},
                                  .end_user = {.day_tokens = 10},
                                  .end_users = 1000};
    app = limiter_app(limiter, SPAN_LIT("my shop"));
    assert_int_equal(limiter_save(limiter, SPAN_LIT("."), now.wall_s), 0);
    assert_int_equal(access("limits", F_OK), -1); /* nothing to tell */
    struct limit_hold hold;
    char name[80];
    for (int i = 0; i < 300; i++) {
        snprintf(name, sizeof(name), "%064d", i);
        assert_true(ask(&l, "key-1", i ? name : "", 0, &hold));
        limiter_release(&hold, 11, now);
    }
    assert_int_equal(limiter_save(limiter, SPAN_LIT("."), now.wall_s), 0);
    struct stat st, again;
    assert_int_equal(stat("limits", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(limiter_save(limiter, SPAN_LIT("."), now.wall_s), 0);
    stat("limits", &again);
    assert_int_equal(st.st_ino, again.st_ino); /* nothing new: not written */

    restart("");
    assert_int_equal(app->all.day_requests, 300);
    assert_int_equal(app->all.minute_requests, 0);
    assert_int_equal(app->keys.count, 0); /* no limit of a day there */
    assert_int_equal(app->end_users.count, 300);
    assert_false(ask(&l, "key-1", name, 0, &hold) && ask(&l, "key-1", name, 1, NULL));
    assert_false(ask(&l, "key-1", "", 1, NULL));
    assert_true(ask(&l, "key-1", "somebody else", 1, NULL));

    now.wall_s += 86400; /* the day is over */
    restart("");
    assert_int_equal(app->all.day_requests, 0);
    assert_true(ask(&l, "key-1", name, 1, NULL));

    FILE *f = fopen("limits", "w");
    fprintf(f,
            "juyong limits 1\n%lld 7 0 a - my shop\nnonsense\n%lld 9 9 x y my shop\n%lld 3 3 u "
            "ann my shop\n",
            (long long)limit_day(now.wall_s), (long long)limit_day(now.wall_s),
            (long long)limit_day(now.wall_s));
    fclose(f);
    restart("./limits:3: warning: a damaged line; its subject begins anew\n");
    assert_int_equal(app->all.day_requests, 7);
    assert_int_equal(subjects_find(&app->end_users, SPAN_LIT("ann"))->counter.day_tokens, 3);

    f = fopen("limits", "w");
    fprintf(f, "something else\n");
    fclose(f);
    restart("./limits:1: warning: not the counts of this version; limits begin anew\n");
    assert_int_equal(app->all.day_requests, 0);
    unlink("limits");
    assert_int_equal(chdir("/"), 0);
    rmdir(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_requests_of_a_minute, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_day_of_china, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_scopes_are_all_or_nothing, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_concurrent, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_tokens, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_forgetting, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_many, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_threads, set_up, tear_down),
        cmocka_unit_test_setup_teardown(test_restart, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
