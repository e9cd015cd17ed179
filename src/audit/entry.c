#include "audit/entry.h"

#include "base/utf8.h"

#include <errno.h>
#include <stddef.h>

enum type {
    TYPE_TEXT,
    TYPE_NUMBER,
    TYPE_BOOL,
    TYPE_TRUE,
    TYPE_HITS,
    TYPE_ORIGINALS,
    TYPE_OPINIONS
};

struct field {
    const char *key;
    size_t at; /* in the struct */
    enum type type;
};

/* In the record's order: a key may only follow those above it. */
#define FIELD(name, type)                                                                          \
    {                                                                                              \
#name, offsetof(struct entry, name), type                                                  \
    }
static const struct field fields[] = {
    FIELD(v, TYPE_NUMBER),
    FIELD(seq, TYPE_NUMBER),
    FIELD(time, TYPE_NUMBER),
    FIELD(mono, TYPE_NUMBER),
    FIELD(run, TYPE_TEXT),
    FIELD(node, TYPE_TEXT),
    FIELD(kind, TYPE_TEXT),
    FIELD(request_id, TYPE_TEXT),
    FIELD(app, TYPE_TEXT),
    FIELD(key_id, TYPE_TEXT),
    FIELD(end_user, TYPE_TEXT),
    FIELD(client_ip, TYPE_TEXT),
    FIELD(client_port, TYPE_NUMBER),
    FIELD(device, TYPE_TEXT),
    FIELD(session, TYPE_TEXT),
    FIELD(trace_id, TYPE_TEXT),
    FIELD(model, TYPE_TEXT),
    FIELD(upstream, TYPE_TEXT),
    FIELD(filing_number, TYPE_TEXT),
    FIELD(route, TYPE_TEXT),
    FIELD(ruleset, TYPE_TEXT),
    FIELD(mode, TYPE_TEXT),
    FIELD(purpose, TYPE_TEXT),
    FIELD(reviewer, TYPE_TEXT),
    FIELD(stream, TYPE_TRUE),
    FIELD(action, TYPE_TEXT),
    FIELD(outcome, TYPE_TEXT),
    FIELD(reason, TYPE_TEXT),
    FIELD(model_answered, TYPE_TEXT),
    FIELD(upstream_request_id, TYPE_TEXT),
    FIELD(finish_reason, TYPE_TEXT),
    FIELD(provider_refusal, TYPE_TEXT),
    FIELD(model_differs, TYPE_TRUE),
    FIELD(label, TYPE_TEXT),
    FIELD(retracted, TYPE_TRUE),
    FIELD(status, TYPE_NUMBER),
    FIELD(upstream_status, TYPE_NUMBER),
    FIELD(received, TYPE_NUMBER),
    FIELD(judge_us, TYPE_NUMBER),
    FIELD(held_us, TYPE_NUMBER),
    FIELD(upstream_us, TYPE_NUMBER),
    FIELD(first_byte_us, TYPE_NUMBER),
    FIELD(total_us, TYPE_NUMBER),
    FIELD(prompt_bytes, TYPE_NUMBER),
    FIELD(completion_bytes, TYPE_NUMBER),
    FIELD(complete, TYPE_BOOL),
    FIELD(unjudged_media, TYPE_TRUE),
    FIELD(user_state, TYPE_TEXT),
    FIELD(strikes, TYPE_NUMBER),
    FIELD(strikes_today, TYPE_NUMBER),
    FIELD(sample, TYPE_TEXT),
    FIELD(hits, TYPE_HITS),
    FIELD(hits_left_out, TYPE_NUMBER),
    FIELD(originals, TYPE_ORIGINALS),
    FIELD(opinions, TYPE_OPINIONS),
    FIELD(opinions_left_out, TYPE_NUMBER),
    FIELD(detail, TYPE_TEXT),
    FIELD(lost, TYPE_NUMBER),
    FIELD(from, TYPE_NUMBER),
    FIELD(until, TYPE_NUMBER),
};
#define FIRST_OVERLAID 8 /* app: what stands before it is the record's own */

#define HIT_FIELD(name, type)                                                                      \
    {                                                                                              \
#name, offsetof(struct entry_hit, name), type                                              \
    }
