/* What is published is told at once, once, and whatever becomes of the watch. */
#include "../unit.h"

#include "cli/follow.h"

#include "rules/vault.h"

#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define A "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
#define B "bbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbbb"

static char folder[] = "/tmp/juyong-follow-XXXXXX";

static struct bed {
    struct loop *loop;
    struct follow *follow;
    struct loop_timer timer;
    const char *next; /* what the timer publishes */
    unsigned told;
} bed;

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static void put(const char *digest)
{
    struct buf messages = BUF_INIT(4096);
    struct vault *v;
    assert_int_equal(vault_open_locked(SPAN_LIT("s"), &messages, &v), 0);
    assert_int_equal(vault_switch(v, span_str(digest), &messages), 0);
    vault_close(v);
    buf_deinit(&messages);
}

static void changed(void *ctx)
{
    bed.told++;
    loop_stop(bed.loop);
}

static void publish(struct loop_timer *t)
{
    put(bed.next);
}

static void run_out(struct loop_timer *t)
{
    loop_stop(bed.loop);
}

static void arm(void (*fn)(struct loop_timer *t), unsigned ms)
{
    loop_timer_init(bed.loop, &bed.timer, fn);
    loop_timer_set(&bed.timer, loop_now_ms(bed.loop) + ms);
}

static void begin(const char *served)
{
    bed = (struct bed){.loop = loop_new()};
    bed.follow = follow_new(bed.loop, SPAN_LIT("s"), span_str(served), changed, NULL);
    assert_non_null(bed.follow);
}

static int end(void **state)
{
    loop_timer_cancel(&bed.timer);
    follow_free(bed.follow);
    loop_free(bed.loop);
    follow_free(NULL);
    nftw("s", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    return 0;
}

static void test_watch(void **state)
{
    put(A);
    begin(A);
    bed.next = B;
    arm(publish, 5);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 1);
    /* Told once, however often it is looked for, or written again. */
    bed.next = B;
    arm(publish, 5);
    struct loop_timer out;
    loop_timer_init(bed.loop, &out, run_out);
    loop_timer_set(&out, loop_now_ms(bed.loop) + 2200);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 1);
}

/* Published between the load and the watch; nothing was published before. */
static void test_before(void **state)
{
    put("");
    put(B);
    begin("");
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 1);
}

/* The folder it watches is replaced: the look once a second finds out. */
static void test_blind(void **state)
{
    put(A);
    begin(A);
    assert_int_equal(rename("s/rules", "s/gone"), 0);
    put(B);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 1);
}

/* What vanished changes nothing. */
static void test_vanished(void **state)
{
    put(A);
    begin(A);
    unlink("s/rules/current");
    arm(run_out, 1300);
    assert_int_equal(loop_run(bed.loop), 0);
    assert_int_equal(bed.told, 0);
}

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int tear_down(void **state)
{
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_watch, end),
        cmocka_unit_test_teardown(test_before, end),
        cmocka_unit_test_teardown(test_blind, end),
        cmocka_unit_test_teardown(test_vanished, end),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
