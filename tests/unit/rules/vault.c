/* The store of versions: what it keeps, what it refuses, what a crash leaves. */
#include "versions.h"

#include "base/codec.h"
#include "crypto/sha256.h"

#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>

static char path[512];

static const char *in_version(const struct publish_done *done, const char *name)
{
    snprintf(path, sizeof(path), "s/rules/versions/%s/%s", done->version, name);
    return path;
}

/* ---- what is kept ---- */

static void test_copy(void **state)
{
    struct publish_done done;
    struct buf a = BUF_INIT(65536), b = BUF_INIT(65536);
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    mkdir("r/questions", 0700);
    write_file("r/questions/q.jsonl", "{}\n");
    write_file("r/README.md", "not a part of it\n");
    publish_text("坏词语\n", &done);
    assert_true(done.first && done.compared);
    assert_int_equal(done.diff.added, 1);
    static const char *const names[] = {"risks.yaml", "keywords/A1-a.txt"};
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++) {
        char name[64];
        struct stat st;
        snprintf(name, sizeof(name), "r/%s", names[i]);
        read_text(name, &a);
        read_text(in_version(&done, names[i]), &b);
        assert_span(buf_span(&b), buf_span(&a));
        assert_int_equal(stat(path, &st), 0);
        assert_int_equal(st.st_mode & 0777, 0400);
    }
    assert_int_equal(access(in_version(&done, "README.md"), F_OK), -1);
    assert_int_equal(access(in_version(&done, "questions"), F_OK), -1); /* no rules */
    /* sha256sum -c MANIFEST; sha256sum MANIFEST */
    read_text(in_version(&done, "MANIFEST"), &a);
    assert_int_equal(sha256_once(buf_span(&a), digest), 0);
    codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
    assert_string_equal(hex, done.version);
    assert_true(span_find(buf_span(&a), SPAN_LIT("  keywords/A1-a.txt\n")) < a.len);
    /* Rules of the version are called by the folder that people know. */
    struct ruleset *set = in_force("");
    assert_span(ruleset_rule(set, 0)->file, SPAN_LIT("r/keywords/A1-a.txt"));
    char name[RULE_VERSION_SIZE];
    vault_name(span_str(done.version), name);
    assert_span(ruleset_version(set), span_str(name));
    assert_span(ruleset_manifest(set), buf_span(&a));
    ruleset_unref(set);
    buf_deinit(&a);
    buf_deinit(&b);
}

static void test_same_content(void **state)
{
    struct publish_done a, b, c;
    publish_text("坏词语\n", &a);
    struct publish p = by("anna");
    int r = publish_library(&p, false, &b);
    expect_done(&p, r, PUBLISH_SAME, "");
    assert_string_equal(a.version, b.version);
    publish_text("别的词\n", &b);
    assert_string_not_equal(a.version, b.version);
    assert_string_equal(b.previous, a.version);
    assert_int_equal(b.diff.added, 1);
    assert_int_equal(b.diff.removed, 1);
    publish_text("坏词语\n", &c);
    assert_string_equal(a.version, c.version);
    assert_int_equal(count_entries("s/rules/versions"), 2);
    expect_in_force(a.version);
}

static void test_errors(void **state)
{
    struct publish_done done, unused;
    publish_text("坏词语\n", &done);
    struct publish p = by("anna");
    write_file("r/keywords/A1-a.txt", "坏词语\tsee=all\n");
    int r = publish_library(&p, false, &unused);
    expect_done(&p, r, -EINVAL, "r/keywords/A1-a.txt:1:9: no layer is called 'all'");
    write_file("r/keywords/A1-a.txt", "别的词\n");
    write_file("r/keywords/urgent.txt", "词语\trisk=A1-a\n");
    p = by("anna");
    r = publish_library(&p, false, &unused);
    expect_done(&p, r, -EINVAL, "r/keywords/urgent.txt: is written by `juyong rules urgent`");
    unlink("r/keywords/urgent.txt");
    write_file("r/keywords/a\nb.txt", "词语\n");
    p = by("anna");
    r = publish_library(&p, false, &unused);
    expect_done(&p, r, -EINVAL, "r/keywords/a\\x0ab.txt: no name for a file of the library");
    expect_in_force(done.version);
    assert_int_equal(count_entries("s/rules/versions"), 1);
}

