#include "filing/keywordlist.h"

#include "base/clock.h"
#include "base/day.h"
#include "scan/scanner.h"
#include "sheet/writer.h"
#include "json/walk.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

/* The sheets behind the first two, in this order; each only where it has a row. */
static const enum library_class apart[] = {
    LIBRARY_DERIVED, LIBRARY_FLAGGED, LIBRARY_OBSERVED, LIBRARY_QUARANTINED, LIBRARY_SCOPED,
    LIBRARY_EXPIRED, LIBRARY_AXIS,    LIBRARY_NEAR,     LIBRARY_PATTERN,
};
#define APART (sizeof(apart) / sizeof(*apart))

/* What is told of one rule, in every format. */
struct row {
    struct span word, group, risk, action, source, note, id;
};

/* 处置: one word where both directions agree. */
static int print_action(const struct library_entry *e, struct buf *out)
{
    bool prompt = e->rule->direction & DIRECTION_PROMPT;
    bool completion = e->rule->direction & DIRECTION_COMPLETION;
    if (e->class == LIBRARY_QUARANTINED || e->class == LIBRARY_EXPIRED)
        return buf_append(out, SPAN_LIT("不生效"));
    if (prompt && completion && e->prompt == e->completion)
        return buf_append(out, span_str(library_action_name(e->prompt)));
    int r = 0;
    if (prompt)
        r = buf_printf(out, "输入%s", library_action_name(e->prompt));
    if (r == 0 && prompt && completion)
        r = buf_append(out, SPAN_LIT("，"));
    if (r == 0 && completion)
        r = buf_printf(out, "输出%s", library_action_name(e->completion));
    return r;
}

static int print_note(const struct library_entry *e, struct buf *out)
{
    const struct rule *rule = e->rule;
    char day[RULE_DAY_SIZE];
    switch (e->class) {
    case LIBRARY_QUARANTINED:
        return buf_append(out, rule->quarantine);
    case LIBRARY_DERIVED:
        return buf_printf(out, "含“%.*s”", SPAN_ARG(e->by->source));
    case LIBRARY_EXPIRED:
        rule_last_day(rule, day);
        return buf_printf(out, "有效期至 %s", day);
    case LIBRARY_SCOPED: {
        int r = 0;
        for (size_t i = 0; i < rule->app_count && r == 0; i++)
            r = buf_printf(out, "%s%.*s", i ? "、" : "", SPAN_ARG(rule->apps[i]));
        return r;
    }
    default:
        return buf_append(out, rule->why);
    }
}

/* What the row's spans point into is in `text`, until the next row. */
static int make_row(const struct library_entry *e, struct buf *text, struct row *ret)
{
    const struct rule *rule = e->rule;
    size_t ends[4];
    buf_clear(text);
    int r = risk_group_title(rule->risk, text);
    ends[0] = text->len;
    if (r == 0)
        r = risk_title(rule->risk, text);
    ends[1] = text->len;
    if (r == 0)
        r = print_action(e, text);
    ends[2] = text->len;
    if (r == 0)
        r = print_note(e, text);
    ends[3] = text->len;
    struct span all = buf_span(text);
    *ret = (struct row){
        .word = rule->source,
        .group = ends[0] ? span_slice(all, 0, ends[0]) : rule->risk->group_zh,
        .risk = ends[1] > ends[0] ? span_slice(all, ends[0], ends[1]) : rule->risk->name_zh,
        .action = span_slice(all, ends[1], ends[2]),
        .source = rule->from.len ? rule->from : span_str(rule_origin_name(rule->origin)),
        .note = span_slice(all, ends[2], ends[3]),
        .id = rule->id,
    };
    return r;
}

