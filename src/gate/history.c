#include "gate/history.h"

#include "gate/exchange.h"

#include <errno.h>
#include <stdlib.h>

void history_init(struct history *h)
{
    *h = (struct history){.turns = BUF_INIT(SIZE_MAX / 4)}; /* as many as the body has nodes */
}

void history_deinit(struct history *h)
{
    free(h->list);
    free(h->off);
    buf_deinit(&h->turns);
}

static int add(struct history *h, const struct offence *o)
{
    if (h->count == HISTORY_OFFENCES_MAX) {
        h->full = true;
        return 0;
    }
    if (!h->list) {
        h->list = calloc(HISTORY_OFFENCES_MAX, sizeof(*h->list));
        if (!h->list)
            return -ENOMEM;
    }
    h->list[h->count++] = *o;
    return (int)h->count;
}

int history_note(struct judge *j, struct channel *c, const struct hit *hit, enum action action)
{
    struct history *h = &j->history;
    struct offence o = {.channel = c, .hit = *hit, .action = action};
    uint64_t ignored;
    o.item = channel_item(c, hit->start, &o.from, &o.to);
    o.last_item =
        channel_item(c, hit->end > hit->start ? hit->end - 1 : hit->start, &ignored, &o.to);
    for (size_t i = 0; i < h->count; i++) {
        const struct offence *known = &h->list[i];
        if (known->channel == c && known->hit.rule == hit->rule && known->item == o.item &&
            known->last_item == o.last_item)
            return (int)i + 1;
    }
    return add(h, &o);
}

int history_note_opinion(struct judge *j, const struct history_opinion *said)
{
    struct offence o = {.hit = {.rule = UINT32_MAX},
                        .action = said->action,
                        .role = said->role,
                        .first = said->first,
                        .last = said->last,
                        .coded = said->code != NULL,
                        .opinion = true,
                        .memory = said->memory};
    if (said->code)
        memcpy(o.code, said->code, sizeof(o.code));
    j->history.unrecorded = true;
    return add(&j->history, &o);
}

void history_place(struct judge *j, const struct text_item *item, const struct piece *p)
{
    for (size_t i = 0; i < j->history.count; i++) {
        struct offence *o = &j->history.list[i];
        if (o->opinion || o->channel != p->channel)
            continue;
        if (o->from == p->start) {
            o->path = arena_copy(j->arena, item->path);
            o->role = item->role;
            o->first = item->turn;
        }
        if (o->to == p->end)
            o->last = item->turn;
    }
}

/* --- old or new --- */

static const struct dialect_turn *turn_at(const struct history *h, size_t number)
{
    return (const struct dialect_turn *)(const void *)h->turns.data + (number - 1);
}

static size_t turn_count(const struct history *h)
{
    return h->turns.len / sizeof(struct dialect_turn);
}

/* Instructions of the app, which a conversation can't do without. */
static bool is_fixed(enum role role)
{
    return role == ROLE_SYSTEM || role == ROLE_DEVELOPER;
}

/* The number of the last user turn; 0: there is none. */
static size_t last_user(const struct history *h)
{
    size_t t = turn_count(h);
    while (t > 0 && turn_at(h, t)->role != ROLE_USER)
        t--;
    return t;
}

/* Does it stand wholly in turns that may be taken away? */
static bool is_earlier(const struct history *h, const struct offence *o, size_t last)
{
    if (o->first == 0 || o->first > o->last || o->last >= last)
        return false;
    for (size_t t = o->first; t <= o->last; t++)
        if (is_fixed(turn_at(h, t)->role))
            return false;
    return true;
}

