#include "casebook/export.h"

#include "base/clock.h"
#include "base/log.h"
#include "base/utf8.h"
#include "sheet/writer.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#define LINE_MAX_BYTES (4u << 20)
#define CELL_POINTS    32000 /* of a sheet's cell; Excel takes 32,767 UTF-16 units */

enum column {
    COLUMN_SEQ,
    COLUMN_TIME,
    COLUMN_CHINA,
    COLUMN_KIND,
    COLUMN_REQUEST,
    COLUMN_APP,
    COLUMN_USER,
    COLUMN_IP,
    COLUMN_PORT,
    COLUMN_MODEL,
    COLUMN_FILING,
    COLUMN_ACTION,
    COLUMN_RISK,
    COLUMN_RULE,
    COLUMN_DIRECTION,
    COLUMN_TEXT,
    COLUMN_CONTEXT,
    COLUMN_HITS,
    COLUMN_OUTCOME,
    COLUMN_REASON,
    COLUMN_STATUS,
    COLUMN_MODE,
    COLUMN_PURPOSE,
    COLUMN_RULESET,
    COLUMN_REVIEW,
    COLUMN_REVIEWER,
    COLUMN_SECOND,
    COLUMN_COUNT,
};

/* The header's words are what the documentation of the log's fields calls them. */
static const char *const titles[COLUMN_COUNT] = {
    "seq",       "time",        "time_china", "kind",          "request_id", "app",    "end_user",
    "client_ip", "client_port", "model",      "filing_number", "action",     "risk",   "rule",
    "direction", "text",        "context",    "hits",          "outcome",    "reason", "status",
    "mode",      "purpose",     "ruleset",    "review",        "reviewer",   "second",
};

struct export
{
    struct export_options o;
    struct sheet_writer *sheet;
    struct buf line, clean;
    size_t rows; /* in the sheet begun last, its header among them */
    unsigned sheets;
    int error;
};

static const char *const formats[EXPORT_FORMATS] = {"csv", "jsonl", "xlsx"};

enum export_format export_format_from(struct span name)
{
    enum export_format f = 0;
    while (f < EXPORT_FORMATS && !span_eq(name, span_str(formats[f])))
        f++;
    return f;
}

const char *export_format_name(enum export_format f)
{
    return formats[f];
}

/* ---- CSV ---- */

/* Blanks that some spreadsheets take away before they look: space, no-break, ideographic, zero
 * width, byte order mark. */
static struct span skip_blanks(struct span s)
{
    static const char *const blanks[] = {" ", "\xc2\xa0", "\xe3\x80\x80", "\xe2\x80\x8b",
                                         "\xef\xbb\xbf"};
    for (size_t i = 0; i < sizeof(blanks) / sizeof(*blanks);)
        if (s.len && span_starts(s, span_str(blanks[i]))) {
            s = span_slice(s, strlen(blanks[i]), s.len);
            i = 0;
        } else {
            i++;
        }
    return s;
}

static bool is_formula(struct span s)
{
    static const char *const begins[] = {"=",  "+",  "-",  "@",  "\t", "\r",
                                         "\n", "＝", "＋", "－", "＠"};
    s = skip_blanks(s);
    for (size_t i = 0; i < sizeof(begins) / sizeof(*begins); i++)
        if (span_starts(s, span_str(begins[i])))
            return true;
    return false;
}

int export_csv_cell(struct buf *out, struct span text)
{
    bool guard = is_formula(text), quote = guard;
    for (size_t i = 0; i < text.len && !quote; i++)
        quote = strchr("\",;\t\n\r", text.data[i]) != NULL; /* or NUL */
    if (!quote)
        return buf_append(out, text);
    int r = buf_append(out, guard ? SPAN_LIT("\"'") : SPAN_LIT("\""));
    for (size_t at = 0; r == 0 && at < text.len;) {
        size_t n = span_find(span_slice(text, at, text.len), SPAN_LIT("\""));
        r = buf_append(out, span_slice(text, at, at + n));
        at += n;
        if (r == 0 && at < text.len) {
            r = buf_append(out, SPAN_LIT("\"\""));
            at++;
        }
    }
    return r < 0 ? r : buf_append_char(out, '"');
}