static const struct field hit_fields[] = {
    HIT_FIELD(direction, TYPE_TEXT), HIT_FIELD(role, TYPE_TEXT),   HIT_FIELD(path, TYPE_TEXT),
    HIT_FIELD(risk, TYPE_TEXT),      HIT_FIELD(rule, TYPE_TEXT),   HIT_FIELD(action, TYPE_TEXT),
    HIT_FIELD(observed, TYPE_TRUE),  HIT_FIELD(layers, TYPE_TEXT), HIT_FIELD(start, TYPE_NUMBER),
    HIT_FIELD(end, TYPE_NUMBER),     HIT_FIELD(old, TYPE_TRUE),    HIT_FIELD(kept, TYPE_TRUE),
    HIT_FIELD(commit, TYPE_TEXT),
};

#define OPINION_FIELD(name, type)                                                                  \
    {                                                                                              \
#name, offsetof(struct entry_opinion, name), type                                          \
    }
static const struct field opinion_fields[] = {
    OPINION_FIELD(by, TYPE_TEXT),       OPINION_FIELD(direction, TYPE_TEXT),
    OPINION_FIELD(said, TYPE_TEXT),     OPINION_FIELD(score, TYPE_NUMBER),
    OPINION_FIELD(risk, TYPE_TEXT),     OPINION_FIELD(action, TYPE_TEXT),
    OPINION_FIELD(observed, TYPE_TRUE), OPINION_FIELD(failed, TYPE_TEXT),
    OPINION_FIELD(cached, TYPE_TRUE),   OPINION_FIELD(times, TYPE_NUMBER),
    OPINION_FIELD(us, TYPE_NUMBER),
};

#define COUNT(array) (sizeof(array) / sizeof((array)[0]))

struct parser {
    struct span rest; /* what is still to be read */
    struct arena *arena;
};

static bool accept(struct parser *p, struct span token)
{
    if (!span_starts(p->rest, token))
        return false;
    p->rest = span_slice(p->rest, token.len, p->rest.len);
    return true;
}

