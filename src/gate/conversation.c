/*
 * A prompt as it is asked about: what is gathered of a request, and which of it was refused before.
 */
#include "gate/opinion.h"

#include <errno.h>

/* What is gathered of a body: the last question of the conversation, and what came before. */
struct gathering {
    struct exchange *x;
    struct opinions *o;
    bool recall; /* look whether earlier ones were refused */
    uint32_t turn;
    enum role role;
};

static int digest(const struct opinions *o, unsigned char ret_digest[SHA256_SIZE])
{
    return sha256_once(buf_span(&o->prompt), ret_digest);
}

/* A question of before, with its answer behind it: was it refused for an opinion? */
static int recall_one(struct exchange *x)
{
    struct opinions *o = x->opinions;
    unsigned char of[SHA256_SIZE], code[AUDIT_OFFENCE_SIZE];
    if (!x->gate->audit || o->first == 0 || x->prompt->observe || digest(o, of) < 0)
        return 0;
    for (unsigned i = 0; i < o->count; i++) {
        const struct inquiry *in = &o->inquiries[i];
        if (in->direction != DIRECTION_PROMPT)
            continue;
        struct span rule = arena_printf(&x->arena, "opinion/%.*s", SPAN_ARG(in->source->name));
        struct audit_offence_key key = {
            .app = x->who.app->name,
            .end_user = record_end_user(x),
            .role = span_str(role_name(ROLE_USER)),
            .rule = rule,
            .text = span_from((const char *)of, sizeof(of)),
        };
        if (!rule.data || audit_offence_code(x->gate->audit, &key, code) < 0)
            continue;
        enum audit_memory memory = audit_recall(x->gate->audit, code);
        if (memory == AUDIT_UNKNOWN)
            continue;
        int offence =
            history_note_opinion(x->prompt, o->first, o->last, ACTION_BLOCK, code, memory);
        struct judge_opinion said = {
            .by = in->source->name,
            .risk = ruleset_find_risk(snapshot_rules(x->snapshot), in->source->risk),
            .action = ACTION_BLOCK,
            .role = ROLE_USER,
            .path = o->path,
            .text = buf_span(&o->prompt),
            .end = o->prompt.len,
            .offence = offence > 0 ? (uint32_t)offence : 0,
            .old = true};
        int r = offence < 0 ? offence : said.risk ? judge_opinion(x->prompt, &said) : 0;
        return r < 0 ? r : 0;
    }
    return 0;
}

static int see_item(void *ctx, const struct text_item *item)
{
    struct gathering *g = ctx;
    struct opinions *o = g->o;
    int r = 0;
    if (item->turn && item->turn != g->turn) {
        if (item->role == ROLE_USER && g->role != ROLE_USER && o->prompt.len) {
            r = g->recall ? recall_one(g->x) : 0;
            buf_clear(&o->prompt);
            o->first = o->last = 0;
        }
        g->turn = item->turn;
        g->role = item->role;
    }
    if (r < 0 || item->field != FIELD_CONTENT || item->text.len == 0 ||
        (item->role != ROLE_USER && item->role != ROLE_TOOL))
        return r;
    if (item->role == ROLE_USER && item->turn) {
        o->first = o->first ? o->first : item->turn;
        o->last = item->turn;
    }
    if (o->prompt.len)
        r = buf_append_char(&o->prompt, '\n');
    else
        o->path = arena_copy(&g->x->arena, item->path);
    return r < 0 ? r : buf_append(&o->prompt, item->text);
}

static int gather(struct exchange *x, struct span body, bool recall)
{
    struct gathering g = {.x = x, .o = x->opinions, .recall = recall};
    struct dialect_request again;
    struct dialect_error error;
    struct arena scratch;
    arena_init(&scratch, 64u << 20);
    buf_clear(&g.o->prompt);
    g.o->first = g.o->last = 0;
    int r = x->dialect->read_request(x->gate->walk, body, &scratch, &again, &error, see_item, &g);
    arena_deinit(&scratch);
    return r;
}

int opinion_recall(struct exchange *x, struct span body)
{
    if (!opinion_wanted(x))
        return 0;
    x->opinions = opinions_new(x);
    if (!x->opinions)
        return -ENOMEM;
    opinion_activate(x, DIRECTION_PROMPT, x->prompt->asks);
    opinion_activate(x, DIRECTION_COMPLETION, 0);
    int r = gather(x, body, true);
    return r < 0 ? r : digest(x->opinions, x->opinions->digest);
}

int opinion_begin(struct exchange *x, struct span body)
{
    struct opinions *o = x->opinions;
    if (!o)
        return 0;
    int r = body.len ? gather(x, body, false) : 0;
    for (unsigned i = 0; r == 0 && i < o->count; i++)
        if (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_PROMPT)
            r = pieces_put(x, i, buf_span(&o->prompt), o->path, ROLE_USER);
    return r < 0 ? r : x->prompt->refused || o->refused;
}

struct span opinion_context(const struct exchange *x, const struct inquiry *in)
{
    struct span p = buf_span(&x->opinions->prompt);
    size_t max = in->source->text_bytes;
    if (p.len <= max)
        return p;
    size_t from = p.len - max;
    while (from < p.len && ((unsigned char)p.data[from] & 0xC0) == 0x80)
        from++;
    return span_slice(p, from, p.len);
}
