/* Who may put what in force: rollback, two persons, urgent words; what differs; what is served. */
#include "versions.h"

#include "base/clock.h"
#include "base/day.h"
#include "rules/serving.h"

static void roll_back(const char *version, int want, const char *text, struct publish_done *done)
{
    struct publish p = by("anna");
    int r = publish_rollback(&p, span_str(version), done);
    expect_done(&p, r, want, text);
}

static void test_rollback(void **state)
{
    struct publish_done a, b, c, d, unused;
    ruleset_unref(in_force(""));
    roll_back("", -EINVAL, "no other library was in force before", &unused);
    publish_text("甲词语\n", &a);
    publish_text("乙词语\n", &b);
    publish_text("丙词语\n", &c);
    /* One after another goes further back. */
    roll_back("", 0, "", &d);
    expect_in_force(b.version);
    assert_string_equal(d.previous, c.version);
    roll_back("", 0, "", &d);
    expect_in_force(a.version);
    /* To what was served before anything was published. */
    roll_back("", 0, "", &d);
    assert_true(hits("说坏词语"));
    roll_back("", -EINVAL, "no other library was in force before", &unused);
    /* By name: whole, or in part. */
    char name[RULE_VERSION_SIZE];
    vault_name(span_str(c.version), name);
    roll_back(name, 0, "", &d);
    expect_in_force(c.version);
    roll_back(c.version, PUBLISH_SAME, "", &d);
    name[2 + 8] = '\0';
    roll_back(name + 2, PUBLISH_SAME, "", &d);
    name[2 + 7] = '\0';
    roll_back(name + 2, -EINVAL, "no version is called '", &unused);
    roll_back("v-ffffffffffff", -EINVAL, "no version is called 'v-ffffffffffff'", &unused);
    /* A publication of what was there is a new beginning. */
    publish_text("甲词语\n", &d);
    assert_string_equal(d.version, a.version);
    roll_back("", 0, "", &d);
    expect_in_force(c.version);
}

static void test_two_persons(void **state)
{
    struct publish_done a, b, c, done;
    publish_text("甲词语\n", &a);
    write_file("r/keywords/A1-a.txt", "乙词语\n");
    struct publish p = by("Anna ");
    int r = publish_library(&p, true, &b);
    expect_done(&p, r, 0, "");
    expect_in_force(a.version);
    roll_back(b.version, -EINVAL, b.version, &done); /* it was never in force */

    p = by(" anna");
    r = publish_approve(&p, span_str(b.version), &done);
    char want[256];
    snprintf(want, sizeof(want), "%s was proposed by Anna : somebody else has to approve it",
             b.version);
    expect_done(&p, r, -EINVAL, want);
    expect_in_force(a.version);
    p = by("bert");
    r = publish_approve(&p, span_str(a.version), &done);
    snprintf(want, sizeof(want), "%s was never proposed", a.version);
    expect_done(&p, r, -EINVAL, want);
    /* What the working copy became meanwhile doesn't matter. */
    write_file("r/keywords/A1-a.txt", "丙词语\n");
    p = by("bert");
    p.reason = SPAN_LIT("");
    r = publish_approve(&p, span_str(b.version), &done);
    expect_done(&p, r, 0, "");
    expect_in_force(b.version);
    struct journal j;
    read_journal(&j, 0, "");
    const struct journal_entry *e = &j.entries[j.count - 1];
    assert_int_equal(e->act, JOURNAL_APPROVE);
    assert_int_equal(e->of, 2);
    assert_span(e->author, SPAN_LIT("bert"));
    assert_span(e->reason, SPAN_LIT("a test")); /* the proposal's */
    journal_close(&j);
    p = by("carl");
    r = publish_approve(&p, span_str(b.version), &done);
    snprintf(want, sizeof(want), "%s is approved already", b.version);
    expect_done(&p, r, -EINVAL, want);

    /* One that would undo what came into force since. */
    p = by("anna");
    r = publish_library(&p, true, &c);
    expect_done(&p, r, 0, "");
    publish_text("丁词语\n", &done);
    p = by("bert");
    r = publish_approve(&p, span_str(c.version), &done);
    snprintf(want, sizeof(want), "%s was proposed before v-", c.version);
    expect_done(&p, r, -EINVAL, want);
}

