/* The working copy as the console changes it, what is told of it, and the record before an act. */
#include "versions.h"

#include "rules/draft.h"
#include "rules/versions.h"

static struct draft_change change(bool phrase, const char *text)
{
    return (struct draft_change){.state_dir = SPAN_LIT("s"),
                                 .rules_dir = SPAN_LIT("r"),
                                 .phrase = phrase,
                                 .text = span_str(text),
                                 .risk = phrase ? SPAN_LIT("") : SPAN_LIT("A1-b"),
                                 .why = SPAN_LIT("a reason"),
                                 .author = SPAN_LIT("anna"),
                                 .report = RULE_REPORT_INIT};
}

/* Applies it; `want` as draft_apply(), with `text` somewhere in the messages. */
static void expect_applied(struct draft_change *d, int want, const char *text, char *ret_rule)
{
    char rule[RULE_ID_SIZE];
    int r = draft_apply(d, ret_rule ? ret_rule : rule);
    struct span messages = buf_span(&d->report.text);
    if (r != want || (text[0] && span_find(messages, span_str(text)) == messages.len))
        fail_msg("%d instead of %d: %.*s", r, want, SPAN_ARG(messages));
    buf_deinit(&d->report.text);
}

static void expect_file(const char *name, const char *want)
{
    struct buf text = BUF_INIT(65536);
    read_text(name, &text);
    assert_span(buf_span(&text), span_str(want));
    buf_deinit(&text);
}

static void test_lines(void **state)
{
    char rule[RULE_ID_SIZE];
    struct draft_change d = change(false, "新词语");
    expect_applied(&d, 0, "", rule);
    assert_memory_equal(rule, "A1-b/", 5);
    d = change(false, "又一词");
    expect_applied(&d, 0, "", NULL);
    d = change(true, "坏词语典");
    expect_applied(&d, 0, "", rule);
    assert_memory_equal(rule, "allow/", 6);
    expect_file("r/keywords/console.txt", "# Added at the console; may be edited.\n"
                                          "新词语\trisk=A1-b\twhy=a reason\tsource=own: anna\n"
                                          "又一词\trisk=A1-b\twhy=a reason\tsource=own: anna\n");
    expect_file("r/allow/console.txt", "# Added at the console; may be edited.\n"
                                       "坏词语典\twhy=a reason\tsource=own: anna\n");
    struct ruleset *s = expect_load("");
    assert_int_equal(judge(s, "坏词语典", DIRECTION_PROMPT), UINT32_MAX);
    assert_int_not_equal(judge(s, "新词语", DIRECTION_PROMPT), UINT32_MAX);
    ruleset_unref(s);
    /* What is there already is told where; of another risk it is another rule. */
    d = change(false, "新词语");
    expect_applied(&d, DRAFT_SAME, "is already in keywords/console.txt", NULL);
    d = change(false, "坏词语");
    d.risk = SPAN_LIT("A1-a");
    expect_applied(&d, DRAFT_SAME, "r/keywords/A1-a.txt:1", NULL);
    d = change(false, "坏词语");
    expect_applied(&d, 0, "", NULL);
    /* Out again, and what somebody wrote by hand stays. */
    write_file("r/keywords/console.txt", "# mine\n新词语\trisk=A1-b\n\n手写词\trisk=A1-a");
    d = change(false, "新词语");
    d.remove = true;
    expect_applied(&d, 0, "", NULL);
    expect_file("r/keywords/console.txt", "# mine\n\n手写词\trisk=A1-a\n");
    d = change(false, "新词语");
    d.remove = true;
    expect_applied(&d, DRAFT_SAME, "is not in keywords/console.txt", NULL);
}

