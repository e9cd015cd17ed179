/* The manifest of a pack, its signature, and each way in which an archive can differ from it. */
#include "../unit.h"

#include "filing/pack.h"
#include "filing/packchanges.h"
#include "sheet/zipwrite.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-pack-XXXXXX";

static int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 && mkdir("state", 0700) == 0 &&
                   mkdir("other", 0700) == 0
               ? 0
               : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static int tear_down(void **state)
{
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* Two files and three facts. */
static void make_manifest(struct manifest *m)
{
    *m = MANIFEST_INIT;
    m->made = 1800000000;
    m->by = SPAN_LIT("王五");
    m->software = SPAN_LIT("0.1.0");
    m->configuration = SPAN_LIT("00");
    m->forced = true;
    m->errors = 2;
    assert_int_equal(facts_add(&m->facts, SPAN_LIT("service.provider"), SPAN_LIT("甲公司")), 0);
    assert_int_equal(facts_add(&m->facts, SPAN_LIT("service.url"), SPAN_LIT("")), 0);
    assert_int_equal(facts_add(&m->facts, SPAN_LIT("library.keywords"), SPAN_LIT("10000")), 0);
    assert_int_equal(manifest_add(m, SPAN_LIT("附件/一.txt"), SPAN_LIT("one")), 0);
    assert_int_equal(manifest_add(m, SPAN_LIT("b.txt"), SPAN_LIT("two")), 0);
    assert_int_equal(manifest_add(m, SPAN_LIT("b.txt"), SPAN_LIT("two")), -EEXIST);
}

static void test_round_trip(void **state)
{
    struct manifest m, back = MANIFEST_INIT;
    struct buf text = BUF_INIT(1u << 20), again = BUF_INIT(1u << 20), why = BUF_INIT(4096);
    make_manifest(&m);
    assert_int_equal(manifest_write(&m, &text), 0);
    assert_int_equal(manifest_read(buf_span(&text), &back, &why), 0);
    assert_true(back.made == m.made);
    assert_span(back.by, SPAN_LIT("王五"));
    assert_true(back.forced);
    assert_int_equal(back.errors, 2);
    assert_int_equal(back.count, 2);
    /* printf one | sha256sum */
    assert_string_equal(manifest_find(&back, SPAN_LIT("附件/一.txt"))->sha256,
                        "7692c3ad3540bb803c020b3aee66cd8887123234ea0c6e7143c0add73ff431ed");
    assert_span(facts_find(&back.facts, SPAN_LIT("service.provider"))->value, SPAN_LIT("甲公司"));
    assert_int_equal(manifest_write(&back, &again), 0);
    assert_span(buf_span(&again), buf_span(&text));
    manifest_deinit(&back);

    manifest_deinit(&m);
    buf_deinit(&text);
    buf_deinit(&again);
    buf_deinit(&why);
}

static void test_no_manifest(void **state)
{
    static const char *const texts[] = {
        "",
        "{",
        "[]",
        "{\"v\":2}",
        "{\"v\":1,\"kind\":\"juyong.pack\",\"made\":\"2027-01-15T08:00:00.000Z\",\"by\":\"x\","
        "\"software\":\"s\",\"configuration_sha256\":\"\",\"forced\":false,\"errors\":0,"
        "\"warnings\":0,\"facts\":{},\"files\":[{\"name\":\"a\",\"size\":1,\"sha256\":\"zz\"}]}",
        "{\"v\":1,\"kind\":\"juyong.pack\",\"made\":\"2027-01-15T08:00:00.000Z\",\"by\":\"x\","
        "\"software\":\"s\",\"configuration_sha256\":\"\",\"forced\":false,\"errors\":0,"
        "\"warnings\":0,\"facts\":{\"a\":1},\"files\":[]}",
    };
    for (size_t i = 0; i < sizeof(texts) / sizeof(*texts); i++) {
        struct manifest m = MANIFEST_INIT;
        struct buf why = BUF_INIT(4096);
        assert_int_equal(manifest_read(span_str(texts[i]), &m, &why), -EBADMSG);
        assert_true(why.len > 0);
        manifest_deinit(&m);
        buf_deinit(&why);
    }
}

static void test_signature(void **state)
{
    struct buf signature = BUF_INIT(4096), again = BUF_INIT(4096);
    char key[MANIFEST_DIGEST], known[MANIFEST_DIGEST];
    assert_int_equal(manifest_public(SPAN_LIT("state"), known), -ENOENT);
    assert_int_equal(manifest_sign(SPAN_LIT("state"), SPAN_LIT("text"), &signature), 0);
    assert_int_equal(manifest_sign(SPAN_LIT("state"), SPAN_LIT("text"), &again), 0);
    assert_span(buf_span(&again), buf_span(&signature)); /* the key stays */
    assert_int_equal(manifest_public(SPAN_LIT("state"), known), 0);
    assert_int_equal(manifest_check(SPAN_LIT("text"), buf_span(&signature), key), 0);
    assert_string_equal(key, known);
    assert_int_equal(manifest_check(SPAN_LIT("Text"), buf_span(&signature), key), -EBADMSG);
    assert_int_equal(manifest_check(SPAN_LIT("text"), SPAN_LIT("{}"), key), -EBADMSG);
    struct stat st;
    assert_int_equal(stat("state/filing/pack.key", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    buf_deinit(&signature);
    buf_deinit(&again);
}

/* ---- archives ---- */

struct tampering {
    const char *one, *two; /* content of the files; NULL: left out */
    const char *extra;     /* a file that the manifest doesn't name */
    const char *from, *to; /* within the manifest's text, after it was signed */
    const char *signer;    /* whose key */
    bool no_manifest, no_signature;
};

static void write_archive(const struct tampering *t)
{
    struct manifest m;
    struct buf text = BUF_INIT(1u << 20), signature = BUF_INIT(4096);
    struct zipwrite *w = NULL;
    make_manifest(&m);
    assert_int_equal(manifest_write(&m, &text), 0);
    assert_int_equal(manifest_sign(span_str(t->signer), buf_span(&text), &signature), 0);
    if (t->from) {
        size_t at = span_find(buf_span(&text), span_str(t->from));
        assert_true(at < text.len);
        memcpy(text.data + at, t->to, strlen(t->to));
    }
    assert_int_equal(zipwrite_new(SPAN_LIT("p.zip"), &w), 0);
    if (t->one)
        zipwrite_add(w, SPAN_LIT("附件/一.txt"), span_str(t->one));
    if (t->two)
        zipwrite_add(w, SPAN_LIT("b.txt"), span_str(t->two));
    if (t->extra)
        zipwrite_add(w, SPAN_LIT("c.txt"), span_str(t->extra));
    if (!t->no_manifest)
        zipwrite_add(w, SPAN_LIT(MANIFEST_NAME), buf_span(&text));
    if (!t->no_signature)
        zipwrite_add(w, SPAN_LIT(MANIFEST_SIG), buf_span(&signature));
    assert_int_equal(zipwrite_finish(w, NULL), 0);
    zipwrite_free(w);
    manifest_deinit(&m);
    buf_deinit(&text);
    buf_deinit(&signature);
}

static void test_tampering(void **state)
{
    static const struct {
        struct tampering t;
        unsigned differences;
        const char *said;
    } cases[] = {
        {{"one", "two", .signer = "state"}, 0, ""},
        {{"One", "two", .signer = "state"}, 1, "附件/一.txt: its content was changed\n"},
        {{"one", "twoo", .signer = "state"}, 1, "b.txt: it has another size\n"},
        {{"one", NULL, .signer = "state"}, 1, "b.txt: it is missing\n"},
        {{"one", "two", "x", .signer = "state"}, 1, "c.txt: the manifest doesn't name it\n"},
        {{"one", "two", .signer = "state", .no_signature = true},
         1,
         "manifest.sig: it is missing\n"},
        {{"one", "two", .from = "甲公司", .to = "乙公司", .signer = "state"},
         1,
         "manifest.sig: the signature doesn't fit the manifest\n"},
        {{"one", "two", .signer = "other"},
         1,
         "manifest.sig: it was signed by another key than the known one\n"},
        {{"One", NULL, "x", .signer = "other"},
         4,
         "manifest.sig: it was signed by another key than the known one\n"
         "附件/一.txt: its content was changed\nb.txt: it is missing\n"
         "c.txt: the manifest doesn't name it\n"},
    };
    char known[MANIFEST_DIGEST];
    struct buf made = BUF_INIT(4096);
    assert_int_equal(manifest_sign(SPAN_LIT("state"), SPAN_LIT("x"), &made), 0);
    assert_int_equal(manifest_public(SPAN_LIT("state"), known), 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        struct buf lines = BUF_INIT(65536);
        struct pack_report report;
        write_archive(&cases[i].t);
        assert_int_equal(pack_verify(SPAN_LIT("p.zip"), span_str(known), &lines, &report), 0);
        assert_span(buf_span(&lines), span_str(cases[i].said));
        assert_int_equal(report.differences, cases[i].differences);
        manifest_deinit(&report.manifest);
        buf_deinit(&lines);
    }
    buf_deinit(&made);
}

static void test_no_pack(void **state)
{
    struct pack_report report;
    struct buf lines = BUF_INIT(65536);
    write_archive(&(struct tampering){"one", "two", .signer = "state", .no_manifest = true});
    assert_int_equal(pack_verify(SPAN_LIT("p.zip"), SPAN_LIT(""), &lines, &report), -EINVAL);
    assert_span(buf_span(&lines), SPAN_LIT("there is no manifest.json in it: it is no pack\n"));
    manifest_deinit(&report.manifest);
    buf_clear(&lines);
    assert_int_equal(pack_verify(SPAN_LIT("nothing.zip"), SPAN_LIT(""), &lines, &report), -ENOENT);
    assert_span(buf_span(&lines), SPAN_LIT("nothing.zip: No such file or directory\n"));
    manifest_deinit(&report.manifest);
    buf_clear(&lines);
    FILE *f = fopen("text.zip", "w");
    fputs("no archive", f);
    fclose(f);
    assert_int_equal(pack_verify(SPAN_LIT("text.zip"), SPAN_LIT(""), &lines, &report), -EINVAL);
    assert_true(span_starts(buf_span(&lines), SPAN_LIT("text.zip: a damaged archive")));
    manifest_deinit(&report.manifest);
    buf_deinit(&lines);
}

/* ---- what was handed in, and what is otherwise now ---- */

static void note(const char *date, const char *number, int64_t noted)
{
    struct packfiled f = PACKFILED_INIT;
    make_manifest(&f.manifest);
    f.date = span_str(date);
    f.number = span_str(number);
    f.by = SPAN_LIT("王五");
    f.noted = noted;
    assert_int_equal(manifest_digest(SPAN_LIT("m"), f.digest), 0);
    assert_int_equal(packfiled_note(SPAN_LIT("state"), &f), 0);
    manifest_deinit(&f.manifest);
}

static void test_filed(void **state)
{
    struct buf messages = BUF_INIT(4096);
    struct packfiled f = PACKFILED_INIT;
    assert_int_equal(packfiled_read(SPAN_LIT("nowhere"), &f, &messages), -ENOENT);
    struct packfiled bad = PACKFILED_INIT;
    bad.date = SPAN_LIT("2027-13-01");
    assert_int_equal(packfiled_note(SPAN_LIT("state"), &bad), -EINVAL);
    note("2027-01-15", "", 1800000000);
    note("2027-02-01", "沪-1", 1802000000);
    note("2027-02-02", "沪-2", 1802000000); /* in the same second: the later one counts */
    assert_int_equal(packfiled_read(SPAN_LIT("state"), &f, &messages), 0);
    assert_span(f.date, SPAN_LIT("2027-02-02"));
    assert_span(f.number, SPAN_LIT("沪-2"));
    assert_true(f.noted == 1802000000);
    assert_int_equal(f.manifest.count, 2);
    packfiled_free(&f);
    FILE *file = fopen("state/filing/filed/29990101-000000-000.json", "w");
    fputs("{\"date\":", file);
    fclose(file);
    assert_int_equal(packfiled_read(SPAN_LIT("state"), &f, &messages), -EBADMSG);
    assert_true(
        span_starts(buf_span(&messages),
                    SPAN_LIT("state/filing/filed/29990101-000000-000.json: it is damaged")));
    packfiled_free(&f);
    buf_deinit(&messages);
}

static void test_changes(void **state)
{
    static const struct {
        const char *key, *was, *is;
        int duty; /* -1: no change */
    } facts[] = {
        {"service.provider", "甲", "甲", -1},
        {"service.name", "小问", "大问", DUTY_REPORT},
        {"model.m.filing_number", "A-B-20230821", "", DUTY_REPORT},
        {"modality", "文本", "文本、图像", DUTY_REPORT},
        {"policy.all.A1", "block/block", "flag/flag", DUTY_ASSESS},
        {"library.keywords", "10000", "10132", DUTY_ROUTINE},
        {"service.url", "", "https://x", DUTY_REPORT},
        {"service.contact", "", "", -1},
        {"model.m.contract_until", "2026-12-31", "2027-12-31", DUTY_ROUTINE},
        {"model.m.upstream", "a", "b", DUTY_ASSESS},
        {"run.name", "run-1", "run-2", -1},
    };
    const size_t n = sizeof(facts) / sizeof(*facts);
    struct facts was = FACTS_INIT, is = FACTS_INIT;
    for (size_t i = 0; i < n; i++) {
        assert_int_equal(facts_add(&was, span_str(facts[i].key), span_str(facts[i].was)), 0);
        assert_int_equal(facts_add(&is, span_str(facts[i].key), span_str(facts[i].is)), 0);
    }
    assert_int_equal(facts_add(&was, SPAN_LIT("model.old.name"), SPAN_LIT("旧")), 0);
    assert_int_equal(facts_add(&is, SPAN_LIT("model.new.name"), SPAN_LIT("新")), 0);
    struct packchanges c;
    assert_int_equal(packchanges_make(&was, &is, &c), 0);
    size_t at = 0;
    for (size_t i = 0; i < n; i++) {
        if (facts[i].duty < 0)
            continue;
        assert_span(c.list[at].key, span_str(facts[i].key));
        assert_span(c.list[at].was, span_str(facts[i].was));
        assert_span(c.list[at].is, span_str(facts[i].is));
        assert_int_equal(c.list[at++].duty, facts[i].duty);
    }
    assert_span(c.list[at].key, SPAN_LIT("model.new.name"));
    assert_span(c.list[at].was, SPAN_LIT(""));
    assert_span(c.list[at + 1].key, SPAN_LIT("model.old.name"));
    assert_int_equal(c.count, at + 2);
    assert_int_equal(c.totals[DUTY_REPORT], 6);
    assert_int_equal(c.totals[DUTY_ASSESS], 2);
    assert_int_equal(c.totals[DUTY_ROUTINE], 2);
    struct buf out = BUF_INIT(65536);
    assert_int_equal(packchanges_text(&c, &out), 0);
    assert_true(span_find(buf_span(&out), SPAN_LIT("  服务（应用）名称：小问 → 大问\n")) < out.len);
    assert_true(span_find(buf_span(&out), SPAN_LIT("  模型 m 的备案号：A-B-20230821 → （无）\n")) <
                out.len);
    assert_true(span_find(buf_span(&out), SPAN_LIT("第二十四条")) < out.len);
    buf_deinit(&out);
    packchanges_free(&c);
    facts_deinit(&was);
    facts_deinit(&is);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_round_trip), cmocka_unit_test(test_no_manifest),
        cmocka_unit_test(test_signature),  cmocka_unit_test(test_tampering),
        cmocka_unit_test(test_no_pack),    cmocka_unit_test(test_filed),
        cmocka_unit_test(test_changes),
    };
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