static int unfit(void *ctx, const struct ruleset *set, struct buf *messages)
{
    buf_append(messages, SPAN_LIT("c.yaml:1:1: no\n"));
    return 1;
}

static void test_unfit(void **state)
{
    struct publish_done done;
    struct publish p = by("anna");
    p.check = unfit;
    int r = publish_library(&p, false, &done);
    expect_done(&p, r, -EINVAL, "c.yaml:1:1: no\n");
    struct publish_status status;
    assert_int_equal(publish_status(p.state_dir, &p.report.text, &status), 0);
    assert_string_equal(status.in_force, "");
}

/* ---- tampering ---- */

static void tamper(const struct publish_done *done, const char *name, const char *text)
{
    unlink(in_version(done, name));
    if (text)
        write_file(path, text);
}

static void test_tamper(void **state)
{
    static const struct {
        const char *name, *text;
    } cases[] = {
        {"keywords/A1-a.txt", "坏词\n"}, /* changed */
        {"keywords/A1-a.txt", NULL},     /* removed */
        {"keywords/A1-b.txt", "多的\n"}, /* added */
        {"allow/x.txt", "坏词语典\n"},   /* added, and no rule */
        {"risks.yaml", "not: yaml: at all\n"},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct publish_done done, again;
        char want[256];
        fresh_store(state);
        publish_text("坏词语\n", &done);
        mkdir(in_version(&done, "allow"), 0700);
        tamper(&done, cases[i].name, cases[i].text);
        snprintf(want, sizeof(want),
                 "s/rules/versions/%s: this version was changed after it was published: its "
                 "content is ",
                 done.version);
        assert_null(in_force(want));
        /* Made on it, an urgent word would make the change look right. */
        struct publish p = by("anna");
        int r = publish_urgent(&p, SPAN_LIT("急词语"), SPAN_LIT("A1-a"), 4102444800, &again);
        expect_done(&p, r, -EINVAL, want);
        /* Published anew it is whole again, and the other stays for those who want to know. */
        p = by("anna");
        write_file("r/keywords/A1-a.txt", "别的词\n");
        r = publish_library(&p, false, &again);
        snprintf(want, sizeof(want), "%s: warning: can't be read, so nothing is compared",
                 done.version);
        expect_done(&p, r, 0, want);
        assert_false(again.compared);
        p = by("anna");
        write_file("r/keywords/A1-a.txt", "坏词语\n");
        r = publish_library(&p, false, &again);
        if (r != 0 || span_find(buf_span(&p.report.text), SPAN_LIT("set aside as versions/")) ==
                          p.report.text.len)
            fail_msg("%zu: %d: %.*s", i, r, SPAN_ARG(buf_span(&p.report.text)));
        buf_deinit(&p.report.text);
        expect_in_force(done.version);
        assert_int_equal(count_entries("s/rules/versions"), 3);
    }
}

/* In force it stays in force; published again it can be read again. */
static void test_heal(void **state)
{
    struct publish_done done, again;
    publish_text("坏词语\n", &done);
    tamper(&done, "keywords/A1-a.txt", "坏词\n");
    struct publish p = by("anna");
    int r = publish_library(&p, false, &again);
    char want[128];
    snprintf(want, sizeof(want),
             "s/rules/versions/%s: warning: was damaged; set aside as versions/", done.version);
    expect_done(&p, r, PUBLISH_SAME, want);
    expect_in_force(done.version);
}

static void test_owner(void **state)
{
    struct publish_done done, unused;
    if (geteuid() != 0)
        skip();
    publish_text("坏词语\n", &done);
    assert_int_equal(chown("s/rules", 1234567, 0), 0);
    struct publish p = by("anna");
    int r = publish_rollback(&p, SPAN_LIT(""), &unused);
    expect_done(&p, r, -EINVAL, "s/rules belongs to #1234567: run this as that user");
    expect_in_force(done.version);
    assert_int_equal(chown("s/rules", 0, 0), 0);
}