static int hex_value(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The character that an escape stands for, if it is one that is written in this form; else -1. */
static int escape_value(struct span s, size_t *ret_len)
{
    if (s.len >= 2 && (s.data[1] == '"' || s.data[1] == '\\')) {
        *ret_len = 2;
        return s.data[1];
    }
    if (s.len < 6 || memcmp(s.data, "\\u00", 4) != 0)
        return -1;
    int high = hex_value(s.data[4]), low = hex_value(s.data[5]);
    int value = high < 0 || low < 0 ? -1 : high * 16 + low;
    *ret_len = 6;
    return (value >= 0 && value < 0x20) || value == 0x7f ? value : -1;
}

static int unescape(struct parser *p, struct span raw, struct span *ret_text)
{
    char *text = arena_alloc(p->arena, raw.len + 1);
    if (!text)
        return -ENOMEM;
    size_t len = 0;
    for (size_t at = 0; at < raw.len;) {
        size_t n = 1;
        int c = raw.data[at] == '\\' ? escape_value(span_slice(raw, at, raw.len), &n)
                                     : (unsigned char)raw.data[at];
        text[len++] = (char)c;
        at += n;
    }
    *ret_text = span_from(text, len);
    return 0;
}

/* Behind the opening quote, to behind the closing one. Empty texts are never written. */
static int parse_text(struct parser *p, struct span *ret_text)
{
    size_t at = 0;
    bool escaped = false;
    while (at < p->rest.len) {
        unsigned char c = (unsigned char)p->rest.data[at];
        if (c == '"')
            break;
        if (c == '\\') {
            size_t n;
            if (escape_value(span_slice(p->rest, at, p->rest.len), &n) < 0)
                return -EBADMSG;
            escaped = true;
            at += n;
        } else if (c >= 0x80) {
            uint32_t cp;
            int n = utf8_decode(span_slice(p->rest, at, p->rest.len), false, &cp);
            if (n <= 0)
                return -EBADMSG;
            at += (size_t)n;
        } else if (c < 0x20 || c == 0x7f) {
            return -EBADMSG;
        } else {
            at++;
        }
    }
    if (at == p->rest.len || at == 0)
        return -EBADMSG;
    struct span raw = span_slice(p->rest, 0, at);
    p->rest = span_slice(p->rest, at + 1, p->rest.len);
    if (escaped)
        return unescape(p, raw, ret_text);
    *ret_text = raw;
    return 0;
}

/* Zero is never written, nor are leading zeros. */
static int parse_number(struct parser *p, uint64_t *ret_value)
{
    size_t n = 0;
    while (n < p->rest.len && p->rest.data[n] >= '0' && p->rest.data[n] <= '9')
        n++;
    unsigned long long value;
    if (n == 0 || p->rest.data[0] == '0' || !span_to_u64(span_slice(p->rest, 0, n), &value))
        return -EBADMSG;
    p->rest = span_slice(p->rest, n, p->rest.len);
    *ret_value = value;
    return 0;
}

static int parse_hits(struct parser *p, struct entry *e);
static int parse_originals(struct parser *p, struct entry *e);
static int parse_opinions(struct parser *p, struct entry *e);

static int parse_value(struct parser *p, const struct field *f, void *into)
{
    char *at = (char *)into + f->at;
    switch (f->type) {
    case TYPE_TEXT:
        return accept(p, SPAN_LIT("\"")) ? parse_text(p, (struct span *)(void *)at) : -EBADMSG;
    case TYPE_NUMBER:
        return parse_number(p, (uint64_t *)(void *)at);
    case TYPE_BOOL:
    case TYPE_TRUE:
        if (accept(p, SPAN_LIT("true")))
            *(enum entry_bool *)(void *)at = ENTRY_TRUE;
        else if (f->type == TYPE_BOOL && accept(p, SPAN_LIT("false")))
            *(enum entry_bool *)(void *)at = ENTRY_FALSE;
        else
            return -EBADMSG;
        return 0;
    case TYPE_HITS:
        return parse_hits(p, into);
    case TYPE_ORIGINALS:
        return parse_originals(p, into);
    case TYPE_OPINIONS:
        return parse_opinions(p, into);
    }
    return -EBADMSG;
}

/* An object whose keys come in the table's order, from its opening to behind its closing brace. */
static int parse_object(struct parser *p, const struct field *table, size_t count, void *into)
{
    if (!accept(p, SPAN_LIT("{")))
        return -EBADMSG;
    for (size_t next = 0; next < count;) {
        if (!accept(p, SPAN_LIT("\"")))
            return -EBADMSG;
        size_t n = 0;
        while (n < p->rest.len && p->rest.data[n] != '"')
            n++;
        struct span key = span_slice(p->rest, 0, n);
        while (next < count && !span_eq(key, span_str(table[next].key)))
            next++;
        if (next == count)
            return -EBADMSG;
        p->rest = span_slice(p->rest, n, p->rest.len);
        if (!accept(p, SPAN_LIT("\":")))
            return -EBADMSG;
        int r = parse_value(p, &table[next++], into);
        if (r < 0)
            return r;
        if (accept(p, SPAN_LIT("}")))
            return 0;
        if (!accept(p, SPAN_LIT(",")))
            return -EBADMSG;
    }
    return -EBADMSG;
}

static int parse_hits(struct parser *p, struct entry *e)
{
    if (!accept(p, SPAN_LIT("[")))
        return -EBADMSG;
    struct entry_hit hits[ENTRY_HITS_MAX] = {0};
    size_t count = 0;
    do {
        if (count == ENTRY_HITS_MAX)
            return -EBADMSG;
        int r = parse_object(p, hit_fields, COUNT(hit_fields), &hits[count]);
        if (r < 0)
            return r;
        if (hits[count++].commit.len != 64)
            return -EBADMSG;
    } while (accept(p, SPAN_LIT(",")));
    if (!accept(p, SPAN_LIT("]")))
        return -EBADMSG;
    e->hits = arena_alloc(p->arena, count * sizeof(hits[0]));
    if (!e->hits)
        return -ENOMEM;
    memcpy(e->hits, hits, count * sizeof(hits[0]));
    e->hit_count = count;
    return 0;
}

static int parse_originals(struct parser *p, struct entry *e)
{
    struct span commits[ENTRY_ORIGINALS_MAX];
    size_t count = 0;
    if (!accept(p, SPAN_LIT("[")))
        return -EBADMSG;
    do {
        if (count == ENTRY_ORIGINALS_MAX || !accept(p, SPAN_LIT("\"")))
            return -EBADMSG;
        int r = parse_text(p, &commits[count]);
        if (r < 0)
            return r;
        if (commits[count++].len != 64)
            return -EBADMSG;
    } while (accept(p, SPAN_LIT(",")));
    if (!accept(p, SPAN_LIT("]")))
        return -EBADMSG;
    e->originals = arena_alloc(p->arena, count * sizeof(commits[0]));
    if (!e->originals)
        return -ENOMEM;
    memcpy(e->originals, commits, count * sizeof(commits[0]));
    e->original_count = count;
    return 0;
}

static int parse_opinions(struct parser *p, struct entry *e)
{
    if (!accept(p, SPAN_LIT("[")))
        return -EBADMSG;
    struct entry_opinion opinions[ENTRY_OPINIONS_MAX] = {0};
    size_t count = 0;
    do {
        if (count == ENTRY_OPINIONS_MAX)
            return -EBADMSG;
        int r = parse_object(p, opinion_fields, COUNT(opinion_fields), &opinions[count]);
        if (r < 0)
            return r;
        if (opinions[count].by.len == 0 || opinions[count++].times == 1)
            return -EBADMSG;
    } while (accept(p, SPAN_LIT(",")));
    if (!accept(p, SPAN_LIT("]")))
        return -EBADMSG;
    e->opinions = arena_alloc(p->arena, count * sizeof(opinions[0]));
    if (!e->opinions)
        return -ENOMEM;
    memcpy(e->opinions, opinions, count * sizeof(opinions[0]));
    e->opinion_count = count;
    return 0;
}

int entry_parse(struct span body, struct arena *a, struct entry *ret_entry)
{
    struct parser p = {body, a};
    if (span_starts(body, SPAN_LIT("{\"v\":")) && !span_starts(body, SPAN_LIT("{\"v\":1,"))) {
        struct parser ahead = {span_slice(body, 5, body.len), a};
        uint64_t v;
        return parse_number(&ahead, &v) == 0 && v != 1 ? -EPROTO : -EBADMSG;
    }
    struct entry e = {0};
    int r = parse_object(&p, fields, COUNT(fields), &e);
    if (r < 0)
        return r;
    if (p.rest.len || e.v != 1 || e.seq == 0 || e.time == 0 || e.kind.len == 0)
        return -EBADMSG;
    *ret_entry = e;
    return 0;
}

void entry_overlay(struct entry *e, const struct entry *later)
{
    for (size_t i = FIRST_OVERLAID; i < COUNT(fields); i++) {
        char *to = (char *)e + fields[i].at;
        const char *from = (const char *)later + fields[i].at;
        switch (fields[i].type) {
        case TYPE_TEXT:
            if (((const struct span *)(const void *)from)->len)
                memcpy(to, from, sizeof(struct span));
            break;
        case TYPE_NUMBER:
            if (*(const uint64_t *)(const void *)from)
                memcpy(to, from, sizeof(uint64_t));
            break;
        case TYPE_BOOL:
        case TYPE_TRUE:
            if (*(const enum entry_bool *)(const void *)from != ENTRY_ABSENT)
                memcpy(to, from, sizeof(enum entry_bool));
            break;
        case TYPE_HITS:
        case TYPE_ORIGINALS:
        case TYPE_OPINIONS:
            break;
        }
    }
}

int entry_weight(const struct entry *e)
{
    static const char *const actions[] = {"allow", "flag", "mask", "answer", "block"};
    if (span_eq(e->kind, SPAN_LIT("gap")))
        return 4;
    bool act = span_eq(e->kind, SPAN_LIT("act"));
    if ((!act && !span_eq(e->kind, SPAN_LIT("close"))) || e->sample.len)
        return 0;
    for (int i = 1; i < (int)COUNT(actions); i++)
        if (span_eq(e->action, span_str(actions[i])))
            return i;
    if (!act)
        return e->provider_refusal.len ? 1 : 0;
    if (e->hit_count == 0 && span_eq(e->reason, SPAN_LIT("old_offence")))
        return 0;
    return 1;
}
