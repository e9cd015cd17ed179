#include "audit/record.h"

#include "base/codec.h"
#include "base/utf8.h"

const char *record_kind_name(enum audit_kind k)
{
    static const char *const names[] = {"open", "act", "close", "admin", "gap"};
    return names[k];
}

struct span record_clip(struct span s, size_t max)
{
    if (s.len <= max)
        return s;
    size_t at = max;
    while (at > 0 && max - at < 4 && ((unsigned char)s.data[at] & 0xc0) == 0x80)
        at--;
    /* No text has so many continuation bytes: these are bytes, cut anywhere. */
    if (max - at == 4)
        at = max;
    return span_slice(s, 0, at);
}

static bool is_plain(unsigned char c)
{
    return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/*
 * The inside of a JSON string. Headers may carry any bytes: what is not UTF-8 becomes U+FFFD, so
 * that the record stays JSON; controls become \u00xx, in one form only, for it must be canonical.
 */
static int put_escaped(struct buf *out, struct span s)
{
    size_t at = 0;
    int r = 0;
    while (r == 0 && at < s.len) {
        size_t from = at;
        while (at < s.len && is_plain((unsigned char)s.data[at]))
            at++;
        r = buf_append(out, span_slice(s, from, at));
        if (r < 0 || at == s.len)
            break;
        unsigned char c = (unsigned char)s.data[at];
        if (c >= 0x80) {
            uint32_t cp;
            int n = utf8_decode(span_slice(s, at, s.len), false, &cp);
            r = n > 0 ? buf_append(out, span_from(s.data + at, (size_t)n))
                      : buf_append(out, SPAN_LIT("\xef\xbf\xbd"));
            at += n > 0 ? (size_t)n : 1;
        } else {
            if (c == '"' || c == '\\') {
                r = buf_append(out, span_from((char[]){'\\', (char)c}, 2));
            } else {
                static const char digits[] = "0123456789abcdef";
                r = buf_append(
                    out,
                    span_from((char[]){'\\', 'u', '0', '0', digits[c >> 4], digits[c & 15]}, 6));
            }
            at++;
        }
    }
    return r;
}

/* `lead` is the comma, the key and what opens the value. */
static int put_text(struct buf *out, struct span lead, struct span value, size_t max)
{
    if (value.len == 0)
        return 0;
    int r = buf_append(out, lead);
    if (r == 0)
        r = put_escaped(out, record_clip(value, max));
    return r < 0 ? r : buf_append_char(out, '"');
}

static int put_number(struct buf *out, struct span lead, uint64_t value)
{
    if (value == 0)
        return 0;
    int r = buf_append(out, lead);
    return r < 0 ? r : buf_append_u64(out, value);
}

#define TEXT_OF(key, value, max)                                                                   \
    do {                                                                                           \
        int r_ = put_text(out, SPAN_LIT(",\"" key "\":\""), (value), (max));                       \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)
#define TEXT(key, value) TEXT_OF(key, value, RECORD_FIELD_MAX)
#define NUMBER(key, value)                                                                         \
    do {                                                                                           \
        int r_ = put_number(out, SPAN_LIT(",\"" key "\":"), (uint64_t)(value));                    \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)
#define RAW(text)                                                                                  \
    do {                                                                                           \
        int r_ = buf_append(out, SPAN_LIT(text));                                                  \
        if (r_ < 0)                                                                                \
            return r_;                                                                             \
    } while (0)

int record_write_head(struct buf *out, const struct record_head *h)
{
    RAW("{\"v\":1");
    NUMBER("seq", h->seq);
    NUMBER("time", h->wall_us);
    NUMBER("mono", h->mono_us);
    TEXT("run", h->run);
    TEXT("node", h->node);
    TEXT("kind", span_str(record_kind_name(h->kind)));
    return 0;
}

static int put_subject(struct buf *out, const struct audit_subject *s)
{
    TEXT("app", s->app);
    TEXT("key_id", s->key_id);
    TEXT("end_user", s->end_user);
    TEXT("client_ip", s->client_ip);
    NUMBER("client_port", s->client_port);
    TEXT("device", s->device);
    TEXT("session", s->session);
    TEXT("trace_id", s->trace_id);
    TEXT("model", s->model);
    TEXT("upstream", s->upstream);
    TEXT("filing_number", s->filing_number);
    TEXT("route", s->route);
    TEXT("ruleset", s->ruleset);
    TEXT("mode", s->mode);
    TEXT("purpose", s->purpose);
    TEXT("reviewer", s->reviewer);
    if (s->stream)
        RAW(",\"stream\":true");
    return 0;
}

/* A digit run this long in a key may be somebody's number. */
#define PATH_DIGITS_MAX  4
#define PATH_SEGMENT_MAX 32

static bool is_api_word(struct span s)
{
    size_t digits = 0;
    for (size_t i = 0; i < s.len; i++) {
        unsigned char c = (unsigned char)s.data[i];
        bool digit = c >= '0' && c <= '9';
        if (!digit && !(c >= 'a' && c <= 'z') && !(c >= 'A' && c <= 'Z') && c != '_' && c != '-' &&
            c != '$')
            return false;
        digits = digit ? digits + 1 : 0;
        if (digits > PATH_DIGITS_MAX)
            return false;
    }
    return s.len <= PATH_SEGMENT_MAX;
}

static bool is_path_mark(char c)
{
    return c == '.' || c == '[' || c == ']';
}

int record_write_path(struct buf *out, struct span path)
{
    size_t at = 0;
    int r = 0;
    path = record_clip(path, RECORD_FIELD_MAX);
    while (r == 0 && at < path.len) {
        size_t from = at;
        while (at < path.len && !is_path_mark(path.data[at]))
            at++;
        struct span segment = span_slice(path, from, at);
        r = buf_append(out, is_api_word(segment) ? segment : SPAN_LIT("*"));
        while (r == 0 && at < path.len && is_path_mark(path.data[at]))
            r = buf_append_char(out, path.data[at++]);
    }
    return r;
}

static int put_layers(struct buf *out, uint32_t layers)
{
    bool first = true;
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(layers & (1u << i)))
            continue;
        int r = buf_append(out, first ? SPAN_LIT(",\"layers\":\"") : SPAN_LIT(","));
        if (r == 0)
            r = buf_append(out, span_str(layer_name(i)));
        if (r < 0)
            return r;
        first = false;
    }
    return first ? 0 : buf_append_char(out, '"');
}

