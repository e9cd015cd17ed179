/* A keys.json that is another one is told at once, once; and the day's counts outlive the gateway.
 */
#include "../unit.h"

#include "cli/keywatch.h"
#include "cli/tally.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-keywatch-XXXXXX";

static struct bed {
    struct loop *loop;
    struct loop_timer timer;
    struct buf id;
    unsigned told;
} bed;

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    nftw("s", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return chdir("/") == 0 ? rmdir(folder) : -1;
}

static void changed(void *ctx)
{
    bed.told++;
    loop_stop(bed.loop);
}

static void create(void)
{
    struct buf key = BUF_INIT(64);
    bed.id = BUF_INIT(64);
    assert_int_equal(access_key_create(SPAN_LIT("s"), SPAN_LIT("default"), SPAN_LIT(""),
                                       ACCESS_NEVER, NULL, &key, &bed.id),
                     0);
    buf_deinit(&key);
}

static void revoke_it(struct loop_timer *t)
{
    assert_int_equal(access_key_revoke(SPAN_LIT("s"), buf_span(&bed.id), NULL), 0);
}

static void run_out(struct loop_timer *t)
{
    loop_stop(bed.loop);
}

/* The file is gone, and comes back in a while as another one. */
static void remove_file(struct loop_timer *t)
{
    unlink("s/keys.json");
    loop_timer_init(bed.loop, t, run_out);
    loop_timer_set(t, loop_now_ms(bed.loop) + 30);
}

static void run_with(void (*fn)(struct loop_timer *t), unsigned ms)
{
    loop_timer_init(bed.loop, &bed.timer, fn);
    loop_timer_set(&bed.timer, loop_now_ms(bed.loop) + ms);
    assert_int_equal(loop_run(bed.loop), 0);
    loop_timer_cancel(&bed.timer);
}

static struct access *load(struct config **ret_config)
{
    struct buf messages = BUF_INIT(65536);
    struct access *a = NULL;
    assert_int_equal(
        config_read(
            SPAN_LIT("state_dir: s\nallow_unfiled: true\nupstreams:\n"
                     "  - { name: u, base_url: 'http://127.0.0.1:1/v1', models: [{ id: m }] }\n"),
            SPAN_LIT("c"), &messages, ret_config),
        0);
    assert_int_equal(access_load(*ret_config, &messages, &a), 0);
    buf_deinit(&messages);
    return a;
}

static void test_keywatch(void **state)
{
    struct config *c = NULL;
    bed = (struct bed){.loop = loop_new()};
    create();
    struct access *a = load(&c);
    struct keywatch *k = keywatch_new(bed.loop, SPAN_LIT("s"), a, changed, NULL);
    assert_non_null(k);
    run_with(run_out, 30); /* what is served already is no news */
    assert_int_equal(bed.told, 0);
    run_with(revoke_it, 5);
    assert_int_equal(bed.told, 1);
    run_with(run_out, 30);
    assert_int_equal(bed.told, 1);
    run_with(remove_file, 5);
    assert_int_equal(bed.told, 1); /* what was created stays in force */
    buf_deinit(&bed.id);
    create();
    run_with(run_out, 2000);
    assert_int_equal(bed.told, 2);
    /* Changed between its reading and the watch: found by what was read. */
    struct keywatch *late = keywatch_new(bed.loop, SPAN_LIT("s"), a, changed, NULL);
    run_with(run_out, 2000);
    assert_int_equal(bed.told, 3);
    keywatch_free(late);
    keywatch_free(k);
    keywatch_free(NULL);
    access_unref(a);
    config_unref(c);
    loop_free(bed.loop);
    buf_deinit(&bed.id);
}

static void test_tally(void **state)
{
    struct loop *loop = loop_new();
    struct config_app_limits l = {.app = {.day_requests = 2}, .end_users = 16};
    struct limit_ask ask = {.limits = &l, .now = {1000, (int64_t)time(NULL)}};
    struct limit_hold hold;
    struct limit_verdict verdict;
    for (unsigned round = 0; round < 3; round++) {
        struct buf messages = BUF_INIT(4096);
        struct tally *t = tally_new(loop, SPAN_LIT("s"), &messages);
        assert_non_null(t);
        assert_int_equal(messages.len, 0);
        struct limit_app *app = limiter_app(tally_limiter(t), SPAN_LIT("shop"));
        assert_int_equal(limiter_acquire(app, &ask, &hold, &verdict), round < 2);
        limiter_release(&hold, 0, ask.now);
        tally_free(t);
    }
    tally_free(NULL);
    loop_free(loop);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_keywatch),
        cmocka_unit_test(test_tally),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
