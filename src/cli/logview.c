#include "cli/logview.h"

#include "audit/rowjson.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <inttypes.h>
#include <langinfo.h>
#include <locale.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>
#include <wchar.h>

#define RED   "\033[1;31m"
#define BOLD  "\033[1m"
#define FAINT "\033[2m"
#define PLAIN "\033[0m"

void logview_init(struct logview *v)
{
    struct winsize size;
    /* How wide a character is depends on the locale alone; texts are UTF-8 in any. */
    setlocale(LC_CTYPE, "");
    if (strcmp(nl_langinfo(CODESET), "UTF-8") != 0)
        setlocale(LC_CTYPE, "C.UTF-8");
    *v = (struct logview){.out = stdout};
    if (!isatty(STDOUT_FILENO))
        return;
    v->width = ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col ? size.ws_col : 80;
    const char *no_colour = getenv("NO_COLOR"), *term = getenv("TERM");
    v->colour = !(no_colour && *no_colour) && !(term && strcmp(term, "dumb") == 0);
}

/* ---- characters ---- */

/* One character as it is shown: its bytes, or an escape. */
struct glyph {
    char bytes[16];
    unsigned len, width; /* width: columns */
    size_t taken;        /* bytes of the text */
};

static struct glyph glyph_at(struct span s, size_t at)
{
    struct glyph g = {.taken = 1};
    uint32_t cp;
    int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
    if (n <= 0) {
        g.len = g.width =
            (unsigned)snprintf(g.bytes, sizeof(g.bytes), "\\x%02x", (unsigned char)s.data[at]);
        return g;
    }
    g.taken = (size_t)n;
    int width = rowjson_is_harmful(cp) ? -1 : wcwidth((wchar_t)cp);
    if (width < 0) {
        g.len = g.width =
            (unsigned)snprintf(g.bytes, sizeof(g.bytes), cp > 0xffff ? "\\U%06x" : "\\u%04x", cp);
        return g;
    }
    memcpy(g.bytes, s.data + at, (size_t)n);
    g.len = (unsigned)n;
    g.width = (unsigned)width;
    return g;
}

static unsigned width_of(struct span s)
{
    unsigned width = 0;
    for (size_t at = 0; at < s.len;) {
        struct glyph g = glyph_at(s, at);
        width += g.width;
        at += g.taken;
    }
    return width;
}

/* Writes at most `max` columns, with … where something had to go; gives the columns written. */
static unsigned put_clipped(FILE *out, struct span s, unsigned max)
{
    if (max == 0)
        return 0;
    bool whole = width_of(s) <= max;
    unsigned room = whole ? max : max - 1, width = 0;
    for (size_t at = 0; at < s.len;) {
        struct glyph g = glyph_at(s, at);
        if (width + g.width > room)
            break;
        fwrite(g.bytes, 1, g.len, out);
        width += g.width;
        at += g.taken;
    }
    if (!whole) {
        fputs("…", out);
        width++;
    }
    return width;
}

static void put_cell(FILE *out, struct span s, unsigned width)
{
    unsigned used = put_clipped(out, s, width);
    fprintf(out, "%*s", (int)(width - used) + 2, "");
}

void logview_text(FILE *out, struct span text)
{
    put_clipped(out, text, UINT32_MAX);
}

/* The columns at the end of s, as many as fit into max. */
static struct span tail_of(struct span s, unsigned max)
{
    size_t from = s.len;
    unsigned width = 0;
    while (from > 0) {
        size_t before = utf8_floor(s, from - 1);
        struct glyph g = glyph_at(s, before);
        if (width + g.width > max)
            break;
        width += g.width;
        from = before;
    }
    return span_slice(s, from, s.len);
}

/* ---- the table ---- */

static const char *colour_of(struct span action)
{
    switch (action_from(action)) {
    case ACTION_BLOCK:
        return "\033[31m";
    case ACTION_ANSWER:
        return "\033[35m";
    case ACTION_MASK:
        return "\033[33m";
    case ACTION_FLAG:
        return "\033[36m";
    default:
        return "";
    }
}

static void format_time(uint64_t wall_us, char ret_text[CLOCK_TEXT_SIZE])
{
    time_t s = (time_t)(wall_us / 1000000u);
    struct tm tm;
    if (!localtime_r(&s, &tm) || strftime(ret_text, CLOCK_TEXT_SIZE, "%Y-%m-%d %H:%M:%S", &tm) == 0)
        snprintf(ret_text, CLOCK_TEXT_SIZE, "%" PRIu64, wall_us);
}

