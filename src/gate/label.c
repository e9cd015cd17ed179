#include "gate/label.h"

#include "access/consent.h"
#include "gate/relay.h"
#include "gate/shadow.h"
#include "policy/label.h"
#include "json/walk.h"

#include <errno.h>
#include <stdlib.h>

#define CHOICES 32
/* How often the file of consents is looked at. */
#define CONSENTS_MS 1000
#define BREAK       "\n\n"

/* What a choice said. */
struct said {
    struct label_text text;
    uint32_t items; /* texts it consists of */
};

struct label {
    enum label_mode mode; /* LABEL_UI: no visible one */
    const char *none;     /* why there is no visible one though the app wants it; or NULL */
    struct span words;
    struct span before, after; /* as they stand in JSON */
    struct span member;        /* "aigc":{…}, or empty */
    struct span code;          /* its HMAC */
    struct said *said[CHOICES];
    uint32_t tools; /* bits: it calls a tool */
    uint32_t shown; /* bits: text of it went out */
    uint32_t begun; /* bits: its first character went out, or is about to */
    uint32_t placed, ended;
    bool labelled;  /* the provider's own machine's label is there */
    bool generated; /* a model's answer goes out */
};

struct label_consents {
    struct consents *consents;
    uint64_t looked_ms; /* 0: never */
};

struct label_consents *label_consents_new(struct span state_dir)
{
    struct label_consents *c = calloc(1, sizeof(*c));
    if (c)
        c->consents = consents_new(state_dir);
    if (c && !c->consents) {
        free(c);
        return NULL;
    }
    return c;
}

void label_consents_free(struct label_consents *c)
{
    if (!c)
        return;
    consents_free(c->consents);
    free(c);
}

static bool has_consent(struct exchange *x)
{
    struct label_consents *c = x->gate->consents;
    struct span user = record_end_user(x);
    uint64_t now = loop_now_ms(x->gate->loop);
    if (!c || user.len == 0)
        return false;
    if (c->looked_ms == 0 || now - c->looked_ms >= CONSENTS_MS) {
        c->looked_ms = now ? now : 1;
        consents_refresh(c->consents);
    }
    return consents_has(c->consents, x->who.app->name, user);
}

/* Why an app that wants a visible label gets none. */
static const char *why_none(struct exchange *x)
{
    if (exchange_shadows(x))
        return "shadow"; /* no byte is altered there */
    if (x->asked.json_mode)
        return "json";
    if (x->asked.infill)
        return "code";
    if (x->who.app->policy.label == LABEL_REQUESTED && has_consent(x))
        return "consent";
    return NULL;
}

static int escaped(struct exchange *x, const char *before, struct span words, const char *after,
                   struct span *ret)
{
    struct buf out = BUF_INIT(8 * LABEL_WORDS_MAX);
    int r = json_escape(&out, span_str(before));
    if (r == 0)
        r = json_escape(&out, words);
    if (r == 0)
        r = json_escape(&out, span_str(after));
    *ret = r == 0 ? arena_copy(&x->arena, buf_span(&out)) : SPAN_NULL;
    buf_deinit(&out);
    return r < 0 ? r : ret->data ? 0 : -ENOMEM;
}

/* GB 45438-2025, annex E: string values of printable ASCII. */
static int describe(struct exchange *x, struct label *l)
{
    const struct config *c = exchange_config(x);
    char *code = arena_alloc(&x->arena, ACCESS_LABEL_CODE_SIZE);
    if (!code)
        return -ENOMEM;
    access_label_code(snapshot_access(x->snapshot), x->gate->hasher, c->service.provider_code,
                      record_request_id(x), code);
    l->code = span_str(code);
    if (!c->labels.body || exchange_shadows(x))
        return 0;
    l->member = arena_printf(
        &x->arena,
        "\"aigc\":{\"Label\":\"1\",\"ContentProducer\":\"%.*s\",\"ProduceID\":\"%.*s\","
        "\"ReservedCode1\":\"%.*s\"}",
        SPAN_ARG(c->service.provider_code), SPAN_ARG(record_request_id(x)), SPAN_ARG(l->code));
    return l->member.data ? 0 : -ENOMEM;
}

