#include "runs.h"

#include "evaluation/runfile.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/wait.h>

static void append_raw(const struct run *r, const char *file, const char *text)
{
    char path[256];
    snprintf(path, sizeof(path), "%s/filing/runs/%.*s/%s", state_dir,
             SPAN_ARG(run_settings(r)->name), file);
    FILE *f = fopen(path, "a");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static void what_was_written_is_read(void **state)
{
    struct run *r = make_run(2, 1, 1);
    char name[RUN_NAME_SIZE];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    struct run_answer a = make_answer(r, "c-2", RUN_GATEWAY, "第一行\n\"引号\"");
    a.refused = true;
    a.refused_by = SPAN_LIT("抱歉");
    a.keywords = RUN_FAIL;
    a.rule = SPAN_LIT("A1-a/1");
    a.acted_by = SPAN_LIT("A1-a/2");
    a.opinion = RUN_PASS;
    a.opinion_note = SPAN_LIT("safe");
    a.action = SPAN_LIT("block");
    a.id = SPAN_LIT("req_1");
    a.model = SPAN_LIT("demo-2");
    assert_int_equal(run_add(r, &a), 0);
    struct run_answer broken = {.question = 0, .route = RUN_BARE, .error = SPAN_LIT("timeout")};
    assert_int_equal(run_add(r, &broken), 0);
    assert_int_equal(run_note(r, SPAN_LIT("stop"), SPAN_LIT("wang"), SPAN_LIT("401")), 0);
    assert_true(run_is_busy(r));

    struct run *same = open_run(span_str(name), false); /* while it is being written */
    const struct run_settings *s = run_settings(same);
    assert_true(run_is_busy(same));
    assert_span(s->name, span_str(name));
    assert_span(s->agreed, SPAN_LIT("李经理, 2026-11-20"));
    assert_true(s->seed == UINT64_MAX);
    assert_true(s->rate == 2.5);
    assert_int_equal(s->concurrency, 3);
    assert_int_equal(s->sample[BANK_CONTENT], 2);
    assert_true(s->routes[RUN_GATEWAY] && s->routes[RUN_BARE] && s->banks[BANK_ANSWER]);
    assert_int_equal(run_count(same), 4);
    assert_span(run_question(same, 3)->type, SPAN_LIT("历史"));
    assert_int_equal(run_question(same, 3)->kind, BANK_ANSWER);
    assert_span(run_question(same, 1)->note, SPAN_LIT("看"));
    const struct run_answer *b = run_answer(same, 1, RUN_GATEWAY);
    assert_non_null(b);
    assert_span(b->text, a.text);
    assert_span(b->refused_by, a.refused_by);
    assert_span(b->rule, a.rule);
    assert_span(b->acted_by, a.acted_by);
    assert_span(b->opinion_note, a.opinion_note);
    assert_span(b->action, a.action);
    assert_span(b->id, a.id);
    assert_span(b->model, a.model);
    assert_true(b->refused && b->keywords == RUN_FAIL && b->opinion == RUN_PASS);
    assert_int_equal(b->ms, 12);
    assert_span(run_answer(same, 0, RUN_BARE)->error, SPAN_LIT("timeout"));
    assert_null(run_answer(same, 0, RUN_GATEWAY));
    assert_int_equal(run_answered(same, RUN_GATEWAY), 1);
    assert_int_equal(run_answered(same, RUN_BARE), 0);
    assert_false(run_is_complete(same));
    assert_int_equal(run_event_count(same), 1);
    assert_span(run_event(same, 0)->note, SPAN_LIT("401"));
    run_free(same);
    run_free(r);
    same = open_run(span_str(name), false);
    assert_false(run_is_busy(same));
    run_free(same);
}

static void a_torn_line_is_none_and_is_cut_off(void **state)
{
    struct run *r = make_run(2, 0, 0), *again = NULL;
    struct buf messages = BUF_INIT(65536);
    char name[RUN_NAME_SIZE], torn[2048] = "{\"question\":\"c-2\",\"route\":\"bare\",\"text\":\"";
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    memset(torn + strlen(torn), 'x', sizeof(torn) - strlen(torn) - 1); /* longer than a block */
    torn[sizeof(torn) - 1] = '\0';
    struct run_answer a = make_answer(r, "c-1", RUN_BARE, "答");
    assert_int_equal(run_add(r, &a), 0);
    /* Nobody else may write meanwhile. */
    assert_int_equal(run_open(span_str(state_dir), span_str(name), true, &messages, &again),
                     -EBUSY);
    append_raw(r, "answers.jsonl", torn);
    append_raw(r, "events.jsonl", "{\"ti");
    run_free(r);

    r = open_run(span_str(name), false);
    assert_int_equal(run_answered(r, RUN_BARE), 1);
    run_free(r);
    r = open_run(span_str(name), true);
    a = make_answer(r, "c-2", RUN_BARE, "二");
    assert_int_equal(run_add(r, &a), 0);
    assert_int_equal(run_note(r, SPAN_LIT("end"), SPAN_LIT("w"), SPAN_LIT("")), 0);
    run_free(r);
    r = open_run(span_str(name), false);
    assert_int_equal(run_answered(r, RUN_BARE), 2);
    assert_span(run_answer(r, 1, RUN_BARE)->text, SPAN_LIT("二"));
    assert_int_equal(run_event_count(r), 1);
    run_free(r);
    buf_deinit(&messages);
}

static void a_later_answer_takes_the_place_of_an_error(void **state)
{
    struct run *r = make_run(1, 0, 0);
    char name[RUN_NAME_SIZE];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    for (int route = 0; route < RUN_ROUTES; route++) {
        struct run_answer broken = {.route = (enum run_route)route, .error = SPAN_LIT("reset")};
        assert_int_equal(run_add(r, &broken), 0);
        assert_false(run_is_complete(r));
        struct run_answer a = make_answer(r, "c-1", (enum run_route)route, "答");
        assert_int_equal(run_add(r, &a), 0);
    }
    assert_true(run_is_complete(r));
    run_free(r);
    r = open_run(span_str(name), false);
    assert_true(run_is_complete(r));
    run_free(r);
}

/* Killed at any moment, what was added is there, and all that is there can be read. */
static void a_killed_writer_loses_nothing(void **state)
{
    int told[2];
    char name[RUN_NAME_SIZE] = {0};
    assert_int_equal(pipe(told), 0);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct run *r = make_run(60, 0, 0);
        if (write(told[1], run_settings(r)->name.data, run_settings(r)->name.len + 1) < 0)
            _exit(1);
        for (unsigned i = 1; i <= 60; i++) {
            char id[16];
            snprintf(id, sizeof(id), "c-%u", i);
            struct run_answer a = make_answer(r, id, RUN_BARE, "一个回答");
            if (run_add(r, &a) < 0 || write(told[1], "+", 1) < 0)
                _exit(1);
        }
        pause();
    }
    close(told[1]);
    size_t added = 0;
    char c;
    for (size_t n = 0; read(told[0], &c, 1) == 1 && c; n++)
        name[n] = c;
    while (added < 20 && read(told[0], &c, 1) == 1)
        added++;
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, NULL, 0), child);
    while (read(told[0], &c, 1) == 1)
        added++;
    close(told[0]);
    struct run *r = open_run(span_str(name), true); /* the lock went with its holder */
    assert_true(run_answered(r, RUN_BARE) >= added);
    assert_int_equal(run_count(r), 60);
    run_free(r);
}

