/*
 * Any bytes as a question bank: what is refused is refused with a reason, what is read counts, and
 * reads back as it is written.
 */
#include "question/bank.h"
#include "rules/loader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char risks[] =
    "standard: {name: S, zh: s, content_min: 2, refuse_min: 1, answer_min: 1}\n"
    "aspects: [{zh: a, en: a, answer_min: 1}]\n"
    "groups: [{id: A1, zh: a, en: a}]\n"
    "risks: [{id: A1-a, group: A1, zh: a, en: a, content_min: 1, refuse_min: 1}]\n";

/* Made once: every input is held against the same types. */
static const struct ruleset *types(void)
{
    static struct ruleset *set;
    static struct loader l;
    static struct rule_report report;
    if (set)
        return set;
    struct ruleset_source source = {.dir = SPAN_LIT("fuzz"), .shown = SPAN_LIT("fuzz")};
    report = RULE_REPORT_INIT;
    if (loader_init(&l, &source, &report) < 0)
        abort();
    risks_read(&l, span_str(risks), SPAN_LIT("risks.yaml"));
    if (report.errors)
        abort();
    return set = l.set;
}

static void check(const struct bank *b)
{
    struct buf out = BUF_INIT(64u << 20), why = BUF_INIT(1u << 20);
    struct bank_counts counts;
    struct bank *again = NULL;
    size_t derived = 0, sum = 0;
    for (size_t i = 0; i < bank_count(b); i++) {
        derived += bank_at(b, i)->seed.len > 0;
        if (bank_find(b, bank_at(b, i)->id) != bank_at(b, i) || bank_write(bank_at(b, i), &out) < 0)
            abort();
    }
    if (bank_read_text(buf_span(&out), SPAN_LIT("again"), types(), &why, &again) < 0 ||
        strcmp(bank_digest(b), bank_digest(again)) != 0)
        abort();
    if (bank_count_all(b, types(), &counts) < 0)
        abort();
    for (size_t i = 0; i < counts.count; i++)
        sum += counts.items[i].count + counts.items[i].repeated + counts.items[i].derived;
    if (sum != bank_count(b))
        abort();
    for (size_t i = 0; i < counts.count; i++)
        derived -= counts.items[i].derived;
    if (derived != 0)
        abort();
    bank_counts_free(&counts);
    bank_free(again);
    buf_deinit(&out);
    buf_deinit(&why);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct buf messages = BUF_INIT(4u << 20);
    struct bank *b = NULL;
    struct span text = span_from((const char *)data, size);
    int r = bank_read_text(text, SPAN_LIT("fuzz"), types(), &messages, &b);
    if ((r == -EINVAL) != (messages.len > 0))
        abort(); /* refused without a reason, or told of a good one */
    if (r == 0)
        check(b);
    bank_free(b);
    buf_deinit(&messages);
    return 0;
}