int label_begin(struct exchange *x)
{
    const struct config_policy *p = &x->who.app->policy;
    struct label *l = arena_alloc(&x->arena, sizeof(*l));
    if (!l)
        return -ENOMEM;
    *l = (struct label){.mode = p->label};
    x->label = l;
    int r = describe(x, l);
    if (r < 0 || l->mode == LABEL_UI)
        return r;
    l->none = why_none(x);
    if (l->none)
        return 0;
    char room[LABEL_WORDS_MAX];
    l->words = arena_copy(&x->arena, label_words(exchange_config(x), p->language, room));
    if (!l->words.data)
        return -ENOMEM;
    r = escaped(x, "", l->words, BREAK, &l->before);
    return r < 0 ? r : escaped(x, BREAK, l->words, "", &l->after);
}

static bool is_visible(const struct label *l)
{
    return l && l->mode != LABEL_UI && !l->none;
}

static bool is_answer(const struct text_item *item)
{
    return item->field == FIELD_CONTENT && item->part == 0 && item->choice < CHOICES;
}

int label_feed(struct exchange *x, const struct text_item *item)
{
    struct label *l = x->label;
    if (!is_visible(l) || item->choice >= CHOICES)
        return 0;
    if (relay_is_call(item))
        l->tools |= 1u << item->choice;
    if (!is_answer(item))
        return 0;
    struct said *s = l->said[item->choice];
    if (!s) {
        s = arena_alloc(&x->arena, sizeof(*s));
        if (!s)
            return -ENOMEM;
        *s = (struct said){0};
        l->said[item->choice] = s;
    }
    label_text_feed(&s->text, item->text);
    s->items++;
    return 0;
}

void label_note(struct exchange *x, const struct dialect_event *e)
{
    if (x->label)
        x->label->labelled = x->label->labelled || e->labelled;
}

static struct http_header header(const char *name, struct span value)
{
    return (struct http_header){span_str(name), value};
}

size_t label_headers(struct exchange *x, struct http_header *ret)
{
    const struct label *l = x->label;
    size_t n = 0;
    if (!l || !l->generated)
        return 0;
    ret[n++] = header("x-aigc-label", SPAN_LIT("1"));
    if (exchange_config(x)->service.provider_code.len)
        ret[n++] = header("x-aigc-content-producer", exchange_config(x)->service.provider_code);
    ret[n++] = header("x-aigc-produce-id", record_request_id(x));
    ret[n++] = header("x-aigc-reserved-code1", l->code);
    return n;
}

void label_generated(struct exchange *x)
{
    if (x->label)
        x->label->generated = true;
}

/* --- what becomes of a choice --- */

/*
 * The label is put behind the text: where the text begins in a way that may become code or a label,
 * and where the choice calls a tool, or may still do so. Once it stands before the text it stays.
 */
static bool goes_behind(const struct exchange *x, unsigned choice)
{
    const struct label *l = x->label;
    return l->mode != LABEL_PREFIX || x->asked.tools || (l->tools & ~l->placed) >> choice & 1 ||
           label_text_is_doubtful(&l->said[choice]->text, l->words);
}

/* NULL: it is labelled behind its text. */
static const char *why_none_behind(const struct exchange *x, unsigned choice)
{
    const struct said *s = x->label->said[choice];
    if (!s || !s->text.begun)
        return "empty";
    if (x->label->tools >> choice & 1)
        return "tools";
    if (label_text_is_code(&s->text))
        return "code";
    if (label_text_is_labelled(&s->text, exchange_config(x)))
        return "own";
    return NULL;
}

/* Is any of it seen? What is cut off is not. */
static bool is_seen(const struct exchange *x, unsigned choice)
{
    const struct said *s = x->label->said[choice];
    if (!s || !s->text.begun || !x->relay)
        return s && s->text.begun;
    for (struct channel *c = scanner_channels(x->completion->scanner); c; c = channel_next(c))
        if (c->field == FIELD_CONTENT && c->part == 0 && c->choice == choice)
            return channel_clear(c) > s->text.first_at;
    return false;
}

