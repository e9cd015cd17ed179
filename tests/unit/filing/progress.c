/* What was noted stays: over writers at once, damage, and what does not fit. */
#include "../unit.h"

#include "filing/progress.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

static char folder[64];

static int set_up(void **state)
{
    snprintf(folder, sizeof(folder), "/tmp/juyong-progress-XXXXXX");
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static struct progress_note note_of(unsigned step, enum progress_state s, const char *date)
{
    return (struct progress_note){.step = step,
                                  .state = s,
                                  .date = span_str(date),
                                  .note = SPAN_LIT("说明 \"x\""),
                                  .author = SPAN_LIT("王工"),
                                  .at = 1700000000};
}

static int note(unsigned step, enum progress_state s, const char *date)
{
    struct buf messages = BUF_INIT(65536);
    struct progress_note n = note_of(step, s, date);
    int r = progress_note(SPAN_LIT("."), &n, &messages);
    buf_deinit(&messages);
    return r;
}

static struct progress read_it(void)
{
    struct progress p;
    struct buf messages = BUF_INIT(65536);
    if (progress_read(SPAN_LIT("."), &messages, &p) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    return p;
}

static void steps_keep_their_history(void **state)
{
    struct progress p = read_it();
    assert_null(progress_step(&p, 0));
    progress_free(&p);
    assert_int_equal(note(0, STEP_DOING, "2026-11-01"), 0);
    assert_int_equal(note(6, STEP_DOING, "2026-11-02"), 0);
    assert_int_equal(note(0, STEP_DONE, "2026-11-03"), 0);
    assert_int_equal(note(PROGRESS_ALGORITHM, STEP_DONE, "2028-02-29"), 0);
    p = read_it();
    assert_int_equal(p.note_count, 4);
    assert_int_equal(progress_step(&p, 0)->state, STEP_DONE);
    assert_span(progress_step(&p, 0)->date, SPAN_LIT("2026-11-03"));
    assert_span(progress_step(&p, 0)->note, SPAN_LIT("说明 \"x\""));
    assert_span(progress_step(&p, 0)->author, SPAN_LIT("王工"));
    assert_span(progress_step(&p, 7)->date, SPAN_LIT("2028-02-29"));
    assert_null(progress_step(&p, 1));
    progress_free(&p);
    struct stat st;
    assert_int_equal(stat("filing", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0700);
    assert_int_equal(stat("filing/desk.json", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
}

static void days_ahead_have_not_begun(void **state)
{
    int64_t end;
    assert_true(day_end(SPAN_LIT("2026-12-31"), &end));
    assert_true(progress_has_begun(SPAN_LIT("2026-12-31"), end - 1));
    assert_true(progress_has_begun(SPAN_LIT("2026-12-31"), end - 86400)); /* midnight in China */
    assert_false(progress_has_begun(SPAN_LIT("2026-12-31"), end - 86401));
    assert_true(progress_has_begun(SPAN_LIT("2027-01-01"), end));
    assert_false(progress_has_begun(SPAN_LIT("2026-02-30"), end));
}

static void what_makes_no_sense_is_not_noted(void **state)
{
    assert_int_equal(note(PROGRESS_TRACKS, STEP_DONE, "2026-11-01"), -EINVAL);
    assert_int_equal(note(0, STEP_STATES, "2026-11-01"), -EINVAL);
    assert_int_equal(note(0, STEP_DONE, "2026-02-29"), -EINVAL);
    struct buf messages = BUF_INIT(65536);
    struct progress_note n = note_of(0, STEP_DONE, "2026-11-01");
    n.note = SPAN_LIT("two\nlines");
    assert_int_equal(progress_note(SPAN_LIT("."), &n, &messages), -EINVAL);
    n.note = SPAN_LIT("\xff");
    assert_int_equal(progress_note(SPAN_LIT("."), &n, &messages), -EINVAL);
    n.note = SPAN_LIT("");
    n.author = SPAN_LIT(" ");
    assert_int_equal(progress_note(SPAN_LIT("."), &n, &messages), -EINVAL);
    assert_int_equal(access("filing/desk.json", F_OK), -1);
    buf_deinit(&messages);
}

static void answers_and_changes_stay_beside_steps(void **state)
{
    struct buf messages = BUF_INIT(65536);
    struct route_answers a;
    int64_t number = 0;
    struct progress_change c = {.date = SPAN_LIT("2026-11-01"),
                                .what = SPAN_LIT("换了模型"),
                                .author = SPAN_LIT("李"),
                                .at = 7};
    route_begin(&a);
    assert_int_equal(route_set(&a, SPAN_LIT("model"), SPAN_LIT("called")), 0);
    assert_int_equal(route_set(&a, SPAN_LIT("model_number"), SPAN_LIT("B-1")), 0);
    assert_int_equal(note(1, STEP_DOING, "2026-11-01"), 0);
    assert_int_equal(progress_answer(SPAN_LIT("."), &a, SPAN_LIT("李"), 9, &messages), 0);
    assert_int_equal(progress_add_change(SPAN_LIT("."), &c, &messages, &number), 0);
    assert_int_equal(progress_add_change(SPAN_LIT("."), &c, &messages, &number), 0);
    assert_int_equal(number, 2);
    assert_int_equal(/* before it was made */
                     progress_report_change(SPAN_LIT("."), 1, SPAN_LIT("2026-10-31"),
                                            SPAN_LIT("王"), &messages),
                     -EINVAL);
    assert_int_equal(
        progress_report_change(SPAN_LIT("."), 1, SPAN_LIT("2026-11-05"), SPAN_LIT("王"), &messages),
        0);
    assert_int_equal(
        progress_report_change(SPAN_LIT("."), 1, SPAN_LIT("2026-11-06"), SPAN_LIT("王"), &messages),
        -EALREADY);
    assert_int_equal(
        progress_report_change(SPAN_LIT("."), 3, SPAN_LIT("2026-11-06"), SPAN_LIT("王"), &messages),
        -EINVAL);
    struct progress p = read_it();
    assert_true(p.answered);
    assert_int_equal(p.answered_at, 9);
    assert_span(p.answered_by, SPAN_LIT("李"));
    assert_string_equal(route_answer(&p.answers, ROUTE_MODEL), "called");
    assert_string_equal(p.answers.model_number, "B-1");
    assert_int_equal(p.note_count, 1);
    assert_int_equal(p.change_count, 2);
    assert_span(p.changes[0].reported, SPAN_LIT("2026-11-05"));
    assert_span(p.changes[1].reported, SPAN_LIT(""));
    progress_free(&p);
    buf_deinit(&messages);
}

static void write_text(const char *text)
{
    FILE *f = fopen("filing/desk.json", "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    assert_int_equal(fclose(f), 0);
}

static void damage_is_told_and_left_alone(void **state)
{
    static const struct {
        const char *text;
        int error;
    } bad[] = {
        {"", -EBADMSG},
        {"{\"form\":1,\"answers\":null,\"steps\":[", -EBADMSG},
        {"{\"form\":1}", -EBADMSG},
        {"{\"form\":2,\"answers\":null,\"steps\":[],\"changes\":[]}", -EPROTO},
        {"{\"form\":1,\"answers\":null,\"steps\":[{\"step\":9,\"state\":\"done\",\"date\":"
         "\"2026-11-01\",\"note\":\"\",\"author\":\"a\",\"at\":1}],\"changes\":[]}",
         -EBADMSG},
        {"{\"form\":1,\"answers\":null,\"steps\":[{\"step\":1,\"state\":\"done\",\"date\":"
         "\"2026-13-01\",\"note\":\"\",\"author\":\"a\",\"at\":1}],\"changes\":[]}",
         -EBADMSG},
        {"{\"form\":1,\"answers\":{\"given\":{\"model\":\"mine\"},\"author\":\"a\",\"at\":1},"
         "\"steps\":[],\"changes\":[]}",
         -EBADMSG},
        {"{\"form\":1,\"answers\":null,\"steps\":[],\"changes\":[{\"number\":2,\"date\":"
         "\"2026-11-01\",\"what\":\"w\",\"author\":\"a\",\"at\":1,\"reported\":\"\","
         "\"reported_by\":\"\"}]}",
         -EBADMSG},
    };
    assert_int_equal(note(0, STEP_DONE, "2026-11-01"), 0);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++) {
        struct buf messages = BUF_INIT(65536);
        struct progress p;
        char back[512] = "";
        write_text(bad[i].text);
        if (progress_read(SPAN_LIT("."), &messages, &p) != bad[i].error)
            fail_msg("case %zu", i);
        assert_non_null(strstr(buf_cstr(&messages), "./filing/desk.json: "));
        assert_int_equal(note(0, STEP_DONE, "2026-11-02"), bad[i].error);
        FILE *f = fopen("filing/desk.json", "r");
        assert_non_null(f);
        back[fread(back, 1, sizeof(back) - 1, f)] = '\0';
        fclose(f);
        assert_string_equal(back, bad[i].text);
        buf_deinit(&messages);
    }
}

/* Whoever may write there must not make a gateway wait, nor have it write elsewhere. */
static void pipes_and_links_are_told(void **state)
{
    struct buf messages = BUF_INIT(65536);
    struct progress p;
    assert_int_equal(note(0, STEP_DONE, "2026-11-01"), 0);
    assert_int_equal(unlink("filing/desk.json"), 0);
    assert_int_equal(mkfifo("filing/desk.json", 0600), 0);
    assert_int_equal(progress_read(SPAN_LIT("."), &messages, &p), -EBADMSG);
    assert_int_equal(unlink("filing/desk.json"), 0);
    assert_int_equal(unlink("filing/desk.lock"), 0);
    assert_int_equal(symlink("elsewhere", "filing/desk.lock"), 0);
    struct progress_note n = note_of(0, STEP_DONE, "2026-11-01");
    buf_clear(&messages);
    assert_int_equal(progress_note(SPAN_LIT("."), &n, &messages), -ELOOP);
    assert_true(span_starts(buf_span(&messages), SPAN_LIT("./filing/desk.lock: ")));
    assert_int_equal(access("elsewhere", F_OK), -1);
    buf_deinit(&messages);
}

static void writers_at_once_lose_nothing(void **state)
{
    enum { WRITERS = 4, EACH = 10 };
    for (unsigned i = 0; i < WRITERS; i++)
        if (fork() == 0) {
            int r = 0;
            for (unsigned k = 0; k < EACH && r == 0; k++)
                r = note(i, STEP_DOING, "2026-11-01");
            _exit(r ? 1 : 0);
        }
    for (unsigned i = 0; i < WRITERS; i++) {
        int status;
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    struct progress p = read_it();
    assert_int_equal(p.note_count, WRITERS * EACH);
    progress_free(&p);
}

#define TEST(fn) cmocka_unit_test_setup_teardown(fn, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(steps_keep_their_history),         TEST(days_ahead_have_not_begun),
        TEST(what_makes_no_sense_is_not_noted), TEST(answers_and_changes_stay_beside_steps),
        TEST(damage_is_told_and_left_alone),    TEST(pipes_and_links_are_told),
        TEST(writers_at_once_lose_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