enum { TIME = 19, ACTION = 6, RISK = 9, RULE = 21, DIRECTION = 10, APP = 10, USER = 8, MODEL = 14 };
#define TEXT_DEFAULT 48
#define FIXED        (TIME + ACTION + RISK + RULE + DIRECTION + APP + USER + MODEL + 8 * 2)

/* The text's column: what a wide terminal leaves, request id included. */
static unsigned text_width(const struct logview *v)
{
    return v->width > FIXED + 40 + 30 ? v->width - FIXED - 40 : TEXT_DEFAULT;
}

void logview_head(const struct logview *v)
{
    static const struct {
        const char *name;
        int width;
    } columns[] = {
        {"TIME", TIME},           {"ACTION", ACTION}, {"RISK", RISK}, {"RULE", RULE},
        {"DIRECTION", DIRECTION}, {"APP", APP},       {"USER", USER}, {"MODEL", MODEL},
    };
    fputs(v->colour ? BOLD : "", v->out);
    for (size_t i = 0; i < sizeof(columns) / sizeof(columns[0]); i++)
        put_cell(v->out, span_str(columns[i].name), (unsigned)columns[i].width);
    put_cell(v->out, SPAN_LIT("TEXT"), text_width(v));
    fprintf(v->out, "REQUEST%s\n", v->colour ? PLAIN : "");
}

/* The match between 【】 with as much of its surroundings as fits. */
static void put_match(const struct logview *v, const struct query_hit *h, unsigned width)
{
    struct span match = h->text.len ? h->text : span_slice(h->context, h->start, h->end);
    struct span before = span_slice(h->context, 0, h->start);
    struct span after = span_slice(h->context, h->end, h->context.len);
    unsigned room = width - 4, need = width_of(match);
    unsigned matched = need < room ? need : room, rest = room - matched;
    unsigned right = width_of(after), left = rest / 2;
    if (right < rest - left)
        left = rest - right;
    struct span lead = tail_of(before, left);
    unsigned used = 4;
    used += put_clipped(v->out, lead, left);
    fprintf(v->out, "%s【", v->colour ? BOLD : "");
    used += put_clipped(v->out, match, matched);
    fprintf(v->out, "】%s", v->colour ? PLAIN : "");
    if (after.len && width > used)
        used += put_clipped(v->out, after, width - used);
    fprintf(v->out, "%*s", (int)(width - used) + 2, "");
}

/* What stands in the text's column of a row without a match. */
static void put_remark(const struct logview *v, const struct query_row *row, unsigned width)
{
    const struct entry *e = &row->entry;
    char text[160];
    if (row->damaged)
        snprintf(text, sizeof(text), "(damaged record, see log verify)");
    else if (row->main_hit)
        snprintf(text, sizeof(text), "(text removed)");
    else if (e->lost)
        snprintf(text, sizeof(text), "(%" PRIu64 " records lost: %.*s)", e->lost,
                 SPAN_ARG(e->reason));
    else if (row->state != QUERY_DONE)
        snprintf(text, sizeof(text), "(%s)",
                 row->state == QUERY_RUNNING ? "running" : "interrupted");
    else if (e->reason.len || e->detail.len)
        snprintf(text, sizeof(text), "(%.*s) %.*s", SPAN_ARG(e->reason), SPAN_ARG(e->detail));
    else
        text[0] = '\0';
    put_cell(v->out, span_str(text), width);
}

void logview_row(const struct logview *v, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    const struct query_hit *h = row->main_hit;
    char when[CLOCK_TEXT_SIZE];
    format_time(e->time, when);
    fprintf(v->out, "%s  %s", when, v->colour ? colour_of(e->action) : "");
    bool old = h && h->entry->old == ENTRY_TRUE && action_from(e->action) == ACTION_ALLOW;
    put_cell(v->out, old ? SPAN_LIT("old") : e->action.len ? e->action : e->kind, ACTION);
    fputs(v->colour ? PLAIN : "", v->out);
    put_cell(v->out, h ? h->entry->risk : SPAN_NULL, RISK);
    char rule[128] = "";
    if (h && row->hit_count > 1) /* the heaviest stands for all; `show` lists them */
        snprintf(rule, sizeof(rule), "%.*s +%zu", SPAN_ARG(h->entry->rule), row->hit_count - 1);
    put_cell(v->out, *rule ? span_str(rule) : h ? h->entry->rule : SPAN_NULL, RULE);
    put_cell(v->out, h ? h->entry->direction : SPAN_NULL, DIRECTION);
    put_cell(v->out, e->app, APP);
    put_cell(v->out, e->end_user.len > USER ? span_slice(e->end_user, 0, USER) : e->end_user, USER);
    put_cell(v->out, e->model, MODEL);
    if (h && h->has_text)
        put_match(v, h, text_width(v));
    else
        put_remark(v, row, text_width(v));
    logview_text(v->out, e->request_id);
    if (e->purpose.len) { /* nobody is to take it for production */
        fprintf(v->out, "  %s", v->colour ? RED : "");
        logview_text(v->out, e->purpose);
        fputs(v->colour ? PLAIN : "", v->out);
    }
    fputc('\n', v->out);
}

