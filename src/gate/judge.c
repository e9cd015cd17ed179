#include "gate/judge.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "policy/label.h"

#include <errno.h>
#include <stdlib.h>

static int see_hit(void *ctx, struct channel *channel, const struct hit *hit);

struct judge *judge_new(struct arena *arena, const struct ruleset *rules,
                        const struct policy *policy, bool observe, enum direction direction,
                        bool whole, bool stop)
{
    struct judge *j = calloc(1, sizeof(*j));
    if (!j)
        return NULL;
    *j = (struct judge){
        .arena = arena,
        .rules = rules,
        .policy = policy,
        .direction = direction,
        .observe = observe,
        .stop = stop,
        .whole = whole,
        .scanner = scanner_new(ruleset_matchset(rules), direction, whole, see_hit, j),
    };
    if (!j->scanner) {
        free(j);
        return NULL;
    }
    history_init(&j->history);
    return j;
}

void judge_free(struct judge *j)
{
    if (!j)
        return;
    scanner_free(j->scanner);
    free(j->findings);
    free(j->pieces);
    history_deinit(&j->history);
    free(j);
}

static bool is_personal(const struct rule *rule)
{
    return span_starts(rule->risk->id, SPAN_LIT("pii-"));
}

/* Does another finding, or this one, hold personal data at that place? */
static bool is_personal_at(const struct judge *j, const struct channel *c, uint64_t at)
{
    for (size_t i = 0; i < j->finding_count; i++) {
        const struct finding *f = &j->findings[i];
        if (f->channel == c && at >= f->hit.start && at < f->hit.end &&
            is_personal(ruleset_rule(j->rules, f->hit.rule)))
            return true;
    }
    return false;
}

/*
 * Personal data around a finding that are no findings themselves: judging may have stopped at a
 * decisive hit before it came to them, or the list of findings is full. So the text that enters the
 * record is read once more.
 */
struct personal {
    const struct ruleset *rules;
    struct mask at[JUDGE_FINDINGS_MAX]; /* offsets into the text */
    size_t count;
};

/* How far behind the text that is shown one reads on: a number may be cut by its edge, bytes. */
#define PERSONAL_BEYOND 256

static int see_personal(void *ctx, const struct hit *hit)
{
    struct personal *p = ctx;
    if (!is_personal(ruleset_rule(p->rules, hit->rule)))
        return 0;
    p->at[p->count++] = (struct mask){hit->start, hit->end};
    if (p->count < JUDGE_FINDINGS_MAX)
        return 0;
    p->at[p->count - 1].end = UINT64_MAX; /* more than can be told apart */
    return 1;
}

/* What can't be read is personal from beginning to end. */
static void find_personal(const struct judge *j, struct span text, struct personal *ret_personal)
{
    struct personal *p = ret_personal;
    *p = (struct personal){.rules = j->rules};
    struct cursor *c = cursor_new(ruleset_matchset(j->rules), DIRECTION_BOTH);
    int r = c ? cursor_feed(c, text, see_personal, p) : -ENOMEM;
    if (r == 0)
        r = cursor_finish(c, see_personal, p);
    cursor_free(c);
    if (r < 0) {
        p->at[0] = (struct mask){0, UINT64_MAX};
        p->count = 1;
    }
}

static bool personal_has(const struct personal *p, uint64_t at)
{
    for (size_t i = 0; i < p->count; i++)
        if (at >= p->at[i].start && at < p->at[i].end)
            return true;
    return false;
}

/*
 * The channel's text from..to, with one '*' for each code point of personal data, which does not
 * enter the record. *ret_start and *ret_end: where the finding stands in it.
 */
static struct span without_personal(struct judge *j, const struct finding *f, uint64_t from,
                                    uint64_t to, size_t *ret_start, size_t *ret_end)
{
    const struct channel *c = f->channel;
    struct span text = channel_text(c, from, to);
    struct personal beside;
    find_personal(
        j, channel_text(c, from, to + PERSONAL_BEYOND < c->fed ? to + PERSONAL_BEYOND : c->fed),
        &beside);
    char *copy = arena_alloc(j->arena, text.len + 1);
    size_t out = 0;
    *ret_start = *ret_end = 0;
    if (!copy)
        return SPAN_NULL;
    for (size_t i = 0; i < text.len;) {
        size_t next = i + 1;
        while (next < text.len && ((unsigned char)text.data[next] & 0xC0) == 0x80)
            next++;
        if (from + i == f->hit.start)
            *ret_start = out;
        if (is_personal_at(j, c, from + i) || personal_has(&beside, i)) {
            copy[out++] = '*';
        } else {
            memcpy(copy + out, text.data + i, next - i);
            out += next - i;
        }
        i = next;
        if (from + i == f->hit.end)
            *ret_end = out;
    }
    return span_from(copy, out);
}

