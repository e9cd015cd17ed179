/*
 * A prompt as it is asked about: what each side has said, one text for all that it says without a
 * break, as the model will read it. A text that somebody objected to before is known by its digest.
 */
#include "gate/opinion.h"

#include "base/utf8.h"

#include <errno.h>
#include <stdlib.h>

/* --- what is gathered of a body --- */

struct gathering {
    struct opinions *o;
    struct exchange *x;
    struct sha256 *sha;
    struct judge_walk walk;
    const bool *off; /* turns that the model will not see; NULL: it sees all */
    bool open;       /* the last utterance may go on */
};

static struct utterance *utterances(const struct opinions *o)
{
    return (struct utterance *)(void *)o->utterances.data;
}

size_t conversation_count(const struct opinions *o)
{
    return o->utterances.len / sizeof(struct utterance);
}

const struct utterance *conversation_at(const struct opinions *o, size_t i)
{
    return &utterances(o)[i];
}

struct span conversation_text(const struct opinions *o, const struct utterance *u)
{
    return span_slice(buf_span(&o->prompt), u->from, u->to);
}

static int close_utterance(struct gathering *g)
{
    if (!g->open)
        return 0;
    g->open = false;
    return sha256_end(g->sha, utterances(g->o)[conversation_count(g->o) - 1].digest);
}

static int open_utterance(struct gathering *g, const struct text_item *item)
{
    struct utterance u = {
        .role = item->role, .first = item->turn, .path = arena_copy(&g->x->arena, item->path)};
    /* Between two of them as within one, so that any run of them reads as one text. */
    int r = g->o->prompt.len ? buf_append_char(&g->o->prompt, '\n') : 0;
    u.from = g->o->prompt.len;
    if (r == 0)
        r = buf_append(&g->o->utterances, span_from((const char *)&u, sizeof(u)));
    if (r == 0)
        r = sha256_begin(g->sha);
    g->open = r == 0;
    return r;
}

/* What the policy masks nobody else gets to see either. */
static void mask(struct gathering *g, const struct piece *p, size_t at)
{
    const struct channel *c = p->channel;
    for (size_t i = 0; i < c->mask_count; i++) {
        uint64_t from = c->masks[i].start > p->start ? c->masks[i].start : p->start;
        uint64_t to = c->masks[i].end < p->end ? c->masks[i].end : p->end;
        if (from < to)
            memset(g->o->prompt.data + at + (from - p->start), '*', (size_t)(to - from));
    }
}

static int add(struct gathering *g, const struct text_item *item, const struct piece *p)
{
    struct opinions *o = g->o;
    struct utterance *u = g->open ? &utterances(o)[conversation_count(o) - 1] : NULL;
    int r = 0;
    if (u && (u->role != item->role || item->turn > u->last + 1 ||
              (item->turn == 0) != (u->last == 0))) {
        r = close_utterance(g);
        u = NULL;
    }
    if (r == 0 && !u) {
        r = open_utterance(g, item);
    } else if (r == 0) {
        r = buf_append_char(&o->prompt, '\n');
        if (r == 0)
            r = sha256_add(g->sha, SPAN_LIT("\n"));
    }
    size_t at = o->prompt.len;
    if (r == 0)
        r = buf_append(&o->prompt, item->text);
    if (r == 0)
        r = sha256_add(g->sha, item->text);
    if (r < 0)
        return r;
    if (p)
        mask(g, p, at);
    u = &utterances(o)[conversation_count(o) - 1];
    u->last = item->turn;
    u->to = o->prompt.len;
    return 0;
}

/* A text_item_fn. */
static int see_item(void *ctx, const struct text_item *raw)
{
    struct gathering *g = ctx;
    struct text_item item;
    const struct piece *p = judge_follow(&g->walk, raw, &item);
    if (item.turn && item.role == ROLE_USER && item.turn > g->o->last_user)
        g->o->last_user = item.turn;
    if (item.field == FIELD_OTHER || item.field == FIELD_LOGPROBS || item.role == ROLE_NONE ||
        item.text.len == 0 || (g->off && item.turn && g->off[item.turn]))
        return 0;
    return add(g, &item, p);
}