struct span label_done(const struct exchange *x)
{
    const struct label *l = x->label;
    if (!l)
        return SPAN_NULL;
    if (l->mode == LABEL_UI)
        return SPAN_LIT("ui");
    const char *why = l->none;
    bool before = false, after = false;
    for (unsigned i = 0; i < CHOICES && !l->none; i++) {
        if (!is_seen(x, i)) {
            if (l->tools >> i & 1 && !x->completion->refused)
                why = why ? why : "tools";
            continue;
        }
        bool behind = goes_behind(x, i);
        const char *none = behind ? why_none_behind(x, i) : NULL;
        before = before || !behind;
        after = after || (behind && !none);
        why = none ? none : why;
    }
    if (before || after)
        return before ? SPAN_LIT("prefix") : SPAN_LIT("suffix");
    return why && !strcmp(why, "consent") ? SPAN_LIT("none:consent")
           : why && !strcmp(why, "json")  ? SPAN_LIT("none:json")
           : why && !strcmp(why, "code")  ? SPAN_LIT("none:code")
           : why && !strcmp(why, "tools") ? SPAN_LIT("none:tools")
           : why && !strcmp(why, "own")   ? SPAN_LIT("none:own")
           : why                          ? SPAN_LIT("none:shadow")
                                          : SPAN_NULL;
}

/* --- streams --- */

/* How much of the piece goes out. */
static uint64_t end_of(const struct piece *p)
{
    uint64_t clear = channel_clear(p->channel);
    return clear < p->end ? clear : p->end;
}

static void mark_text(struct exchange *x, const struct piece *p, struct label_marks *m)
{
    struct label *l = x->label;
    const struct channel *c = p->channel;
    if (!c || c->field != FIELD_CONTENT || c->part != 0 || c->choice >= CHOICES ||
        end_of(p) <= p->start)
        return;
    uint32_t bit = 1u << c->choice;
    const struct said *s = l->said[c->choice];
    if (!s || !s->text.begun || s->text.first_at >= end_of(p))
        return; /* blanks so far */
    l->shown |= bit;
    if (l->begun & bit)
        return;
    l->begun |= bit;
    if (!goes_behind(x, c->choice) && s->text.first_at >= p->start) {
        m->before |= bit;
        l->placed |= bit;
    }
}

struct label_marks label_marks(struct exchange *x, const struct piece *pieces, size_t count,
                               uint32_t finished)
{
    struct label *l = x->label;
    struct label_marks m = {0};
    if (!l)
        return m;
    if (finished && l->member.len && !l->labelled) {
        m.member = true;
        l->labelled = true; /* one is enough */
    }
    if (!is_visible(l))
        return m;
    for (size_t i = 0; i < count; i++)
        mark_text(x, &pieces[i], &m);
    for (unsigned i = 0; finished >> i; i++) {
        uint32_t bit = 1u << i;
        if (!(finished & bit) || l->ended & bit)
            continue;
        l->ended |= bit;
        if (!(l->placed & bit) && !why_none_behind(x, i)) {
            m.after |= bit;
            l->placed |= bit;
        }
    }
    return m;
}

/* At a decoded offset of the text. */
static int insert(struct span payload, const struct text_item *item, size_t at, struct span with,
                  struct splice *list, size_t max, size_t *count)
{
    size_t raw = json_raw_offset(item->raw, at);
    return splice_add(payload, span_slice(item->raw, raw, raw), with, list, max, count);
}

int label_splice(struct exchange *x, struct label_marks *marks, struct span payload,
                 const struct text_item *item, uint64_t start, struct splice *list, size_t max,
                 size_t *count)
{
    struct label *l = x->label;
    if (!label_marks_any(marks) || !is_answer(item))
        return 0;
    uint32_t bit = 1u << item->choice;
    int r = 0;
    if (marks->before & bit) {
        uint64_t at = l->said[item->choice]->text.first_at - start;
        r = insert(payload, item, (size_t)at, l->before, list, max, count);
        marks->before &= ~bit;
    }
    if (r == 0 && marks->after & bit) {
        r = insert(payload, item, item->text.len, l->after, list, max, count);
        marks->after &= ~bit;
    }
    return r;
}