/* A long text may hold many offences: it is read once for all of them. */
static int digest(const struct history *h, struct offence *o)
{
    for (const struct offence *known = h->list; known < o; known++)
        if (known->coded && !known->opinion && known->channel == o->channel &&
            known->from == o->from && known->to == o->to) {
            memcpy(o->digest, known->digest, sizeof(o->digest));
            return 0;
        }
    struct sha256 *s = sha256_new();
    int r = s ? sha256_begin(s) : -ENOMEM;
    /* Each item for itself: two texts in a row that are parted elsewhere are other turns. */
    for (uint64_t at = o->from; r == 0 && at < o->to;) {
        uint64_t start, end;
        unsigned char len[8];
        channel_item(o->channel, at, &start, &end);
        for (int i = 0; i < 8; i++)
            len[i] = (unsigned char)((end - start) >> 8 * i);
        r = sha256_add(s, span_from((const char *)len, sizeof(len)));
        if (r == 0)
            r = sha256_add(s, channel_text(o->channel, start, end));
        at = end;
    }
    if (r == 0)
        r = sha256_end(s, o->digest);
    sha256_free(s);
    return r;
}

static void recall(struct exchange *x, struct offence *o, size_t last)
{
    const struct judge *j = x->prompt;
    if (o->first == 0 || is_fixed(o->role) || !x->gate->audit)
        return; /* can never be old */
    if (digest(&j->history, o) < 0)
        return;
    struct audit_offence_key key = {
        .app = x->who.app->name,
        .end_user = record_end_user(x),
        .role = span_str(role_name(o->role)),
        .rule = ruleset_rule(j->rules, o->hit.rule)->id,
        .text = span_from((const char *)o->digest, sizeof(o->digest)),
    };
    o->coded = audit_offence_code(x->gate->audit, &key, o->code) == 0;
    if (o->coded && is_earlier(&j->history, o, last))
        o->memory = audit_recall(x->gate->audit, o->code);
}

/* Which findings are told, and which of them decides. */
static void sort_findings(struct judge *j, bool old_decides)
{
    struct history *h = &j->history;
    bool seen[HISTORY_OFFENCES_MAX] = {false}, decided = false;
    for (size_t i = 0; i < j->finding_count; i++) {
        struct finding *f = &j->findings[i];
        if (f->offence == 0)
            continue;
        const struct offence *o = &h->list[f->offence - 1];
        f->record.old = o->memory != AUDIT_UNKNOWN;
        bool decides = j->refused && f->record.old == old_decides;
        if (f->record.old && (seen[f->offence - 1] || (o->memory == AUDIT_TOLD && !decides)))
            f->recorded = true; /* it is on record already */
        seen[f->offence - 1] = true;
        if (decides && !decided) {
            decided = true;
            j->decisive = (uint32_t)i;
        }
    }
    for (size_t i = 0; j->refused && !decided && i < h->count; i++)
        if ((h->list[i].memory != AUDIT_UNKNOWN) == old_decides && !h->list[i].opinion) {
            decided = true;
            judge_put_decisive(j, &h->list[i]);
        }
}

/* Marks the turns that are kept from the model. */
static void take_away(struct history *h)
{
    size_t count = turn_count(h);
    h->off = calloc(count + 1, sizeof(*h->off));
    if (!h->off)
        return;
    for (size_t i = 0; i < h->count; i++)
        for (size_t t = h->list[i].first; t <= h->list[i].last; t++)
            h->off[t] = true;
    /* What stands between two user turns is one answer, calls and results of tools included: a
     * call without its result, or a result without its call, is an error to most upstreams. */
    for (size_t t = 1; t <= count;) {
        size_t end = t + 1;
        bool any = h->off[t];
        for (; end <= count && turn_at(h, end)->role != ROLE_USER; end++)
            any = any || h->off[end];
        bool user = turn_at(h, t)->role == ROLE_USER;
        for (size_t k = user ? t + 1 : t; any && k < end; k++)
            h->off[k] = !is_fixed(turn_at(h, k)->role);
        t = end;
    }
    for (size_t t = 1; t <= count; t++)
        h->off_count += h->off[t];
}