static int gather(struct exchange *x, struct span body, const bool *off)
{
    struct opinions *o = x->opinions;
    struct gathering g = {.o = o,
                          .x = x,
                          .sha = sha256_new(),
                          .walk = {.judge = x->prompt, .body = body},
                          .off = off};
    struct dialect_request again;
    struct dialect_error error;
    struct arena scratch;
    if (!g.sha)
        return -ENOMEM;
    arena_init(&scratch, 64u << 20);
    buf_clear(&o->prompt);
    buf_clear(&o->utterances);
    int r = x->dialect->read_request(x->gate->walk, body, &scratch, &again, &error, see_item, &g);
    if (r == 0)
        r = close_utterance(&g);
    sha256_free(g.sha);
    arena_deinit(&scratch);
    return r;
}

/* --- what was refused before --- */

static bool is_fixed(const struct utterance *u)
{
    return u->first == 0 || u->role == ROLE_SYSTEM || u->role == ROLE_DEVELOPER;
}

bool conversation_is_said(const struct opinions *o, const struct utterance *u)
{
    return u->role == ROLE_USER && (u->first == 0 || u->last >= o->last_user);
}

bool conversation_code(struct exchange *x, const struct utterance *u, struct span by,
                       unsigned char ret_code[AUDIT_OFFENCE_SIZE])
{
    struct span rule = arena_printf(&x->arena, "opinion/%.*s", SPAN_ARG(by));
    struct audit_offence_key key = {
        .app = x->who.app->name,
        .end_user = record_end_user(x),
        .role = span_str(role_name(u->role)),
        .rule = rule,
        .text = span_from((const char *)u->digest, sizeof(u->digest)),
    };
    return !is_fixed(u) && x->gate->audit && !x->prompt->observe && rule.data &&
           audit_offence_code(x->gate->audit, &key, ret_code) == 0;
}

/* A text of an earlier turn: was it refused for an opinion? */
static int recall_one(struct exchange *x, const struct utterance *u)
{
    struct opinions *o = x->opinions;
    unsigned char code[AUDIT_OFFENCE_SIZE];
    for (unsigned i = 0; i < o->count; i++) {
        const struct inquiry *in = &o->inquiries[i];
        if (in->direction != DIRECTION_PROMPT || !conversation_code(x, u, in->source->name, code))
            continue;
        enum audit_memory memory = audit_recall(x->gate->audit, code);
        if (memory == AUDIT_UNKNOWN)
            continue;
        struct history_opinion h = {.role = u->role,
                                    .first = u->first,
                                    .last = u->last,
                                    .action = ACTION_BLOCK,
                                    .code = code,
                                    .memory = memory};
        int offence = history_note_opinion(x->prompt, &h);
        struct span text = conversation_text(o, u);
        struct judge_opinion said = {
            .by = in->source->name,
            .risk = ruleset_find_risk(snapshot_rules(x->snapshot), in->source->risk),
            .action = ACTION_BLOCK,
            .role = u->role,
            .path = u->path,
            .text = text,
            .end = text.len,
            .offence = offence > 0 ? (uint32_t)offence : 0,
            .old = true};
        int r = offence < 0 ? offence : said.risk ? judge_opinion(x->prompt, &said) : 0;
        return r < 0 ? r : 0;
    }
    return 0;
}

int opinion_recall(struct exchange *x, struct span body)
{
    if (!opinion_wanted(x))
        return 0;
    x->opinions = opinions_new(x);
    if (!x->opinions)
        return -ENOMEM;
    struct opinions *o = x->opinions;
    opinion_activate(x, DIRECTION_PROMPT, x->prompt->asks);
    opinion_activate(x, DIRECTION_COMPLETION, 0);
    int r = gather(x, body, NULL);
    for (size_t i = 0; r == 0 && i < conversation_count(o); i++)
        if (conversation_at(o, i)->last < o->last_user)
            r = recall_one(x, conversation_at(o, i));
    return r;
}

