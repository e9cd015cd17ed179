/*
 * Where the words are: the layouts of the filing's annex 4 and of what people make of it. A header
 * row is found by its names, below a title or not; a sheet may be a category of its own.
 */
#include "rules/importing.h"

#include <errno.h>

#define HEADER_ROWS 10 /* from the top, within which a header stands */

static const char *const word_names[] = {
    "关键词",         "关键字", "敏感词", "敏感字", "违禁词",  "屏蔽词",   "拦截词", "禁用词",
    "词条",           "词语",   "词汇",   "词",     "keyword", "keywords", "word",   "words",
    "sensitive_word", "term",   "phrase", "text",   "内容",    NULL};
static const char *const category_names[] = {
    "二级分类",    "二级类别", "二级风险", "二级",    "子类",     "小类",
    "subcategory", "level2",   "分类",     "类别",    "类型",     "风险类型",
    "风险类别",    "所属分类", "risk",     "risk_id", "category", "type",
    "class",       "kind",     "level",    "tag",     "label",    NULL};
static const char *const group_names[] = {"一级分类", "一级类别", "一级风险", "一级",
                                          "大类",     "level1",   "group",    NULL};
static const char *const action_names[] = {"处置", "处置方式", "处理方式", "动作", "action", NULL};
static const char *const note_names[] = {"备注",   "说明",    "note", "notes",
                                         "remark", "comment", NULL};
static const char *const *const names[IMPORT_COLUMNS] = {
    [IMPORT_WORD] = word_names,   [IMPORT_CATEGORY] = category_names,
    [IMPORT_GROUP] = group_names, [IMPORT_ACTION] = action_names,
    [IMPORT_NOTE] = note_names,
};
static const char *const what[IMPORT_COLUMNS] = {"word", "category", "group", "action", "note"};

struct layout {
    int columns[IMPORT_COLUMNS]; /* -1: none */
    size_t first;                /* row behind the header */
    bool found;
};

static int find_name(const struct table_row *row, struct span name)
{
    for (uint32_t i = 0; i < row->count; i++)
        if (span_eq_nocase(span_trim(row->cells[i]), name))
            return (int)i;
    return -1;
}

int columns_find(const struct table_row *row, const char *const *aliases)
{
    for (; *aliases; aliases++) {
        int i = find_name(row, span_str(*aliases));
        if (i >= 0)
            return i;
    }
    return -1;
}

/* A column that the request names: by number, or by a header of this row. */
static int asked_column(struct span asked, const struct table_row *row)
{
    unsigned long long number;
    if (span_to_u64(asked, &number))
        return number >= 1 && number <= TABLE_COLUMNS_MAX ? (int)number - 1 : -1;
    return row ? find_name(row, asked) : -1;
}

/* Every column that this row, as a header, names. */
static struct layout read_header(const struct import *im, const struct table_row *row)
{
    struct layout l;
    bool titled = columns_find(row, word_names) >= 0;
    for (int c = 0; c < IMPORT_COLUMNS; c++) {
        struct span asked = im->request.columns[c];
        l.columns[c] = asked.len ? asked_column(asked, row)
                       : titled  ? columns_find(row, names[c])
                                 : -1;
    }
    /* A column counts once: the name of a category may be that of a word elsewhere. */
    for (int c = 1; c < IMPORT_COLUMNS; c++)
        if (l.columns[c] == l.columns[IMPORT_WORD])
            l.columns[c] = -1;
    struct span asked = im->request.columns[IMPORT_WORD];
    unsigned long long number;
    l.found = l.columns[IMPORT_WORD] >= 0 && (titled || !span_to_u64(asked, &number));
    return l;
}

static struct layout find_layout(const struct import *im, size_t from, size_t to)
{
    const struct table_row *rows = im->table.rows;
    for (size_t i = from; i < to && i < from + HEADER_ROWS; i++) {
        struct layout l = read_header(im, &rows[i]);
        l.first = i + 1;
        if (l.found)
            return l;
    }
    /* Without a header: by number, or the only column that there is. */
    struct layout l = {.first = from};
    for (int c = 0; c < IMPORT_COLUMNS; c++)
        l.columns[c] = im->request.columns[c].len ? asked_column(im->request.columns[c], NULL) : -1;
    if (l.columns[IMPORT_WORD] >= 0) {
        l.found = true;
        return l;
    }
    bool single = im->request.columns[IMPORT_WORD].len == 0 && !im->table.titled;
    for (size_t i = from; i < to; i++)
        single = single && rows[i].count <= 1;
    l.columns[IMPORT_WORD] = single ? 0 : -1;
    return l;
}

