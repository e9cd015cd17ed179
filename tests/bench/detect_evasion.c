/* Recall of each disguise, and what folding alone finds in ordinary texts. */
#include "detect.h"

#include <stdio.h>
#include <stdlib.h>

struct goal {
    const char *transform;
    bool switches; /* with what a rule must ask for switched on */
    double goal;   /* per cent; 0: for information */
};

static const struct goal goals[] = {
    {"plain", false, 100},
    {"space", false, 100},
    {"ideographic_space", false, 100},
    {"punct", false, 100},
    {"cjk_punct", false, 100},
    {"zero_width", false, 100},
    {"variation_selector", false, 100},
    {"combining", false, 100},
    {"emoji_between", false, 100},
    {"newline", false, 100},
    {"markdown", false, 100},
    {"html_tag", false, 100},
    {"traditional", false, 100},
    {"bracketed", false, 100},
    {"repeat_chars", false, 100},
    {"vertical", false, 100},
    {"width", false, 100},
    {"circled", false, 100},
    {"math_bold", false, 100},
    {"case", false, 100},
    {"lookalike_cyrillic", false, 100},
    {"lookalike_greek", false, 100},
    {"pinyin_all", true, 95},
    {"pinyin_spaced", true, 95},
    {"pinyin_one", true, 95},
    {"pinyin_initials", true, 95},
    {"homophone_one", true, 95},
    {"homophone_all", true, 95},
    {"reversed", true, 95},
    {"rtl_override", true, 95},
    {"html_entity", true, 95},
    {"url_encoded", true, 95},
    {"unicode_escape", true, 95},
    {"base64", true, 95},
    {"split", true, 95},
    {"hex", true, 95},
    {"percent_twice", true, 95},
    {"base64_twice", true, 95},
    {"leet", true, 95},
    {"letters_between", true, 0},
    {"leet_partly", true, 0},
    {"leet_symbols", true, 0},
    {"hex_spaced", true, 0},
    {"hex_escaped", true, 0},
    {"shape", true, 0},
    {"acrostic", true, 0},
    {"columns", true, 0},
};

enum { DEFAULTS, SWITCHES, PASSES };

static void load_generated(struct detect *d, struct rows *rows, struct word_list *words,
                           struct specimens *specimens)
{
    load_file(d->folder, "evasion", "generated_dev.jsonl", rows);
    for (size_t i = 0; i < rows->count; i++) {
        const struct json_value *row = rows->list[i];
        struct span keyword = row_text(row, "keyword");
        if (!keyword.len)
            continue;
        if (word_find(words, keyword) == words->count)
            word_add(words, keyword);
        specimen_push(specimens,
                      (struct specimen){row_text(row, "id"), row_text(row, "text"), keyword,
                                        row_text(row, "transform"), row_text(row, "category")});
    }
}

struct outcome_of {
    bool found[PASSES];
};

static void tell_misses(const struct detect *d, const struct specimens *specimens,
                        const struct outcome_of *outcomes, const struct goal *goal)
{
    bool all = d->misses && strcmp(d->misses, "all") == 0;
    unsigned told = 0;
    if (!d->misses || (!all && strcmp(d->misses, goal->transform) != 0))
        return;
    for (size_t i = 0; i < specimens->count; i++) {
        const struct specimen *s = &specimens->list[i];
        if (!span_eq(s->transform, span_str(goal->transform)) || outcomes[i].found[goal->switches])
            continue;
        if (all && ++told > 5)
            return;
        printf("    missed %.*s: %.*s in ", SPAN_ARG(s->id), SPAN_ARG(s->keyword));
        print_quoted(s->text);
        printf("\n");
    }
}