int label_splice_member(struct exchange *x, struct span payload, struct splice *list, size_t max,
                        size_t *count)
{
    size_t at = span_find(payload, SPAN_LIT("{")) + 1;
    struct span with = arena_printf(&x->arena, "%.*s,", SPAN_ARG(x->label->member));
    if (!with.data)
        return -ENOMEM;
    return at > payload.len
               ? -EINVAL
               : splice_add(payload, span_slice(payload, at, at), with, list, max, count);
}

static int write_texts(struct exchange *x, uint32_t choices, bool clean, struct buf *out)
{
    struct dialect_refusal d;
    int r = 0;
    reply_describe(x, NULL, &d);
    d.text = arena_printf(&x->arena, BREAK "%.*s", SPAN_ARG(x->label->words));
    if (!d.text.data)
        return -ENOMEM;
    for (unsigned i = 0; r == 0 && choices >> i; i++)
        if (choices >> i & 1)
            r = x->dialect->write_text(clean ? x->relay->stream : NULL, &d, i, out);
    return r;
}

int label_write_rest(struct exchange *x, const struct label_marks *marks, struct buf *out)
{
    return marks->after ? write_texts(x, marks->after, true, out) : 0;
}

int label_write_cut(struct exchange *x, uint32_t open_choices, bool clean, struct buf *out)
{
    struct label *l = x->label;
    if (!is_visible(l))
        return 0;
    uint32_t due = open_choices & l->shown & ~l->placed & ~l->tools;
    l->placed |= due;
    return due ? write_texts(x, due, clean, out) : 0;
}

/* --- whole answers --- */

static uint32_t wanted(const struct exchange *x)
{
    uint32_t bits = 0;
    for (unsigned i = 0; i < CHOICES; i++) {
        const struct said *s = x->label->said[i];
        if (s && s->text.begun && (!goes_behind(x, i) || !why_none_behind(x, i)))
            bits |= 1u << i;
    }
    return bits;
}

size_t label_room(const struct exchange *x)
{
    const struct label *l = x->label;
    if (!l)
        return 0;
    size_t n = l->member.len && !l->labelled;
    for (uint32_t bits = is_visible(l) ? wanted(x) : 0; bits; bits &= bits - 1)
        n++;
    return n;
}

struct walk {
    struct exchange *x;
    struct span body;
    struct splice *list;
    size_t max, *count;
    uint32_t wanted;
    uint64_t at[CHOICES]; /* decoded bytes so far */
    uint32_t items[CHOICES];
};

static int label_item(void *ctx, const struct text_item *item)
{
    struct walk *w = ctx;
    if (!is_answer(item) || !(w->wanted >> item->choice & 1))
        return 0;
    uint32_t bit = 1u << item->choice;
    const struct said *s = w->x->label->said[item->choice];
    uint64_t start = w->at[item->choice];
    w->at[item->choice] += item->text.len;
    bool last = ++w->items[item->choice] == s->items;
    struct label_marks m = {0};
    if (!goes_behind(w->x, item->choice))
        m.before = s->text.first_at >= start && s->text.first_at < start + item->text.len ? bit : 0;
    else if (last)
        m.after = bit;
    return label_splice(w->x, &m, w->body, item, start, w->list, w->max, w->count);
}

int label_whole(struct exchange *x, struct span body, struct splice *list, size_t max,
                size_t *count)
{
    struct label *l = x->label;
    struct walk w = {.x = x, .body = body, .list = list, .max = max, .count = count};
    struct dialect_event again;
    struct dialect_error error;
    struct arena scratch;
    int r = 0;
    if (l->member.len && !l->labelled)
        r = label_splice_member(x, body, list, max, count);
    w.wanted = is_visible(l) ? wanted(x) : 0;
    if (r < 0 || !w.wanted)
        return r;
    arena_init(&scratch, 64u << 20);
    r = x->dialect->read_answer(x->gate->walk, body, &scratch, &again, &error, label_item, &w);
    arena_deinit(&scratch);
    return r;
}