static struct span cell(const struct table_row *row, int column)
{
    return column >= 0 && (uint32_t)column < row->count ? span_trim(row->cells[column])
                                                        : SPAN_LIT("");
}

static int give_row(struct import *im, const struct layout *l, size_t index, import_row_fn fn,
                    struct buf *messages)
{
    const struct table_row *row = &im->table.rows[index];
    struct import_row r = {
        .word = cell(row, l->columns[IMPORT_WORD]),
        .group = cell(row, l->columns[IMPORT_GROUP]),
        .category = cell(row, l->columns[IMPORT_CATEGORY]),
        .action = cell(row, l->columns[IMPORT_ACTION]),
        .note = cell(row, l->columns[IMPORT_NOTE]),
        .row = index,
    };
    bool empty = true;
    for (uint32_t i = 0; i < row->count && empty; i++)
        empty = span_trim(row->cells[i]).len == 0;
    bool comment = im->table.format == TABLE_TEXT && r.word.len && r.word.data[0] == '#';
    if (comment || (empty && im->table.format != TABLE_TEXT)) {
        im->counts.skipped++;
        return 0;
    }
    /* Some lists have a sheet for each category. */
    if (l->columns[IMPORT_CATEGORY] < 0 && l->columns[IMPORT_GROUP] < 0)
        r.category = im->table.sheets[row->sheet];
    im->counts.rows++;
    return fn(im, &r, messages);
}

static int fail_layout(struct import *im, size_t row, struct buf *messages)
{
    const struct span *asked = im->request.columns;
    for (int c = 0; c < IMPORT_COLUMNS; c++)
        if (asked[c].len && !span_eq(asked[c], SPAN_LIT("none")))
            return import_fail(im, messages, row, "no column is called '%.*s' (--column %s=...)",
                               SPAN_ARG(asked[c]), what[c]);
    return import_fail(im, messages, row,
                       "which column holds the words? None is called 关键词, 敏感词, word or the "
                       "like: name it with --column word=NAME or --column word=NUMBER");
}

static int each_sheet(struct import *im, size_t from, size_t to, const struct layout *l,
                      bool headers, import_row_fn fn, struct buf *messages)
{
    /* Beside sheets with a header, one without is a cover or a summary. */
    if (headers && !l->found) {
        im->counts.skipped += to - from;
        return 0;
    }
    if (l->columns[IMPORT_WORD] < 0)
        return fail_layout(im, from, messages);
    im->counts.skipped += l->first - from - (im->table.titled ? 1 : 0);
    int r = 0;
    for (size_t i = l->first; i < to && r == 0; i++)
        r = give_row(im, l, i, fn, messages);
    return r;
}

static size_t sheet_end(const struct table *t, size_t from)
{
    size_t to = from;
    while (to < t->count && t->rows[to].sheet == t->rows[from].sheet)
        to++;
    return to;
}

static bool is_wanted(const struct import *im, size_t row)
{
    struct span name = im->table.sheets[im->table.rows[row].sheet];
    return im->request.sheet.len == 0 || span_eq(name, im->request.sheet);
}

static int check_sheet(struct import *im, struct buf *messages)
{
    struct buf there_are = BUF_INIT(4096);
    bool there = im->request.sheet.len == 0;
    for (size_t i = 0; i < im->table.sheet_count; i++) {
        there = there || span_eq(im->table.sheets[i], im->request.sheet);
        buf_printf(&there_are, "%s%.*s", i ? ", " : "", SPAN_ARG(im->table.sheets[i]));
    }
    int r = there
                ? 0
                : import_fail(im, messages, SIZE_MAX, "no sheet is called '%.*s'; there are: %.*s",
                              SPAN_ARG(im->request.sheet), SPAN_ARG(buf_span(&there_are)));
    buf_deinit(&there_are);
    return r;
}

int columns_each(struct import *im, import_row_fn fn, struct buf *messages)
{
    const struct table *t = &im->table;
    bool headers = false;
    for (size_t from = 0; from < t->count; from = sheet_end(t, from))
        headers =
            headers || (is_wanted(im, from) && find_layout(im, from, sheet_end(t, from)).found);
    int r = check_sheet(im, messages);
    for (size_t from = 0, to; from < t->count && r == 0; from = to) {
        to = sheet_end(t, from);
        if (!is_wanted(im, from)) {
            im->counts.skipped += to - from;
            continue;
        }
        struct layout l = find_layout(im, from, to);
        r = each_sheet(im, from, to, &l, headers, fn, messages);
    }
    return r;
}