static void report_transforms(struct detect *d, const struct specimens *specimens,
                              const struct outcome_of *outcomes)
{
    printf("\nRecall by disguise, %% of rows whose own keyword was found\n");
    printf("%-20s %6s %9s %9s   %s\n", "disguise", "rows", "defaults", "switches", "goal");
    for (size_t g = 0; g < sizeof(goals) / sizeof(*goals); g++) {
        size_t rows = 0, found[PASSES] = {0};
        for (size_t i = 0; i < specimens->count; i++) {
            if (!span_eq(specimens->list[i].transform, span_str(goals[g].transform)))
                continue;
            rows++;
            for (int p = 0; p < PASSES; p++)
                found[p] += outcomes[i].found[p];
        }
        if (!rows) {
            printf("%-20s %6s\n", goals[g].transform, "none");
            continue;
        }
        printf("%-20s %6zu %9.1f %9.1f  ", goals[g].transform, rows, percent(found[DEFAULTS], rows),
               percent(found[SWITCHES], rows));
        if (goals[g].goal > 0)
            print_goal(d, percent(found[goals[g].switches], rows), goals[g].goal, true);
        printf("%s\n", goals[g].goal > 0 ? (goals[g].switches ? " (switches)" : " (defaults)")
                                         : " for information");
        tell_misses(d, specimens, outcomes, &goals[g]);
    }
    for (size_t i = 0; i < specimens->count; i++) {
        size_t g = 0;
        while (g < sizeof(goals) / sizeof(*goals) &&
               !span_eq(specimens->list[i].transform, span_str(goals[g].transform)))
            g++;
        if (g == sizeof(goals) / sizeof(*goals)) {
            printf("note: rows of a disguise that is not in the table, such as %.*s\n",
                   SPAN_ARG(specimens->list[i].transform));
            break;
        }
    }
}

static void report_categories(const struct specimens *specimens, const struct outcome_of *outcomes)
{
    struct word_list seen = {0};
    printf("\nThe same by category of the keyword, all disguises together\n");
    printf("%-20s %6s %9s %9s\n", "category", "rows", "defaults", "switches");
    for (size_t i = 0; i < specimens->count; i++) {
        struct span category = specimens->list[i].category;
        size_t rows = 0, found[PASSES] = {0};
        if (word_find(&seen, category) < seen.count)
            continue;
        word_add(&seen, category);
        for (size_t j = i; j < specimens->count; j++) {
            if (!span_eq(specimens->list[j].category, category))
                continue;
            rows++;
            for (int p = 0; p < PASSES; p++)
                found[p] += outcomes[j].found[p];
        }
        printf("%-20.*s %6zu %9.1f %9.1f\n", SPAN_ARG(category), rows,
               percent(found[DEFAULTS], rows), percent(found[SWITCHES], rows));
    }
    free(seen.words);
}

struct file_texts {
    char name[128];
    struct rows rows;
    enum direction direction;
};

/*
 * A text counts against folding when something is found in it that is not there as it is written.
 * What is there as it is written is the word list's fault.
 */
static size_t false_positives(struct detect *d, const struct file_texts *file,
                              const struct matchset *set, const struct word_list *words, bool told,
                              size_t *ret_texts, size_t *ret_raw)
{
    struct findings findings = {0};
    size_t wrong = 0, listed = 0;
    *ret_texts = *ret_raw = 0;
    for (size_t i = 0; i < file->rows.count; i++) {
        const struct json_value *row = file->rows.list[i];
        struct span text = row_text(row, "text");
        if (!row_is(row, "label", "benign"))
            continue;
        ++*ret_texts;
        judge(d, set, file->direction, text, &findings);
        *ret_raw += findings.count > 0;
        for (size_t h = 0; h < findings.count; h++) {
            const struct hit *hit = &findings.hits[h];
            if (hit->rule >= words->count || word_occurs(text, words->words[hit->rule]))
                continue;
            wrong++;
            if (told && listed++ < 10) {
                printf("    %.*s: %.*s seen in ", SPAN_ARG(row_text(row, "id")),
                       SPAN_ARG(words->words[hit->rule]));
                print_quoted(span_slice(text, hit->start, hit->end));
                printf(" through ");
                print_layers(hit->layers);
                printf("\n");
            }
            break;
        }
    }
    free(findings.hits);
    return wrong;
}