static int flush_line(struct export *e)
{
    int r = buf_append(&e->line, SPAN_LIT("\r\n"));
    if (r == 0 && fwrite(e->line.data, 1, e->line.len, e->o.out) != e->line.len)
        r = -EIO;
    buf_clear(&e->line);
    return r;
}

static int csv_row(struct export *e, const struct span cells[COLUMN_COUNT])
{
    int r = 0;
    for (int i = 0; r == 0 && i < COLUMN_COUNT; i++) {
        if (i)
            r = buf_append_char(&e->line, ',');
        if (r == 0)
            r = export_csv_cell(&e->line, cells[i]);
    }
    return r < 0 ? r : flush_line(e);
}

/* ---- XLSX ---- */

static int next_sheet(struct export *e)
{
    struct sheet_column columns[COLUMN_COUNT];
    char name[32];
    for (int i = 0; i < COLUMN_COUNT; i++)
        columns[i] = (struct sheet_column){.title = span_str(titles[i])};
    int n = snprintf(name, sizeof(name), "log %u", ++e->sheets);
    e->rows = 1;
    return sheet_writer_add(e->sheet, span_from(name, (size_t)n), columns, COLUMN_COUNT);
}

/* What a cell can't hold is replaced, what is too long is cut: an export is no evidence. */
static int clean(struct buf *out, struct span text, size_t *ret_from)
{
    int r = 0;
    size_t points = 0;
    *ret_from = out->len;
    for (size_t at = 0; r == 0 && at < text.len && points < CELL_POINTS; points++) {
        uint32_t cp;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        bool bad = n <= 0 || cp == 0 || cp == 0xfffe || cp == 0xffff;
        points += cp > 0xffff;
        r = bad ? buf_append(out, SPAN_LIT("\xef\xbf\xbd"))
                : buf_append(out, span_slice(text, at, at + (size_t)n));
        at += n > 0 ? (size_t)n : 1;
    }
    return r;
}

static int xlsx_row(struct export *e, const struct span cells[COLUMN_COUNT])
{
    struct sheet_cell row[COLUMN_COUNT];
    size_t from[COLUMN_COUNT + 1];
    int r = e->rows == SHEET_ROWS_MAX ? next_sheet(e) : 0;
    buf_clear(&e->clean);
    for (int i = 0; r == 0 && i < COLUMN_COUNT; i++)
        r = clean(&e->clean, cells[i], &from[i]);
    from[COLUMN_COUNT] = e->clean.len;
    for (int i = 0; r == 0 && i < COLUMN_COUNT; i++)
        row[i] = SHEET_TEXT(span_slice(buf_span(&e->clean), from[i], from[i + 1]));
    if (r == 0)
        r = sheet_writer_row(e->sheet, row, COLUMN_COUNT);
    e->rows++;
    return r;
}

/* ---- rows ---- */

static int put_review(struct export *e, struct span id, struct casebook_review *review,
                      struct span cells[COLUMN_COUNT])
{
    int r = id.len ? casebook_find_review(e->o.casebook, id, review) : 0;
    cells[COLUMN_REVIEW] = span_str(casebook_verdict_name(review->verdict));
    cells[COLUMN_REVIEWER] = span_str(review->reviewer);
    cells[COLUMN_SECOND] = span_str(casebook_verdict_name(review->second));
    return r;
}

static void put_hit(const struct export *e, const struct query_hit *h,
                    struct span cells[COLUMN_COUNT])
{
    cells[COLUMN_RISK] = h->entry->risk;
    cells[COLUMN_RULE] = h->entry->rule;
    cells[COLUMN_DIRECTION] = h->entry->direction;
    if (e->o.texts && h->has_text) {
        cells[COLUMN_TEXT] = h->text;
        cells[COLUMN_CONTEXT] = h->context;
    }
}

