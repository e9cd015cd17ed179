/* An import from its file to words with a risk each; judged in import_judge.c. */
#include "rules/importing.h"

#include "base/cleanup.h"
#include "base/utf8.h"

#include <errno.h>
#include <stdarg.h>

#define IMPORT_BYTES_MAX (1u << 30)

const char *import_fate_name(enum import_fate fate)
{
    static const char *const names[IMPORT_FATES] = {"kept",  "forced", "quarantined", "repeated",
                                                    "known", "empty",  "too_long"};
    return names[fate];
}

const char *import_reason_name(enum import_reason reason)
{
    static const char *const names[IMPORT_REASONS] = {"",       "one_character", "short",  "common",
                                                      "benign", "sample",        "traffic"};
    return names[reason];
}

struct span import_keep(struct import *im, struct span text)
{
    return arena_copy(&im->arena, text);
}

int import_fail(struct import *im, struct buf *messages, size_t row, const char *fmt, ...)
{
    struct buf text = BUF_INIT(1u << 16), where = BUF_INIT(1u << 16);
    va_list ap;
    va_start(ap, fmt);
    buf_vprintf(&text, fmt, ap);
    va_end(ap);
    /* The place of a row is none of lines and columns in a workbook: it stands for the file. */
    if (row < im->table.count)
        table_place(&im->table, &im->table.rows[row], &where);
    else
        buf_append(&where, im->request.file);
    place_printf(messages, (struct place){.file = buf_span(&where)}, "%.*s",
                 SPAN_ARG(buf_span(&text)));
    buf_deinit(&text);
    buf_deinit(&where);
    return -EINVAL;
}

/* ---- rows ---- */

/* As it may stand on a line of a keyword file: no tab, no line end, no '#' that begins a comment.
 */
static struct span line_form(struct import *im, struct span word)
{
    while (word.len && (word.data[0] == '#' || word.data[0] == ' '))
        word = span_slice(word, 1, word.len);
    word = span_trim(word);
    struct span kept = import_keep(im, word);
    char *at = (char *)kept.data; /* the copy's own bytes */
    for (size_t i = 0; i < kept.len; i++)
        if ((unsigned char)at[i] < ' ' || at[i] == 0x7F)
            at[i] = ' ';
    return kept;
}

static struct span word_key(struct import *im, struct span folded, const struct risk *risk)
{
    buf_clear(&im->key);
    buf_append(&im->key, risk->id);
    buf_append_char(&im->key, '/');
    buf_append(&im->key, folded);
    return buf_span(&im->key);
}

/* 处置: what is more than the policy would do is left to the policy. */
static bool read_action(struct span text, enum action *ret)
{
    static const struct {
        const char *name;
        enum action action;
    } names[] = {
        {"", ACTION_DEFAULT},      {"拦截", ACTION_DEFAULT},  {"阻断", ACTION_DEFAULT},
        {"拒绝", ACTION_DEFAULT},  {"拒答", ACTION_DEFAULT},  {"禁止", ACTION_DEFAULT},
        {"屏蔽", ACTION_DEFAULT},  {"block", ACTION_DEFAULT}, {"打码", ACTION_MASK},
        {"脱敏", ACTION_MASK},     {"替换", ACTION_MASK},     {"mask", ACTION_MASK},
        {"代答", ACTION_ANSWER},   {"answer", ACTION_ANSWER}, {"标记", ACTION_FLAG},
        {"观察", ACTION_FLAG},     {"记录", ACTION_FLAG},     {"复核", ACTION_FLAG},
        {"人工审核", ACTION_FLAG}, {"审核", ACTION_FLAG},     {"flag", ACTION_FLAG},
        {"review", ACTION_FLAG},
    };
    for (size_t i = 0; i < sizeof(names) / sizeof(*names); i++)
        if (span_eq_nocase(text, span_str(names[i].name))) {
            *ret = names[i].action;
            return true;
        }
    return false;
}

