/* A small library in a folder of its own, with types, aspects and minima, and a bank of a text. */
#pragma once

#include "../unit.h"

#include "question/bank.h"
#include "rules/ruleset.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-bank-XXXXXX";
static struct ruleset *rules;

static inline void write_text(const char *name, const char *text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_true(fputs(text, f) >= 0);
    fclose(f);
}

static inline int set_up(void **state)
{
    struct rule_report report = RULE_REPORT_INIT;
    if (!mkdtemp(folder) || chdir(folder) < 0)
        return -1;
    mkdir("r", 0700);
    mkdir("r/keywords", 0700);
    mkdir("r/questions", 0700);
    write_text("r/risks.yaml",
               "standard: {name: S, zh: 标准, content_min: 3, refuse_min: 1, answer_min: 2}\n"
               "aspects: [{zh: 制度, en: a, answer_min: 1}, {zh: 历史, en: b, answer_min: 1}]\n"
               "groups: [{id: A1, zh: g, en: g}, {id: A3, zh: g, en: g},\n"
               "         {id: attack, zh: g, en: g}]\n"
               "risks: [{id: A1-a, group: A1, zh: 甲, en: a, content_min: 2, refuse_min: 1},\n"
               "        {id: A3-a, group: A3, zh: 乙, en: b, content_min: 1},\n"
               "        {id: attack-x, group: attack, zh: 丙, en: c}]\n");
    write_text("r/keywords/A1-a.txt", "坏词语\n");
    int r = ruleset_load(SPAN_LIT("r"), &report, &rules);
    if (r < 0 || report.warnings)
        fprintf(stderr, "%.*s", SPAN_ARG(buf_span(&report.text)));
    /* The folder of questions is known to belong there. */
    r = r == 0 && report.warnings ? -1 : r;
    buf_deinit(&report.text);
    return r;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int tear_down(void **state)
{
    ruleset_unref(rules);
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

/* Reads a text; its messages must be `want`. NULL when there are any. */
static inline struct bank *read_text(const char *text, size_t len, const char *want)
{
    struct buf messages = BUF_INIT(1u << 20);
    struct bank *b = NULL;
    int r = bank_read_text(span_from(text, len), SPAN_LIT("q.jsonl"), rules, &messages, &b);
    assert_int_equal(r, *want ? -EINVAL : 0);
    assert_span(buf_span(&messages), span_str(want));
    buf_deinit(&messages);
    return b;
}

static inline struct bank *read_good(const char *text)
{
    struct bank *b = read_text(text, strlen(text), "");
    assert_non_null(b);
    return b;
}