static void describe(struct judge *j, struct finding *f)
{
    struct channel *c = f->channel;
    struct audit_hit *r = &f->record;
    struct span all = buf_span(&c->text);
    uint64_t from = f->hit.start > CHANNEL_CONTEXT ? f->hit.start - CHANNEL_CONTEXT : 0;
    from = from < c->base ? c->base : from;
    uint64_t to = f->hit.end + CHANNEL_CONTEXT < c->fed ? f->hit.end + CHANNEL_CONTEXT : c->fed;
    /* Never cut a character at the edges of the context. */
    from = c->base + utf8_floor(all, (size_t)(from - c->base));
    to = c->base + utf8_floor(all, (size_t)(to - c->base));
    r->context = without_personal(j, f, from, to < f->hit.end ? f->hit.end : to, &r->context_start,
                                  &r->context_end);
    r->text = span_slice(r->context, r->context_start, r->context_end);
    struct buf folded = BUF_INIT(4096);
    if (!is_personal(ruleset_rule(j->rules, f->hit.rule)) && match_fold(r->text, &folded) == 0)
        r->folded = arena_copy(j->arena, buf_span(&folded));
    buf_deinit(&folded);
    c->pinned = false;
    f->described = true;
}

void judge_describe(struct judge *j)
{
    for (size_t i = 0; i < j->finding_count; i++)
        if (!j->findings[i].described)
            describe(j, &j->findings[i]);
}

/* Room for one finding: 1 and it, 0 when it is only counted, -ENOMEM. */
static int take_finding(struct judge *j, enum action action, bool offends,
                        struct finding **ret_finding)
{
    bool full = j->finding_count == JUDGE_FINDINGS_MAX;
    if (full && !j->whole && !j->unrecorded && !j->refused) {
        j->finding_count = 0; /* on record, and a stream needs them no more */
        full = false;
    }
    j->unrecorded = true;
    if (full) {
        j->finding_left++;
        if (action < ACTION_ANSWER || j->refused) {
            j->history.left += offends;
            return 0;
        }
        j->finding_count--; /* the one that decides must be on record */
    }
    if (!j->findings) {
        j->findings = calloc(JUDGE_FINDINGS_MAX, sizeof(*j->findings));
        if (!j->findings)
            return -ENOMEM;
    }
    *ret_finding = &j->findings[j->finding_count++];
    return 1;
}

static int add_finding(struct judge *j, struct channel *channel, const struct hit *hit,
                       const struct rule *rule, enum action action, bool observed, uint32_t offence)
{
    struct finding *f;
    int r = take_finding(j, action, offence > 0, &f);
    if (r <= 0)
        return r;
    *f = (struct finding){.channel = channel, .hit = *hit, .risk = rule->risk, .offence = offence};
    channel->pinned = true; /* its text is described when all findings of this moment are known */
    f->record = (struct audit_hit){
        .direction = j->direction,
        .role = channel->role,
        .action = action,
        .observed = observed,
        .risk = rule->risk->id,
        .rule = rule->id,
        .layers = hit->layers,
        .start = hit->start,
        .end = hit->end,
    };
    if (!j->whole && j->current)
        f->record.path = arena_copy(j->arena, j->current->path);
    else if (!j->whole)
        f->record.path =
            arena_printf(j->arena, "choices[%u].%s", channel->choice, field_name(channel->field));
    return 0;
}

void judge_put_decisive(struct judge *j, const struct offence *o)
{
    uint32_t number = (uint32_t)(o - j->history.list) + 1;
    /* The list is full, or it would be there; a hit of its own was counted as left out. */
    j->finding_count--;
    if (add_finding(j, o->channel, &o->hit, ruleset_rule(j->rules, o->hit.rule), o->action, false,
                    number) < 0)
        return;
    j->decisive = (uint32_t)(j->finding_count - 1);
    struct finding *f = &j->findings[j->decisive];
    f->record.path = o->path;
    f->record.role = o->role;
    f->record.old = o->memory != AUDIT_UNKNOWN;
}