static int put_hit(struct buf *out, const struct audit_hit *h, size_t *ret_commit)
{
    RAW("{\"direction\":\"");
    int r = buf_append(out, span_str(direction_name(h->direction)));
    if (r < 0)
        return r;
    RAW("\"");
    TEXT("role", span_str(role_name(h->role)));
    if (h->path.len) {
        RAW(",\"path\":\"");
        r = record_write_path(out, h->path);
        if (r < 0)
            return r;
        RAW("\"");
    }
    TEXT("risk", h->risk);
    TEXT("rule", h->rule);
    TEXT("action", span_str(action_name(h->action)));
    if (h->observed)
        RAW(",\"observed\":true");
    r = put_layers(out, h->layers);
    if (r < 0)
        return r;
    NUMBER("start", h->start);
    NUMBER("end", h->end);
    if (h->old)
        RAW(",\"old\":true");
    if (h->kept)
        RAW(",\"kept\":true");
    RAW(",\"commit\":\"");
    *ret_commit = out->len;
    RAW("0000000000000000000000000000000000000000000000000000000000000000\"}");
    return 0;
}

static int put_hits(struct buf *out, const struct audit_event *e, size_t *ret_commits)
{
    if (e->hit_count == 0)
        return 0;
    size_t n = e->hit_count < RECORD_HITS_MAX ? e->hit_count : RECORD_HITS_MAX;
    for (size_t i = 0; i < n; i++) {
        int r = buf_append(out, i ? SPAN_LIT(",") : SPAN_LIT(",\"hits\":["));
        if (r == 0)
            r = put_hit(out, &e->hits[i], &ret_commits[i]);
        if (r < 0)
            return r;
    }
    RAW("]");
    NUMBER("hits_left_out", e->hit_count - n + e->hits_left_out);
    return 0;
}

static int put_originals(struct buf *out, const struct record_originals *o)
{
    char digits[2 * RECORD_HASH_SIZE + 1];
    if (o->count == 0)
        return 0;
    RAW(",\"originals\":[");
    for (size_t i = 0; i < o->count; i++) {
        codec_hex(span_from((const char *)o->commits[i], RECORD_HASH_SIZE), digits);
        int r = buf_append(out, i ? SPAN_LIT(",\"") : SPAN_LIT("\""));
        if (r == 0)
            r = buf_append(out, span_from(digits, 2 * RECORD_HASH_SIZE));
        if (r == 0)
            r = buf_append_char(out, '"');
        if (r < 0)
            return r;
    }
    return buf_append_char(out, ']');
}

