#include "cli/rules_urgent.h"

#include "audit/query.h"
#include "base/clock.h"
#include "base/day.h"
#include "cli/logview.h"
#include "match/matchset.h"
#include "scan/scanner.h"

#include <errno.h>
#include <stdlib.h>

#define DAY_US (24ull * 3600 * 1000000)

/* One word and what the log says of it. */
struct line {
    const struct urgent_word *word;
    const struct rule *rule; /* in the version in force; NULL: no longer there */
    uint32_t index;          /* of the rule */
    uint64_t since_us, until_us;
    unsigned hit, would_hit; /* requests */
    bool now_hit, now_would; /* the one that is being read */
};

struct survey {
    struct journal journal;
    struct urgent_word *words;
    struct ruleset *rules; /* in force; NULL: can't be read */
    struct line *lines;
    size_t count;
    unsigned requests, seen, unseen; /* in the log; with text; passed or expired, without */
    bool no_log;
};

/* ---- the log ---- */

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct survey *l = ctx;
    for (size_t i = 0; i < l->count; i++)
        if (l->lines[i].rule && l->lines[i].index == hit->rule)
            l->lines[i].now_would = true;
    return 0;
}

/* A text that can't be judged is as one that isn't there. */
static bool judge(struct survey *l, struct span text, enum direction direction)
{
    return scanner_judge(ruleset_matchset(l->rules), direction, text, on_hit, l) == 0;
}

static void note_hit(struct survey *l, const struct query_row *row, const struct query_hit *h)
{
    for (size_t i = 0; i < l->count; i++) {
        struct line *line = &l->lines[i];
        if (line->rule && span_eq(h->entry->rule, line->rule->id) &&
            row->entry.time >= line->since_us && row->entry.time < line->until_us)
            line->now_hit = true;
    }
}

static void read_row(struct survey *l, const struct query_row *row)
{
    bool seen = false;
    if (span_eq(row->entry.kind, SPAN_LIT("admin")) || span_eq(row->entry.kind, SPAN_LIT("gap")))
        return;
    for (size_t i = 0; i < l->count; i++)
        l->lines[i].now_hit = l->lines[i].now_would = false;
    for (size_t i = 0; i < row->hit_count; i++) {
        const struct query_hit *h = &row->hits[i];
        if (h->entry->old == ENTRY_TRUE)
            continue; /* counted where it was an offence */
        bool prompt = span_eq(h->entry->direction, SPAN_LIT("prompt"));
        note_hit(l, row, h);
        if (h->has_text && l->rules)
            seen = judge(l, h->context, prompt ? DIRECTION_PROMPT : DIRECTION_COMPLETION) || seen;
    }
    l->requests++;
    l->seen += seen;
    l->unseen += !seen;
    for (size_t i = 0; i < l->count; i++) {
        l->lines[i].hit += l->lines[i].now_hit;
        l->lines[i].would_hit += l->lines[i].now_would && row->entry.time < l->lines[i].since_us;
    }
}

static int read_log(struct survey *l, const struct config *c, unsigned days)
{
    uint64_t now = clock_wall_us();
    struct query_filter f = {.all = true, .oldest_first = true};
    f.since_us = now > days * DAY_US ? now - days * DAY_US : 0;
    struct query *q = NULL;
    const struct query_row *row;
    int r = query_open(c->audit.dir, &f, &q);
    l->no_log = r == -ENOENT;
    while (r >= 0 && (r = query_next(q, &row)) == 1)
        read_row(l, row);
    query_close(q);
    return r == -ENOENT ? 0 : r;
}

/* ---- the words ---- */

static void describe(struct survey *l, struct line *line, const struct urgent_word *w)
{
    const struct journal_entry *e = w->given;
    uint64_t end = (uint64_t)e->expires * 1000000;
    *line = (struct line){.word = w, .since_us = (uint64_t)e->time_us, .until_us = end};
    if (w->ended && (uint64_t)w->ended->time_us < end)
        line->until_us = (uint64_t)w->ended->time_us;
    const struct risk *risk = l->rules ? ruleset_find_risk(l->rules, e->risk) : NULL;
    line->rule = risk ? ruleset_find_word(l->rules, risk, e->word) : NULL;
    if (line->rule)
        line->index = (uint32_t)(line->rule - ruleset_rule(l->rules, 0));
}