static void test_refused(void **state)
{
    static const char *const bad[] = {"", " a", "a ", "#a", "a\tb", "a\nb", "\xff", "a\x1b"};
    for (size_t i = 0; i < sizeof(bad) / sizeof(*bad); i++)
        assert_false(draft_is_text(span_str(bad[i]), 256));
    assert_true(draft_is_text(SPAN_LIT("a b#c"), 256));
    assert_false(draft_is_text(SPAN_LIT("abcd"), 3));
    struct draft_change d = change(false, "词");
    expect_applied(&d, -EINVAL, "is a single character", NULL);
    d = change(false, "新词语");
    d.risk = SPAN_LIT("A9-z");
    expect_applied(&d, -EINVAL, "no risk is called 'A9-z'", NULL);
    assert_int_not_equal(access("r/keywords/console.txt", F_OK), 0);
    /* Whoever publishes has a library, whatever is added to it. */
    write_file("r/keywords/A1-b.txt", "半句\tfoo=bar\n");
    d = change(true, "坏词语典");
    expect_applied(&d, -EINVAL, "unknown key 'foo'", NULL);
    assert_int_not_equal(access("r/allow/console.txt", F_OK), 0);
}

struct record {
    int result;
    unsigned calls;
    char what[RULE_ID_SIZE];
};

static int on_line(void *ctx, struct span rule, struct buf *messages)
{
    struct record *r = ctx;
    r->calls++;
    snprintf(r->what, sizeof(r->what), "%.*s", SPAN_ARG(rule));
    return r->result;
}

static int on_act(void *ctx, const struct journal_entry *e, struct buf *messages)
{
    struct record *r = ctx;
    r->calls++;
    snprintf(r->what, sizeof(r->what), "%s by %.*s", journal_act_name(e->act), SPAN_ARG(e->author));
    if (r->result < 0)
        buf_append(messages, SPAN_LIT("no record"));
    return r->result;
}

/* What can't be put on record is not done; what fails before is not put on record. */
static void test_record(void **state)
{
    char rule[RULE_ID_SIZE];
    struct record r = {.result = -EIO};
    struct draft_change d = change(true, "坏词语典");
    d.before = on_line;
    d.ctx = &r;
    expect_applied(&d, -EIO, "", rule);
    assert_string_equal(r.what, rule);
    assert_int_not_equal(access("r/allow/console.txt", F_OK), 0);
    struct publish_done done;
    struct publish p = by("anna");
    p.before = on_act;
    p.before_ctx = &r;
    expect_done(&p, publish_library(&p, false, &done), -EIO, "no record");
    assert_string_equal(r.what, "publish by anna");
    struct ruleset *s = in_force("");
    assert_true(span_starts(ruleset_version(s), SPAN_LIT("auto-")));
    ruleset_unref(s);
    r = (struct record){0};
    p = by("anna");
    p.before = on_act;
    p.before_ctx = &r;
    expect_done(&p, publish_rollback(&p, SPAN_LIT("v-ffffffffffff"), &done), -EINVAL,
                "no version is called");
    assert_int_equal(r.calls, 0);
    p = by("anna");
    p.before = on_act;
    p.before_ctx = &r;
    expect_done(&p, publish_library(&p, false, &done), 0, "");
    assert_int_equal(r.calls, 1);
    p = by("anna");
    p.before = on_act;
    p.before_ctx = &r;
    expect_done(&p, publish_library(&p, false, &done), PUBLISH_SAME, "");
    assert_int_equal(r.calls, 1);
}

/* ---- history ---- */

static void look(struct versions *v)
{
    struct buf messages = BUF_INIT(4096);
    assert_int_equal(versions_open(SPAN_LIT("s"), &messages, v), 0);
    assert_int_equal(v->damage, 0);
    assert_int_equal(messages.len, 0);
}