/* Which risk; counts the rows of a category, also where it is unknown. */
static const struct risk *row_risk(struct import *im, const struct import_row *row)
{
    if (im->request.risk.len)
        return ruleset_find_risk(im->library, im->request.risk);
    const struct risk *risk = risks_resolve(im, row->group, row->category);
    buf_clear(&im->key);
    buf_printf(&im->key, "%.*s\x1f%.*s", SPAN_ARG(row->group), SPAN_ARG(row->category));
    uint32_t *at = index_at(&im->by_category, buf_span(&im->key), false, NULL);
    if (at && im->categories[*at].rows++ == 0)
        im->categories[*at].first_row = row->row;
    return risk;
}

/* Is the word there already? Else it is noted. */
static int note_word(struct import *im, struct import_word *w)
{
    struct span key = word_key(im, w->folded, w->risk);
    if (index_at(&im->known, key, false, NULL)) {
        w->fate = IMPORT_KNOWN;
        return 0;
    }
    bool new;
    if (index_at(&im->by_folded, key, false, NULL)) {
        w->fate = IMPORT_REPEATED;
        return 0;
    }
    key = import_keep(im, key);
    uint32_t *at = key.data ? index_at(&im->by_folded, key, true, &new) : NULL;
    if (!at)
        return -ENOMEM;
    *at = (uint32_t)im->count;
    return 0;
}

static int add_row(struct import *im, const struct import_row *row, struct buf *messages)
{
    struct import_word w = {.row = row->row, .action = ACTION_DEFAULT};
    w.word = line_form(im, row->word);
    w.note = line_form(im, row->note);
    if (!w.word.data || !w.note.data)
        return -ENOMEM;
    if (!read_action(row->action, &w.action))
        return import_fail(im, messages, row->row,
                           "'%.*s' is no way to deal with a word (处置): 拦截, 打码, 代答, 标记; "
                           "--column action=none leaves it to the policy",
                           SPAN_ARG(row->action));
    buf_clear(&im->scratch);
    int e = match_fold(w.word, &im->scratch);
    if (e == -ENOMEM)
        return e;
    if (e == 0 && im->scratch.len == 0) {
        w.fate = IMPORT_EMPTY;
    } else if (e == -EMSGSIZE || utf8_count(buf_span(&im->scratch)) > MATCH_KEYWORD_MAX) {
        w.fate = IMPORT_TOO_LONG;
    } else {
        w.folded = import_keep(im, buf_span(&im->scratch));
        w.risk = row_risk(im, row);
        if (!w.folded.data)
            return -ENOMEM;
        e = w.risk ? note_word(im, &w) : 0;
        if (e < 0)
            return e;
    }
    if (import_grow((void **)&im->words, im->count, &im->cap, sizeof(w)) < 0)
        return -ENOMEM;
    im->words[im->count++] = w;
    return 0;
}

/* ---- what is there already ---- */

static int note_library(struct import *im)
{
    for (uint32_t i = 0; i < ruleset_count(im->library); i++) {
        const struct rule *r = ruleset_rule(im->library, i);
        if (r->kind != RULE_KEYWORD || r->quarantine.len)
            continue;
        buf_clear(&im->scratch);
        if (match_fold(r->source, &im->scratch) < 0)
            continue;
        struct span key = import_keep(im, word_key(im, buf_span(&im->scratch), r->risk));
        uint32_t *at = key.data ? index_at(&im->known, key, true, NULL) : NULL;
        if (!at)
            return -ENOMEM;
        *at = i;
    }
    return 0;
}

static int load_library(struct import *im, struct buf *messages)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset_source source = {.dir = im->request.dir, .replaced = im->relative};
    int r = ruleset_read(&source, &report, &im->library);
    /* Its warnings are no news: `check` tells them. */
    if (r < 0)
        buf_append(messages, buf_span(&report.text));
    buf_deinit(&report.text);
    if (r == -ENOMEM)
        return r;
    return r < 0 ? -EINVAL : note_library(im);
}