static void report_benign(struct detect *d, const struct matchset *const *sets,
                          const struct word_list *words, const struct file_texts *files,
                          size_t count, const char *what)
{
    printf("\nOrdinary texts with a hit that folding alone made (the keyword as written is not "
           "there), %s\n",
           what);
    printf("%-28s %6s %9s %9s %9s   %s\n", "file", "texts", "any hit", "defaults", "switches",
           "goal for defaults");
    for (size_t i = 0; i < count; i++) {
        size_t texts, any, ignored, all = 0;
        size_t wrong =
            false_positives(d, &files[i], sets[DEFAULTS], words, d->verbose, &texts, &any);
        if (sets[SWITCHES])
            all = false_positives(d, &files[i], sets[SWITCHES], words, d->verbose, &ignored,
                                  &ignored);
        printf("%-28s %6zu %8.2f%% %8.2f%%", files[i].name, texts, percent(any, texts),
               percent(wrong, texts));
        if (sets[SWITCHES])
            printf(" %8.2f%%", percent(all, texts));
        else
            printf(" %9s  for information", "-");
        if (sets[SWITCHES])
            print_goal(d, percent(wrong, texts), 0.3, false);
        printf("\n");
    }
}

/*
 * A whole public list: a load that no operator has, and so a hard test of what folding does. Its
 * words are folded first, or an ordinary word that it has in traditional characters would count.
 */
static void report_long_list(struct detect *d, const struct file_texts *files, size_t count)
{
    struct rows rows = {0};
    struct word_list words = {0};
    load_file(d->folder, "keywords", "konsheng.jsonl", &rows);
    for (size_t i = 0; i < rows.count; i++) {
        struct buf form = BUF_INIT(4096);
        if (match_fold(row_text(rows.list[i], "text"), &form) == 0 && form.len)
            word_add(&words, arena_copy(&d->arena, buf_span(&form)));
        buf_deinit(&form);
    }
    if (words.count) {
        struct matchset *set = library_build(d, &words, 0, false);
        char what[128];
        snprintf(what, sizeof(what), "%zu keywords of a public list, folded", words.count);
        report_benign(d, (const struct matchset *[]){set, NULL}, &words, files, count, what);
        matchset_unref(set);
    }
    free(words.words);
    rows_free(&rows);
}

void report_evasion(struct detect *d)
{
    struct rows rows = {0};
    struct word_list words = {0};
    struct specimens specimens = {0};
    load_generated(d, &rows, &words, &specimens);
    specimens_make(d, &words, &specimens);

    struct matchset *sets[PASSES] = {library_build(d, &words, 0, true),
                                     library_build(d, &words, d->see, false)};
    struct outcome_of *outcomes = must(calloc(specimens.count, sizeof(*outcomes)));
    struct findings findings = {0};
    for (size_t i = 0; i < specimens.count; i++) {
        uint32_t rule = (uint32_t)word_find(&words, specimens.list[i].keyword);
        for (int p = 0; p < PASSES; p++) {
            judge(d, sets[p], DIRECTION_PROMPT, specimens.list[i].text, &findings);
            outcomes[i].found[p] = found_rule(&findings, rule);
        }
    }
    printf("%zu keywords; switched on in the second pass: ", words.count);
    print_layers(d->see);
    printf("\n");
    report_transforms(d, &specimens, outcomes);
    report_categories(&specimens, outcomes);

    char names[16][128];
    static struct file_texts files[16];
    size_t count = list_files(d->folder, "benign", names, 16);
    for (size_t i = 0; i < count; i++) {
        memcpy(files[i].name, names[i], sizeof(names[i]));
        files[i].direction =
            strncmp(names[i], "completions", 11) == 0 ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
        load_file(d->folder, "benign", names[i], &files[i].rows);
    }
    report_benign(d, (const struct matchset *const *)sets, &words, files, count,
                  "the same keywords");
    report_long_list(d, files, count);
    for (size_t i = 0; i < count; i++)
        rows_free(&files[i].rows);
    for (int p = 0; p < PASSES; p++)
        matchset_unref(sets[p]);
    free(findings.hits);
    free(outcomes);
    free(specimens.list);
    free(words.words);
    rows_free(&rows);
}