/* A disk that takes no more: of files, and of the journal. */
static void test_full(void **state)
{
    static const struct {
        rlim_t bytes;
        unsigned versions;
    } cases[] = {{20, 1}, {400, 2}}; /* below the smallest file; below two lines of the journal */
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct publish_done done;
        fresh_store(NULL);
        publish_text("坏词语\n", &done);
        write_file("r/keywords/A1-a.txt", "别的词\n");
        pid_t pid = fork();
        assert_true(pid >= 0);
        if (pid == 0) {
            struct rlimit limit = {cases[i].bytes, cases[i].bytes};
            struct publish p = by("bert");
            signal(SIGXFSZ, SIG_IGN);
            setrlimit(RLIMIT_FSIZE, &limit);
            int r = publish_library(&p, false, &done);
            _exit(r < 0 && p.report.text.len ? 0 : 1);
        }
        int status;
        assert_int_equal(waitpid(pid, &status, 0), pid);
        assert_int_equal(status, 0);
        expect_in_force(done.version);
        assert_int_equal(count_entries("s/rules/versions"), cases[i].versions);
        assert_int_equal(access("s/rules/staging", F_OK), -1);
        struct journal j;
        read_journal(&j, 0, "");
        assert_int_equal(j.count, 1);
        journal_close(&j);
        struct publish p = by("anna");
        int r = publish_library(&p, false, &done);
        expect_done(&p, r, 0, "");
        expect_in_force(done.version);
    }
}

static void test_tamper_current(void **state)
{
    struct publish_done a, b;
    publish_text("坏词语\n", &a);
    write_file("s/rules/current", "0123\n");
    assert_null(in_force("s/rules/current: names no version"));
    unlink("s/rules/current");
    assert_null(in_force("s/rules/current: is gone, though versions were published"));
    /* The last one comes back, and not the one before it. */
    struct publish p = by("anna");
    int r = publish_rollback(&p, SPAN_LIT(""), &b);
    expect_done(&p, r, 0, "");
    expect_in_force(a.version);
    publish_text("别的词\n", &b);
    write_file("s/rules/current", "");
    p = by("anna");
    r = publish_rollback(&p, SPAN_LIT(""), &a);
    assert_int_equal(r, 0);
    buf_deinit(&p.report.text);
    expect_in_force(b.version);
}

/* ---- the journal ---- */

static void test_torn(void **state)
{
    struct publish_done done;
    struct journal j;
    struct buf text = BUF_INIT(65536);
    publish_text("坏词语\n", &done);
    publish_text("别的词\n", &done);
    read_text("s/rules/journal.jsonl", &text);
    size_t whole = text.len;
    /* Wherever the power went while a line was written, that line is none. */
    for (size_t cut = 1; cut < 400; cut += 7) {
        struct span line = span_slice(buf_span(&text), 0, cut < whole / 2 ? cut : 1);
        FILE *f = fopen("s/rules/journal.jsonl", "w");
        fwrite(text.data, 1, whole, f);
        fwrite(line.data, 1, line.len, f);
        fclose(f);
        read_journal(&j, 0, "");
        assert_int_equal(j.count, 2);
        assert_int_equal(j.whole, whole);
        journal_close(&j);
    }
    publish_text("再一个\n", &done);
    read_journal(&j, 0, "");
    assert_int_equal(j.count, 3);
    assert_span(j.entries[2].version, span_str(done.version));
    assert_span(j.entries[2].author, SPAN_LIT("anna"));
    assert_span(j.entries[2].login, SPAN_LIT("tester"));
    assert_span(j.entries[2].reason, SPAN_LIT("a test"));
    assert_int_equal(j.entries[2].added, 1);
    journal_close(&j);
    buf_deinit(&text);
}

static void test_chain(void **state)
{
    struct publish_done done, unused;
    struct journal j;
    struct buf text = BUF_INIT(65536);
    publish_text("坏词语\n", &done);
    publish_text("别的词\n", &done);
    publish_text("再一个\n", &done);
    read_text("s/rules/journal.jsonl", &text);
    /* Any byte of any line but the last newline. */
    for (size_t at = 0; at + 1 < text.len; at += 13) {
        char was = text.data[at];
        text.data[at] = was == 'x' ? 'y' : 'x';
        write_bytes("s/rules/journal.jsonl", buf_span(&text));
        text.data[at] = was;
        read_journal(&j, -EBADMSG, "s/rules/journal.jsonl:");
    }
    /* A line that is missing. */
    char *second = memchr(text.data, '\n', text.len);
    write_bytes("s/rules/journal.jsonl",
                span_from(second + 1, text.len - (size_t)(second + 1 - text.data)));
    read_journal(&j, -EBADMSG, "s/rules/journal.jsonl:1: the chain is broken");
    /* What is served doesn't hang on it; changes do. */
    expect_in_force(done.version);
    struct publish p = by("anna");
    int r = publish_rollback(&p, SPAN_LIT(""), &unused);
    expect_done(&p, r, -EBADMSG, "s/rules/journal.jsonl:1: the chain is broken");
    assert_int_equal(rename("s/rules/journal.jsonl", "s/rules/journal.damaged"), 0);
    publish_text("第四个\n", &done);
    expect_in_force(done.version);
    buf_deinit(&text);
}

