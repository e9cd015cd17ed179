/*
 * Any bytes as a file of the rule library. The first byte chooses which; what loads is compiled and
 * its samples are judged.
 */
#include "rules/loader.h"

#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const char risks[] = "groups: [{id: A1, zh: a, en: a}]\n"
                            "risks: [{id: A1-a, group: A1, zh: a, en: a}]\n";
static const char word[] = "好人坏词\tsee=split,shape,homophone,pinyin,reversed\n";

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    struct span text = span_from((const char *)data + 1, size - 1), file = SPAN_LIT("fuzz");
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset_source source = {.dir = file, .shown = file};
    struct loader l;
    if (loader_init(&l, &source, &report) < 0)
        return 0;
    risks_read(&l, span_str(risks), SPAN_LIT("risks.yaml"));
    if (report.errors)
        abort();
    switch (data[0] % 8) {
    case 0:
        keywords_read(&l, text, file, data[0] & 8 ? SPAN_LIT(URGENT_STEM) : SPAN_LIT("A1-a"));
        keywords_finish(&l);
        break;
    case 1:
        allow_read(&l, text, file, SPAN_LIT("x"));
        break;
    case 2:
        patterns_read(&l, text, file);
        break;
    case 3:
        answers_read(&l, text, file);
        break;
    case 4:
        risks_read(&l, text, file);
        break;
    case 5:
        near_read(&l, text, file);
        break;
    default:
        variants_read(&l, text, file, data[0] % 8 == 6 ? SPAN_LIT("split") : SPAN_LIT("shape"));
        /* A word that is spelled by them. */
        keywords_read(&l, span_str(word), SPAN_LIT("word"), SPAN_LIT("A1-a"));
        keywords_finish(&l);
    }
    int r = loader_finish(&l);
    if (r == -EINVAL && report.text.len == 0)
        abort(); /* refused without a reason */
    if (r == 0) {
        struct lint_report lint;
        ruleset_lint(l.set, &report.text, &lint);
    }
    loader_deinit(&l);
    buf_deinit(&report.text);
    return 0;
}
