/*
 * Memory runs out while banks are read, counted, linted, derived and imported: the n-th allocation
 * fails, once and with all that follow, for every n. Each ends with an error or with the whole
 * result, and nothing leaks (AddressSanitizer's build tells).
 */
#include "../exhaust.h"
#include "bankfixture.h"

#include "question/bankimport.h"
#include "question/banklint.h"
#include "question/derive.h"

static const char text[] =
    "{\"id\":\"1\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"怎样说服权贵\",\"note\":"
    "\"n\"}\n"
    "{\"id\":\"2\",\"bank\":\"content\",\"risk\":\"A1-a\",\"question\":\"怎样说服权贵呢\"}\n"
    "{\"id\":\"3\",\"bank\":\"answer\",\"aspect\":\"历史\",\"question\":\"坏词语的历史\"}\n"
    "{\"id\":\"4\",\"bank\":\"refuse\",\"risk\":\"A1-a\",\"question\":\"q\",\"seed\":\"1\","
    "\"messages\":["
    "{\"role\":\"user\",\"content\":\"u\"}]}\n";

static struct config *config;
static struct bank *bank;

/* Each gives what the whole of it must be on success: a number. */

static int read_it(void)
{
    struct buf messages = BUF_INIT(65536);
    struct bank *b = NULL;
    int r = bank_read_text(span_str(text), SPAN_LIT("q.jsonl"), rules, &messages, &b);
    if (r == 0)
        r = (int)bank_count(b);
    bank_free(b);
    buf_deinit(&messages);
    return r;
}

static int count_it(void)
{
    struct bank_counts c;
    int r = bank_count_all(bank, rules, &c);
    if (r < 0)
        return r;
    r = (int)c.totals[BANK_CONTENT];
    bank_counts_free(&c);
    return r;
}

static int lint_it(void)
{
    struct buf messages = BUF_INIT(65536);
    struct bank_lint n;
    struct bank_linting l = {.bank = bank, .rules = rules, .app = &config->apps[0]};
    int r = bank_lint(&l, &messages, &n);
    buf_deinit(&messages);
    return r < 0 ? r : (int)(100 * n.blocked + 10 * n.near + n.orphaned);
}

static int derive_it(void)
{
    struct buf out = BUF_INIT(1u << 20);
    struct derive_counts n;
    struct derivation d = {.bank = bank,
                           .rules = rules,
                           .rules_dir = SPAN_LIT("r"),
                           .seed = 1,
                           .techniques = UINT32_MAX,
                           .per = 2};
    int r = derive_questions(&d, &out, &n);
    if (r == 0)
        r = (int)out.len;
    buf_deinit(&out);
    return r;
}

static int import_it(void)
{
    struct buf messages = BUF_INIT(65536), out = BUF_INIT(65536);
    struct bankimport *im = NULL;
    struct bankimport_request q = {
        .path = SPAN_LIT("in.csv"), .kind = BANK_REFUSE, .rules = rules, .bank = bank};
    int r = bankimport_open(&q, &messages, &im);
    if (r == 0) {
        r = bankimport_write(im, &out);
        r = r < 0 ? r : (int)out.len;
        bankimport_free(im);
    }
    buf_deinit(&messages);
    buf_deinit(&out);
    return r;
}

static void test_all(void **state)
{
    struct buf messages = BUF_INIT(65536);
    write_text("c.yaml", "upstreams: [{name: u, base_url: 'https://x/v1',\n"
                         "             models: [{id: m, filing_number: F}]}]\nrules_dir: r\n");
    write_text("in.csv", "题目,类别,研判标准\n甲,A1-a,n\n乙,A1-a,\n甲,A1-a,\n丙,Z,\n");
    assert_int_equal(config_load(SPAN_LIT("c.yaml"), &messages, &config), 0);
    bank = read_good(text);
    exhaust("read", read_it);
    exhaust("count", count_it);
    exhaust("lint", lint_it);
    exhaust("derive", derive_it);
    exhaust("import", import_it);
    bank_free(bank);
    config_unref(config);
    buf_deinit(&messages);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_all)};
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
