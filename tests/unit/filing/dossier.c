/* What papers speak of: unknown where nothing is on record, and the evaluation that is complete. */
#include "fixture.h"

#include "base/cleanup.h"
#include "evaluation/run.h"
#include "filing/annex.h"

#include <errno.h>

static int make_world(void **state)
{
    if (set_up(state) < 0)
        return -1;
    mkdir("state", 0700);
    write_text("c.yaml",
               "upstreams: [{name: u, base_url: 'https://x/v1', models: [\n"
               "  {id: m, display_name: '甲<b>', filing_number: 'F-1', vendor: 某云,\n"
               "   proof: r/risks.yaml},\n"
               "  {id: other, filing_number: 'F-2'}]}]\n"
               "rules_dir: r\nstate_dir: state\n"
               "apps: [{name: shop, models: [m]}]\n"
               "strikes: {enabled: false}\n"
               "opinions: [{name: g, kind: moderations, risk: A1-a,\n"
               "            url: 'https://o.example/v1/SECRET'}]\n"
               "policy: {opinions: [{from: g, direction: completion, flag: 40, block: 60}]}\n"
               "service: {provider: '某<script>公司', name: 助手}\n");
    struct buf messages = BUF_INIT(65536);
    struct rule_report report = RULE_REPORT_INIT;
    if (ruleset_load(SPAN_LIT("r"), &report, &rules) != 0 ||
        config_load(SPAN_LIT("c.yaml"), &messages, &config) != 0) {
        fprintf(stderr, "%s%s", buf_cstr(&report.text), buf_cstr(&messages));
        return -1;
    }
    buf_deinit(&messages);
    buf_deinit(&report.text);
    return 0;
}

static struct dossier_options options(void)
{
    return (struct dossier_options){.config = config,
                                    .rules = rules,
                                    .app = config_find_app(config, SPAN_LIT("shop")),
                                    .now = NOW,
                                    .since_us = (NOW - 86400) * 1000000ull,
                                    .until_us = NOW * 1000000ull,
                                    .software = SPAN_LIT("9.9"),
                                    .verify_ms = 1000};
}

static bool says(const struct buf *b, const char *what)
{
    return span_find(buf_span(b), span_str(what)) < b->len;
}

static struct buf html_of(const char *name, const struct dossier *d)
{
    struct buf out = BUF_INIT(4u << 20);
    const struct annex *a = annex_find(span_str(name));
    assert_non_null(a);
    assert_int_equal(annex_html(a, d, &out), 0);
    return out;
}

static void what_is_not_on_record_is_unknown(void **state)
{
    struct dossier_options o = options();
    struct dossier d;
    assert_int_equal(dossier_read(&o, &d), 0);
    assert_int_equal(strlen(d.config_digest), 12);
    assert_int_equal(d.model_count, 1); /* what the app may ask for */
    assert_span(d.models[0].model->id, SPAN_LIT("m"));
    assert_false(d.traffic.known);
    assert_false(d.log.known);
    assert_int_equal(d.people.interceptions, -1);
    assert_int_equal(d.people.complaints_overdue, -1);
    assert_int_equal(d.library_since, 0);
    assert_int_equal(d.filed.list.version.len, 0);
    assert_null(d.run);
    assert_true(says(&d.messages, "the log: unknown: there is none\n"));
    assert_true(says(&d.weak, "strikes:"));
    dossier_free(&d);
}

static void papers_mark_the_unknown_and_escape_the_rest(void **state)
{
    struct dossier_options o = options();
    struct dossier d;
    assert_int_equal(dossier_read(&o, &d), 0);
    for (size_t i = 0; annex_at(i); i++) {
        struct buf out = html_of(annex_at(i)->name, &d);
        assert_true(says(&out, "草稿"));
        assert_true(says(&out, "某&lt;script&gt;公司"));
        assert_true(says(&out, "甲&lt;b&gt;"));
        assert_true(says(&out, "F-1"));
        assert_false(says(&out, "F-2"));
        assert_true(says(&out, "<mark>待补充</mark>"));
        assert_false(says(&out, "<script>"));
        buf_deinit(&out);
    }
    struct buf model = html_of("model", &d);
    assert_true(says(&model, "<td>risks.yaml</td>")); /* not where it stands on this machine */
    buf_deinit(&model);
    struct buf algorithm = html_of("algorithm", &d);
    assert_true(says(&algorithm, "输出二次审核"));
    assert_false(says(&algorithm, "输入二次审核"));
    assert_true(says(&algorithm, "g：每次送审输出（标记自 40%、拦截自 60%），无法取得意见时"));
    buf_deinit(&algorithm);
    struct buf two = html_of("2", &d);
    assert_true(says(&two, "二次审核方 g（https://o.example）"));
    assert_false(says(&two, "SECRET"));
    buf_deinit(&two);
    struct buf one = html_of("1", &d);
    assert_true(says(&one, "未启用：终端用户的输入被拦截后不会被暂停服务"));
    assert_true(says(&one, "未启用对违规使用者的暂停服务。（网关原文：strikes:"));
    assert_true(says(&one, "没有已完成的评测"));
    buf_deinit(&one);
    dossier_free(&d);
    assert_null(annex_find(SPAN_LIT("9")));
}

