/* A library in a folder of its own, written file by file, for the tests of this room. */
#pragma once

#include "../unit.h"

#include "match/cursor.h"
#include "rules/ruleset.h"

#include <errno.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static char folder[] = "/tmp/juyong-rules-XXXXXX";

static inline int set_up(void **state)
{
    return mkdtemp(folder) && chdir(folder) == 0 ? 0 : -1;
}

static inline int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
    return remove(path);
}

static inline int tear_down(void **state)
{
    return chdir("/") == 0 ? nftw(folder, remove_entry, 8, FTW_DEPTH | FTW_PHYS) : -1;
}

static inline void write_bytes(const char *name, struct span text)
{
    FILE *f = fopen(name, "w");
    assert_non_null(f);
    assert_int_equal(fwrite(text.data, 1, text.len, f), text.len);
    fclose(f);
}

static inline void write_file(const char *name, const char *text)
{
    write_bytes(name, span_str(text));
}

#define RISKS                                                                                      \
    "groups: [{id: A1, zh: 一, en: one}, {id: pii, zh: 私, en: personal}]\n"                     \
    "risks:\n"                                                                                     \
    "  - {id: A1-a, group: A1, zh: 甲, en: a, keyword_min: 200}\n"                                \
    "  - {id: A1-b, group: A1, zh: 乙, en: b}\n"                                                  \
    "  - {id: pii-phone, group: pii, zh: 手机号, en: phone}\n"

/* An empty library `r` with the three risks. */
static inline int fresh(void **state)
{
    if (access("r", F_OK) == 0)
        nftw("r", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    mkdir("r", 0700);
    mkdir("r/keywords", 0700);
    mkdir("r/patterns", 0700);
    mkdir("r/allow", 0700);
    mkdir("r/answers", 0700);
    mkdir("r/near", 0700);
    mkdir("r/variants", 0700);
    write_file("r/risks.yaml", RISKS);
    return 0;
}

static inline struct ruleset *expect_load(const char *warnings)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    if (ruleset_load(SPAN_LIT("r/"), &report, &s) != 0)
        fail_msg("%s", buf_cstr(&report.text));
    assert_span(buf_span(&report.text), span_str(warnings));
    assert_int_equal(report.errors, 0);
    buf_deinit(&report.text);
    return s;
}

static inline void expect_refused(const char *want)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *s = NULL;
    assert_int_equal(ruleset_load(SPAN_LIT("r"), &report, &s), -EINVAL);
    assert_null(s);
    assert_true(report.errors > 0);
    assert_span(buf_span(&report.text), span_str(want));
    buf_deinit(&report.text);
}

static inline int stop(void *ctx, const struct hit *hit)
{
    *(struct hit *)ctx = *hit;
    return 1;
}

/* The rule that the text hits first, or UINT32_MAX. */
static inline uint32_t judge(const struct ruleset *s, const char *text, enum direction direction)
{
    struct hit hit = {.rule = UINT32_MAX};
    struct cursor *c = cursor_new(ruleset_matchset(s), direction);
    assert_non_null(c);
    int r = cursor_feed(c, span_str(text), stop, &hit);
    if (r == 0)
        r = cursor_finish(c, stop, &hit);
    assert_true(r >= 0);
    cursor_free(c);
    return hit.rule;
}

/* Each test begins with a fresh library. */
#define EACH(test) cmocka_unit_test_setup(test, fresh)
