/* Acts and answers as they lie on the desk, and what carrying them out leaves in the log. */
#include "../unit.h"

#include "audit/query.h"
#include "audit/strikes.h"
#include "base/clock.h"
#include "base/log.h"
#include "cli/desk.h"

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define ANNA "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"

static char dir[64];

static int make_dir(void **state)
{
    snprintf(dir, sizeof(dir), "%s/juyong-desk-XXXXXX",
             access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp");
    log_set_level(LOG_ERROR + 1);
    return mkdtemp(dir) ? 0 : -1;
}

static int remove_dir(void **state)
{
    char command[96];
    snprintf(command, sizeof(command), "rm -rf %s", dir);
    return system(command);
}

static const struct desk_act example = {
    .verb = DESK_SUSPEND,
    .app = SPAN_LIT("default"),
    .end_user = SPAN_LIT(ANNA),
    .what = SPAN_LIT(""),
    .reason = SPAN_LIT("he said \"so\" \\ 居庸"),
    .author = SPAN_LIT("Zhou"),
    .login = SPAN_LIT("zhou"),
    .seconds = 86400,
};

static void acts_read_as_they_were_written(void **state)
{
    struct buf text = BUF_INIT(16384);
    struct arena a;
    struct desk_act got;
    arena_init(&a, 65536);
    for (int v = 0; v < DESK_VERBS; v++) {
        struct desk_act act = example;
        act.verb = (enum desk_verb)v;
        if (act.verb == DESK_KEY || act.verb == DESK_FILING)
            act.what = SPAN_LIT("create");
        if (act.verb == DESK_ACCOUNT || act.verb == DESK_KEY || act.verb == DESK_FILING) {
            act.end_user = SPAN_LIT("");
            act.account = SPAN_LIT("张三");
        }
        if (v == DESK_CASEBOOK) /* about no end user */
            act.end_user = SPAN_LIT("");
        buf_clear(&text);
        assert_int_equal(desk_write_act(&act, &text), 0);
        assert_int_equal(desk_read_act(buf_span(&text), &a, &got), 0);
        assert_int_equal(got.verb, v);
        assert_span(got.app, act.app);
        assert_span(got.end_user, act.end_user);
        assert_span(got.account, act.account);
        assert_span(got.reason, act.reason);
        assert_span(got.author, act.author);
        assert_span(got.login, act.login);
        assert_int_equal(got.seconds, act.seconds);
        /* A part of it is none. */
        for (size_t n = 0; n + 2 < text.len; n++)
            assert_int_equal(desk_read_act(span_slice(buf_span(&text), 0, n), &a, &got), -EBADMSG);
    }
    arena_deinit(&a);
    buf_deinit(&text);
}

static void what_is_no_act_is_refused(void **state)
{
#define REST "\"what\":\"\",\"reason\":\"\",\"author\":\"\",\"login\":\"\",\"seconds\":"
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "{\"verb\":\"lift\",\"app\":\"\",\"end_user\":\"anna\"," REST "0}",
        "{\"verb\":\"forgive\",\"app\":\"\",\"end_user\":\"" ANNA "\"," REST "0}",
        "{\"verb\":\"lift\",\"app\":1,\"end_user\":\"" ANNA "\"," REST "0}",
        "{\"verb\":\"lift\",\"app\":\"\",\"end_user\":\"" ANNA "\"," REST "-1}",
        "{\"verb\":\"lift\",\"app\":\"\",\"end_user\":\"" ANNA "\"," REST "\"1\"}",
        "{\"verb\":\"suspend\",\"app\":\"\",\"end_user\":\"" ANNA "\"," REST "1}",
        "{\"verb\":\"account\",\"app\":\"\",\"end_user\":\"\"," REST "0}",
        "{\"verb\":\"account\",\"app\":\"\",\"account\":\"a\",\"end_user\":\"" ANNA "\"," REST "0}",
        "{\"verb\":\"lift\",\"verb\":\"lift\",\"app\":\"\",\"end_user\":\"" ANNA "\"," REST "0}",
    };
    struct arena a;
    struct desk_act got;
    arena_init(&a, 65536);
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        if (desk_read_act(span_str(bad[i]), &a, &got) != -EBADMSG)
            fail_msg("case %zu", i);
    arena_deinit(&a);
}