static void urgent(const char *word, int64_t seconds, int want, const char *text,
                   struct publish_done *done)
{
    struct publish p = by("anna");
    int64_t end = (clock_wall_s() + seconds) / 60 * 60;
    int r = publish_urgent(&p, span_str(word), SPAN_LIT("A1-a"), end, done);
    expect_done(&p, r, want, text);
}

static void test_urgent(void **state)
{
    struct publish_done a, b, c, done;
    publish_text("甲词语\n", &a);
    urgent("急词语", 86400, 0, "", &b);
    assert_true(hits("说急词语") && hits("说甲词语"));
    assert_int_equal(b.diff.added, 1);
    struct ruleset *set = in_force("");
    const struct rule *rule =
        ruleset_find_word(set, ruleset_find_risk(set, SPAN_LIT("A1-a")), SPAN_LIT("急-词-语"));
    assert_non_null(rule);
    assert_span(rule->file, SPAN_LIT("r/" URGENT_FILE));
    assert_span(rule->why, SPAN_LIT("a test"));
    assert_true(rule->expires > clock_wall_s() && rule->expires <= clock_wall_s() + 86400);
    ruleset_unref(set);

    /* Carried over, and back again. */
    publish_text("乙词语\n", &c);
    assert_int_equal(c.urgent, 1);
    assert_true(hits("说急词语") && hits("说乙词语"));
    roll_back("", 0, "", &done);
    assert_int_equal(done.urgent, 1);
    assert_true(hits("说急词语") && hits("说甲词语"));
    roll_back(c.version, 0, "", &done);

    /* Until the library has it; then it is a rule like others, and urgent no more. */
    publish_text("乙词语\n急、词语\n", &done);
    assert_int_equal(done.urgent, 0);
    assert_true(hits("说急词语"));
    urgent("急词语", 3600, -EINVAL, "'急词语' is a rule already: A1-a/", &done);
    /* Should the library lose it again, its time isn't over. */
    publish_text("乙词语\n", &done);
    assert_int_equal(done.urgent, 1);
    assert_true(hits("说急词语"));

    struct publish p = by("bert");
    p.reason = SPAN_LIT("");
    int r = publish_withdraw(&p, SPAN_LIT("急词语"), SPAN_LIT(""), &done);
    expect_done(&p, r, 0, "");
    assert_false(hits("说急词语"));
    p = by("bert");
    r = publish_withdraw(&p, SPAN_LIT("急词语"), SPAN_LIT(""), &done);
    expect_done(&p, r, -EINVAL, "'急词语' is no live urgent word");
    /* Nor does it come back with the version that had it. */
    publish_text("丙词语\n", &done);
    roll_back(c.version, 0, "", &done);
    assert_int_equal(done.urgent, 0);
    assert_false(hits("说急词语"));
}

