/* A library `r` and a store `s`, for the tests of what is in force. */
#pragma once

#include "folder.h"

#include "rules/publish.h"

#include <dirent.h>
#include <fcntl.h>

static inline int fresh_store(void **state)
{
    if (access("s", F_OK) == 0)
        nftw("s", remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    fresh(state);
    write_file("r/keywords/A1-a.txt", "坏词语\n另一句\n");
    return 0;
}

#define EACH_STORE(test) cmocka_unit_test_setup(test, fresh_store)

static inline struct publish by(const char *author)
{
    return (struct publish){.state_dir = SPAN_LIT("s"),
                            .rules_dir = SPAN_LIT("r"),
                            .author = span_str(author),
                            .login = SPAN_LIT("tester"),
                            .reason = SPAN_LIT("a test"),
                            .report = RULE_REPORT_INIT};
}

/* Ends an act that must have given `want`; its messages must begin with `text`. */
static inline void expect_done(struct publish *p, int result, int want, const char *text)
{
    if (result != want || !span_starts(buf_span(&p->report.text), span_str(text)) ||
        (text[0] == '\0' && p->report.text.len))
        fail_msg("%d instead of %d: %.*s", result, want, SPAN_ARG(buf_span(&p->report.text)));
    buf_deinit(&p->report.text);
}

static inline void publish_text(const char *keywords, struct publish_done *done)
{
    struct publish p = by("anna");
    write_file("r/keywords/A1-a.txt", keywords);
    int r = publish_library(&p, false, done);
    expect_done(&p, r, 0, "");
}

/* The version in force, or NULL: then the messages must begin with `text`. */
static inline struct ruleset *in_force(const char *text)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *set = NULL;
    int r = publish_load(SPAN_LIT("s"), SPAN_LIT("r"), &report, &set);
    if ((r == 0) == (text[0] != '\0') || !span_starts(buf_span(&report.text), span_str(text)))
        fail_msg("%d: %.*s", r, SPAN_ARG(buf_span(&report.text)));
    buf_deinit(&report.text);
    return set;
}

static inline void expect_in_force(const char *digest)
{
    struct ruleset *set = in_force("");
    assert_span(ruleset_digest(set), span_str(digest));
    assert_true(span_starts(ruleset_version(set), SPAN_LIT("v-")));
    ruleset_unref(set);
}

/* Whether the version in force hits the text. */
static inline bool hits(const char *text)
{
    struct ruleset *set = in_force("");
    bool hit = judge(set, text, DIRECTION_PROMPT) != UINT32_MAX;
    ruleset_unref(set);
    return hit;
}

static inline void read_journal(struct journal *j, int want, const char *text)
{
    struct buf messages = BUF_INIT(65536);
    int dir = open("s/rules", O_RDONLY | O_DIRECTORY);
    int r = journal_open(dir, SPAN_LIT("s/rules"), false, &messages, j);
    if (r != want || !span_starts(buf_span(&messages), span_str(text)))
        fail_msg("%d: %.*s", r, SPAN_ARG(buf_span(&messages)));
    close(dir);
    buf_deinit(&messages);
}

static inline void read_text(const char *name, struct buf *out)
{
    char piece[4096];
    FILE *f = fopen(name, "r");
    assert_non_null(f);
    buf_clear(out);
    for (size_t n; (n = fread(piece, 1, sizeof(piece), f)) > 0;)
        buf_append(out, span_from(piece, n));
    fclose(f);
}

static inline unsigned count_entries(const char *path)
{
    unsigned n = 0;
    DIR *d = opendir(path);
    assert_non_null(d);
    for (struct dirent *e; (e = readdir(d));)
        n += e->d_name[0] != '.';
    closedir(d);
    return n;
}