static void answers_read_as_they_were_written(void **state)
{
    struct desk_answer answer = {
        .error = "it \"is\" so", .entries = 1, .records = 2, .texts = 3, .left_in_wal = true};
    struct desk_answer got;
    struct buf text = BUF_INIT(4096);
    assert_int_equal(desk_write_answer(&answer, &text), 0);
    assert_int_equal(desk_read_answer(buf_span(&text), &got), 0);
    assert_string_equal(got.error, answer.error);
    assert_int_equal(got.entries, 1);
    assert_int_equal(got.records, 2);
    assert_int_equal(got.texts, 3);
    assert_true(got.left_in_wal);
    assert_int_equal(desk_read_answer(SPAN_LIT("{\"error\":\"\"}"), &got), -EBADMSG);
    buf_deinit(&text);
}

static struct audit *open_log(void)
{
    struct audit *a = NULL;
    struct audit_options o = {.dir = span_str(dir), .state_dir = span_str(dir)};
    assert_int_equal(audit_open(&o, &a), 0);
    return a;
}

static int64_t do_it(struct audit *a, enum desk_verb verb, int64_t seconds)
{
    struct desk_act act = example;
    struct desk_answer answer;
    act.verb = verb;
    act.seconds = seconds;
    desk_carry_out(&(struct desk_hands){.audit = a, .log_dir = span_str(dir)}, &act, &answer);
    assert_string_equal(answer.error, "");
    return answer.entries;
}

static enum strike_state state_of(struct audit *a, uint32_t *ret_flags)
{
    struct strike_entry e;
    int64_t until;
    assert_true(strike_entry_init(&e, example.app, example.end_user));
    strikes_lock(audit_strikes(a));
    strikes_find(audit_strikes(a), &e);
    strikes_unlock(audit_strikes(a));
    *ret_flags = e.flags;
    return strike_state_at(&e, clock_wall_s(), &until);
}

static void acts_hold_at_once_and_for_good(void **state)
{
    static const char *const told[] = {"user_suspend", "user_appeal",  "user_appeal_denied",
                                       "user_lift",    "user_suspend", "user_lookup",
                                       "user_delete",  "user_deleted"};
    struct audit *a = open_log();
    uint32_t flags;
    assert_int_equal(do_it(a, DESK_LIFT, 0), 0); /* nobody is known: nothing to lift, or record */
    assert_int_equal(do_it(a, DESK_SUSPEND, 3600), 1);
    assert_int_equal(state_of(a, &flags), STRIKE_SUSPEND);
    assert_int_equal(flags, STRIKE_BY_HAND);
    do_it(a, DESK_APPEAL, 0);
    state_of(a, &flags);
    assert_int_equal(flags, STRIKE_BY_HAND | STRIKE_APPEALED);
    do_it(a, DESK_DENY, 0);
    do_it(a, DESK_LIFT, 0);
    assert_int_equal(state_of(a, &flags), STRIKE_CLEAR);
    do_it(a, DESK_SUSPEND, 0);
    do_it(a, DESK_LOOKUP, 0);
    do_it(a, DESK_DELETE, 0);
    audit_close(a);
    a = open_log();
    assert_int_equal(state_of(a, &flags), STRIKE_SUSPEND);
    audit_close(a);

    struct query_filter f = {.all = true, .oldest_first = true, .end_user = example.end_user};
    struct query *q = NULL;
    const struct query_row *row;
    size_t n = 0;
    assert_int_equal(query_open(span_str(dir), &f, &q), 0);
    while (query_next(q, &row) == 1) {
        assert_true(n < sizeof(told) / sizeof(*told));
        assert_span(row->entry.reason, span_str(told[n++]));
        assert_true(span_find(row->entry.detail, SPAN_LIT("Zhou")) < row->entry.detail.len);
    }
    assert_int_equal(n, sizeof(told) / sizeof(*told));
    query_close(q);
}

/* The state's folder is the gateway's, who must not lead root's command elsewhere. */
/* In a process of its own, whose files may not grow. 0: all is as it should be. */
static int delete_while_degraded(void)
{
    struct rlimit limit = {300000, 300000};
    struct audit_options o = {.dir = span_str(dir), .mode = AUDIT_DEGRADED};
    struct audit_health h = {0};
    struct desk_act act = example;
    struct desk_answer answer;
    struct audit *a = NULL;
    char room[2000];
    memset(room, 'x', sizeof(room));
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) < 0 || audit_open(&o, &a) < 0)
        return 1;
    for (int i = 0; i < 2000 && !h.degraded; i++) {
        struct audit_event e = {.kind = AUDIT_ADMIN,
                                .reason = SPAN_LIT("filler"),
                                .detail = span_from(room, sizeof(room))};
        audit_submit(a, NULL, 0, &e);
        usleep(500);
        audit_get_health(a, &h);
    }
    act.verb = DESK_DELETE;
    desk_carry_out(&(struct desk_hands){.audit = a, .log_dir = span_str(dir)}, &act, &answer);
    return !h.degraded ? 2 : strcmp(answer.error, "the log can't be written now") != 0 ? 3 : 0;
}

