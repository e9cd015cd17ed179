/* Cases of other keyword libraries' own tests. */
#include "detect.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>

enum verdict { STRICT, LOOSE, FAILED, INCOMPARABLE, VERDICT_COUNT };

struct test {
    const struct json_value *row;
    struct span text;
    struct word_list keywords;
    struct findings findings;
    struct buf reason, got;
};

static void read_words(const struct json_value *array, struct word_list *out)
{
    struct span word;
    for (size_t i = 0; i < value_count(array); i++)
        if (value_get_string(value_at(array, i), &word))
            word_add(out, word);
}

static bool has_option(const struct json_value *row, const char *part)
{
    const struct json_value *options = value_get(row, SPAN_LIT("options"));
    struct span option, needle = span_str(part);
    for (size_t i = 0; i < value_count(options); i++)
        if (value_get_string(value_at(options, i), &option) &&
            span_find(option, needle) < option.len)
            return true;
    return false;
}

static struct matchset *test_set(struct detect *d, struct test *t)
{
    struct matchset *set;
    struct matchset_builder *b = must(matchset_builder_new());
    uint32_t asked = has_option(t->row, "pinyin") ? LAYER_PINYIN | LAYER_INITIALS : 0;
    matchset_use_variants(b, d->variants);
    for (size_t i = 0; i < t->keywords.count; i++) {
        int r = matchset_add_keyword(b, t->keywords.words[i], (uint32_t)i, DIRECTION_BOTH, asked);
        if (r)
            buf_printf(&t->reason, "[%.*s is no keyword: %s] ", SPAN_ARG(t->keywords.words[i]),
                       r == MATCH_SINGLE_HAN ? "a single Han character" : "refused");
    }
    const struct json_value *allow = value_get(t->row, SPAN_LIT("allow"));
    struct span phrase;
    for (size_t i = 0; i < value_count(allow); i++)
        if (value_get_string(value_at(allow, i), &phrase))
            matchset_add_allow(b, phrase);
    if (matchset_build(b, &set) < 0)
        die("out of memory");
    matchset_builder_free(b);
    return set;
}

static bool alnum_edge(struct span text, size_t inside, size_t outside)
{
    return outside < text.len && isalnum((unsigned char)text.data[inside]) &&
           isalnum((unsigned char)text.data[outside]);
}

static enum verdict look_for(struct test *t, struct span expected)
{
    enum verdict verdict = FAILED;
    bool within = false;
    size_t at = span_find(t->text, expected);
    /* Some tests name the keyword where others name what stands in the text. */
    if (at == t->text.len) {
        size_t rule = word_find(&t->keywords, expected);
        return rule < t->keywords.count && found_rule(&t->findings, (uint32_t)rule) ? STRICT
                                                                                    : FAILED;
    }
    while (at < t->text.len) {
        size_t end = at + expected.len;
        for (size_t h = 0; h < t->findings.count; h++) {
            const struct hit *hit = &t->findings.hits[h];
            if (hit->start == at && hit->end == end)
                return STRICT;
            if (hit->start < end && hit->end > at)
                verdict = LOOSE;
        }
        within |= (at && alnum_edge(t->text, at, at - 1)) || alnum_edge(t->text, end - 1, end);
        size_t next = span_find(span_slice(t->text, at + 1, t->text.len), expected);
        at = at + 1 + next;
    }
    if (verdict == FAILED && within)
        buf_printf(&t->reason, "[%.*s stands within a longer word] ", SPAN_ARG(expected));
    return verdict;
}

static enum verdict test_run(struct detect *d, struct test *t)
{
    const struct json_value *expect = value_get(t->row, SPAN_LIT("expect"));
    bool hit = row_is(t->row, "label", "hit"), own_rule = row_is(t->row, "category", "houbb_rule");
    read_words(value_get(t->row, SPAN_LIT("keywords")), &t->keywords);
    if (own_rule && (!has_option(t->row, "Email") || !d->ruleset)) {
        buf_printf(&t->reason, "a detector of theirs, of addresses or runs of digits");
        return INCOMPARABLE;
    }
    if (!own_rule && !t->keywords.count) {
        buf_printf(&t->reason, "judged by their own dictionary");
        return INCOMPARABLE;
    }
    if (has_option(t->row, "pattern")) {
        buf_printf(&t->reason, "keywords in a pattern language of theirs");
        return INCOMPARABLE;
    }
    if (own_rule) {
        judge(d, ruleset_matchset(d->ruleset), DIRECTION_PROMPT, t->text, &t->findings);
    } else {
        struct matchset *set = test_set(d, t);
        judge(d, set, DIRECTION_PROMPT, t->text, &t->findings);
        matchset_unref(set);
    }
    for (size_t h = 0; h < t->findings.count; h++)
        buf_printf(
            &t->got, "%s\"%.*s\"", h ? ", " : "",
            SPAN_ARG(span_slice(t->text, t->findings.hits[h].start, t->findings.hits[h].end)));
    if (!hit)
        return t->findings.count ? FAILED : STRICT;
    enum verdict worst = STRICT;
    struct span surface;
    for (size_t i = 0; i < value_count(expect); i++)
        if (value_get_string(value_at(expect, i), &surface)) {
            enum verdict verdict = look_for(t, surface);
            worst = verdict > worst ? verdict : worst;
        }
    return worst;
}

static void test_print(const struct test *t, enum verdict verdict)
{
    struct buf expected = BUF_INIT(1u << 16);
    const struct json_value *options = value_get(t->row, SPAN_LIT("options"));
    value_dump(value_get(t->row, SPAN_LIT("expect")), &expected);
    if (options)
        value_dump(options, &expected);
    printf("    %-12.*s %-12s ", SPAN_ARG(row_text(t->row, "id")),
           verdict == FAILED  ? "failed"
           : verdict == LOOSE ? "loosely"
                              : "not compared");
    print_quoted(t->text);
    printf(" expected %.*s got %.*s %.*s\n", SPAN_ARG(buf_span(&expected)),
           SPAN_ARG(t->got.len ? buf_span(&t->got) : SPAN_LIT("nothing")),
           SPAN_ARG(buf_span(&t->reason)));
    buf_deinit(&expected);
}

static void report_suite(struct detect *d, const char *name)
{
    struct rows rows = {0};
    size_t counts[VERDICT_COUNT] = {0};
    load_file(d->folder, "evasion", name, &rows);
    printf("\n%s\n", name);
    for (size_t i = 0; i < rows.count; i++) {
        struct test t = {.row = rows.list[i],
                         .text = row_text(rows.list[i], "text"),
                         .reason = BUF_INIT(1u << 16),
                         .got = BUF_INIT(1u << 16)};
        enum verdict verdict = test_run(d, &t);
        counts[verdict]++;
        if (verdict == FAILED || verdict == LOOSE || (verdict == INCOMPARABLE && d->verbose))
            test_print(&t, verdict);
        free(t.keywords.words);
        free(t.findings.hits);
        buf_deinit(&t.reason);
        buf_deinit(&t.got);
    }
    printf("%zu cases: %zu with exactly the expected texts, %zu that cover or overlap them, "
           "%zu failed, %zu not comparable\n",
           rows.count, counts[STRICT], counts[LOOSE], counts[FAILED], counts[INCOMPARABLE]);
    rows_free(&rows);
}

void report_library_tests(struct detect *d)
{
    printf("\nCases of two keyword libraries' own tests\n");
    report_suite(d, "houbb_tests.jsonl");
    report_suite(d, "toolgood_tests.jsonl");
}