static int put_opinion(struct buf *out, const struct audit_opinion *o)
{
    RAW("{\"by\":\"");
    int r = put_escaped(out, record_clip(o->by, RECORD_FIELD_MAX));
    if (r < 0)
        return r;
    RAW("\"");
    TEXT("direction", span_str(direction_name(o->direction)));
    TEXT("said", o->said);
    NUMBER("score", o->percent);
    TEXT("risk", o->risk);
    if (o->action > ACTION_ALLOW)
        TEXT("action", span_str(action_name(o->action)));
    if (o->observed)
        RAW(",\"observed\":true");
    TEXT("failed", o->failed);
    if (o->cached)
        RAW(",\"cached\":true");
    NUMBER("times", o->times > 1 ? o->times : 0);
    NUMBER("us", o->us);
    RAW("}");
    return 0;
}

static int put_opinions(struct buf *out, const struct audit_event *e)
{
    size_t n = e->opinion_count < RECORD_OPINIONS_MAX ? e->opinion_count : RECORD_OPINIONS_MAX;
    for (size_t i = 0; i < n; i++) {
        int r = buf_append(out, i ? SPAN_LIT(",") : SPAN_LIT(",\"opinions\":["));
        if (r == 0)
            r = put_opinion(out, &e->opinions[i]);
        if (r < 0)
            return r;
    }
    if (n)
        RAW("]");
    NUMBER("opinions_left_out", e->opinion_count - n);
    return 0;
}

int record_write_event(struct buf *out, const struct audit_event *e,
                       const struct record_originals *originals,
                       size_t ret_commits[RECORD_HITS_MAX])
{
    if (e->subject) {
        TEXT("request_id", e->subject->request_id);
        /* The last record of an exchange need not repeat what its first one said. */
        if (e->kind != AUDIT_CLOSE) {
            int r = put_subject(out, e->subject);
            if (r < 0)
                return r;
        }
    }
    if (e->kind == AUDIT_ACT || e->kind == AUDIT_CLOSE)
        TEXT("action", span_str(action_name(e->action)));
    if (e->kind == AUDIT_CLOSE)
        TEXT("outcome", span_str(outcome_name(e->outcome)));
    TEXT("reason", e->reason);
    TEXT("model_answered", e->model_answered);
    TEXT("upstream_request_id", e->upstream_request_id);
    TEXT("finish_reason", e->finish_reason);
    TEXT("provider_refusal", e->provider_refusal);
    if (e->model_differs)
        RAW(",\"model_differs\":true");
    TEXT("label", e->label);
    if (e->retracted)
        RAW(",\"retracted\":true");
    NUMBER("status", e->status > 0 ? e->status : 0);
    NUMBER("upstream_status", e->upstream_status > 0 ? e->upstream_status : 0);
    NUMBER("received", e->received_us);
    NUMBER("judge_us", e->judge_us);
    NUMBER("held_us", e->held_us);
    NUMBER("upstream_us", e->upstream_us);
    NUMBER("first_byte_us", e->first_byte_us);
    NUMBER("total_us", e->total_us);
    NUMBER("prompt_bytes", e->prompt_bytes);
    NUMBER("completion_bytes", e->completion_bytes);
    if (e->kind == AUDIT_CLOSE) {
        if (e->complete)
            RAW(",\"complete\":true");
        else
            RAW(",\"complete\":false");
    }
    if (e->unjudged_media)
        RAW(",\"unjudged_media\":true");
    TEXT("user_state", e->user_state);
    NUMBER("strikes", e->strikes);
    NUMBER("strikes_today", e->strikes_today);
    TEXT("sample", e->sample);
    int r = put_hits(out, e, ret_commits);
    if (r == 0)
        r = put_originals(out, originals);
    if (r == 0)
        r = put_opinions(out, e);
    if (r < 0)
        return r;
    TEXT_OF("detail", e->detail, 128 * RECORD_FIELD_MAX);
    RAW("}");
    return 0;
}

int record_write_gap(struct buf *out, uint64_t lost, uint64_t from_us, uint64_t until_us,
                     struct span reason)
{
    TEXT("reason", reason);
    NUMBER("lost", lost);
    NUMBER("from", from_us);
    NUMBER("until", until_us);
    RAW("}");
    return 0;
}

int record_weight(const struct audit_event *e)
{
    if (e->kind == AUDIT_GAP)
        return ACTION_BLOCK;
    if ((e->kind != AUDIT_ACT && e->kind != AUDIT_CLOSE) || e->sample.len)
        return 0;
    int weight = e->action > 0 ? (int)e->action : 0;
    if (weight)
        return weight;
    if (e->kind == AUDIT_CLOSE) /* what the provider intercepted is of interest too */
        return e->provider_refusal.len ? ACTION_FLAG : 0;
    /* An old offence that was told before is no news. */
    bool again = e->hit_count == 0 && span_eq(e->reason, SPAN_LIT(AUDIT_OLD_OFFENCE));
    return again ? 0 : ACTION_FLAG;
}