static void test_urgent_states(void **state)
{
    struct publish_done done;
    struct urgent_word *words;
    struct journal j;
    size_t count;
    publish_text("甲词语\n", &done);
    urgent("第一词", 86400, 0, "", &done);
    urgent("第二词", 86400, 0, "", &done);
    urgent("第三词", -120, 0, "r/keywords/urgent.txt:4:", &done); /* warned of: over already */
    struct publish p = by("anna");
    int r = publish_confirm(&p, SPAN_LIT("第一词"), SPAN_LIT(""));
    expect_done(&p, r, -EINVAL, "'第一词' was given by anna: somebody else has to approve it");
    p = by("bert");
    r = publish_confirm(&p, SPAN_LIT("第一词"), SPAN_LIT("A1-a"));
    expect_done(&p, r, 0, "");
    p = by("carl");
    r = publish_confirm(&p, SPAN_LIT("第一词"), SPAN_LIT("A1-a"));
    expect_done(&p, r, -EINVAL, "'第一词' is approved already, by bert");
    p = by("carl");
    r = publish_confirm(&p, SPAN_LIT("第一词"), SPAN_LIT("A1-b"));
    expect_done(&p, r, -EINVAL, "'第一词' is no live urgent word");
    urgent("第二词", 2 * 86400, 0, "", &done); /* longer than was thought */
    read_journal(&j, 0, "");
    assert_int_equal(urgent_list(&j, clock_wall_s(), &words, &count), 0);
    static const enum urgent_state want[] = {URGENT_APPROVED, URGENT_REPLACED, URGENT_EXPIRED,
                                             URGENT_AWAITING};
    assert_int_equal(count, 4);
    for (size_t i = 0; i < count; i++)
        assert_int_equal(words[i].state, want[i]);
    assert_span(words[0].confirmed->author, SPAN_LIT("bert"));
    free(words);
    assert_int_equal(urgent_list(&j, clock_wall_s() + 3 * 86400, &words, &count), 0);
    assert_int_equal(words[0].state, URGENT_EXPIRED);
    assert_int_equal(words[3].state, URGENT_EXPIRED);
    free(words);
    journal_close(&j);
    /* What is over is left out of the next version. */
    publish_text("乙词语\n", &done);
    assert_int_equal(done.urgent, 2);
    /* Of two risks one must be named. */
    p = by("anna");
    r = publish_urgent(&p, SPAN_LIT("第一词"), SPAN_LIT("A1-b"), clock_wall_s() / 60 * 60 + 600,
                       &done);
    expect_done(&p, r, 0, "");
    p = by("anna");
    r = publish_withdraw(&p, SPAN_LIT("第一词"), SPAN_LIT(""), &done);
    expect_done(&p, r, -EINVAL, "'第一词' is urgent for several risks");
    p = by("anna");
    r = publish_withdraw(&p, SPAN_LIT("第一词"), SPAN_LIT("A1-b"), &done);
    expect_done(&p, r, 0, "");
    p = by("anna");
    r = publish_urgent(&p, SPAN_LIT("词语"), SPAN_LIT("A9"), clock_wall_s() / 60 * 60 + 600, &done);
    expect_done(&p, r, -EINVAL, "r/" URGENT_FILE ":");
}

/* A reason may say anything; the file stays a file of words. */
static void test_urgent_text(void **state)
{
    struct publish_done done;
    struct publish p = by("an=na\t#!");
    p.reason = SPAN_LIT("order 5\taction=flag\nhit=x = \"y\"");
    int r = publish_urgent(&p, SPAN_LIT("急词语"), SPAN_LIT("A1-a"), clock_wall_s() / 60 * 60 + 600,
                           &done);
    expect_done(&p, r, 0, "");
    struct ruleset *set = in_force("");
    const struct rule *rule =
        ruleset_find_word(set, ruleset_find_risk(set, SPAN_LIT("A1-a")), SPAN_LIT("急词语"));
    assert_span(rule->why, SPAN_LIT("order 5 action=flag hit=x = \"y\""));
    assert_int_equal(rule->action, ACTION_DEFAULT);
    ruleset_unref(set);
}

/* In an emergency nobody publishes first. */
static void test_urgent_first(void **state)
{
    struct publish_done done;
    ruleset_unref(in_force(""));
    write_file("r/keywords/A1-a.txt", "没有人批准\n"); /* since the gateway took it */
    urgent("急词语", 600, 0, "", &done);
    assert_true(done.first);
    assert_true(hits("说坏词语") && hits("说急词语"));
    assert_false(hits("没有人批准"));
}

/* A proposal is made before, approved after an urgent word was given. */
static void test_urgent_between(void **state)
{
    struct publish_done a, done;
    publish_text("甲词语\n", &a);
    write_file("r/keywords/A1-a.txt", "乙词语\n");
    struct publish p = by("anna");
    int r = publish_library(&p, true, &a);
    expect_done(&p, r, 0, "");
    urgent("急词语", 86400, 0, "", &done);
    p = by("bert");
    r = publish_approve(&p, span_str(a.version), &done);
    expect_done(&p, r, 0, "");
    assert_true(hits("说急词语") && hits("说乙词语"));
}