/* ---- one exchange ---- */

static void put_field(const struct logview *v, const char *name, struct span value)
{
    if (value.len == 0)
        return;
    fprintf(v->out, "%s%-20s%s ", v->colour ? FAINT : "", name, v->colour ? PLAIN : "");
    logview_text(v->out, value);
    fputc('\n', v->out);
}

static void put_us(const struct logview *v, const char *name, uint64_t us)
{
    char text[48];
    if (us == 0)
        return;
    if (us < 1000)
        snprintf(text, sizeof(text), "%" PRIu64 " us", us);
    else
        snprintf(text, sizeof(text), "%" PRIu64 ".%03u ms", us / 1000, (unsigned)(us % 1000));
    put_field(v, name, span_str(text));
}

static void put_count(const struct logview *v, const char *name, uint64_t value)
{
    char text[24];
    if (value == 0)
        return;
    snprintf(text, sizeof(text), "%" PRIu64, value);
    put_field(v, name, span_str(text));
}

static void put_time(const struct logview *v, const char *name, uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE];
    if (wall_us == 0)
        return;
    clock_format(wall_us, text);
    put_field(v, name, span_str(text));
}

static void show_hit(const struct logview *v, const struct query_hit *h, size_t number)
{
    fprintf(v->out, "\n%shit %zu%s\n", v->colour ? BOLD : "", number, v->colour ? PLAIN : "");
    put_field(v, "  action", h->entry->action);
    if (h->entry->observed == ENTRY_TRUE)
        put_field(v, "  observed", SPAN_LIT("would have been done; it was only observed"));
    if (h->entry->old == ENTRY_TRUE)
        put_field(v, "  old", SPAN_LIT("yes, of an earlier exchange; not counted again"));
    put_field(v, "  risk", h->entry->risk);
    put_field(v, "  rule", h->entry->rule);
    put_field(v, "  direction", h->entry->direction);
    put_field(v, "  role", h->entry->role);
    put_field(v, "  path", h->path);
    put_field(v, "  layers", h->entry->layers);
    if (!h->has_text) {
        put_field(v, "  text", SPAN_LIT("(removed; the record keeps its commitment)"));
        put_field(v, "  commitment", h->entry->commit);
        return;
    }
    put_field(v, "  text", h->text);
    put_field(v, "  folded", h->folded);
    fprintf(v->out, "%s%-20s%s ", v->colour ? FAINT : "", "  context", v->colour ? PLAIN : "");
    logview_text(v->out, span_slice(h->context, 0, h->start));
    fprintf(v->out, "%s【", v->colour ? BOLD : "");
    logview_text(v->out, span_slice(h->context, h->start, h->end));
    fprintf(v->out, "】%s", v->colour ? PLAIN : "");
    logview_text(v->out, span_slice(h->context, h->end, h->context.len));
    fputc('\n', v->out);
}

static void show_kept(const struct logview *v, const struct query_hit *h)
{
    fprintf(v->out, "\n%skept whole, %.*s%s\n", v->colour ? BOLD : "",
            SPAN_ARG(h->entry->direction), v->colour ? PLAIN : "");
    put_field(v, "  text", h->has_text ? h->text : SPAN_LIT("(removed)"));
    put_field(v, "  commitment", h->entry->commit);
}

static void show_opinion(const struct logview *v, const struct entry_opinion *o)
{
    fprintf(v->out, "\n%sopinion of %s", v->colour ? BOLD : "", v->colour ? PLAIN : "");
    logview_text(v->out, o->by);
    fputc('\n', v->out);
    put_field(v, "  direction", o->direction);
    put_field(v, "  said", o->said);
    put_count(v, "  score, percent", o->score);
    put_field(v, "  risk", o->risk);
    put_field(v, "  action", o->action);
    if (o->observed == ENTRY_TRUE)
        put_field(v, "  observed", SPAN_LIT("would have been done; it was only observed"));
    put_field(v, "  failed", o->failed);
    if (o->cached == ENTRY_TRUE)
        put_field(v, "  cached", SPAN_LIT("yes, the same question was asked before"));
    put_count(v, "  times", o->times);
    put_us(v, "  took", o->us);
}