/* Every entry of a class, counted ones of several types each time. */
static int each_row(const struct keywordlist *k, enum library_class class, struct buf *text,
                    int (*fn)(void *ctx, size_t number, const struct row *row), void *ctx)
{
    size_t number = 0;
    for (size_t i = 0; i < k->library->count; i++) {
        const struct library_entry *e = &k->library->entries[i];
        struct row row;
        if (e->class != class)
            continue;
        int r = make_row(e, text, &row);
        if (r == 0)
            r = fn(ctx, ++number, &row);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- the workbook ---- */

static int sheet_row(void *ctx, size_t number, const struct row *row)
{
    struct sheet_cell cells[] = {SHEET_NUMBER(number),    SHEET_TEXT(row->word),
                                 SHEET_TEXT(row->group),  SHEET_TEXT(row->risk),
                                 SHEET_TEXT(row->action), SHEET_TEXT(row->source)};
    return sheet_writer_row(ctx, cells, sizeof(cells) / sizeof(*cells));
}

static int apart_row(void *ctx, size_t number, const struct row *row)
{
    struct sheet_cell cells[] = {SHEET_NUMBER(number),    SHEET_TEXT(row->word),
                                 SHEET_TEXT(row->group),  SHEET_TEXT(row->risk),
                                 SHEET_TEXT(row->action), SHEET_TEXT(row->source),
                                 SHEET_TEXT(row->note),   SHEET_TEXT(row->id)};
    return sheet_writer_row(ctx, cells, sizeof(cells) / sizeof(*cells));
}

static const struct sheet_column columns[] = {
    {SPAN_LIT("序号"), 8},      {SPAN_LIT("关键词"), 28},   {SPAN_LIT("一级分类"), 36},
    {SPAN_LIT("二级分类"), 40}, {SPAN_LIT("处置"), 20},     {SPAN_LIT("来源"), 24},
    {SPAN_LIT("说明"), 40},     {SPAN_LIT("规则编号"), 28},
};
#define COLUMNS_COUNTED 6
#define COLUMNS         8

/* It is printed, too. */
static int begin_sheet(struct sheet_writer *w, struct span name, const struct sheet_column *list,
                       size_t count)
{
    int r = sheet_writer_add(w, name, list, count);
    return r < 0 ? r : sheet_writer_wrap(w);
}

static int say(struct sheet_writer *w, const char *name, struct span value)
{
    struct sheet_cell cells[] = {SHEET_TEXT(span_str(name)), SHEET_TEXT(value)};
    return sheet_writer_row(w, cells, 2);
}

static int say_number(struct sheet_writer *w, const char *name, uint64_t value)
{
    struct sheet_cell cells[] = {SHEET_TEXT(span_str(name)), SHEET_NUMBER(value)};
    return sheet_writer_row(w, cells, 2);
}

static struct span day_of(int64_t time, char text[DAY_TEXT_SIZE])
{
    day_format(time + 1, text);
    return span_str(text);
}

static int sheet_summary(const struct keywordlist *k, struct sheet_writer *w)
{
    static const struct sheet_column two[] = {{SPAN_LIT("项目"), 34}, {SPAN_LIT("内容"), 70}};
    const struct library *l = k->library;
    const struct standard *st = ruleset_standard(l->rules);
    char day[DAY_TEXT_SIZE], enough[96];
    unsigned classes[LIBRARY_CLASSES] = {0};
    for (size_t i = 0; i < l->type_count; i++)
        for (unsigned c = 0; c < LIBRARY_CLASSES; c++)
            classes[c] += l->types[i].counts[c];
    snprintf(enough, sizeof(enough), "%s（要求不少于 %u）",
             l->total >= st->keyword_min ? "已达到" : "未达到", st->keyword_min);
    int r = begin_sheet(w, SPAN_LIT("汇总"), two, 2);
    if (r == 0)
        r = say(w, "服务提供者", k->provider.len ? k->provider : SPAN_LIT("待补充"));
    if (r == 0)
        r = say(w, "依据标准", st->name);
    if (r == 0)
        r = say(w, "规则库版本", k->version);
    if (r == 0)
        r = say(w, "规则库 SHA-256", k->digest.len ? k->digest : SPAN_LIT("待补充"));
    if (r == 0)
        r = say(w, "导出日期", day_of(k->now, day));
    if (r == 0)
        r = say_number(w, "拦截关键词总数（去重）", l->total);
    if (r == 0)
        r = say(w, "总数是否达到要求", span_str(enough));
    if (r == 0)
        r = say_number(w, "同时属于多个类别的词（总数只计一次）", l->repeated);
    for (size_t i = 0; i < APART && r == 0; i++)
        r = say_number(w, library_class_name(apart[i]), classes[apart[i]]);
    const struct keywordlist_filed *f = k->filed;
    if (r == 0 && f && f->version.len) {
        r = say(w, "上次备案版本", f->version);
        if (r == 0)
            r = say(w, "上次备案日期", day_of(f->time, day));
        if (r == 0)
            r = say_number(w, "较上次备案新增", f->added_count);
        if (r == 0)
            r = say_number(w, "较上次备案减少", f->removed_count);
    } else if (r == 0 && f) {
        r = say(w, "上次备案版本", SPAN_LIT("尚无备案记录"));
    }
    return r;
}

static int sheet_types(const struct keywordlist *k, struct sheet_writer *w)
{
    static const struct sheet_column list[] = {
        {SPAN_LIT("一级分类"), 36},   {SPAN_LIT("二级分类"), 44}, {SPAN_LIT("拦截关键词数"), 14},
        {SPAN_LIT("要求不少于"), 12}, {SPAN_LIT("是否达到"), 10}, {SPAN_LIT("邻近规则"), 10},
        {SPAN_LIT("正则规则"), 10}};
    struct buf text = BUF_INIT(8192);
    int r = begin_sheet(w, SPAN_LIT("分类统计"), list, sizeof(list) / sizeof(*list));
    for (size_t i = 0; i < k->library->type_count && r == 0; i++) {
        const struct library_type *t = &k->library->types[i];
        buf_clear(&text);
        r = risk_group_title(t->risk, &text);
        size_t at = text.len;
        if (r == 0)
            r = risk_title(t->risk, &text);
        if (r < 0 || text.len == at)
            continue; /* an axis of our own */
        struct span all = buf_span(&text);
        unsigned n = t->counts[LIBRARY_COUNTED], min = t->risk->keyword_min;
        struct sheet_cell cells[] = {SHEET_TEXT(span_slice(all, 0, at)),
                                     SHEET_TEXT(span_slice(all, at, all.len)),
                                     SHEET_NUMBER(n),
                                     SHEET_NUMBER(min),
                                     SHEET_TEXT(min == 0   ? SPAN_LIT("无要求")
                                                : n >= min ? SPAN_LIT("是")
                                                           : SPAN_LIT("否")),
                                     SHEET_NUMBER(t->counts[LIBRARY_NEAR]),
                                     SHEET_NUMBER(t->counts[LIBRARY_PATTERN])};
        r = sheet_writer_row(w, cells, sizeof(cells) / sizeof(*cells));
    }
    buf_deinit(&text);
    return r;
}

static int sheet_difference(const struct keywordlist_filed *f, struct sheet_writer *w)
{
    static const struct sheet_column list[] = {{SPAN_LIT("变化"), 8},
                                               {SPAN_LIT("关键词"), 28},
                                               {SPAN_LIT("类别"), 40},
                                               {SPAN_LIT("规则编号"), 28}};
    if (!f || f->added_count + f->removed_count == 0)
        return 0;
    int r = begin_sheet(w, SPAN_LIT("较上次备案的变化"), list, 4);
    for (size_t i = 0; i < f->added_count + f->removed_count && r == 0; i++) {
        bool added = i < f->added_count;
        const struct rule *rule = added ? f->added[i] : f->removed[i - f->added_count];
        struct sheet_cell cells[] = {SHEET_TEXT(added ? SPAN_LIT("新增") : SPAN_LIT("减少")),
                                     SHEET_TEXT(rule->source), SHEET_TEXT(rule->risk->name_zh),
                                     SHEET_TEXT(rule->id)};
        r = sheet_writer_row(w, cells, 4);
    }
    return r;
}

static int write_sheets(const struct keywordlist *k, struct sheet_writer *w)
{
    struct buf text = BUF_INIT(1u << 20);
    int r = begin_sheet(w, SPAN_LIT("拦截关键词列表"), columns, COLUMNS_COUNTED);
    if (r == 0)
        r = each_row(k, LIBRARY_COUNTED, &text, sheet_row, w);
    if (r == 0)
        r = sheet_summary(k, w);
    if (r == 0)
        r = sheet_types(k, w);
    for (size_t c = 0; c < APART && r == 0; c++) {
        bool any = false;
        for (size_t i = 0; i < k->library->type_count; i++)
            any = any || k->library->types[i].counts[apart[c]];
        if (any)
            r = begin_sheet(w, span_str(library_class_name(apart[c])), columns, COLUMNS);
        if (any && r == 0)
            r = each_row(k, apart[c], &text, apart_row, w);
    }
    if (r == 0)
        r = sheet_difference(k->filed, w);
    buf_deinit(&text);
    return r;
}

static int write_workbook(const struct keywordlist *k, struct span path, struct buf *ret_error)
{
    struct sheet_writer *w = NULL;
    int r = sheet_writer_new(path, k->now, &w);
    if (r < 0) {
        buf_printf(ret_error, "%.*s: %s", SPAN_ARG(path), strerror(-r));
        return r;
    }
    write_sheets(k, w); /* the first error sticks, and is told by the end */
    r = sheet_writer_finish(w, ret_error);
    sheet_writer_free(w);
    return r;
}

/* ---- rows of text ---- */

struct lines {
    FILE *to;
    struct buf line;
    enum keywordlist_format format;
    enum library_class class;
};

/*
 * RFC 4180. What a spreadsheet would take for a formula gets an apostrophe before it, which it
 * takes for "this is text": lists come from anywhere.
 */
static int csv_cell(struct buf *out, struct span cell, bool last)
{
    bool quoted = false, formula = cell.len && memchr("=+-@\t\r", cell.data[0], 6);
    for (size_t i = 0; i < cell.len; i++)
        quoted = quoted || memchr(",\"\r\n", cell.data[i], 4);
    int r = quoted ? buf_append_char(out, '"') : 0;
    if (r == 0 && formula)
        r = buf_append_char(out, '\'');
    for (size_t i = 0; i < cell.len && r == 0; i++) {
        if (cell.data[i] == '"')
            r = buf_append_char(out, '"');
        if (r == 0)
            r = buf_append_char(out, cell.data[i]);
    }
    if (r == 0 && quoted)
        r = buf_append_char(out, '"');
    return r < 0 ? r : buf_append(out, last ? SPAN_LIT("\r\n") : SPAN_LIT(","));
}

static int csv_row(struct lines *l, const struct row *row, struct span class)
{
    const struct span cells[] = {row->word, row->group,  row->risk, row->action,
                                 class,     row->source, row->note, row->id};
    int r = 0;
    for (size_t i = 0; i < 8 && r == 0; i++)
        r = csv_cell(&l->line, cells[i], i == 7);
    return r;
}

static int json_row(struct lines *l, const struct row *row, struct span class)
{
    const struct {
        const char *key;
        struct span text;
    } pairs[] = {{"keyword", row->word},  {"group", row->group}, {"risk", row->risk},
                 {"action", row->action}, {"class", class},      {"source", row->source},
                 {"note", row->note},     {"id", row->id}};
    int r = 0;
    for (size_t i = 0; i < 8 && r == 0; i++) {
        r = buf_printf(&l->line, "%s\"%s\":\"", i ? "," : "{", pairs[i].key);
        if (r == 0)
            r = json_escape(&l->line, pairs[i].text);
        if (r == 0)
            r = buf_append_char(&l->line, '"');
    }
    return r < 0 ? r : buf_append(&l->line, SPAN_LIT("}\n"));
}

static int write_line(struct lines *l)
{
    if (fwrite(l->line.data, 1, l->line.len, l->to) != l->line.len)
        return errno ? -errno : -EIO;
    return 0;
}

static int text_row(void *ctx, size_t number, const struct row *row)
{
    struct lines *l = ctx;
    struct span class = span_str(library_class_name(l->class));
    buf_clear(&l->line);
    int r = l->format == KEYWORDLIST_CSV ? csv_row(l, row, class) : json_row(l, row, class);
    return r < 0 ? r : write_line(l);
}

static int write_rows(const struct keywordlist *k, struct lines *l)
{
    struct buf text = BUF_INIT(1u << 20);
    int r = 0;
    if (l->format == KEYWORDLIST_CSV) {
        buf_append(&l->line, SPAN_LIT("\xef\xbb\xbf关键词,一级分类,二级分类,处置,类别,来源,说明,"
                                      "规则编号\r\n"));
        r = write_line(l);
    }
    for (size_t c = 0; c <= APART && r == 0; c++) {
        l->class = c ? apart[c - 1] : LIBRARY_COUNTED;
        r = each_row(k, l->class, &text, text_row, l);
    }
    buf_deinit(&text);
    if (r == 0 && fflush(l->to) != 0)
        r = errno ? -errno : -EIO;
    return r;
}

static int write_text(const struct keywordlist *k, enum keywordlist_format format, struct span path,
                      struct buf *ret_error)
{
    struct lines l = {.to = stdout, .line = BUF_INIT(1u << 20), .format = format};
    char name[PATH_MAX], temporary[PATH_MAX];
    int r = 0;
    if (path.len) {
        /* Beside it first: whoever reads the file finds all of it or the one before. */
        if (snprintf(name, sizeof(name), "%.*s", SPAN_ARG(path)) >= (int)sizeof(name) ||
            snprintf(temporary, sizeof(temporary), "%.*s.part", SPAN_ARG(path)) >=
                (int)sizeof(temporary))
            r = -ENAMETOOLONG;
        else if (!(l.to = fopen(temporary, "wx")))
            r = -errno;
    }
    if (r == 0)
        r = write_rows(k, &l);
    if (path.len && l.to) {
        if (r == 0 && fsync(fileno(l.to)) < 0)
            r = -errno;
        if (fclose(l.to) != 0 && r == 0)
            r = -errno;
        if (r == 0 && rename(temporary, name) < 0)
            r = -errno;
        if (r < 0)
            unlink(temporary);
    }
    if (r < 0)
        buf_printf(ret_error, "%.*s: %s", SPAN_ARG(path.len ? path : SPAN_LIT("standard output")),
                   strerror(-r));
    buf_deinit(&l.line);
    return r;
}

int keywordlist_write(const struct keywordlist *k, enum keywordlist_format format, struct span path,
                      struct buf *ret_error)
{
    return format == KEYWORDLIST_XLSX ? write_workbook(k, path, ret_error)
                                      : write_text(k, format, path, ret_error);
}

/* ---- the proof ---- */

struct proof {
    const struct policy *policy;
    enum direction direction;
    int64_t now;
    bool intercepted;
};

static int see_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct proof *p = ctx;
    enum action a = policy_decide(p->policy, hit->rule, p->direction, p->now);
    if (a > ACTION_FLAG && !policy_observes(p->policy, hit->rule, p->now))
        p->intercepted = true;
    return 0;
}

static int send_word(const struct ruleset *rules, struct proof *p, struct span word,
                     enum direction direction)
{
    p->direction = direction;
    return scanner_judge(ruleset_matchset(rules), direction, word, see_hit, p);
}

int keywordlist_verify(const struct library *l, const struct config_app *app, int64_t now,
                       struct buf *ret_misses)
{
    struct policy *policy = NULL;
    int misses = 0, r = policy_new(app, l->rules, &policy);
    for (size_t i = 0; i < l->count && r == 0; i++) {
        const struct rule *rule = l->entries[i].rule;
        if (l->entries[i].class != LIBRARY_COUNTED)
            continue;
        struct proof p = {.policy = policy, .now = now};
        if (rule->direction & DIRECTION_PROMPT)
            r = send_word(l->rules, &p, rule->source, DIRECTION_PROMPT);
        if (r == 0 && rule->direction & DIRECTION_COMPLETION)
            r = send_word(l->rules, &p, rule->source, DIRECTION_COMPLETION);
        if (r == -ENOMEM)
            break;
        if (r == 0 && p.intercepted)
            continue;
        place_printf(ret_misses, (struct place){rule->file, rule->line, rule->column},
                     "'%.*s' (%.*s) is not intercepted", SPAN_ARG(rule->source),
                     SPAN_ARG(rule->id));
        misses++;
        r = 0;
    }
    policy_free(policy);
    return r < 0 ? r : misses;
}
