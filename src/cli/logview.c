#include "cli/logview.h"

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

/* Would the character do anything to a terminal, or to the order of text, but show itself? */
static bool is_harmful(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || cp == 0x180e ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
           (cp >= 0xe0000 && cp <= 0xe0fff);
}

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
    int width = is_harmful(cp) ? -1 : wcwidth((wchar_t)cp);
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

static struct span state_name(const struct query_row *row)
{
    return row->state == QUERY_RUNNING       ? SPAN_LIT("running")
           : row->state == QUERY_INTERRUPTED ? SPAN_LIT("interrupted")
                                             : row->entry.outcome;
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
    put_field(v, "outcome", state_name(row));
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
    fputc('"', out);
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        if (n <= 0) {
            fputs("\\ufffd", out);
            at++;
            continue;
        }
        if (cp == '"' || cp == '\\')
            fprintf(out, "\\%c", (char)cp);
        else if (cp > 0xffff && is_harmful(cp))
            fprintf(out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
                    0xdc00 + ((cp - 0x10000) & 0x3ff));
        else if (is_harmful(cp))
            fprintf(out, "\\u%04x", cp);
        else
            fwrite(text.data + at, 1, (size_t)n, out);
        at += (size_t)n;
    }
    fputc('"', out);
}

/* Empty texts, absent numbers and booleans are null, so that every line has every field. */
static void json_text(FILE *out, const char *key, struct span value)
{
    fprintf(out, ",\"%s\":", key);
    if (value.len)
        logview_string(out, value);
    else
        fputs("null", out);
}

static void json_number(FILE *out, const char *key, uint64_t value)
{
    if (value)
        fprintf(out, ",\"%s\":%" PRIu64, key, value);
    else
        fprintf(out, ",\"%s\":null", key);
}

static void json_bool(FILE *out, const char *key, enum entry_bool value)
{
    fprintf(out, ",\"%s\":%s", key,
            value == ENTRY_TRUE    ? "true"
            : value == ENTRY_FALSE ? "false"
                                   : "null");
}

static void json_time(FILE *out, const char *key, uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE] = "";
    if (wall_us)
        clock_format(wall_us, text);
    json_text(out, key, span_str(text));
}

static void json_layers(FILE *out, struct span layers)
{
    struct span layer;
    bool first = true;
    fputs(",\"layers\":[", out);
    while (span_split(&layers, ',', &layer)) {
        fputs(first ? "" : ",", out);
        logview_string(out, layer);
        first = false;
    }
    fputc(']', out);
}

static void json_hit(FILE *out, const struct query_hit *h)
{
    static const struct entry_hit nothing;
    const struct entry_hit *e = h ? h->entry : &nothing;
    json_text(out, "direction", e->direction);
    json_text(out, "role", e->role);
    json_text(out, "path", h ? h->path : SPAN_NULL);
    json_text(out, "risk", e->risk);
    json_text(out, "rule", e->rule);
    json_text(out, "text", h ? h->text : SPAN_NULL);
    json_text(out, "context", h ? h->context : SPAN_NULL);
    json_text(out, "folded", h ? h->folded : SPAN_NULL);
    json_layers(out, e->layers);
    fprintf(out, ",\"old\":%s", !h ? "null" : e->old == ENTRY_TRUE ? "true" : "false");
}

static void json_opinion(FILE *out, const struct entry_opinion *o, bool comma)
{
    fputs(comma ? ",{\"by\":" : "{\"by\":", out);
    logview_string(out, o->by);
    json_text(out, "direction", o->direction);
    json_text(out, "said", o->said);
    json_number(out, "score", o->score);
    json_text(out, "risk", o->risk);
    json_text(out, "action", o->action);
    json_bool(out, "observed", o->observed);
    json_text(out, "failed", o->failed);
    json_bool(out, "cached", o->cached);
    fprintf(out, ",\"times\":%" PRIu64, o->times ? o->times : 1);
    json_number(out, "us", o->us);
    fputc('}', out);
}