void logview_show(const struct logview *v, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    put_field(v, "request", e->request_id);
    put_time(v, "time", e->time);
    put_time(v, "received", e->received);
    put_field(v, "action", e->action);
    put_field(v, "outcome", rowjson_state(row));
    put_field(v, "reason", e->reason);
    if (e->complete != ENTRY_ABSENT)
        put_field(v, "complete", e->complete == ENTRY_TRUE ? SPAN_LIT("yes") : SPAN_LIT("no"));
    if (e->unjudged_media == ENTRY_TRUE)
        put_field(v, "unjudged media", SPAN_LIT("yes"));
    put_field(v, "mode", e->mode);
    if (e->purpose.len) {
        fprintf(v->out, "%s%-20s ", v->colour ? RED : "", "purpose");
        logview_text(v->out, e->purpose);
        fprintf(v->out, ", no production%s\n", v->colour ? PLAIN : "");
        put_field(v, "reviewer", e->reviewer);
    }
    put_field(v, "app", e->app);
    put_field(v, "key", e->key_id);
    put_field(v, "end user", e->end_user);
    put_field(v, "its state", e->user_state);
    if (e->strikes || e->strikes_today)
        fprintf(v->out, "%-20s %" PRIu64 " in a row, %" PRIu64 " on that day\n", "strikes",
                e->strikes, e->strikes_today);
    put_field(v, "client", e->client_ip);
    put_count(v, "client port", e->client_port);
    put_field(v, "device", e->device);
    put_field(v, "session", e->session);
    put_field(v, "trace", e->trace_id);
    put_field(v, "route", e->route);
    if (e->stream == ENTRY_TRUE)
        put_field(v, "stream", SPAN_LIT("yes"));
    put_field(v, "model", e->model);
    put_field(v, "model answered", e->model_answered);
    if (e->model_differs == ENTRY_TRUE)
        put_field(v, "model differs", SPAN_LIT("yes"));
    if (e->retracted == ENTRY_TRUE)
        put_field(v, "retracted", SPAN_LIT("yes, shown text was taken back"));
    put_field(v, "upstream", e->upstream);
    put_field(v, "filing number", e->filing_number);
    put_field(v, "upstream request", e->upstream_request_id);
    put_field(v, "finish reason", e->finish_reason);
    put_field(v, "provider refused", e->provider_refusal);
    put_field(v, "label", e->label);
    put_count(v, "status", e->status);
    put_count(v, "upstream status", e->upstream_status);
    put_us(v, "judged in", e->judge_us);
    put_us(v, "held", e->held_us);
    put_us(v, "upstream took", e->upstream_us);
    put_us(v, "first byte after", e->first_byte_us);
    put_us(v, "total", e->total_us);
    put_count(v, "prompt bytes", e->prompt_bytes);
    put_count(v, "completion bytes", e->completion_bytes);
    put_field(v, "rule set", e->ruleset);
    put_field(v, "node", e->node);
    if (e->sample.len)
        put_field(v, "kept as a sample, for", e->sample);
    put_field(v, "detail", e->detail);
    put_count(v, "records lost", e->lost);
    put_time(v, "  from", e->from);
    put_time(v, "  until", e->until);
    if (row->damaged)
        put_field(v, "damaged", SPAN_LIT("a record could not be read, see juyong log verify"));
    fprintf(v->out, "%s%-20s%s %" PRIu64 " to %" PRIu64 " (%u)\n", v->colour ? FAINT : "",
            "records", v->colour ? PLAIN : "", e->seq, row->last_seq, row->record_count);
    for (size_t i = 0; i < row->opinion_count; i++)
        show_opinion(v, &row->opinions[i]);
    for (size_t i = 0; i < row->hit_count; i++)
        show_hit(v, &row->hits[i], i + 1);
    for (size_t i = 0; i < row->kept_count; i++)
        show_kept(v, &row->kept[i]);
}

/* ---- JSON ---- */

void logview_string(FILE *out, struct span text)
{
    struct buf b = BUF_INIT(16u << 20);
    rowjson_string(&b, text);
    fwrite(b.data, 1, b.len, out);
    buf_deinit(&b);
}

void logview_json(const struct logview *v, const struct query_row *row)
{
    struct buf line = BUF_INIT(64u << 20);
    if (rowjson_write(row, true, &line) == 0 && buf_append_char(&line, '\n') == 0)
        fwrite(line.data, 1, line.len, v->out);
    else
        fputs("{\"damaged\":true}\n", v->out); /* no memory: a line that says so */
    buf_deinit(&line);
}
