/* Reviewers' accounts: two persons, what binds, what ends, and counts that are exact. */
#include "../unit.h"

#include "access/reviewers.h"
#include "base/clock.h"

#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#define USER "0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef"
#define DAY  86400

static char dir[64];
static struct buf messages;
static int64_t now;

static int setup(void **state)
{
    snprintf(dir, sizeof(dir), "/tmp/juyong-reviewers-XXXXXX");
    assert_non_null(mkdtemp(dir));
    messages = BUF_INIT(65536);
    now = clock_wall_s();
    return 0;
}

static int teardown(void **state)
{
    char command[128];
    static const char *const files[] = {"reviewers.jsonl", "reviewers.day"};
    for (size_t i = 0; i < 2; i++) {
        snprintf(command, sizeof(command), "%s/%s", dir, files[i]);
        unlink(command);
    }
    rmdir(dir);
    buf_deinit(&messages);
    return 0;
}

static struct reviewer_act by(const char *author)
{
    buf_clear(&messages);
    return (struct reviewer_act){.state_dir = span_str(dir),
                                 .author = span_str(author),
                                 .login = SPAN_LIT("root"),
                                 .why = SPAN_LIT("a \"reason\""),
                                 .messages = &messages};
}

static int propose(const char *key, unsigned daily, char id[REVIEWER_ID_SIZE])
{
    struct reviewer_act a = by("zhang");
    struct reviewer w = {.purpose = REVIEWER_OBSERVE,
                         .key = span_str(key),
                         .end_user = key ? SPAN_NULL : SPAN_LIT(USER),
                         .filing = SPAN_LIT("案件 7"),
                         .daily = daily,
                         .expires = now + 10 * DAY};
    return reviewers_propose(&a, &w, id);
}

static int approve(const char *id, const char *author)
{
    struct reviewer_act a = by(author);
    return reviewers_approve(&a, span_str(id));
}

static int withdraw(const char *id)
{
    struct reviewer_act a = by("wang");
    return reviewers_revoke(&a, span_str(id));
}

static struct reviewers *opened(void)
{
    struct reviewers *r = NULL;
    assert_int_equal(reviewers_open(span_str(dir), &messages, &r), 0);
    return r;
}

static enum reviewer_verdict admit(struct reviewers *r, const char *key, int64_t when)
{
    struct reviewer_grant g;
    return reviewers_admit(r, span_str(key), key ? SPAN_NULL : SPAN_LIT(USER), false, when, &g);
}

static void test_two_persons(void **state)
{
    char id[REVIEWER_ID_SIZE], other[REVIEWER_ID_SIZE];
    struct reviewers *r = opened();
    assert_int_equal(propose("key-1", 5, id), 0);
    assert_string_equal(id, "rv-1");
    assert_int_equal(admit(r, "key-1", now), REVIEWER_UNKNOWN);
    assert_int_equal(reviewers_refresh(r), 0); /* admitting has looked */
    assert_false(reviewers_bound(r, SPAN_LIT("key-1"), SPAN_NULL, now));
    assert_int_equal(approve(id, "ZHANG"), -EINVAL);
    assert_span(buf_span(&messages),
                SPAN_LIT("rv-1 was proposed by zhang: somebody else must approve it\n"));
    assert_int_equal(approve("rv-9", "li"), -EINVAL);
    assert_int_equal(approve(id, "li"), 0);
    assert_int_equal(approve(id, "wang"), -EINVAL);
    assert_int_equal(admit(r, "key-1", now), REVIEWER_SERVED);
    assert_int_equal(admit(r, "key-2", now), REVIEWER_UNKNOWN);
    assert_int_equal(admit(r, NULL, now), REVIEWER_UNKNOWN);
    assert_true(reviewers_bound(r, SPAN_LIT("key-1"), SPAN_NULL, now));
    assert_int_equal(propose("key-1", 5, other), -EINVAL); /* bound already */
    assert_int_equal(withdraw(id), 0);
    assert_int_equal(withdraw(id), -EINVAL);
    assert_int_equal(admit(r, "key-1", now), REVIEWER_UNKNOWN);
    /* Its key is nobody else's, either. */
    assert_true(reviewers_bound(r, SPAN_LIT("key-1"), SPAN_NULL, now));
    struct reviewers_summary s;
    reviewers_summary(r, now, &s);
    assert_int_equal(s.lines, 3);
    assert_int_equal(s.observe + s.enforce, 0);
    assert_int_equal(strlen(s.head), 64);
    reviewers_close(r);
}