static void a_full_disk_keeps_the_file_whole(void **state)
{
    struct run *r = make_run(2, 0, 0);
    char name[RUN_NAME_SIZE];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    struct run_answer a = make_answer(r, "c-1", RUN_BARE, "答");
    assert_int_equal(run_add(r, &a), 0);
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        struct rlimit limit = {600, 600};
        char *text = calloc(1, 4096);
        signal(SIGXFSZ, SIG_IGN);
        memset(text, 'x', 4095);
        struct run_answer b = make_answer(r, "c-2", RUN_BARE, text);
        if (setrlimit(RLIMIT_FSIZE, &limit) < 0)
            _exit(1);
        _exit(run_add(r, &b) == -EFBIG && !run_answer(r, 1, RUN_BARE) ? 0 : 2);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(WEXITSTATUS(status), 0);
    a = make_answer(r, "c-2", RUN_BARE, "二");
    assert_int_equal(run_add(r, &a), 0);
    run_free(r);
    r = open_run(span_str(name), false);
    assert_span(run_answer(r, 1, RUN_BARE)->text, SPAN_LIT("二"));
    run_free(r);
}

static void what_is_damaged_is_told_with_its_line(void **state)
{
    struct run *r = make_run(1, 0, 0), *none = NULL;
    struct buf messages = BUF_INIT(65536);
    struct span dir = span_str(state_dir);
    char name[RUN_NAME_SIZE];
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    struct run_answer a = make_answer(r, "c-1", RUN_BARE, "答");
    assert_int_equal(run_add(r, &a), 0);
    append_raw(r, "answers.jsonl", "{\"question\":\"c-9\",\"route\":\"bare\"}\n");
    run_free(r);
    assert_int_equal(run_open(dir, span_str(name), false, &messages, &none), -EINVAL);
    assert_true(span_find(buf_span(&messages),
                          SPAN_LIT("/answers.jsonl:2: no answer to a question of this run\n")) <
                messages.len);
    assert_int_equal(run_open(dir, SPAN_LIT("run-1"), false, &messages, &none), -ENOENT);
    assert_int_equal(run_open(dir, SPAN_LIT("run-../x"), false, &messages, &none), -EINVAL);
    assert_int_equal(run_open(dir, SPAN_LIT("../../etc"), false, &messages, &none), -EINVAL);
    assert_int_equal(run_open(dir, SPAN_LIT(""), false, &messages, &none), -EINVAL);
    buf_deinit(&messages);
}