static bool is_name(struct span s)
{
    for (size_t i = 0; i < s.len; i++) {
        char c = s.data[i];
        if (!((c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
              c == '-' || c == '_'))
            return false;
    }
    return s.len > 0 && s.len <= 64;
}

static int check_request(struct import *im, struct buf *messages)
{
    const struct import_request *q = &im->request;
    if (!is_name(q->list)) {
        buf_printf(messages, "'%.*s' is no name of a list: 1 to 64 letters, digits, '-' and '_'\n",
                   SPAN_ARG(q->list));
        return -EINVAL;
    }
    im->relative = arena_printf(&im->arena, "keywords/%.*s.txt", SPAN_ARG(q->list));
    if (span_eq(im->relative, SPAN_LIT(URGENT_FILE))) {
        buf_printf(messages,
                   "%s is the file of `juyong rules urgent`: give the list another name\n",
                   URGENT_FILE);
        return -EINVAL;
    }
    struct span dir = q->dir;
    while (dir.len > 1 && dir.data[dir.len - 1] == '/')
        dir.len--;
    im->request.dir = dir;
    im->path = arena_printf(&im->arena, "%.*s/%.*s", SPAN_ARG(dir), SPAN_ARG(im->relative));
    return im->relative.data && im->path.data ? 0 : -ENOMEM;
}

/* What only the library knows. */
static int check_names(struct import *im, struct buf *messages)
{
    const struct import_request *q = &im->request;
    if (ruleset_find_risk(im->library, q->list)) {
        buf_printf(messages,
                   "'%.*s' is the name of a risk, whose file is your own: give the list "
                   "another name\n",
                   SPAN_ARG(q->list));
        return -EINVAL;
    }
    if (q->risk.len && !ruleset_find_risk(im->library, q->risk)) {
        buf_printf(messages, "no risk is called '%.*s'\n", SPAN_ARG(q->risk));
        return -EINVAL;
    }
    return 0;
}

static int open_all(struct import *im, struct buf *messages)
{
    int r = check_request(im, messages);
    if (r == 0)
        r = load_library(im, messages);
    if (r == 0)
        r = check_names(im, messages);
    if (r == 0)
        r = forced_read(im, messages);
    if (r == 0)
        r = risks_map_open(im, messages);
    if (r == 0)
        r = table_load(im->request.file, im->request.format, &im->table, messages);
    if (r == 0)
        r = columns_each(im, add_row, messages);
    if (r == 0)
        r = risks_check(im, messages);
    if (r == 0 && im->count == 0)
        r = import_fail(im, messages, SIZE_MAX, "there is no word in it");
    im->counts.categories = im->category_count;
    return r;
}

int import_open(const struct import_request *request, struct import **ret_import,
                struct buf *messages)
{
    struct import *im = calloc(1, sizeof(*im));
    if (!im)
        return -ENOMEM;
    im->request = *request;
    im->table = TABLE_INIT;
    im->scratch = BUF_INIT(4096);
    im->key = BUF_INIT(1u << 20);
    arena_init(&im->arena, IMPORT_BYTES_MAX);
    int r = open_all(im, messages);
    if (r < 0)
        import_free(im);
    else
        *ret_import = im;
    return r;
}

void import_free(struct import *im)
{
    if (!im)
        return;
    table_deinit(&im->table);
    ruleset_unref(im->library);
    yaml_free(im->map);
    index_deinit(&im->by_folded);
    index_deinit(&im->known);
    index_deinit(&im->forced);
    index_deinit(&im->by_category);
    free(im->words);
    free(im->force_whys);
    free(im->categories);
    free(im->ordinary);
    buf_deinit(&im->scratch);
    buf_deinit(&im->key);
    arena_deinit(&im->arena);
    free(im);
}

const struct import_counts *import_get_counts(const struct import *im)
{
    return &im->counts;
}

size_t import_count(const struct import *im)
{
    return im->count;
}

const struct import_word *import_get(const struct import *im, size_t index)
{
    return &im->words[index];
}

const struct table *import_table(const struct import *im)
{
    return &im->table;
}

struct span import_path(const struct import *im)
{
    return im->path;
}