struct span judge_clean(struct judge *j, struct span text)
{
    struct personal personal;
    char *copy = arena_alloc(j->arena, text.len + 1);
    size_t out = 0;
    if (!copy)
        return SPAN_NULL;
    find_personal(j, text, &personal);
    for (size_t i = 0; i < text.len;) {
        size_t next = i + 1;
        while (next < text.len && ((unsigned char)text.data[next] & 0xC0) == 0x80)
            next++;
        if (personal_has(&personal, i)) {
            copy[out++] = '*';
        } else {
            memcpy(copy + out, text.data + i, next - i);
            out += next - i;
        }
        i = next;
    }
    return span_from(copy, out);
}

int judge_opinion(struct judge *j, const struct judge_opinion *o)
{
    bool observed = o->action > ACTION_FLAG &&
                    (j->observe || policy_observes_risk(j->policy, o->risk, clock_wall_s()));
    enum action done = observed ? ACTION_FLAG : o->action;
    struct finding *f;
    int r = take_finding(j, done, o->offence > 0, &f);
    if (r < 0)
        return r;
    if (r > 0) {
        struct span kept =
            span_slice(o->text, 0, utf8_floor(o->text, o->text.len < 1024 ? o->text.len : 1024));
        size_t most = o->text.len < j->originals ? o->text.len : j->originals;
        *f = (struct finding){
            .hit = {.rule = UINT32_MAX, .start = o->start, .end = o->end},
            .risk = o->risk,
            .offence = o->offence,
            .original = arena_copy(j->arena, span_slice(o->text, 0, utf8_floor(o->text, most))),
            .described = true};
        f->record = (struct audit_hit){
            .direction = j->direction,
            .role = o->role,
            .action = o->action,
            .observed = observed,
            .risk = o->risk->id,
            .rule = arena_printf(j->arena, "opinion/%.*s", SPAN_ARG(o->by)),
            .path = arena_copy(j->arena, o->path),
            .text = judge_clean(j, kept),
            .start = o->start,
            .end = o->end,
            .old = o->old,
        };
        f->record.context = f->record.text;
        f->record.context_end = f->record.text.len;
    }
    if (done < ACTION_ANSWER && done > j->mild)
        j->mild = done;
    if (done > j->action)
        j->action = done;
    if (done < ACTION_ANSWER)
        return 0;
    if (!j->refused) {
        j->refused = true;
        j->decisive = (uint32_t)(j->finding_count - 1);
    }
    return 1;
}

/* What the rule's action becomes where it can't be done, or must not be. */
static enum action effective(const struct judge *j, const struct channel *c, enum action action,
                             bool observed)
{
    if (observed)
        return action > ACTION_FLAG ? ACTION_FLAG : action;
    if (action == ACTION_MASK && (c->field == FIELD_ARGUMENTS ||
                                  (c->field == FIELD_OTHER && j->current && !j->current->maskable)))
        return ACTION_BLOCK;
    return action;
}

static int see_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct judge *j = ctx;
    const struct rule *rule = ruleset_rule(j->rules, hit->rule);
    int64_t now = clock_wall_s();
    enum action decided = policy_decide(j->policy, hit->rule, j->direction, now);
    if (decided == ACTION_ALLOW)
        return 0;
    j->asks |= policy_asks(j->policy, hit->rule, j->direction);
    bool observed =
        decided > ACTION_FLAG && (j->observe || policy_observes(j->policy, hit->rule, now));
    enum action done = effective(j, channel, decided, observed);
    int offence = 0;
    if (done >= ACTION_ANSWER && j->direction == DIRECTION_PROMPT && j->whole)
        offence = history_note(j, channel, hit, done);
    if (offence < 0)
        return offence;
    /* The record tells what would have been done, also where it was only observed. */
    int r =
        add_finding(j, channel, hit, rule, observed ? decided : done, observed, (uint32_t)offence);
    if (r < 0)
        return r;
    if (done < ACTION_ANSWER && done > j->mild)
        j->mild = done;
    if (done > j->action)
        j->action = done;
    if (done == ACTION_MASK) {
        j->masked = true;
        return channel_mask(channel, hit->start, hit->end);
    }
    if (done < ACTION_ANSWER)
        return 0;
    if (!j->refused) {
        j->refused = true;
        j->decisive = (uint32_t)(j->finding_count - 1);
    }
    return j->stop ? 1 : 0;
}

static int keep_piece(struct judge *j, const struct piece *p)
{
    if (j->piece_count == j->piece_cap) {
        size_t cap = j->piece_cap ? j->piece_cap * 2 : 16;
        struct piece *pieces = realloc(j->pieces, cap * sizeof(*pieces));
        if (!pieces)
            return -ENOMEM;
        j->pieces = pieces;
        j->piece_cap = cap;
    }
    j->pieces[j->piece_count++] = *p;
    return 0;
}

