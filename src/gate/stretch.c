/*
 * A streamed answer as it is asked about: each text apart, sentence by sentence, each sentence with
 * what went before it. A few sentences may be under way at one time; what follows from them follows
 * in their order.
 */
#include "gate/opinion.h"

#include "base/utf8.h"
#include "gate/relay.h"
#include "gate/shadow.h"

#include <errno.h>
#include <stdlib.h>

/* A sentence that doesn't end is asked about in parts, bytes. */
#define SENTENCE_MAX 1200
/* Sentences of one text that one source is asked about at one time. */
#define SENTENCES_AT_ONCE 4

static bool is_text(const struct channel *c)
{
    return c->field == FIELD_CONTENT || c->field == FIELD_REASONING || c->field == FIELD_REFUSAL ||
           c->field == FIELD_AUDIO || c->field == FIELD_ARGUMENTS;
}

static enum release release_of(const struct inquiry *in, const struct channel *c)
{
    /* Half a call means nothing, and is not released before it is whole. */
    return c->field == FIELD_ARGUMENTS && in->release == RELEASE_SENTENCE ? RELEASE_WHOLE
                                                                          : in->release;
}

static bool concerns(const struct inquiry *in)
{
    return in->active && in->direction == DIRECTION_COMPLETION;
}

/* No more of that text comes, and all of it could be judged. */
static bool is_finished(const struct channel *c)
{
    return !c->cursor && c->stopped == 0;
}

/*
 * Up to where one inquiry lets the text go out. In how many pieces a whole answer is asked about is
 * the source's affair: none of it is shown for that.
 */
static uint64_t released(const struct stretch *s, const struct inquiry *in,
                         const struct progress *p)
{
    bool whole = release_of(in, s->channel) == RELEASE_WHOLE;
    return !whole || (is_finished(s->channel) && p->passed == s->read) ? p->passed : p->begun;
}

/* The gate in the hold: the least that any source which holds has passed. */
static void update(struct exchange *x, struct stretch *s)
{
    uint64_t passed = UINT64_MAX;
    for (unsigned i = 0; i < x->opinions->count; i++) {
        const struct inquiry *in = &x->opinions->inquiries[i];
        if (!concerns(in) || release_of(in, s->channel) == RELEASE_EXACT)
            continue;
        uint64_t to = released(s, in, &s->progress[i]);
        passed = to < passed ? to : passed;
    }
    s->channel->passed = passed;
}

void stretch_free(struct stretch *s)
{
    list_remove(&s->link);
    buf_deinit(&s->text);
    free(s);
}

static struct stretch *stretch_of(struct exchange *x, struct channel *c)
{
    struct opinions *o = x->opinions;
    list_for_each (e, &o->stretches) {
        struct stretch *s = list_entry(e, struct stretch, link);
        if (s->channel == c)
            return s;
    }
    /* As many as there will ever be inquiries: one for each source and direction. */
    size_t count = 2 * x->who.app->policy.asking_count;
    struct stretch *s = calloc(1, sizeof(*s) + count * sizeof(s->progress[0]));
    if (!s)
        return NULL;
    s->channel = c;
    s->objected = UINT64_MAX;
    s->path = arena_printf(&x->arena, "choices[%u].%s", c->choice, field_name(c->field));
    s->text.max = SIZE_MAX / 4; /* trimmed to what a question shows */
    list_append(&o->stretches, &s->link);
    return s;
}

/* --- its text --- */

/* Copies what has been judged since; what is masked is not shown to anybody else either. */
static int read_on(struct stretch *s)
{
    struct channel *c = s->channel;
    uint64_t end = channel_judged(c);
    if (end <= s->read)
        return 0;
    size_t at = s->text.len;
    int r = buf_append(&s->text, channel_text(c, s->read, end));
    if (r < 0)
        return r;
    for (size_t i = 0; i < c->mask_count; i++) {
        uint64_t from = c->masks[i].start > s->read ? c->masks[i].start : s->read;
        uint64_t to = c->masks[i].end < end ? c->masks[i].end : end;
        if (from < to)
            memset(s->text.data + at + (from - s->read), '*', (size_t)(to - from));
    }
    s->read = c->wanted = end;
    return 0;
}