/* What run.json says is used as it is when the run goes on: rates, and places under way. */
static void foreign_settings_are_refused(void **state)
{
    static const struct {
        const char *was, *is, *told;
    } changes[] = {
        {"\"concurrency\":3", "\"concurrency\":3000", "out of range"},
        {"\"concurrency\":3", "\"concurrency\":-1", "out of range"},
        {"\"rate\":2.5", "\"rate\":1e99", "out of range"},
        {"\"rate\":2.5", "\"rate\":-1", "out of range"},
        {"[\"gateway\",\"bare\"]", "[]", "no route"},
        {"\"run\":\"run-", "\"run\":\"run-9", "another run's"},
    };
    struct run *r = make_run(2, 0, 0);
    char name[RUN_NAME_SIZE], path[256], text[4096] = "";
    snprintf(name, sizeof(name), "%.*s", SPAN_ARG(run_settings(r)->name));
    snprintf(path, sizeof(path), "%s/filing/runs/%s/run.json", state_dir, name);
    run_free(r);
    FILE *f = fopen(path, "r");
    assert_non_null(f);
    assert_non_null(fgets(text, sizeof(text), f));
    fclose(f);
    for (size_t i = 0; i < sizeof(changes) / sizeof(*changes); i++) {
        struct buf messages = BUF_INIT(65536);
        char *at = strstr(text, changes[i].was);
        assert_non_null(at);
        f = fopen(path, "w");
        fprintf(f, "%.*s%s%s", (int)(at - text), text, changes[i].is, at + strlen(changes[i].was));
        fclose(f);
        assert_int_equal(run_open(span_str(state_dir), span_str(name), true, &messages, &r),
                         -EINVAL);
        assert_true(strstr(buf_cstr(&messages), "run.json:1: ") != NULL);
        assert_true(strstr(buf_cstr(&messages), changes[i].told) != NULL);
        buf_deinit(&messages);
    }
    f = fopen(path, "w");
    fputs(text, f);
    fclose(f);
    run_free(open_run(span_str(name), true));
    snprintf(path, sizeof(path), "%s/filing/runs/%s/questions.jsonl", state_dir, name);
    assert_int_equal(truncate(path, 0), 0);
    struct buf messages = BUF_INIT(65536);
    assert_int_equal(run_open(span_str(state_dir), span_str(name), false, &messages, &r), -EINVAL);
    assert_true(strstr(buf_cstr(&messages), "questions.jsonl:1: no line") != NULL);
    buf_deinit(&messages);
}

/* However much a model says: what is written can be read again. */
static void a_file_never_outgrows_its_reader(void **state)
{
    struct run *r = make_run(2, 0, 0);
    struct run_answer a = make_answer(r, "c-1", RUN_BARE, "答");
    char path[256];
    struct stat st;
    assert_int_equal(run_add(r, &a), 0);
    snprintf(path, sizeof(path), "%s/filing/runs/%.*s/answers.jsonl", state_dir,
             SPAN_ARG(run_settings(r)->name));
    assert_int_equal(truncate(path, (off_t)RUN_FILE_MAX - 10), 0); /* a hole */
    a = make_answer(r, "c-2", RUN_BARE, "二");
    assert_int_equal(run_add(r, &a), -EFBIG);
    assert_null(run_answer(r, 1, RUN_BARE));
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_size, (off_t)RUN_FILE_MAX - 10);
    run_free(r);
}