/*
 * Did the user just say it? Not what an app puts around it, nor what was said before and is only
 * unknown here: forgotten, or of another gateway. Where requests are no conversation, all is said.
 */
static bool is_said(const struct history *h, const struct offence *o, size_t last)
{
    if (turn_count(h) == 0)
        return !is_fixed(o->role);
    return o->role == ROLE_USER && last && o->last >= last;
}

void history_settle(struct exchange *x, struct span body)
{
    struct judge *j = x->prompt;
    struct history *h = &j->history;
    if (h->count == 0)
        return;
    size_t last = 0;
    if (x->dialect->read_turns && x->dialect->read_turns(x->gate->walk, body, &h->turns) == 0)
        last = last_user(h);
    size_t fresh = 0;
    for (size_t i = 0; i < h->count; i++) {
        if (!h->list[i].opinion)
            recall(x, &h->list[i], last);
        fresh += h->list[i].memory == AUDIT_UNKNOWN;
        h->said = h->said || (h->list[i].memory == AUDIT_UNKNOWN && is_said(h, &h->list[i], last));
    }
    h->unrecorded = true;
    j->refused = fresh > 0 || h->full || x->who.app->policy.refuse_history;
    if (!j->refused)
        take_away(h);
    if (!j->refused && !h->off)
        j->refused = true;
    if (!j->refused)
        j->finding_left -= h->left; /* old, all of them */
    h->only_old = j->refused && fresh == 0;
    j->action = j->mild;
    for (size_t i = 0; j->refused && i < h->count; i++)
        if ((h->list[i].memory == AUDIT_UNKNOWN) != h->only_old && h->list[i].action > j->action)
            j->action = h->list[i].action;
    sort_findings(j, h->only_old);
}

/* --- what the model gets instead --- */

size_t history_splices(const struct history *h)
{
    return h->off_count;
}

static int write_notice(struct exchange *x, enum role role, struct span *ret_text)
{
    struct buf b = BUF_INIT(4096);
    int r = x->dialect->write_turn(role, cause_notice(x->who.app->policy.language), &b);
    *ret_text = r == 0 ? arena_copy(&x->arena, buf_span(&b)) : SPAN_NULL;
    buf_deinit(&b);
    return r == 0 && !ret_text->data ? -ENOMEM : r;
}

int history_rewrite(struct exchange *x, struct span body, struct splice *list, size_t max,
                    size_t *count)
{
    const struct history *h = &x->prompt->history;
    struct span user, answer;
    if (h->off_count == 0)
        return 0;
    int r = write_notice(x, ROLE_USER, &user);
    if (r == 0)
        r = write_notice(x, ROLE_ASSISTANT, &answer);
    bool answered = false; /* the notice of this answer has been written */
    for (size_t t = 1; r == 0 && t <= turn_count(h); t++) {
        const struct dialect_turn *turn = turn_at(h, t);
        answered = answered && turn->role != ROLE_USER;
        if (!h->off[t])
            continue;
        if (turn->role == ROLE_USER || !answered)
            r = splice_add(body, span_slice(body, turn->from, turn->to),
                           turn->role == ROLE_USER ? user : answer, list, max, count);
        else /* with the comma before it */
            r = splice_add(body, span_slice(body, turn_at(h, t - 1)->to, turn->to), SPAN_NULL, list,
                           max, count);
        answered = answered || turn->role != ROLE_USER;
    }
    return r;
}

size_t history_remember(const struct judge *j, struct audit_offence *ret_list)
{
    const struct history *h = &j->history;
    size_t n = 0;
    for (size_t i = 0; i < h->count; i++) {
        const struct offence *o = &h->list[i];
        if (!o->coded || o->memory == AUDIT_TOLD)
            continue;
        memcpy(ret_list[n].code, o->code, sizeof(o->code));
        ret_list[n++].told = o->memory == AUDIT_REMEMBERED;
    }
    return n;
}