/* Forgets what no question will show any more. */
static void trim(struct exchange *x, struct stretch *s)
{
    uint64_t keep = s->read;
    for (unsigned i = 0; i < x->opinions->count; i++) {
        const struct inquiry *in = &x->opinions->inquiries[i];
        uint64_t asked = in->active ? s->progress[i].asked : s->read;
        uint64_t from = asked > in->source->text_bytes ? asked - in->source->text_bytes : 0;
        if (in->direction == DIRECTION_COMPLETION && from < keep)
            keep = from;
    }
    if (keep < s->base + 4096)
        return;
    size_t drop = utf8_floor(buf_span(&s->text), (size_t)(keep - s->base));
    buf_consume(&s->text, drop);
    s->base += drop;
}

static struct span text_of(const struct stretch *s, uint64_t from, uint64_t to)
{
    return span_slice(buf_span(&s->text), (size_t)(from - s->base), (size_t)(to - s->base));
}

/* The mark of a sentence's end that the text begins with, in bytes; 0: it begins with none. */
static size_t mark_at(struct span text)
{
    static const struct span marks[] = {SPAN_LIT("。"), SPAN_LIT("！"), SPAN_LIT("？"),
                                        SPAN_LIT("；"), SPAN_LIT("…"),  SPAN_LIT("!"),
                                        SPAN_LIT("?"),  SPAN_LIT("\n"), SPAN_LIT(". ")};
    for (size_t i = 0; i < sizeof(marks) / sizeof(*marks); i++)
        if (span_starts(text, marks[i]))
            return marks[i].len;
    return 0;
}

/* Behind the first sentence of the text that says anything; 0: it does not end here. */
static size_t sentence_end(struct span text)
{
    bool said = false;
    for (size_t at = 0; at < text.len;) {
        size_t mark = mark_at(span_slice(text, at, text.len));
        if (mark && said)
            return at + mark;
        said = said || (!mark && text.data[at] != ' ');
        at += mark ? mark : 1;
    }
    return 0;
}

/*
 * Up to where it can be asked about now; `from`: not yet. Only the text decides, not when and in
 * what pieces it came: else the same answer would be cut elsewhere another time.
 */
static uint64_t stop_of(const struct stretch *s, const struct inquiry *in, const struct progress *p)
{
    bool whole = release_of(in, s->channel) == RELEASE_WHOLE;
    bool finished = is_finished(s->channel);
    uint64_t from = p->asked;
    size_t max =
        whole || in->source->text_bytes < SENTENCE_MAX ? in->source->text_bytes : SENTENCE_MAX;
    /* Each question shows as much as fits: what stands across the end of one piece is in the next.
     */
    if (whole && from > p->begun)
        max -= max / 10;
    struct span text = text_of(s, from, s->read);
    bool full = text.len >= max;
    if (full)
        text = span_slice(text, 0, utf8_floor(text, max));
    size_t end = whole ? 0 : sentence_end(text);
    return from + (end ? end : full || finished ? text.len : 0);
}

/* --- questions --- */

static int ask(struct exchange *x, struct stretch *s, unsigned inquiry, uint64_t to)
{
    struct inquiry *in = &x->opinions->inquiries[inquiry];
    struct progress *p = &s->progress[inquiry];
    /* As much of what went before as fits. */
    uint64_t from = to > in->source->text_bytes ? to - in->source->text_bytes : 0;
    from = from < s->base ? s->base : from;
    while (from < p->asked && ((unsigned char)s->text.data[from - s->base] & 0xC0) == 0x80)
        from++;
    struct question about = {
        .stretch = s,
        .from = p->asked,
        .to = to,
        .role = ROLE_ASSISTANT,
        .path = s->path,
        .text = text_of(s, p->asked, to),
    };
    struct opinion_turn turns[OPINION_TURNS_MAX];
    struct opinion_question q = {
        .direction = DIRECTION_COMPLETION, .role = ROLE_ASSISTANT, .text = text_of(s, from, to)};
    conversation_context(x, in, CONVERSATION_ANSWER, turns, &q);
    p->busy++;
    p->asked = to;
    return opinion_inquire(x, inquiry, &q, &about);
}

/* From where the first question of that text (of one inquiry, or -1: any) is open, but for one. */
static uint64_t first_open(const struct exchange *x, const struct stretch *s, int inquiry,
                           const struct question *but)
{
    uint64_t first = UINT64_MAX;
    list_for_each (e, &x->opinions->questions) {
        const struct question *q = list_entry(e, struct question, link);
        if (q != but && q->stretch == s && (inquiry < 0 || q->inquiry == (unsigned)inquiry) &&
            q->from < first)
            first = q->from;
    }
    return first;
}