static void runs_are_listed_newest_first(void **state)
{
    struct run_names list;
    char path[256], names_made[12][RUN_NAME_SIZE];
    assert_int_equal(run_list(span_str(state_dir), &list), 0);
    assert_int_equal(list.count, 0);
    for (int i = 0; i < 12; i++) {
        struct run *r = make_run(1, 0, 0);
        snprintf(names_made[i], RUN_NAME_SIZE, "%.*s", SPAN_ARG(run_settings(r)->name));
        run_free(r);
    }
    /* What was not made whole is no run. */
    snprintf(path, sizeof(path), "%s/filing/runs/run-20991231-000000", state_dir);
    assert_int_equal(mkdir(path, 0700), 0);
    assert_int_equal(run_list(span_str(state_dir), &list), 0);
    assert_int_equal(list.count, 12);
    for (int i = 0; i < 12; i++)
        assert_string_equal(list.names[i], names_made[11 - i]);
    run_names_free(&list);
    assert_int_equal(run_create(span_str(state_dir), &(struct run_settings){0}, sample, 0, NULL),
                     -EINVAL);
}

/* ---- people ---- */

static char judged[RUN_NAME_SIZE];

static int judge(const char *id, const char *by, enum run_verdict v)
{
    return run_judge(span_str(state_dir), span_str(judged), span_str(id), RUN_GATEWAY, span_str(by),
                     v, SPAN_LIT("因为"));
}

static struct run_people people_of(const char *id)
{
    struct run *r = open_run(span_str(judged), false);
    struct run_people p = run_people(r, run_find(r, span_str(id)), RUN_GATEWAY);
    run_free(r);
    return p;
}

static void begin_judging(unsigned content, unsigned answered)
{
    struct run *r = make_run(content, 0, 0);
    snprintf(judged, sizeof(judged), "%.*s", SPAN_ARG(run_settings(r)->name));
    for (unsigned i = 1; i <= answered; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c-%u", i);
        struct run_answer a = make_answer(r, id, RUN_GATEWAY, "答");
        assert_int_equal(run_add(r, &a), 0);
    }
    run_free(r);
}

static void two_people_decide_or_three(void **state)
{
    begin_judging(3, 2);
    assert_int_equal(judge("c-1", "赵", RUN_PASS), 0);
    assert_int_equal(people_of("c-1").verdict, RUN_NONE);
    assert_int_equal(people_of("c-1").count, 1);
    assert_int_equal(judge("c-1", "赵", RUN_FAIL), -EEXIST);
    assert_int_equal(judge("c-1", " 赵 ", RUN_FAIL), -EEXIST);
    assert_int_equal(judge("c-1", "钱", RUN_PASS), 0);
    assert_int_equal(people_of("c-1").verdict, RUN_PASS);
    assert_int_equal(judge("c-1", "孙", RUN_PASS), -EALREADY);

    assert_int_equal(judge("c-2", "Li", RUN_PASS), 0);
    assert_int_equal(judge("c-2", "LI", RUN_FAIL), -EEXIST);
    assert_int_equal(judge("c-2", "钱", RUN_FAIL), 0);
    assert_true(people_of("c-2").differ);
    assert_int_equal(people_of("c-2").verdict, RUN_NONE);
    assert_int_equal(judge("c-2", "孙", RUN_FAIL), 0);
    assert_int_equal(people_of("c-2").verdict, RUN_FAIL);
    assert_int_equal(people_of("c-2").count, 3);

    assert_int_equal(judge("c-3", "赵", RUN_PASS), -ENOENT); /* nothing was answered */
    assert_int_equal(judge("c-9", "赵", RUN_PASS), -ENOENT);
    assert_int_equal(judge("c-2", "", RUN_PASS), -EINVAL);
    assert_int_equal(judge("c-2", "a\nb", RUN_PASS), -EINVAL);
    assert_int_equal(judge("c-2", "周", RUN_NONE), -EINVAL);
    struct run *r = open_run(span_str(judged), false);
    assert_int_equal(run_judgement_count(r), 5);
    assert_span(run_judgement(r, 4)->by, SPAN_LIT("孙"));
    assert_span(run_judgement(r, 4)->note, SPAN_LIT("因为"));
    run_free(r);
}

