/* A raw public list beside the shipped rules, before and after its everyday words are quarantined.
 */
#include "detect.h"

#include "base/clock.h"
#include "rules/import.h"

#include <stdio.h>
#include <stdlib.h>

#define LIST      "bench-list"
#define LIST_FILE "keywords/" LIST ".txt"

/* Texts of one label within a file, and in how many of them something blocks. */
struct share {
    struct span label;
    size_t texts, shipped, list, both;
};
struct shares {
    struct share list[8];
    size_t count;
};

static struct share *share_find(struct shares *s, struct span label)
{
    size_t i = 0;
    while (i < s->count && !span_eq(s->list[i].label, label))
        i++;
    if (i == sizeof(s->list) / sizeof(*s->list))
        die("too many labels");
    if (i == s->count)
        s->list[s->count++] = (struct share){.label = label};
    return &s->list[i];
}

/* A file of the words that count, or, raw, of all that may; the library with it in place. */
static struct ruleset *with_list(struct detect *d, const struct import *im, bool raw)
{
    struct buf text = BUF_INIT(64u << 20);
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *set = NULL;
    put(&text, SPAN_LIT("#!source=imported: a public list\n#!risk=A1-h\n"));
    for (size_t i = 0; i < import_count(im); i++) {
        const struct import_word *w = import_get(im, i);
        bool wanted = w->fate == IMPORT_KEPT ||
                      (raw && w->fate == IMPORT_QUARANTINED && w->reason != IMPORT_SINGLE);
        if (!wanted)
            continue;
        put(&text, w->word);
        put(&text, SPAN_LIT("\n"));
    }
    struct ruleset_source source = {.dir = span_str(d->rules_dir),
                                    .replaced = SPAN_LIT(LIST_FILE),
                                    .replacement = buf_span(&text)};
    if (ruleset_read(&source, &report, &set) < 0)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&report.text)));
    buf_deinit(&report.text);
    buf_deinit(&text);
    return set;
}

static void judge_row(struct detect *d, const struct ruleset *set, const struct json_value *row,
                      enum direction direction, struct shares *shares, struct findings *findings)
{
    struct share *share = share_find(shares, row_text(row, "label"));
    bool shipped = false, list = false;
    judge(d, ruleset_matchset(set), direction, row_text(row, "text"), findings);
    for (size_t i = 0; i < findings->count; i++) {
        const struct rule *rule = findings->hits[i].rule < ruleset_count(set)
                                      ? ruleset_rule(set, findings->hits[i].rule)
                                      : NULL;
        if (!rule || span_starts(rule->risk->id, SPAN_LIT("pii-")) || rule->action == ACTION_FLAG)
            continue;
        list = list || rule->origin == RULE_IMPORTED;
        shipped = shipped || rule->origin != RULE_IMPORTED;
    }
    share->texts++;
    share->shipped += shipped;
    share->list += list;
    share->both += shipped || list;
}

static void judge_file(struct detect *d, const struct ruleset *set, const char *name,
                       const struct rows *rows, struct shares *shares)
{
    struct findings findings = {0};
    enum direction direction =
        strncmp(name, "completions", 11) == 0 ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
    for (size_t i = 0; i < rows->count; i++)
        judge_row(d, set, rows->list[i], direction, shares, &findings);
    free(findings.hits);
}

static void report_file(struct detect *d, const struct ruleset *raw, const struct ruleset *kept,
                        const char *part, const char *name)
{
    struct rows rows = {0};
    struct shares before = {0}, after = {0};
    load_file(d->folder, part, name, &rows);
    judge_file(d, raw, name, &rows, &before);
    judge_file(d, kept, name, &rows, &after);
    for (size_t i = 0; i < after.count; i++) {
        const struct share *b = &before.list[i], *a = &after.list[i];
        double left = percent(a->list, a->texts);
        printf("%-26s %-9.*s %6zu %8.2f %8.2f %8.2f %8.2f", name, SPAN_ARG(a->label), a->texts,
               percent(a->shipped, a->texts), percent(b->list, b->texts), left,
               percent(a->both, a->texts));
        /* Prompts that are made to look harmful have a goal of their own, among the shipped rules.
         */
        if (strcmp(part, "benign") == 0 && strncmp(name, "xstest", 6) != 0)
            print_goal(d, left, 0.3, false);
        putchar('\n');
    }
    rows_free(&rows);
}

static void report_sets(struct detect *d, const struct import *im)
{
    static const char *const parts[] = {"harmful", "benign"};
    char names[16][128];
    struct ruleset *raw = with_list(d, im, true), *kept = with_list(d, im, false);
    if (raw && kept) {
        printf("%-26s %-9s %6s %8s %8s %8s %8s\n", "file", "label", "texts", "shipped", "raw list",
               "kept", "+shipped");
        for (int p = 0; p < 2; p++) {
            size_t count = list_files(d->folder, parts[p], names, 16);
            for (size_t i = 0; i < count; i++)
                report_file(d, raw, kept, parts[p], names[i]);
        }
    }
    ruleset_unref(raw);
    ruleset_unref(kept);
}

void report_import(struct detect *d)
{
    char path[512];
    struct buf messages = BUF_INIT(1u << 20);
    struct import *im = NULL;
    snprintf(path, sizeof(path), "%s/keywords/konsheng.jsonl", d->folder);
    struct import_request request = {.dir = span_str(d->rules_dir),
                                     .list = SPAN_LIT(LIST),
                                     .file = span_str(path),
                                     .risk = SPAN_LIT("A1-h"),
                                     .day = SPAN_LIT("2026-11-26")};
    if (!d->ruleset)
        return;
    uint64_t begun = clock_mono_us();
    int r = import_open(&request, &im, &messages);
    if (r == 0)
        r = import_judge(im, &messages);
    if (r == 0)
        r = import_write(im, true, &messages);
    double seconds = (double)(clock_mono_us() - begun) / 1e6;
    if (r == 0) {
        const struct import_counts *n = import_get_counts(im);
        printf("\nA public list of %zu rows beside the shipped rules, %% of texts with a hit that "
               "blocks: by the list\nraw, by what is left when %zu everyday words are quarantined, "
               "and with the shipped rules.\nThe import took %.1f s",
               n->rows, n->fates[IMPORT_QUARANTINED], seconds);
        print_goal(d, seconds, 5, false);
        putchar('\n');
        report_sets(d, im);
    } else {
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&messages)));
    }
    import_free(im);
    buf_deinit(&messages);
}