static struct span digits(char text[24], uint64_t value)
{
    int n = snprintf(text, 24, "%llu", (unsigned long long)value);
    return value ? span_from(text, (size_t)n) : SPAN_LIT("");
}

static void put_entry(const struct entry *e, struct span cells[COLUMN_COUNT])
{
    bool act = span_eq(e->kind, SPAN_LIT("admin")) || span_eq(e->kind, SPAN_LIT("gap"));
    cells[COLUMN_KIND] = act ? e->kind : SPAN_LIT("exchange");
    cells[COLUMN_REQUEST] = e->request_id;
    cells[COLUMN_APP] = e->app;
    cells[COLUMN_USER] = e->end_user;
    cells[COLUMN_IP] = e->client_ip;
    cells[COLUMN_MODEL] = e->model;
    cells[COLUMN_FILING] = e->filing_number;
    cells[COLUMN_ACTION] = e->action;
    cells[COLUMN_REASON] = e->reason;
    cells[COLUMN_MODE] = e->mode;
    cells[COLUMN_PURPOSE] = e->purpose;
    cells[COLUMN_RULESET] = e->ruleset;
}

int export_row(struct export *e, const struct query_row *row)
{
    struct span cells[COLUMN_COUNT] = {0};
    struct casebook_review review = {0};
    char utc[CLOCK_TEXT_SIZE], china[CLOCK_TEXT_SIZE], numbers[4][24];
    if (e->error < 0)
        return e->error;
    clock_format(row->entry.time, utc);
    clock_format(row->entry.time + 8 * 3600000000ull, china);
    china[10] = ' ';
    put_entry(&row->entry, cells);
    cells[COLUMN_TIME] = span_str(utc);
    cells[COLUMN_CHINA] = span_from(china, 19);
    cells[COLUMN_OUTCOME] = row->state == QUERY_RUNNING       ? SPAN_LIT("running")
                            : row->state == QUERY_INTERRUPTED ? SPAN_LIT("interrupted")
                                                              : row->entry.outcome;
    cells[COLUMN_SEQ] = digits(numbers[0], row->entry.seq);
    cells[COLUMN_PORT] = digits(numbers[1], row->entry.client_port);
    cells[COLUMN_HITS] = digits(numbers[2], row->hit_count);
    cells[COLUMN_STATUS] = digits(numbers[3], row->entry.status);
    if (row->main_hit)
        put_hit(e, row->main_hit, cells);
    if (e->o.casebook)
        e->error = put_review(e, row->entry.request_id, &review, cells);
    if (e->error == 0)
        e->error = e->sheet ? xlsx_row(e, cells) : csv_row(e, cells);
    return e->error;
}

/* ---- life ---- */

static int begin_csv(struct export *e)
{
    struct span cells[COLUMN_COUNT];
    for (int i = 0; i < COLUMN_COUNT; i++)
        cells[i] = span_str(titles[i]);
    int r = buf_append(&e->line, SPAN_LIT("\xef\xbb\xbf"));
    return r < 0 ? r : csv_row(e, cells);
}

int export_new(const struct export_options *o, struct export **ret_export)
{
    struct export *e = calloc(1, sizeof(*e));
    if (!e)
        return -ENOMEM;
    e->o = *o;
    buf_init(&e->line, LINE_MAX_BYTES);
    buf_init(&e->clean, LINE_MAX_BYTES);
    int r = -EINVAL;
    if (o->format == EXPORT_CSV && o->out)
        r = begin_csv(e);
    else if (o->format == EXPORT_XLSX && (r = sheet_writer_new(o->path, 0, &e->sheet)) == 0)
        r = sheet_writer_restrict(e->sheet); /* texts of people */
    if (r == 0 && e->sheet)
        r = next_sheet(e);
    if (r < 0) {
        export_free(e);
        return r;
    }
    *ret_export = e;
    return 0;
}

int export_finish(struct export *e)
{
    if (e->error == 0)
        e->error = e->sheet ? sheet_writer_finish(e->sheet, NULL) : fflush(e->o.out) ? -EIO : 0;
    return e->error;
}