void logview_json(const struct logview *v, const struct query_row *row)
{
    const struct entry *e = &row->entry;
    FILE *out = v->out;
    fprintf(out, "{\"seq\":%" PRIu64, e->seq);
    json_time(out, "time", e->time);
    json_text(out, "kind",
              span_eq(e->kind, SPAN_LIT("admin")) || span_eq(e->kind, SPAN_LIT("gap"))
                  ? e->kind
                  : SPAN_LIT("exchange"));
    json_text(out, "request_id", e->request_id);
    json_text(out, "node", e->node);
    json_text(out, "app", e->app);
    json_text(out, "key_id", e->key_id);
    json_text(out, "end_user", e->end_user);
    json_text(out, "client_ip", e->client_ip);
    json_number(out, "client_port", e->client_port);
    json_text(out, "device", e->device);
    json_text(out, "session", e->session);
    json_text(out, "route", e->route);
    json_bool(out, "stream", e->stream);
    json_text(out, "model", e->model);
    json_text(out, "model_answered", e->model_answered);
    json_bool(out, "model_differs", e->model_differs);
    json_bool(out, "retracted", e->retracted);
    json_text(out, "upstream", e->upstream);
    json_text(out, "filing_number", e->filing_number);
    json_text(out, "upstream_request_id", e->upstream_request_id);
    json_text(out, "mode", e->mode);
    json_text(out, "purpose", e->purpose);
    json_text(out, "reviewer", e->reviewer);
    json_text(out, "action", e->action);
    json_hit(out, row->main_hit);
    json_text(out, "outcome", state_name(row));
    json_text(out, "reason", e->reason);
    json_text(out, "finish_reason", e->finish_reason);
    json_text(out, "provider_refusal", e->provider_refusal);
    json_text(out, "label", e->label);
    json_number(out, "status", e->status);
    json_number(out, "upstream_status", e->upstream_status);
    json_time(out, "received", e->received);
    json_number(out, "judge_us", e->judge_us);
    json_number(out, "held_us", e->held_us);
    json_number(out, "upstream_us", e->upstream_us);
    json_number(out, "first_byte_us", e->first_byte_us);
    json_number(out, "total_us", e->total_us);
    json_number(out, "prompt_bytes", e->prompt_bytes);
    json_number(out, "completion_bytes", e->completion_bytes);
    json_bool(out, "complete", e->complete);
    json_bool(out, "unjudged_media", e->unjudged_media);
    json_text(out, "user_state", e->user_state);
    json_number(out, "strikes", e->strikes);
    json_number(out, "strikes_today", e->strikes_today);
    json_text(out, "ruleset", e->ruleset);
    json_text(out, "detail", e->detail);
    json_number(out, "lost", e->lost);
    json_time(out, "lost_from", e->from);
    json_time(out, "lost_until", e->until);
    json_number(out, "last_seq", row->last_seq);
    if (row->damaged)
        fputs(",\"damaged\":true", out);
    fputs(",\"hits\":[", out);
    for (size_t i = 0; i < row->hit_count; i++) {
        fprintf(out, "%s{\"number\":%zu", i ? "," : "", i + 1);
        json_text(out, "action", row->hits[i].entry->action);
        json_bool(out, "observed", row->hits[i].entry->observed);
        json_hit(out, &row->hits[i]);
        json_text(out, "commitment", row->hits[i].entry->commit);
        fputc('}', out);
    }
    fputs("],\"kept\":[", out);
    for (size_t i = 0; i < row->kept_count; i++) {
        fputs(i ? ",{\"direction\":" : "{\"direction\":", out);
        logview_string(out, row->kept[i].entry->direction);
        json_text(out, "text", row->kept[i].text);
        json_text(out, "commitment", row->kept[i].entry->commit);
        fputc('}', out);
    }
    fputs("],\"opinions\":[", out);
    for (size_t i = 0; i < row->opinion_count; i++)
        json_opinion(out, &row->opinions[i], i > 0);
    fputs("]}\n", out);
}