/* ---- death between two steps ---- */

struct death {
    unsigned steps, at;
};

static void die(void *ctx, const char *step)
{
    struct death *d = ctx;
    if (d->steps++ == d->at)
        kill(getpid(), SIGKILL);
}

enum kind { PUBLISH_IT, ROLL_BACK, URGENT_WORD };

static int act(enum kind kind, struct publish *p, struct publish_done *done)
{
    if (kind == PUBLISH_IT)
        return publish_library(p, false, done);
    if (kind == ROLL_BACK)
        return publish_rollback(p, SPAN_LIT(""), done);
    return publish_urgent(p, SPAN_LIT("急词语"), SPAN_LIT("A1-a"), 4102444800, done);
}

/* In a process of its own; true: it died. */
static bool act_and_die(enum kind kind, unsigned at)
{
    pid_t pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        struct death d = {.at = at};
        struct publish p = by("bert");
        struct publish_done done;
        p.step = die;
        p.step_ctx = &d;
        _exit(act(kind, &p, &done) == 0 ? 0 : 1);
    }
    int status;
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) || (WIFEXITED(status) && WEXITSTATUS(status) == 0));
    return WIFSIGNALED(status);
}

static void die_everywhere(enum kind kind)
{
    unsigned at = 0, olds = 0, news = 0;
    for (bool died = true; died; at++) {
        struct publish_done first, old, again;
        fresh_store(NULL);
        publish_text("坏词语\n", &first);
        publish_text("别的词\n", &old);
        write_file("r/keywords/A1-a.txt", "再一个\n");
        died = act_and_die(kind, at);
        struct ruleset *set = in_force("");
        bool is_old = span_eq(ruleset_digest(set), span_str(old.version));
        assert_true(died || !is_old);
        olds += is_old;
        news += !is_old;
        ruleset_unref(set);
        /* Whatever it left, the next one works, and the journal tells the truth. */
        struct publish p = by("anna");
        int r = act(kind, &p, &again);
        assert_true(r == 0 || r == PUBLISH_SAME || (kind != PUBLISH_IT && r == -EINVAL));
        buf_deinit(&p.report.text);
        assert_int_equal(access("s/rules/staging", F_OK), -1);
        struct journal j;
        read_journal(&j, 0, "");
        set = in_force("");
        assert_span(journal_last_switch(&j)->version, ruleset_digest(set));
        ruleset_unref(set);
        journal_close(&j);
    }
    /* Each of the two was seen: the steps lie on both sides. */
    assert_true(olds > 0 && news > 1 && at > 2);
}

static void test_death(void **state)
{
    die_everywhere(PUBLISH_IT);
    die_everywhere(ROLL_BACK);
    die_everywhere(URGENT_WORD);
}

/* With nothing published: the working copy stays what is served, or the first version is. */
static void test_first_death(void **state)
{
    bool died = true;
    for (unsigned at = 0; died; at++) {
        fresh_store(NULL);
        ruleset_unref(in_force(""));
        died = act_and_die(PUBLISH_IT, at);
        struct ruleset *set = in_force("");
        assert_true(died || span_starts(ruleset_version(set), SPAN_LIT("v-")));
        assert_int_equal(ruleset_count(set), 3); /* with the payload rule and the canary */
        ruleset_unref(set);
        struct publish p = by("anna");
        struct publish_done done;
        int r = publish_library(&p, false, &done);
        assert_true(r == 0 || r == PUBLISH_SAME);
        buf_deinit(&p.report.text);
        expect_in_force(done.version);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        EACH_STORE(test_copy),           EACH_STORE(test_same_content),
        EACH_STORE(test_errors),         EACH_STORE(test_unfit),
        EACH_STORE(test_tamper),         EACH_STORE(test_heal),
        EACH_STORE(test_owner),          EACH_STORE(test_full),
        EACH_STORE(test_tamper_current), EACH_STORE(test_torn),
        EACH_STORE(test_chain),          EACH_STORE(test_death),
        EACH_STORE(test_first_death),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
