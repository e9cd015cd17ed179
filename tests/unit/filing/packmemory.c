/*
 * Memory runs out while a pack is gathered, looked at, sealed, written, verified, remembered and
 * compared: the n-th allocation fails, once and with all that follow, for every n. Each ends with
 * an error or with the whole result, and nothing leaks (AddressSanitizer's build tells).
 */
#include "../exhaust.h"
#include "../question/bankfixture.h"

#include "filing/annex5.h"
#include "filing/pack.h"
#include "filing/packchanges.h"

static struct config *config;
static struct dossier dossier;
static struct facts facts = FACTS_INIT;

/* Each gives a number that says that the whole of it is there. */

static int lint_it(void)
{
    struct lint l = LINT_INIT;
    struct buf out = BUF_INIT(1u << 20);
    struct lint_question q = {.dossier = &dossier};
    int r = lint_run(&q, &l);
    if (r == 0)
        r = lint_json(&l, &out);
    if (r == 0)
        r = (int)out.len;
    buf_deinit(&out);
    lint_deinit(&l);
    return r;
}

static int gather_it(void)
{
    static const struct span attached[] = {SPAN_LIT("attached.txt")};
    struct pack_options o = {.dossier = &dossier,
                             .by = SPAN_LIT("王五"),
                             .software = SPAN_LIT("0"),
                             .attachments = attached,
                             .attachment_count = 1};
    struct buf messages = BUF_INIT(1u << 20);
    struct pack *p = NULL;
    int r = pack_new(&o, &messages, &p);
    if (r == 0)
        r = pack_seal(p, true);
    if (r == 0)
        r = pack_write(p, SPAN_LIT("p.zip"), &messages);
    if (r == 0)
        r = (int)(pack_manifest(p)->count * 1000 + pack_lint(p)->count);
    pack_free(p);
    buf_deinit(&messages);
    return r;
}

static int verify_it(void)
{
    struct buf lines = BUF_INIT(65536);
    struct pack_report report;
    int r = pack_verify(SPAN_LIT("whole.zip"), SPAN_LIT(""), &lines, &report);
    if (r == 0)
        r = report.differences ? -EBADMSG : (int)report.manifest.count;
    manifest_deinit(&report.manifest);
    buf_deinit(&lines);
    return r;
}

static int remember_it(void)
{
    struct packfiled f = PACKFILED_INIT, back = PACKFILED_INIT;
    struct buf messages = BUF_INIT(65536);
    int r = manifest_add(&f.manifest, SPAN_LIT("a"), SPAN_LIT("b"));
    for (size_t i = 0; i < facts.count && r == 0; i++)
        r = facts_add(&f.manifest.facts, facts.list[i].key, facts.list[i].value);
    f.manifest.by = f.manifest.software = f.manifest.configuration = SPAN_LIT("x");
    f.date = SPAN_LIT("2027-01-15");
    f.by = f.number = SPAN_LIT("x");
    if (r == 0)
        r = manifest_digest(SPAN_LIT("m"), f.digest);
    if (r == 0)
        r = packfiled_note(SPAN_LIT("state"), &f);
    if (r == 0)
        r = packfiled_read(SPAN_LIT("state"), &back, &messages);
    if (r == 0)
        r = (int)back.manifest.facts.count;
    packfiled_free(&f);
    packfiled_free(&back);
    buf_deinit(&messages);
    return r;
}

static int compare_it(void)
{
    struct packchanges c = {0};
    struct facts now = FACTS_INIT, nothing = FACTS_INIT;
    struct buf out = BUF_INIT(1u << 20);
    int r = facts_gather(&dossier, &now);
    if (r == 0)
        r = packchanges_make(&nothing, &now, &c);
    if (r == 0)
        r = packchanges_json(&c, &out);
    if (r == 0)
        r = packchanges_text(&c, &out);
    if (r == 0)
        r = (int)out.len;
    packchanges_free(&c);
    facts_deinit(&now);
    buf_deinit(&out);
    return r;
}

static int book_it(void)
{
    struct buf error = BUF_INIT(4096);
    struct annex5 a = {.bank = dossier.bank, .rules = rules, .now = 1800000000};
    int r = annex5_write(&a, SPAN_LIT("a5.xlsx"), &error);
    buf_deinit(&error);
    return r < 0 ? r : 1;
}

static void test_all(void **state)
{
    struct buf messages = BUF_INIT(65536);
    write_text("attached.txt", "x");
    write_text("c.yaml", "upstreams: [{name: u, base_url: 'https://x/v1',\n"
                         "             models: [{id: m, filing_number: F, display_name: n}]}]\n"
                         "rules_dir: r\nstate_dir: state\nservice: {provider: p, name: n}\n");
    mkdir("state", 0700);
    assert_int_equal(config_load(SPAN_LIT("c.yaml"), &messages, &config), 0);
    write_text("r/questions/a.jsonl", "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\","
                                      "\"question\":\"q\"}\n");
    struct dossier_options o = {.config = config,
                                .rules = rules,
                                .app = &config->apps[0],
                                .now = 1800000000,
                                .until_us = UINT64_C(1800000000000000),
                                .software = SPAN_LIT("0")};
    assert_int_equal(dossier_read(&o, &dossier), 0);
    assert_int_equal(facts_gather(&dossier, &facts), 0);
    exhaust("lint", lint_it);
    exhaust("pack", gather_it);
    assert_true(gather_it() > 0);
    assert_int_equal(rename("p.zip", "whole.zip"), 0);
    exhaust("verify", verify_it);
    exhaust("filed", remember_it);
    exhaust("changes", compare_it);
    exhaust("annex5", book_it);
    facts_deinit(&facts);
    dossier_free(&dossier);
    config_unref(config);
    buf_deinit(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