static void test_end(void **state)
{
    char id[REVIEWER_ID_SIZE];
    assert_int_equal(propose(NULL, 5, id), 0);
    assert_int_equal(approve(id, "li"), 0);
    struct reviewers *r = opened();
    struct span user = SPAN_LIT(USER);
    assert_int_equal(admit(r, NULL, now + 10 * DAY - 1), REVIEWER_SERVED);
    assert_true(reviewers_bound(r, SPAN_NULL, user, now + 10 * DAY - 1));
    assert_int_equal(admit(r, NULL, now + 10 * DAY), REVIEWER_UNKNOWN);
    assert_false(reviewers_bound(r, SPAN_NULL, user, now + 10 * DAY)); /* a user as any other */
    reviewers_close(r);
}

static void test_days(void **state)
{
    char id[REVIEWER_ID_SIZE];
    assert_int_equal(propose("key-1", 2, id), 0);
    assert_int_equal(approve(id, "li"), 0);
    /* A minute before midnight in China. */
    int64_t midnight = ((now + 8 * 3600) / DAY + 1) * DAY - 8 * 3600;
    struct reviewers *r = opened();
    assert_int_equal(admit(r, "key-1", midnight - 60), REVIEWER_SERVED);
    reviewers_close(r);
    r = opened(); /* another process */
    assert_int_equal(admit(r, "key-1", midnight - 1), REVIEWER_SERVED);
    assert_int_equal(admit(r, "key-1", midnight - 1), REVIEWER_SPENT);
    struct reviewer_grant g;
    assert_int_equal(reviewers_admit(r, SPAN_LIT("key-1"), SPAN_NULL, true, midnight - 1, &g),
                     REVIEWER_SERVED); /* what counts nothing */
    assert_int_equal(g.purpose, REVIEWER_OBSERVE);
    assert_string_equal(g.id, "rv-1");
    assert_int_equal(admit(r, "key-1", midnight), REVIEWER_SERVED);
    reviewers_close(r);
}

#define THREADS 4
#define EACH    300

static void *use(void *ctx)
{
    size_t served = 0;
    for (int i = 0; i < EACH; i++)
        served += admit(ctx, "key-1", now) == REVIEWER_SERVED;
    return (void *)served;
}

static void test_exact_over_threads(void **state)
{
    char id[REVIEWER_ID_SIZE];
    assert_int_equal(propose("key-1", 1000, id), 0);
    assert_int_equal(approve(id, "li"), 0);
    struct reviewers *r = opened();
    pthread_t threads[THREADS];
    size_t served = 0;
    for (int i = 0; i < THREADS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, use, r), 0);
    for (int i = 0; i < THREADS; i++) {
        void *n;
        pthread_join(threads[i], &n);
        served += (size_t)n;
    }
    assert_int_equal(served, 1000);
    reviewers_close(r);
}

static void patch(off_t at, const char *bytes)
{
    char path[128];
    snprintf(path, sizeof(path), "%s/reviewers.jsonl", dir);
    int fd = open(path, O_WRONLY | O_CLOEXEC);
    assert_true(fd >= 0);
    assert_int_equal(pwrite(fd, bytes, strlen(bytes), at), strlen(bytes));
    close(fd);
}

/* Each byte of the file, one after the other: changed, it holds no account any more. */
static void test_every_change_is_seen(void **state)
{
    char id[REVIEWER_ID_SIZE], path[128], text[4096];
    assert_int_equal(propose("key-1", 5, id), 0);
    assert_int_equal(approve(id, "li"), 0);
    snprintf(path, sizeof(path), "%s/reviewers.jsonl", dir);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    size_t length = fread(text, 1, sizeof(text), f);
    fclose(f);
    assert_true(length > 500);
    for (size_t i = 0; i + 1 < length; i++) { /* without the last line's end it is none */
        char changed[2] = {text[i] == 'x' ? 'y' : 'x', '\0'}, was[2] = {text[i], '\0'};
        struct reviewers *r = NULL;
        patch((off_t)i, changed);
        buf_clear(&messages);
        int e = reviewers_open(span_str(dir), &messages, &r);
        if (e != -EBADMSG)
            fail_msg("a change of byte %zu is not seen", i);
        assert_true(messages.len > 0);
        patch((off_t)i, was);
    }
    /* A running gateway serves nobody meanwhile. */
    struct reviewers *r = opened();
    assert_int_equal(admit(r, "key-1", now), REVIEWER_SERVED);
    patch(20, "x");
    assert_int_equal(admit(r, "key-1", now), REVIEWER_UNKNOWN);
    assert_true(reviewers_refresh(r) < 0);
    assert_true(reviewers_bound(r, SPAN_LIT("key-1"), SPAN_NULL, now));
    patch(20, (char[]){text[20], '\0'});
    assert_int_equal(admit(r, "key-1", now), REVIEWER_SERVED);
    reviewers_close(r);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(test_two_persons),
        TEST(test_end),
        TEST(test_days),
        TEST(test_exact_over_threads),
        TEST(test_every_change_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