/* What waits in memory has texts, too: nobody is told that they are gone. */
static void nothing_is_deleted_of_a_log_in_memory(void **state)
{
    int status = 0;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(delete_while_degraded());
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void an_act_is_laid_down_in_the_desk_only(void **state)
{
    struct audit *a = open_log(); /* a gateway that never looks */
    struct config c = {.state_dir = span_str(dir), .audit.dir = span_str(dir)};
    struct desk_answer answer;
    char elsewhere[80], desk[80];
    snprintf(elsewhere, sizeof(elsewhere), "%s/elsewhere", dir);
    snprintf(desk, sizeof(desk), "%s/desk", dir);
    assert_int_equal(mkdir(elsewhere, 0700), 0);
    assert_int_equal(symlink(elsewhere, desk), 0);
    assert_int_equal(desk_ask(&c, &example, 1, &answer), -ENOTDIR);
    assert_int_equal(unlink(desk), 0);
    assert_int_equal(desk_ask(&c, &example, 1, &answer), -ETIMEDOUT);
    assert_int_equal(rmdir(elsewhere), 0); /* nothing is in it */
    if (geteuid() == 0) {
        assert_int_equal(chown(desk, 12345, 12345), 0);
        assert_int_equal(desk_ask(&c, &example, 1, &answer), -EACCES);
    }
    assert_int_equal(rmdir(desk), 0); /* what nobody took was taken back */
    audit_close(a);
}

static void an_account_s_change_goes_on_record(void **state)
{
    struct desk_act act = {
        .verb = DESK_ACCOUNT, .account = SPAN_LIT("root"), .what = SPAN_LIT("add")};
    struct query_filter all = {.all = true};
    struct desk_answer answer;
    struct query *q = NULL;
    const struct query_row *row;
    unsigned found = 0;
    struct audit *a = open_log();
    desk_carry_out(&(struct desk_hands){.audit = a, .log_dir = span_str(dir)}, &act, &answer);
    audit_close(a);
    assert_string_equal(answer.error, "");
    assert_int_equal(query_open(span_str(dir), &all, &q), 0);
    while (query_next(q, &row) > 0)
        if (span_eq(row->entry.reason, SPAN_LIT("account")) &&
            span_find(row->entry.detail, SPAN_LIT("\"what\":\"add\",\"account\":\"root\"")) <
                row->entry.detail.len)
            found++;
    query_close(q);
    assert_int_equal(found, 1);
}

static void what_is_done_for_a_filing_goes_on_record(void **state)
{
    struct desk_act act = {.verb = DESK_FILING,
                           .what = SPAN_LIT("evaluate"),
                           .account = SPAN_LIT("run-1"),
                           .reason = SPAN_LIT("agreed"),
                           .author = SPAN_LIT("Zhou")};
    struct query_filter all = {.all = true};
    struct desk_answer answer;
    struct query *q = NULL;
    const struct query_row *row;
    unsigned found = 0;
    struct audit *a = open_log();
    desk_carry_out(&(struct desk_hands){.audit = a, .log_dir = span_str(dir)}, &act, &answer);
    audit_close(a);
    assert_string_equal(answer.error, "");
    assert_int_equal(query_open(span_str(dir), &all, &q), 0);
    while (query_next(q, &row) > 0)
        if (span_eq(row->entry.reason, SPAN_LIT("filing_evaluate")) &&
            span_find(row->entry.detail, SPAN_LIT("{\"of\":\"run-1\",\"author\":\"Zhou\"")) <
                row->entry.detail.len)
            found++;
    query_close(q);
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(acts_read_as_they_were_written),
        cmocka_unit_test(what_is_no_act_is_refused),
        cmocka_unit_test(answers_read_as_they_were_written),
        cmocka_unit_test_setup_teardown(acts_hold_at_once_and_for_good, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(an_account_s_change_goes_on_record, make_dir, remove_dir),
        cmocka_unit_test_setup_teardown(what_is_done_for_a_filing_goes_on_record, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(nothing_is_deleted_of_a_log_in_memory, make_dir,
                                        remove_dir),
        cmocka_unit_test_setup_teardown(an_act_is_laid_down_in_the_desk_only, make_dir, remove_dir),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