int judge_piece(struct judge *j, const struct text_item *item, struct piece *ret_piece)
{
    j->current = item;
    int r = scanner_feed(j->scanner, item, ret_piece);
    j->current = NULL;
    ret_piece->item = j->item++;
    return r;
}

/* The text as it is judged: our own label, coming back in an assistant's turn, is no part of it. */
static struct text_item judged(const struct judge *j, const struct text_item *item)
{
    struct text_item less = *item;
    size_t from, to;
    if (!j->labels || item->role != ROLE_ASSISTANT || item->field != FIELD_CONTENT ||
        !label_find(j->labels, item->text, &from, &to) || from >= to)
        return less;
    less.text = span_slice(item->text, from, to);
    less.raw = span_slice(item->raw, json_raw_offset(item->raw, from), item->raw.len);
    return less;
}

int judge_item(void *ctx, const struct text_item *item)
{
    struct judge *j = ctx;
    struct text_item text = judged(j, item);
    struct piece p;
    int r = judge_piece(j, &text, &p);
    if (r >= 0 && p.channel) {
        int kept = keep_piece(j, &p);
        if (kept < 0)
            return kept;
    }
    return r;
}

void judge_close(struct judge *j)
{
    if (!j->scanner)
        return;
    j->bytes = scanner_bytes(j->scanner);
    scanner_free(j->scanner);
    j->scanner = NULL;
    for (size_t i = 0; i < j->finding_count; i++)
        j->findings[i].channel = NULL;
    free(j->pieces);
    j->pieces = NULL;
    j->piece_count = j->piece_cap = 0;
    history_deinit(&j->history);
    history_init(&j->history);
}

uint64_t judge_bytes(const struct judge *j)
{
    return j->scanner ? scanner_bytes(j->scanner) : j->bytes;
}

int judge_finish(struct judge *j, int64_t choice)
{
    return scanner_finish(j->scanner, choice);
}

/* --- the second walk --- */

size_t judge_splices(const struct judge *j)
{
    size_t n = 0;
    for (const struct channel *c = scanner_channels(j->scanner); c; c = channel_next(c))
        if (c->mask_count)
            n += c->mask_count * 2 + (size_t)(c->fed / 256) + j->piece_count;
    return n;
}

static int mask_piece(struct judge_walk *w, const struct text_item *item, const struct piece *p)
{
    const struct channel *c = p->channel;
    if (c->field == FIELD_LOGPROBS)
        return 0; /* goes as a whole, see strip_event() */
    for (size_t i = 0; i < c->mask_count; i++) {
        uint64_t from = c->masks[i].start > p->start ? c->masks[i].start : p->start;
        uint64_t to = c->masks[i].end < p->end ? c->masks[i].end : p->end;
        if (from >= to)
            continue;
        int r = splice_mask(w->body, item, (size_t)(from - p->start), (size_t)(to - p->start),
                            w->splices, w->max, &w->count);
        if (r < 0)
            return r;
    }
    return 0;
}

const struct piece *judge_follow(struct judge_walk *w, const struct text_item *item,
                                 struct text_item *ret_text)
{
    const struct judge *j = w->judge;
    const struct piece *p = NULL;
    uint32_t number = w->item++;
    *ret_text = judged(j, item);
    for (; w->piece < j->piece_count && j->pieces[w->piece].item <= number; w->piece++)
        p = j->pieces[w->piece].item == number ? &j->pieces[w->piece] : p;
    return p;
}

int judge_revisit(void *ctx, const struct text_item *item)
{
    struct judge_walk *w = ctx;
    struct judge *j = w->judge;
    struct text_item text = judged(j, item);
    uint32_t number = w->item++;
    item = &text;
    for (; w->piece < j->piece_count && j->pieces[w->piece].item == number; w->piece++) {
        const struct piece *p = &j->pieces[w->piece];
        history_place(j, item, p);
        for (size_t i = 0; i < j->finding_count; i++) {
            struct finding *f = &j->findings[i];
            if (f->channel == p->channel && f->hit.start >= p->start && f->hit.start < p->end) {
                f->record.path = arena_copy(j->arena, item->path);
                f->record.role = item->role;
            }
        }
        int r = w->splices ? mask_piece(w, item, p) : 0;
        if (r < 0)
            return r;
    }
    return 0;
}
