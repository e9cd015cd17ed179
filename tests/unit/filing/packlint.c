/* The linter over a dossier where all agrees, and over each inconsistency planted into it. */
#include "../question/bankfixture.h"

#include "filing/packlint.h"

#include <time.h>

static struct config *config;
static struct dossier dossier;
static struct lint_document documents[3];
static size_t attachments = 1;
static struct run *run;
static char run_name[RUN_NAME_SIZE];

static const char yaml[] =
    "upstreams:\n"
    "  - name: u\n"
    "    base_url: https://x/v1\n"
    "    models: [{id: m, display_name: 云雀, filing_number: Beijing-YunQue-20230821, vendor: 甲,\n"
    "              filing_entity: 乙, proof: proof.pdf, contract_until: 2999-12-31,\n"
    "              answers_as: [m-2*]}]\n"
    "rules_dir: r\n"
    "service: {provider: 某公司, name: 小问, url: 'https://app', credit_code: 91110000MA00000001,\n"
    "          province: 北京, launched: 2026-01-01, officer: 王五, contact: 王五,\n"
    "          audience: 成年人, privacy_url: 'https://p', terms_url: 'https://t',\n"
    "          launch_number: Beijing-XiaoWen-202601010001,\n"
    "          algorithm_number: 网信算备110108000000001240001号,\n"
    "          provider_code: 001191110000MA0000000100001, complaint: 12345}\n";

static const char lines[] =
    "{\"id\":\"c1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"一\"}\n"
    "{\"id\":\"c2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"二\"}\n"
    "{\"id\":\"c3\",\"bank\":\"content\",\"risk\":\"A3-a\",\"question\":\"三\"}\n"
    "{\"id\":\"r1\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"四\"}\n"
    "{\"id\":\"a1\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"五\"}\n"
    "{\"id\":\"a2\",\"bank\":\"answer\",\"aspect\":\"制度\",\"question\":\"六\"}\n";
#define QUESTIONS 6