/* The first `passed` of `count` questions of the content bank pass; `answered` have an answer. */
static void make_run(unsigned count, unsigned passed, unsigned answered,
                     char ret_name[RUN_NAME_SIZE])
{
    static const struct risk risk = {.id = SPAN_LIT("A1-a")};
    struct question made[8];
    const struct question *sample[8];
    char names[8][8];
    for (unsigned i = 0; i < count; i++) {
        snprintf(names[i], sizeof(names[i]), "c-%u", i);
        made[i] = (struct question){.id = span_str(names[i]),
                                    .kind = BANK_CONTENT,
                                    .risk = &risk,
                                    .text = SPAN_LIT("问"),
                                    .note = SPAN_LIT(""),
                                    .seed = SPAN_LIT("")};
        sample[i] = &made[i];
    }
    struct run_settings s = {.by = SPAN_LIT("wang"),
                             .app = SPAN_LIT("shop"),
                             .model = SPAN_LIT("m"),
                             .upstream = SPAN_LIT("u"),
                             .version = SPAN_LIT("v-old"),
                             .seed = 7,
                             .all = true,
                             .banks = {true, false, false},
                             .routes = {true, false}};
    struct run *r = NULL;
    assert_int_equal(run_create(config->state_dir, &s, sample, count, &r), 0);
    for (unsigned i = 0; i < answered; i++) {
        struct run_answer a = {.question = i,
                               .route = RUN_GATEWAY,
                               .status = 200,
                               .text = SPAN_LIT("答"),
                               .finish = SPAN_LIT("stop"),
                               .keywords = i < passed ? RUN_PASS : RUN_FAIL};
        assert_int_equal(run_add(r, &a), 0);
    }
    snprintf(ret_name, RUN_NAME_SIZE, "%.*s", SPAN_ARG(run_settings(r)->name));
    run_free(r);
}

static void the_newest_complete_evaluation_counts(void **state)
{
    char complete[RUN_NAME_SIZE], begun[RUN_NAME_SIZE];
    make_run(4, 3, 4, complete);
    make_run(5, 5, 2, begun);
    struct dossier_options o = options();
    struct dossier d;
    assert_int_equal(dossier_read(&o, &d), 0);
    assert_non_null(d.run);
    assert_span(run_settings(d.run)->name, span_str(complete));
    struct buf one = html_of("1", &d);
    assert_true(says(&one, complete));
    assert_true(says(&one, "<td class=\"n\">3 / 4</td><td class=\"n\">75.0%</td>"));
    /* Wilson, by hand: 3 of 4 at 95 %. */
    assert_true(says(&one, "30.1%–95.4%"));
    assert_true(says(&one, "评测所用规则库版本（v-old）与现行版本"));
    assert_true(says(&one, "不合格回答 1 条"));
    buf_deinit(&one);
    dossier_free(&d);

    o.run = span_str(begun);
    assert_int_equal(dossier_read(&o, &d), 0);
    assert_span(run_settings(d.run)->name, span_str(begun));
    dossier_free(&d);

    o.run = SPAN_LIT("run-20200101-000000");
    assert_int_equal(dossier_read(&o, &d), -ENOENT);
    assert_true(says(&d.messages, "no such run: run-20200101-000000"));
    dossier_free(&d);
}

static void a_document_is_written_whole(void **state)
{
    struct dossier_options o = options();
    struct buf why = BUF_INIT(4096);
    struct dossier d;
    assert_int_equal(dossier_read(&o, &d), 0);
    assert_int_equal(annex_docx(annex_find(SPAN_LIT("algorithm")), &d, SPAN_LIT("a.docx"), &why),
                     0);
    struct stat st;
    assert_int_equal(stat("a.docx", &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    assert_int_equal(annex_docx(annex_at(0), &d, SPAN_LIT("none/a.docx"), &why), -ENOENT);
    assert_span(buf_span(&why), SPAN_LIT("none/a.docx: No such file or directory"));
    buf_deinit(&why);
    dossier_free(&d);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_not_on_record_is_unknown),
        cmocka_unit_test(papers_mark_the_unknown_and_escape_the_rest),
        cmocka_unit_test(a_document_is_written_whole),
        cmocka_unit_test(the_newest_complete_evaluation_counts),
    };
    return cmocka_run_group_tests(tests, make_world, tear_down);
}