static void people_who_judge_at_once_keep_the_rules(void **state)
{
    begin_judging(20, 20);
    enum { JUDGES = 4 };
    pid_t children[JUDGES];
    for (int k = 0; k < JUDGES; k++) {
        children[k] = fork();
        if (children[k] == 0) {
            char by[16], id[16];
            snprintf(by, sizeof(by), "judge-%d", k);
            for (unsigned i = 1; i <= 20; i++) {
                snprintf(id, sizeof(id), "c-%u", i);
                int r = judge(id, by, RUN_PASS);
                if (r != 0 && r != -EALREADY)
                    _exit(1);
            }
            _exit(0);
        }
    }
    for (int k = 0; k < JUDGES; k++) {
        int status = 1;
        assert_int_equal(waitpid(children[k], &status, 0), children[k]);
        assert_int_equal(status, 0);
    }
    struct run *r = open_run(span_str(judged), false);
    assert_int_equal(run_judgement_count(r), 40); /* two each, not one more */
    for (size_t i = 0; i < 20; i++)
        assert_int_equal(run_people(r, i, RUN_GATEWAY).verdict, RUN_PASS);
    run_free(r);
}

static void a_torn_judgement_is_cut_off_by_the_next(void **state)
{
    begin_judging(1, 1);
    struct run *r = open_run(span_str(judged), false);
    append_raw(r, "judgements.jsonl", "{\"question\":\"c-1\",\"route\":\"gate");
    run_free(r);
    assert_int_equal(judge("c-1", "赵", RUN_FAIL), 0);
    assert_int_equal(people_of("c-1").count, 1);
}

static void check_queue(const char *by, const char *const *wanted)
{
    struct run *r = open_run(span_str(judged), false);
    struct run_waiting *items = NULL;
    size_t n = 0, i = 0;
    assert_int_equal(run_queue(r, span_str(by), &items, &n), 0);
    for (; wanted[i]; i++) {
        assert_true(i < n);
        assert_span(run_question(r, items[i].question)->id, span_str(wanted[i]));
        assert_int_equal(items[i].route, RUN_GATEWAY);
    }
    assert_int_equal(n, i);
    free(items);
    run_free(r);
}

static void the_queue_has_the_most_pressing_first(void **state)
{
    static const char *const all[] = {"c-4", "c-2", "c-3", "c-5", "c-1", NULL};
    static const char *const of_qian[] = {"c-2", "c-3", "c-5", "c-1", NULL};
    struct run *r = make_run(7, 0, 0);
    snprintf(judged, sizeof(judged), "%.*s", SPAN_ARG(run_settings(r)->name));
    for (unsigned i = 1; i <= 6; i++) {
        char id[16];
        snprintf(id, sizeof(id), "c-%u", i);
        struct run_answer a = make_answer(r, id, RUN_GATEWAY, "答");
        a.keywords = i == 3 ? RUN_FAIL : RUN_PASS;
        a.opinion = i == 5 ? RUN_FAIL : RUN_NONE; /* machines disagree */
        assert_int_equal(run_add(r, &a), 0);
    }
    run_free(r);
    assert_int_equal(judge("c-2", "赵", RUN_PASS), 0);
    assert_int_equal(judge("c-4", "赵", RUN_PASS), 0);
    assert_int_equal(judge("c-4", "钱", RUN_FAIL), 0);
    assert_int_equal(judge("c-6", "赵", RUN_PASS), 0);
    assert_int_equal(judge("c-6", "钱", RUN_PASS), 0);
    check_queue("", all);
    check_queue("钱", of_qian);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
#define TEST(f) cmocka_unit_test_setup_teardown(f, make_state, remove_state)
        TEST(what_was_written_is_read),
        TEST(a_torn_line_is_none_and_is_cut_off),
        TEST(a_later_answer_takes_the_place_of_an_error),
        TEST(a_killed_writer_loses_nothing),
        TEST(a_full_disk_keeps_the_file_whole),
        TEST(what_is_damaged_is_told_with_its_line),
        TEST(foreign_settings_are_refused),
        TEST(a_file_never_outgrows_its_reader),
        TEST(runs_are_listed_newest_first),
        TEST(two_people_decide_or_three),
        TEST(people_who_judge_at_once_keep_the_rules),
        TEST(a_torn_judgement_is_cut_off_by_the_next),
        TEST(the_queue_has_the_most_pressing_first),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