static void test_history(void **state)
{
    struct publish_done a, b, c;
    struct versions v;
    struct buf unheard = BUF_INIT(4096);
    assert_int_equal(versions_open(SPAN_LIT("s"), &unheard, &v), -ENOENT);
    ruleset_unref(in_force(""));
    publish_text("甲词语\n", &a);
    look(&v);
    assert_int_equal(v.in_force->act, JOURNAL_PUBLISH);
    assert_null(versions_proposal(&v));
    /* The first one took the place of what was served without being published. */
    assert_span(versions_before(&v, span_str(a.version)), v.journal.entries[0].version);
    assert_int_equal(versions_before(&v, v.journal.entries[0].version).len, 0);
    versions_close(&v);
    write_file("r/keywords/A1-a.txt", "乙词语\n");
    struct publish p = by("anna");
    expect_done(&p, publish_library(&p, true, &b), 0, "");
    look(&v);
    const struct journal_entry *e = versions_proposal(&v);
    assert_non_null(e);
    assert_span(e->version, span_str(b.version));
    assert_string_equal(versions_state(&v, e), "proposed");
    assert_span(versions_before(&v, span_str(b.version)), span_str(a.version));
    versions_close(&v);
    /* An urgent word is in nobody's way; another library is. */
    p = by("bert");
    expect_done(&p,
                publish_urgent(&p, SPAN_LIT("急词语"), SPAN_LIT("A1-a"), 4000000020 / 60 * 60, &c),
                0, "");
    look(&v);
    assert_non_null(versions_proposal(&v));
    versions_close(&v);
    publish_text("丙词语\n", &c);
    look(&v);
    assert_null(versions_proposal(&v));
    assert_string_equal(versions_state(&v, v.in_force), "in force");
    assert_span(v.in_force->version, span_str(c.version));
    versions_close(&v);
    /* One that is approved waits no more. */
    write_file("r/keywords/A1-a.txt", "丁词语\n");
    p = by("anna");
    expect_done(&p, publish_library(&p, true, &b), 0, "");
    p = by("bert");
    expect_done(&p, publish_approve(&p, span_str(b.version), &c), 0, "");
    look(&v);
    assert_null(versions_proposal(&v));
    versions_close(&v);
    buf_deinit(&unheard);
}

/* ---- phrases ---- */

static void on_phrase(void *ctx, char kind, struct span phrase, struct place at)
{
    rule_diff_phrase_line(ctx, kind, phrase, at);
}

static void test_phrases(void **state)
{
    struct buf told = BUF_INIT(4096);
    write_file("r/allow/a.txt", "甲短语\n乙短语\n丙短语\n");
    write_file("r/allow/b.txt", "甲短语\n");
    struct ruleset *a = expect_load("");
    write_file("r/allow/a.txt", "乙短语\n新短语\n乙短语\n");
    struct ruleset *b = expect_load("");
    assert_int_equal(rule_diff_phrases(a, b, on_phrase, &told), 0);
    /* In the order of their bytes; one that still stands in another file has not gone. */
    assert_span(buf_span(&told),
                SPAN_LIT("- allow\t丙短语\tr/allow/a.txt:3\n+ allow\t新短语\tr/allow/a.txt:2\n"));
    buf_clear(&told);
    assert_int_equal(rule_diff_phrases(NULL, b, on_phrase, &told), 0);
    struct span rest = buf_span(&told), line;
    unsigned count = 0;
    while (span_split(&rest, '\n', &line))
        count += line.len > 0;
    assert_int_equal(count, 3);
    char id[RULE_ID_SIZE], other[RULE_ID_SIZE];
    ruleset_phrase_id(SPAN_LIT("甲短语"), id);
    ruleset_phrase_id(SPAN_LIT("乙短语"), other);
    assert_int_equal(strlen(id), strlen("allow/") + 16);
    assert_string_not_equal(id, other);
    ruleset_unref(a);
    ruleset_unref(b);
    buf_deinit(&told);
}

int main(void)
{
    const struct CMUnitTest tests[] = {EACH_STORE(test_lines), EACH_STORE(test_refused),
                                       EACH_STORE(test_record), EACH_STORE(test_history),
                                       EACH_STORE(test_phrases)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