int opinion_omit(struct exchange *x, struct span body)
{
    const bool *off = x->prompt->history.off;
    return x->opinions && off ? gather(x, body, off) : 0;
}

/* --- questions --- */

/* Where the last question begins: the user's last words, or all that is no conversation. */
static size_t last_question(const struct opinions *o)
{
    size_t i = conversation_count(o);
    while (i > 0 && conversation_at(o, i - 1)->role != ROLE_USER)
        i--;
    return i > 0 ? i - 1 : 0;
}

/* Is it asked about? */
static bool concerns(const struct opinions *o, const struct inquiry *in, size_t i)
{
    const struct utterance *u = conversation_at(o, i);
    return in->conversation ||
           (i >= last_question(o) && (u->role == ROLE_USER || u->role == ROLE_TOOL));
}

static bool is_assistant(const struct utterance *u)
{
    return u->role == ROLE_ASSISTANT;
}

/* The end of what was said before, `max` bytes of it at most; never from within a character. */
static size_t tail_from(const struct opinions *o, size_t begin, size_t end, size_t max)
{
    size_t from = end - begin > max ? end - max : begin;
    while (from < end && ((unsigned char)o->prompt.data[from] & 0xC0) == 0x80)
        from++;
    return from;
}

void conversation_context(const struct exchange *x, const struct inquiry *in, size_t about,
                          struct opinion_turn *turns, struct opinion_question *q)
{
    const struct opinions *o = x->opinions;
    bool answer = about == CONVERSATION_ANSWER;
    size_t count = answer ? conversation_count(o) : about;
    size_t begin = in->conversation ? 0 : last_question(o);
    if (begin >= count)
        return;
    size_t end = conversation_at(o, count - 1)->to;
    size_t max = in->source->text_bytes;
    if (!opinion_adapter(in->source)->converses) {
        /* Of a prompt each text stands for itself, so that it is asked about once only. */
        size_t from = tail_from(o, conversation_at(o, last_question(o))->from, end, max);
        if (answer)
            q->prompt = span_slice(buf_span(&o->prompt), from, end);
        return;
    }
    bool assistant = answer || is_assistant(conversation_at(o, about));
    while (count > begin && is_assistant(conversation_at(o, count - 1)) == assistant)
        count--; /* in a row: each is judged for itself */
    if (count == begin)
        return;
    end = conversation_at(o, count - 1)->to;
    size_t from = tail_from(o, conversation_at(o, begin)->from, end, max), at = OPINION_TURNS_MAX;
    /* From the last one back; one that does not fit as a whole shows its end. */
    for (size_t i = count; i > begin && conversation_at(o, i - 1)->to > from;) {
        bool side = is_assistant(conversation_at(o, i - 1));
        size_t to = conversation_at(o, i - 1)->to, first = to;
        for (; i > begin && is_assistant(conversation_at(o, i - 1)) == side &&
               conversation_at(o, i - 1)->to > from;
             i--)
            first = conversation_at(o, i - 1)->from;
        if (at == 0)
            break;
        turns[--at] = (struct opinion_turn){
            side, span_slice(buf_span(&o->prompt), first > from ? first : from, to)};
    }
    if (turns[at].assistant)
        at++;
    q->turns = turns + at;
    q->turn_count = OPINION_TURNS_MAX - at;
}

int opinion_begin(struct exchange *x)
{
    struct opinions *o = x->opinions;
    int r = 0;
    for (unsigned i = 0; o && r == 0 && i < o->count; i++) {
        const struct inquiry *in = &o->inquiries[i];
        if (!in->active || in->direction != DIRECTION_PROMPT)
            continue;
        for (size_t k = 0; r == 0 && k < conversation_count(o); k++) {
            const struct utterance *u = conversation_at(o, k);
            if (concerns(o, in, k))
                r = pieces_add(x, i, k, conversation_text(o, u), u->path, u->role);
        }
        if (r == 0)
            r = pieces_bound(x, i);
    }
    if (r == 0 && o)
        r = pieces_go_on(x);
    return r < 0 ? r : o && (x->prompt->refused || o->refused);
}