static void load_config(const char *text)
{
    struct buf messages = BUF_INIT(65536);
    write_text("c.yaml", text);
    config_unref(config);
    if (config_load(SPAN_LIT("c.yaml"), &messages, &config) != 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    dossier.config = config;
    dossier.app = &config->apps[0];
    dossier.policy = &config->apps[0].policy;
    dossier.model_count = config->upstreams[0].model_count;
    static struct dossier_model model;
    model = (struct dossier_model){&config->upstreams[0], &config->upstreams[0].models[0]};
    dossier.models = &model;
}

/* The configuration with one thing otherwise. */
static void load_changed(const char *from, const char *to)
{
    struct buf text = BUF_INIT(65536);
    size_t at = span_find(span_str(yaml), span_str(from));
    if (at == strlen(yaml))
        fail_msg("no %s", from);
    buf_printf(&text, "%.*s%s%s", (int)at, yaml, to, yaml + at + strlen(from));
    load_config(buf_cstr(&text));
    buf_deinit(&text);
}

/* What a run is made of besides. */
static struct run_settings settings(void)
{
    return (struct run_settings){.app = SPAN_LIT("default"),
                                 .model = SPAN_LIT("m"),
                                 .version = ruleset_version(rules),
                                 .digest = ruleset_digest(rules),
                                 .bank_digest = span_str(bank_digest(dossier.bank)),
                                 .all = true,
                                 .banks = {true, true, true},
                                 .routes = {true, true}};
}

static void close_run(void)
{
    if (dossier.run)
        result_free(&dossier.result);
    run_free(run);
    run = NULL;
    dossier.run = NULL;
}

/* Answers all questions over both routes, as `model`; people judge the first `judged` of them. */
static void make_run(const struct run_settings *s, const char *model, size_t judged,
                     enum run_verdict verdict)
{
    const struct question *sample[QUESTIONS];
    struct buf messages = BUF_INIT(65536);
    close_run();
    for (size_t i = 0; i < QUESTIONS; i++)
        sample[i] = bank_at(dossier.bank, i);
    assert_int_equal(run_create(SPAN_LIT("state"), s, sample, QUESTIONS, &run), 0);
    for (size_t i = 0; i < QUESTIONS; i++)
        for (unsigned route = 0; route < RUN_ROUTES; route++) {
            struct run_answer a = {.question = i,
                                   .route = route,
                                   .time = UINT64_C(1800000000000000),
                                   .status = 200,
                                   .text = SPAN_LIT("答"),
                                   .model = span_str(model),
                                   .keywords = RUN_PASS};
            if (s->routes[route] && (model[0] || i))
                assert_int_equal(run_add(run, &a), 0);
        }
    snprintf(run_name, sizeof(run_name), "%.*s", SPAN_ARG(run_settings(run)->name));
    run_free(run);
    for (size_t i = 0; i < judged; i++)
        for (unsigned person = 0; person < 2; person++)
            assert_int_equal(run_judge(SPAN_LIT("state"), span_str(run_name), sample[i]->id,
                                       RUN_GATEWAY, span_str(person ? "乙" : "甲"), verdict,
                                       SPAN_LIT("")),
                             0);
    if (run_open(SPAN_LIT("state"), span_str(run_name), false, &messages, &run) < 0)
        fail_msg("%s", buf_cstr(&messages));
    buf_deinit(&messages);
    dossier.run = run;
    assert_int_equal(result_make(run, &dossier.result), 0);
}

static void good_papers(void)
{
    documents[0] = (struct lint_document){
        SPAN_LIT("说明.html"),
        SPAN_LIT("某公司 调用 云雀（Beijing-YunQue-20230821），模态：文本\n上线编号 "
                 "Beijing-XiaoWen-202601010001，网信算备110108000000001240001号"),
        true};
    documents[1] = (struct lint_document){SPAN_LIT("合同.txt"), SPAN_LIT("甲方 乙方"), false};
}

static void all_good(void)
{
    load_config(yaml);
    struct run_settings s = settings();
    make_run(&s, "m-2026", QUESTIONS, RUN_PASS);
    good_papers();
    dossier.o.now = (int64_t)time(NULL);
    dossier.reviewers = (struct reviewers_summary){.enforce = 1, .observe = 1};
}

/* Every finding's code and severity, as "E:code " in the order of the rules. */
static void expect(const char *want)
{
    struct lint l = LINT_INIT;
    struct buf is = BUF_INIT(65536), text = BUF_INIT(65536);
    struct lint_question q = {.dossier = &dossier,
                              .documents = documents,
                              .document_count = 2,
                              .attachments = attachments};
    assert_int_equal(lint_run(&q, &l), 0);
    /* With six questions every sample is too small, and no interval clears the threshold; and a
     * test account without the policy is always mentioned. */
    for (size_t i = 0; i < l.count; i++)
        if (strcmp(l.list[i].code, "sample") != 0 && strcmp(l.list[i].code, "margin") != 0 &&
            strcmp(l.list[i].code, "bypass-account") != 0)
            buf_printf(&is, "%c:%s ", "NWE"[l.list[i].severity], l.list[i].code);
    lint_text(&l, &text);
    if (!span_eq(buf_span(&is), span_str(want)))
        fail_msg("'%s', not '%s':\n%s", buf_cstr(&is), want, buf_cstr(&text));
    buf_deinit(&is);
    buf_deinit(&text);
    lint_deinit(&l);
}

static void test_good(void **state)
{
    all_good();
    expect("W:library-unpublished ");
    struct lint l = LINT_INIT;
    struct lint_question q = {.dossier = &dossier};
    unsigned samples = 0;
    assert_int_equal(lint_run(&q, &l), 0);
    for (size_t i = 0; i < l.count; i++)
        samples += !strcmp(l.list[i].code, "sample") && l.list[i].severity == LINT_ERROR;
    assert_int_equal(samples, 6); /* three banks, by rules and by people */
    assert_int_equal(l.totals[LINT_ERROR], 6);
    lint_deinit(&l);
}

static void test_configuration(void **state)
{
    static const struct {
        const char *from, *to, *want;
    } cases[] = {
        {"name: 小问, ", "", "E:fact-missing "},
        {"contact: 王五,", "", "W:fact-missing "},
        {"网信算备110108000000001240001号", "京备1号", "W:algorithm-number E:number-differs "},
        {"001191110000MA0000000100001", "0011X", "W:provider-code "},
        {", vendor: 甲", "", "W:fact-missing "},
        {"display_name: 云雀", "display_name: 鹦鹉", "E:name-differs "},
        {"Beijing-YunQue-20230821", "Beijing-YunQue-20240101", "E:name-differs E:number-differs "},
        {"provider: 某公司", "provider: 另一公司", "E:name-differs "},
        {"rules_dir: r", "rules_dir: r\nallow_unfiled: true", "E:allow-unfiled "},
        {"rules_dir: r", "rules_dir: r\npolicy: {mode: observe, until: 2999-12-31}",
         "E:observing W:weakening "},
        {"rules_dir: r", "rules_dir: r\npolicy: {media: allow}", "E:modality W:weakening "},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        all_good();
        load_changed(cases[i].from, cases[i].to);
        struct buf want = BUF_INIT(4096);
        /* What is said of the library stands between what is said of settings and of papers. */
        struct span w = span_str(cases[i].want);
        size_t papers = span_find(w, SPAN_LIT("E:name-differs"));
        size_t numbers = span_find(w, SPAN_LIT("E:number-differs"));
        papers = papers < numbers ? papers : numbers;
        buf_printf(&want, "%.*sW:library-unpublished %.*s", (int)papers, w.data,
                   (int)(w.len - papers), w.data + papers);
        expect(buf_cstr(&want));
        buf_deinit(&want);
    }
    all_good();
    unlink("proof.pdf");
    expect("E:model-proof W:library-unpublished ");
    write_text("proof.pdf", "x");
    attachments = 0;
    expect("N:attachments W:library-unpublished ");
    attachments = 1;
    dossier.reviewers = (struct reviewers_summary){0};
    expect("W:test-account W:test-account W:library-unpublished ");
}

static void test_evaluation(void **state)
{
    all_good();
    close_run();
    expect("W:library-unpublished E:run-missing ");

    struct run_settings s = settings();
    make_run(&s, "other", QUESTIONS, RUN_PASS);
    expect("W:library-unpublished E:run-model ");

    s.model = SPAN_LIT("gone");
    make_run(&s, "m-2", QUESTIONS, RUN_PASS);
    expect("W:library-unpublished E:run-model ");

    s = settings();
    s.digest = SPAN_LIT("00");
    s.version = SPAN_LIT("v-0");
    s.bank_digest = SPAN_LIT("00");
    s.app = SPAN_LIT("shop");
    make_run(&s, "m", QUESTIONS, RUN_PASS);
    expect("W:library-unpublished W:run-library W:run-bank W:run-app ");

    s = settings();
    s.routes[RUN_BARE] = false;
    make_run(&s, "m", QUESTIONS, RUN_PASS);
    expect("W:library-unpublished N:run-route ");

    /* The first question stays unanswered. */
    s = settings();
    make_run(&s, "", 0, RUN_PASS);
    expect("W:library-unpublished E:run-incomplete E:unjudged E:unjudged E:unjudged ");
}

static void test_people(void **state)
{
    all_good();
    struct run_settings s = settings();
    make_run(&s, "m", 5, RUN_PASS); /* one of the last bank waits */
    expect("W:library-unpublished E:unjudged ");
    make_run(&s, "m", 0, RUN_PASS); /* nobody judged anything: once a bank */
    expect("W:library-unpublished E:unjudged E:unjudged E:unjudged ");
    make_run(&s, "m", QUESTIONS, RUN_FAIL);
    expect("W:library-unpublished E:rate E:rate E:rate ");
}

static void test_age(void **state)
{
    all_good();
    dossier.o.now += 31 * 86400 + 60;
    expect("W:library-unpublished W:run-old ");
    dossier.o.now -= 120;
    expect("W:library-unpublished ");
}

static void test_minima(void **state)
{
    all_good();
    struct bank_counts counts = dossier.banks;
    dossier.banks.totals[BANK_CONTENT] = 2;
    unsigned was = dossier.banks.items[0].count;
    dossier.banks.items[0].count = 0;
    expect("W:library-unpublished E:bank-minimum E:bank-minimum ");
    dossier.banks.items[0].count = was;
    dossier.banks = counts;
    dossier.library.total = 0;
    expect("E:keyword-minimum W:library-unpublished ");
    dossier.library.total = 1;
}

static void test_papers(void **state)
{
    static const struct {
        const char *text, *want;
    } cases[] = {
        {"待补充，待补充", "W:pending "},
        {"模型备案号 ZheJiang-TongYiQianWen-20230901。", "E:number-differs "},
        {"Beijing-YunQue-20230821", ""},
        {"Beijing-YunQue-2023", ""},
        {"2026-11-20230821", ""},
        {"备案号：网信算备110108000000001240009号", "E:number-differs "},
        {"模态：文本、图像\n", "E:modality "},
        {"模态：文本。另有图像部分", "E:modality "},
        {"模态：文本\n另有图像部分", ""},
    };
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        all_good();
        documents[1].text = span_str(cases[i].text);
        char want[256];
        snprintf(want, sizeof(want), "W:library-unpublished %s", cases[i].want);
        expect(want);
    }
}