void export_free(struct export *e)
{
    if (!e)
        return;
    sheet_writer_free(e->sheet);
    buf_deinit(&e->line);
    buf_deinit(&e->clean);
    free(e);
}

/* ---- files that don't stay ---- */

bool export_place(struct span dir, const void *token, char ret_path[PATH_MAX])
{
    int n =
        snprintf(ret_path, PATH_MAX, "%.*s/export.%d.%p.xlsx", SPAN_ARG(dir), (int)getpid(), token);
    return n > 0 && n < PATH_MAX;
}

/* One of those names, or that of what it is made of. */
static bool is_place(const char *name)
{
    int at = 0, pid, part;
    unsigned long long token;
    if (sscanf(name, "export.%d.0x%llx.xlsx%n", &pid, &token, &at) != 2 || at == 0)
        return false;
    const char *rest = name + at;
    at = 0;
    return !*rest || (sscanf(rest, ".%d.part%n", &part, &at) == 1 && at && !rest[at]);
}

void export_sweep(struct span dir)
{
    char path[PATH_MAX];
    if (snprintf(path, sizeof(path), "%.*s", SPAN_ARG(dir)) >= (int)sizeof(path))
        return;
    DIR *d = opendir(path);
    for (struct dirent *e; d && (e = readdir(d));)
        if (is_place(e->d_name) && unlinkat(dirfd(d), e->d_name, 0) < 0)
            log_warning("%s/%s is left of an export and can't be removed: %s", path, e->d_name,
                        strerror(errno));
    if (d)
        closedir(d);
}

/* ---- for the record ---- */

static int word(struct buf *out, const char *key, struct span value)
{
    int r = value.len ? buf_printf(out, " %s=", key) : 0;
    /* A blank parts words, so that none of a filter's own may pass for another. */
    for (size_t i = 0; r == 0 && i < value.len; i++)
        r = buf_append_char(out, value.data[i] == ' ' ? '_' : value.data[i]);
    return r;
}

static int moment(struct buf *out, const char *key, uint64_t us)
{
    char text[CLOCK_TEXT_SIZE];
    if (!us)
        return 0;
    clock_format(us, text);
    return word(out, key, span_str(text));
}

int export_describe(enum export_format format, const struct query_filter *f, struct buf *out)
{
    int r = buf_printf(out, "format=%s", formats[format]);
    if (r == 0)
        r = moment(out, "since", f->since_us);
    if (r == 0)
        r = moment(out, "until", f->until_us);
    for (int a = 0; r == 0 && a < ACTION_COUNT; a++)
        if (f->actions & 1u << a)
            r = word(out, "action", span_str(action_name((enum action)a)));
    if (r == 0)
        r = word(out, "risk", f->risk);
    if (r == 0)
        r = word(out, "rule", f->rule);
    if (r == 0)
        r = word(out, "app", f->app);
    if (r == 0)
        r = word(out, "end_user", f->end_user);
    if (r == 0)
        r = word(out, "model", f->model);
    if (r == 0)
        r = word(out, "request", f->request_id);
    if (r == 0)
        r = word(out, "session", f->session);
    if (r == 0)
        r = word(out, "trace", f->trace_id);
    if (r == 0)
        r = word(out, "client_ip", f->client_ip);
    if (r == 0)
        r = f->any_purpose ? word(out, "purpose", SPAN_LIT("any"))
                           : word(out, "purpose", f->purpose);
    if (r == 0 && f->direction)
        r = word(out, "direction", span_str(direction_name(f->direction)));
    if (r == 0 && f->text.len)
        r = buf_append(out, SPAN_LIT(" text=(searched)"));
    if (r == 0 && f->keep)
        r = buf_append(out, SPAN_LIT(" review=(asked)"));
    if (r == 0 && f->all)
        r = buf_append(out, SPAN_LIT(" all"));
    if (r == 0 && f->limit)
        r = buf_printf(out, " limit=%zu", f->limit);
    return r;
}