void stretch_settled(struct exchange *x, const struct question *q, bool objects)
{
    struct stretch *s = q->stretch;
    struct progress *p = &s->progress[q->inquiry];
    uint64_t open = first_open(x, s, (int)q->inquiry, q);
    p->busy--;
    p->passed = open < p->asked ? open : p->asked;
    bool whole = release_of(&x->opinions->inquiries[q->inquiry], s->channel) == RELEASE_WHOLE;
    uint64_t from = whole ? p->begun : q->from; /* then all of it is objected to */
    if (objects && from < s->objected)
        s->objected = from;
    if (s->objected < p->passed)
        p->passed = s->objected;
    update(x, s);
    /* What comes before the objection is still for others to judge, and then to be shown. */
    if (s->objected == UINT64_MAX || first_open(x, s, -1, q) < s->objected)
        return;
    if (s->objected < s->channel->cut)
        s->channel->cut = s->objected;
    x->relay->decisive = true;
}

static int go_on(struct exchange *x, struct stretch *s)
{
    for (unsigned i = 0; i < x->opinions->count; i++) {
        struct progress *p = &s->progress[i];
        const struct inquiry *in = &x->opinions->inquiries[i];
        while (concerns(in) && p->busy < SENTENCES_AT_ONCE && s->objected == UINT64_MAX) {
            uint64_t to = stop_of(s, in, p);
            if (to == p->asked)
                break;
            int r = ask(x, s, i, to);
            if (r < 0)
                return r;
        }
    }
    update(x, s);
    trim(x, s);
    return 0;
}

/* Up to where the text has gone out: what is held, and the event being read, have not. */
static uint64_t sent(const struct relay *r, const struct channel *c)
{
    list_for_each (e, &r->hold.frames) {
        const struct frame *f = list_entry(e, struct frame, link);
        for (size_t i = 0; i < f->piece_count; i++)
            if (f->pieces[i].channel == c)
                return f->pieces[i].start;
    }
    for (size_t i = 0; i < r->piece_count; i++)
        if (r->pieces[i].channel == c)
            return r->pieces[i].start;
    return c->fed;
}

/* A rule has just had somebody asked: what has not gone out yet is his to judge. */
static void begin_late(struct exchange *x, uint64_t before)
{
    for (unsigned i = 0; i < x->opinions->count; i++) {
        if (before >> i & 1 || !concerns(&x->opinions->inquiries[i]))
            continue;
        list_for_each (e, &x->opinions->stretches) {
            struct stretch *s = list_entry(e, struct stretch, link);
            /* Beside the traffic there is nothing that has not: then all that is still there. */
            uint64_t at = exchange_shadows(x) ? s->base : sent(x->relay, s->channel);
            at = at < s->base ? s->base : at > s->read ? s->read : at;
            s->progress[i].begun = s->progress[i].asked = s->progress[i].passed = at;
        }
    }
}

/* Two for each row of a policy at most. */
_Static_assert(2 * CONFIG_ASKINGS_MAX <= 64, "more inquiries than bits");

static uint64_t active(const struct opinions *o)
{
    uint64_t bits = 0;
    for (unsigned i = 0; i < o->count; i++)
        bits |= concerns(&o->inquiries[i]) ? UINT64_C(1) << i : 0;
    return bits;
}

/* May anybody be asked about this answer? */
static bool is_wanted(const struct exchange *x)
{
    for (unsigned i = 0; x->opinions && i < x->opinions->count; i++)
        if (x->opinions->inquiries[i].direction == DIRECTION_COMPLETION)
            return true;
    return false;
}

void stretch_begin(struct exchange *x)
{
    if (!is_wanted(x))
        return;
    bool holds = false;
    for (unsigned i = 0; i < x->opinions->count; i++)
        if (concerns(&x->opinions->inquiries[i]))
            holds = holds || x->opinions->inquiries[i].release != RELEASE_EXACT;
    scanner_gate(x->completion->scanner, holds ? 0 : UINT64_MAX, 0);
}

int stretch_read(struct exchange *x)
{
    if (!is_wanted(x) || record_closed(x))
        return 0;
    int r = 0;
    for (struct channel *c = scanner_channels(x->completion->scanner); c && r == 0;
         c = channel_next(c)) {
        if (!is_text(c))
            continue;
        struct stretch *s = stretch_of(x, c);
        r = s ? read_on(s) : -ENOMEM;
    }
    uint64_t before = active(x->opinions);
    if (r == 0 && x->completion->asks) {
        opinion_activate(x, DIRECTION_COMPLETION, x->completion->asks);
        begin_late(x, before);
    }
    list_for_each (e, &x->opinions->stretches)
        if (r == 0)
            r = go_on(x, list_entry(e, struct stretch, link));
    return r;
}