/* ---- with nothing published ---- */

static void test_auto(void **state)
{
    struct journal j;
    struct ruleset *a = in_force(""), *b;
    char path[256];
    assert_true(span_starts(ruleset_version(a), SPAN_LIT("auto-")));
    snprintf(path, sizeof(path), "s/rules/versions/%.*s/keywords/A1-a.txt",
             SPAN_ARG(ruleset_digest(a)));
    assert_int_equal(access(path, R_OK), 0);
    b = in_force("");
    assert_span(ruleset_digest(b), ruleset_digest(a));
    ruleset_unref(b);
    read_journal(&j, 0, "");
    assert_int_equal(j.count, 1);
    assert_int_equal(j.entries[0].act, JOURNAL_AUTO);
    journal_close(&j);
    write_file("r/keywords/A1-a.txt", "别的词\n");
    b = in_force("");
    assert_false(span_eq(ruleset_digest(b), ruleset_digest(a)));
    assert_int_equal(count_entries("s/rules/versions"), 2);
    ruleset_unref(a);
    ruleset_unref(b);
    /* From the first publication on the working copy is nobody's concern. */
    struct publish_done done;
    publish_text("别的词\n", &done);
    write_file("r/keywords/A1-a.txt", "没发布的\n");
    expect_in_force(done.version);
    assert_int_equal(done.diff.added + done.diff.removed, 0); /* compared with what was served */
    /* Who can't know whether something was published must not serve what wasn't. */
    fresh_store(NULL);
    ruleset_unref(in_force(""));
    write_file("s/rules/journal.jsonl", "nonsense\n");
    write_file("r/keywords/A1-a.txt", "第三个\n");
    assert_null(in_force("s/rules/journal.jsonl:1: no line of this journal; keep the file aside"));
}

static void test_status(void **state)
{
    struct publish_done a, b;
    struct publish_status status;
    struct buf messages = BUF_INIT(4096);
    char digest[RULE_DIGEST_SIZE];
    assert_int_equal(publish_status(SPAN_LIT("s"), &messages, &status), 0);
    assert_string_equal(status.in_force, "");
    struct publish p = by("anna");
    int r = publish_filed(&p, SPAN_LIT(""), digest);
    expect_done(&p, r, -EINVAL, "nothing is published");
    publish_text("甲词语\n", &a);
    p = by("anna");
    r = publish_filed(&p, SPAN_LIT(""), digest);
    expect_done(&p, r, 0, "");
    assert_string_equal(digest, a.version);
    publish_text("乙词语\n", &b);
    assert_int_equal(publish_status(SPAN_LIT("s"), &messages, &status), 0);
    assert_string_equal(status.in_force, b.version);
    assert_string_equal(status.filed, a.version);
    assert_true(status.filed_us > 0);
    p = by("anna");
    r = publish_filed(&p, span_str(b.version), digest);
    expect_done(&p, r, 0, "");
    assert_int_equal(publish_status(SPAN_LIT("s"), &messages, &status), 0);
    assert_string_equal(status.filed, b.version);
    expect_in_force(b.version);
    buf_deinit(&messages);
}

/* ---- differences ---- */

static void on_change(void *ctx, char kind, const struct rule *old, const struct rule *new,
                      struct span path)
{
    const struct rule *r = new ? new : old;
    buf_printf(ctx, "%c %.*s\n", kind, SPAN_ARG(r ? r->source : path));
}

#define NEAR(words, why)                                                                           \
    "near: [{id: A1-a/n, risk: A1-a, within: 9, why: " why ", slots: [[" words "], [炸弹]],\n"   \
    "  hit: [自制炸弹], miss: [炸弹]}]\n"