static int load(struct survey *l, const struct config *c, struct rule_report *report)
{
    struct vault *vault = NULL;
    size_t count = 0;
    int r = vault_open(c->state_dir, &report->text, &vault);
    if (r == -ENOENT)
        return 0;
    if (r == 0)
        r = journal_open(vault_dir(vault), vault_path(vault), false, &report->text, &l->journal);
    vault_close(vault);
    if (r == 0)
        r = urgent_list(&l->journal, clock_wall_s(), &l->words, &count);
    if (r < 0)
        return r;
    if (count && publish_peek(c->state_dir, c->rules_dir, report, &l->rules) < 0)
        buf_append(&report->text,
                   SPAN_LIT("juyong rules: warning: without the version in force the log can't be "
                            "searched\n"));
    l->lines = calloc(count + 1, sizeof(*l->lines));
    if (!l->lines)
        return -ENOMEM;
    l->count = count;
    for (size_t i = 0; i < count; i++)
        describe(l, &l->lines[i], &l->words[i]);
    return 0;
}

/* ---- printing ---- */

static bool is_in_library(const struct line *line)
{
    return line->rule && !urgent_is_rule(line->rule);
}

static void print_json(const struct survey *l, const struct line *line)
{
    const struct journal_entry *e = line->word->given;
    char given[CLOCK_TEXT_SIZE], end[DAY_TEXT_SIZE];
    struct buf out = BUF_INIT(65536);
    clock_format((uint64_t)e->time_us, given);
    day_format_minute(e->expires, end);
    buf_append_char(&out, '{');
    setup_json(&out, "word", e->word);
    setup_json(&out, "risk", e->risk);
    setup_json(&out, "state", span_str(urgent_state_name(line->word->state)));
    setup_json(&out, "author", e->author);
    setup_json(&out, "reason", e->reason);
    setup_json(&out, "given", span_str(given));
    setup_json(&out, "expires", span_str(end));
    if (line->word->confirmed)
        setup_json(&out, "approved_by", line->word->confirmed->author);
    if (line->rule)
        setup_json(&out, "rule", line->rule->id);
    buf_printf(&out, ",\"in_library\":%s", is_in_library(line) ? "true" : "false");
    /* Of a word that is in force nowhere nothing was searched: no numbers. */
    if (line->rule && !l->no_log)
        buf_printf(&out,
                   ",\"hit_requests\":%u,\"would_have_hit\":%u,\"requests\":%u,\"with_text\":%u,"
                   "\"without_text\":%u",
                   line->hit, line->would_hit, l->requests, l->seen, l->unseen);
    buf_append(&out, SPAN_LIT("}\n"));
    setup_write(stdout, &out);
    buf_deinit(&out);
}

static void print_plain(const struct survey *l, const struct line *line)
{
    const struct journal_entry *e = line->word->given;
    char given[CLOCK_TEXT_SIZE], end[DAY_TEXT_SIZE];
    clock_format((uint64_t)e->time_us, given);
    day_format_minute(e->expires, end);
    logview_text(stdout, e->word);
    printf("  %.*s  %s", SPAN_ARG(e->risk), urgent_state_name(line->word->state));
    if (is_in_library(line))
        printf(", in the library");
    printf("\n  since %.16sZ until %s, by ", given, end);
    logview_text(stdout, e->author);
    if (line->word->confirmed) {
        printf(", approved by ");
        logview_text(stdout, line->word->confirmed->author);
    }
    printf(": ");
    logview_text(stdout, e->reason);
    if (!line->rule)
        printf("\n  in force no longer, so the log was not searched for it\n");
    else if (l->no_log)
        printf("\n  there is no log yet\n");
    else
        printf("\n  hit %u requests since; would have hit %u before\n", line->hit, line->would_hit);
}

static void print(const struct survey *l, bool json, unsigned days)
{
    for (size_t i = 0; i < l->count; i++) {
        if (json)
            print_json(l, &l->lines[i]);
        else
            print_plain(l, &l->lines[i]);
    }
    if (json || l->count == 0 || l->no_log)
        return;
    printf("the log of %u days has %u requests; of %u it keeps the text around a match, which was "
           "searched;\nof the other %u, which passed or whose text is gone, no text is kept: what "
           "a word would\nhave hit in them can't be known\n",
           days, l->requests, l->seen, l->unseen);
}

int rules_urgent_list(const struct config *config, bool json, unsigned days)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct survey l = {.journal = {.fd = -1}};
    int r = load(&l, config, &report);
    if (r == 0 && l.count)
        r = read_log(&l, config, days);
    setup_print_messages(stderr, &report.text);
    if (r < 0 && report.text.len == 0)
        fprintf(stderr, "juyong rules: %s\n", strerror(-r));
    if (r == 0)
        print(&l, json, days);
    free(l.lines);
    free(l.words);
    ruleset_unref(l.rules);
    journal_close(&l.journal);
    buf_deinit(&report.text);
    return r < 0 || fflush(stdout) != 0 ? CLI_BAD : CLI_GOOD;
}