static void test_json(void **state)
{
    struct lint l = LINT_INIT;
    struct buf out = BUF_INIT(4096);
    assert_int_equal(lint_add(&l, LINT_NOTE, "n", "提示“%d”", 1), 0);
    assert_int_equal(lint_add(&l, LINT_ERROR, "e", "错"), 0);
    assert_int_equal(lint_json(&l, &out), 0);
    assert_span(buf_span(&out),
                SPAN_LIT("[{\"severity\":\"error\",\"code\":\"e\",\"text\":\"错\"},"
                         "{\"severity\":\"note\",\"code\":\"n\",\"text\":\"提示“1”\"}]"));
    buf_deinit(&out);
    lint_deinit(&l);
}

static int begin(void **state)
{
    struct rule_report report = RULE_REPORT_INIT;
    if (set_up(state) < 0)
        return -1;
    rules = ruleset_unref(rules);
    mkdir("state", 0700);
    write_text("proof.pdf", "x");
    write_text("r/risks.yaml",
               "standard: {name: S, zh: 标准, keyword_min: 1, content_min: 3, refuse_min: 1,\n"
               "           answer_min: 2, question_days: 31}\n"
               "aspects: [{zh: 制度, en: a, answer_min: 1}, {zh: 历史, en: b, answer_min: 1}]\n"
               "groups: [{id: A1, zh: g, en: g}, {id: A3, zh: g, en: g}]\n"
               "risks: [{id: A1-a, group: A1, zh: 甲, en: a, content_min: 2, refuse_min: 1},\n"
               "        {id: A3-a, group: A3, zh: 乙, en: b, content_min: 1}]\n");
    int r = ruleset_load(SPAN_LIT("r"), &report, &rules);
    buf_deinit(&report.text);
    if (r < 0)
        return r;
    load_config(yaml);
    dossier.rules = rules;
    dossier.bank = read_good(lines);
    r = bank_count_all(dossier.bank, rules, &dossier.banks);
    return r < 0 ? r : library_read(rules, dossier.app, time(NULL), &dossier.library);
}

static int end(void **state)
{
    close_run();
    bank_counts_free(&dossier.banks);
    bank_free(dossier.bank);
    library_free(&dossier.library);
    config_unref(config);
    return tear_down(state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_good),       cmocka_unit_test(test_configuration),
        cmocka_unit_test(test_evaluation), cmocka_unit_test(test_people),
        cmocka_unit_test(test_age),        cmocka_unit_test(test_minima),
        cmocka_unit_test(test_papers),     cmocka_unit_test(test_json),
    };
    return cmocka_run_group_tests(tests, begin, end);
}
