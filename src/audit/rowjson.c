#include "audit/rowjson.h"

#include "base/clock.h"
#include "base/utf8.h"

#include <errno.h>
#include <inttypes.h>

bool rowjson_is_harmful(uint32_t cp)
{
    return cp < 0x20 || (cp >= 0x7f && cp < 0xa0) || cp == 0xad || cp == 0x61c || cp == 0x180e ||
           (cp >= 0x200b && cp <= 0x200f) || (cp >= 0x2028 && cp <= 0x202e) ||
           (cp >= 0x2060 && cp <= 0x206f) || cp == 0xfeff || (cp >= 0xfff9 && cp <= 0xfffb) ||
           (cp >= 0xe0000 && cp <= 0xe0fff);
}

struct span rowjson_state(const struct query_row *row)
{
    return row->state == QUERY_RUNNING       ? SPAN_LIT("running")
           : row->state == QUERY_INTERRUPTED ? SPAN_LIT("interrupted")
                                             : row->entry.outcome;
}

/* What failed once fails to the end, so that nobody takes a torn object for a whole one. */
static void put_span(struct buf *out, struct span text)
{
    if (buf_append(out, text) < 0)
        out->max = 0;
}

void rowjson_put(struct buf *out, const char *fmt, ...)
{
    va_list ap;
    va_start(ap, fmt);
    if (buf_vprintf(out, fmt, ap) < 0)
        out->max = 0;
    va_end(ap);
}

void rowjson_string(struct buf *out, struct span text)
{
    put_span(out, SPAN_LIT("\""));
    for (size_t at = 0; at < text.len;) {
        uint32_t cp;
        int n = utf8_decode(span_slice(text, at, text.len), false, &cp);
        if (n <= 0) {
            put_span(out, span_str("\\ufffd"));
            at++;
            continue;
        }
        if (cp == '"' || cp == '\\')
            rowjson_put(out, "\\%c", (char)cp);
        else if (cp > 0xffff && rowjson_is_harmful(cp))
            rowjson_put(out, "\\u%04x\\u%04x", 0xd800 + ((cp - 0x10000) >> 10),
                        0xdc00 + ((cp - 0x10000) & 0x3ff));
        else if (rowjson_is_harmful(cp))
            rowjson_put(out, "\\u%04x", cp);
        else
            put_span(out, span_slice(text, at, at + (size_t)n));
        at += (size_t)n;
    }
    put_span(out, SPAN_LIT("\""));
}

/* Empty texts, absent numbers and booleans are null, so that every line has every field. */
static void json_text(struct buf *out, const char *key, struct span value)
{
    rowjson_put(out, ",\"%s\":", key);
    if (value.len)
        rowjson_string(out, value);
    else
        put_span(out, span_str("null"));
}

static void json_number(struct buf *out, const char *key, uint64_t value)
{
    if (value)
        rowjson_put(out, ",\"%s\":%" PRIu64, key, value);
    else
        rowjson_put(out, ",\"%s\":null", key);
}

static void json_bool(struct buf *out, const char *key, enum entry_bool value)
{
    rowjson_put(out, ",\"%s\":%s", key,
                value == ENTRY_TRUE    ? "true"
                : value == ENTRY_FALSE ? "false"
                                       : "null");
}

static void json_time(struct buf *out, const char *key, uint64_t wall_us)
{
    char text[CLOCK_TEXT_SIZE] = "";
    if (wall_us)
        clock_format(wall_us, text);
    json_text(out, key, span_str(text));
}

static void json_layers(struct buf *out, struct span layers)
{
    struct span layer;
    bool first = true;
    put_span(out, span_str(",\"layers\":["));
    while (span_split(&layers, ',', &layer)) {
        put_span(out, span_str(first ? "" : ","));
        rowjson_string(out, layer);
        first = false;
    }
    put_span(out, SPAN_LIT("]"));
}

static void json_hit(struct buf *out, const struct query_hit *h, bool texts)
{
    static const struct entry_hit nothing;
    const struct entry_hit *e = h ? h->entry : &nothing;
    json_text(out, "direction", e->direction);
    json_text(out, "role", e->role);
    json_text(out, "path", h && texts ? h->path : SPAN_NULL);
    json_text(out, "risk", e->risk);
    json_text(out, "rule", e->rule);
    json_text(out, "text", h && texts ? h->text : SPAN_NULL);
    json_text(out, "context", h && texts ? h->context : SPAN_NULL);
    json_text(out, "folded", h && texts ? h->folded : SPAN_NULL);
    json_layers(out, e->layers);
    rowjson_put(out, ",\"old\":%s", !h ? "null" : e->old == ENTRY_TRUE ? "true" : "false");
}

static void json_opinion(struct buf *out, const struct entry_opinion *o, bool comma)
{
    put_span(out, span_str(comma ? ",{\"by\":" : "{\"by\":"));
    rowjson_string(out, o->by);
    json_text(out, "direction", o->direction);
    json_text(out, "said", o->said);
    json_number(out, "score", o->score);
    json_text(out, "risk", o->risk);
    json_text(out, "action", o->action);
    json_bool(out, "observed", o->observed);
    json_text(out, "failed", o->failed);
    json_bool(out, "cached", o->cached);
    rowjson_put(out, ",\"times\":%" PRIu64, o->times ? o->times : 1);
    json_number(out, "us", o->us);
    put_span(out, SPAN_LIT("}"));
}

int rowjson_write(const struct query_row *row, bool texts, struct buf *out)
{
    const struct entry *e = &row->entry;
    rowjson_put(out, "{\"seq\":%" PRIu64, e->seq);
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
    json_text(out, "trace_id", e->trace_id);
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
    json_hit(out, row->main_hit, texts);
    json_text(out, "outcome", rowjson_state(row));
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
    json_text(out, "sample", e->sample);
    json_text(out, "detail", e->detail);
    json_number(out, "lost", e->lost);
    json_time(out, "lost_from", e->from);
    json_time(out, "lost_until", e->until);
    json_number(out, "last_seq", row->last_seq);
    if (row->damaged)
        put_span(out, span_str(",\"damaged\":true"));
    put_span(out, span_str(",\"hits\":["));
    for (size_t i = 0; i < row->hit_count; i++) {
        rowjson_put(out, "%s{\"number\":%zu", i ? "," : "", i + 1);
        json_text(out, "action", row->hits[i].entry->action);
        json_bool(out, "observed", row->hits[i].entry->observed);
        json_hit(out, &row->hits[i], texts);
        json_text(out, "commitment", row->hits[i].entry->commit);
        put_span(out, SPAN_LIT("}"));
    }
    put_span(out, span_str("],\"kept\":["));
    for (size_t i = 0; i < row->kept_count; i++) {
        put_span(out, span_str(i ? ",{\"direction\":" : "{\"direction\":"));
        rowjson_string(out, row->kept[i].entry->direction);
        json_text(out, "text", texts ? row->kept[i].text : SPAN_NULL);
        json_text(out, "commitment", row->kept[i].entry->commit);
        put_span(out, SPAN_LIT("}"));
    }
    put_span(out, span_str("],\"opinions\":["));
    for (size_t i = 0; i < row->opinion_count; i++)
        json_opinion(out, &row->opinions[i], i > 0);
    put_span(out, SPAN_LIT("]}"));
    return out->max ? 0 : -ENOMEM;
}