static void test_diff(void **state)
{
    struct buf told = BUF_INIT(4096);
    struct rule_diff d;
    write_file("r/keywords/A1-a.txt", "甲词语\n乙词语\n丙词语\taction=flag\n丁词语\n");
    write_file("r/near/n.yaml", NEAR("自制, 土制, 组装, 改装", "w"));
    write_file("r/allow/a.txt", "甲词语典\n");
    struct ruleset *a = expect_load("");
    /* Another order is no difference, another place neither. */
    write_file("r/keywords/A1-a.txt", "丁词语\n\n甲词语\n丙词语\n新词语\n");
    /* Not seen in its line for people, where only the first words are. */
    write_file("r/near/n.yaml", NEAR("自制, 土制, 组装, 私造", "w"));
    write_file("r/allow/b.txt", "新词语典\n");
    unlink("r/allow/a.txt");
    struct ruleset *b = expect_load("");
    assert_int_equal(rule_diff(a, b, on_change, &told, &d), 0);
    assert_int_equal(d.added, 1);
    assert_int_equal(d.removed, 1);
    assert_int_equal(d.changed, 2);
    assert_int_equal(d.files, 2);
    const char *want[] = {"+ 新词语\n", "- 乙词语\n", "~ 丙词语\n", "~ 自制/土制/组装/… + 炸弹\n"};
    for (size_t i = 0; i < 4; i++)
        if (span_find(buf_span(&told), span_str(want[i])) == told.len)
            fail_msg("%s in %.*s", want[i], SPAN_ARG(buf_span(&told)));
    struct span tail = SPAN_LIT("- allow/a.txt\n+ allow/b.txt\n");
    assert_span(span_slice(buf_span(&told), told.len - tail.len, told.len), tail);
    assert_true(rule_diff_files(a, b));
    assert_false(rule_diff_files(a, a));
    assert_int_equal(rule_diff(a, a, NULL, NULL, &d), 0);
    assert_int_equal(d.added + d.removed + d.changed + d.files, 0);
    assert_int_equal(rule_diff(NULL, a, NULL, NULL, &d), 0);
    assert_int_equal(d.added, 5);
    ruleset_unref(a);
    ruleset_unref(b);
    buf_deinit(&told);
}

/* ---- what is served ---- */

static void test_serving(void **state)
{
    struct serving *s, *other;
    struct serving_state st;
    struct publish_done a, b;
    serving_look(SPAN_LIT("s"), &st);
    assert_false(st.running);
    assert_int_equal(serving_open(SPAN_LIT("s"), &s), -ENOENT);
    publish_text("甲词语\n", &a);
    struct ruleset *set = in_force("");
    assert_int_equal(serving_open(SPAN_LIT("s"), &s), 0);
    assert_int_equal(serving_open(SPAN_LIT("s"), &other), -EBUSY);
    serving_look(SPAN_LIT("s"), &st);
    assert_true(st.running);
    assert_string_equal(st.digest, "");
    assert_int_equal(serving_tell(s, set, SPAN_LIT(""), SPAN_LIT("")), 0);
    serving_look(SPAN_LIT("s"), &st);
    assert_int_equal(st.pid, getpid());
    assert_string_equal(st.digest, a.version);
    assert_true(serving_serves(&st, span_str(a.version)));
    publish_text("乙词语\n", &b);
    assert_false(serving_serves(&st, span_str(b.version)));
    serving_wait(SPAN_LIT("s"), span_str(b.version), 30, &st); /* nobody takes it */
    assert_true(st.running && st.refused[0] == '\0');
    assert_int_equal(serving_tell(s, set, span_str(b.version), SPAN_LIT("a \"reason\"\n")), 0);
    serving_wait(SPAN_LIT("s"), span_str(b.version), 600000, &st);
    assert_string_equal(st.refused, b.version);
    assert_string_equal(st.why, "a \"reason\"\n");
    serving_close(s);
    /* One that is gone is not waited for. */
    serving_wait(SPAN_LIT("s"), span_str(b.version), 600000, &st);
    assert_false(st.running);
    serving_close(NULL);
    ruleset_unref(set);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_rollback),       EACH_STORE(test_two_persons),
        EACH_STORE(test_urgent),         EACH_STORE(test_urgent_states),
        EACH_STORE(test_urgent_text),    EACH_STORE(test_urgent_first),
        EACH_STORE(test_urgent_between), EACH_STORE(test_auto),
        EACH_STORE(test_status),         EACH_STORE(test_diff),
        EACH_STORE(test_serving),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
