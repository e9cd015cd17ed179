#include "gate/opinion.h"

#include "base/clock.h"
#include "base/utf8.h"
#include "gate/relay.h"

#include <errno.h>
#include <stdlib.h>

/* Text of a question that its record may need. */
#define QUESTION_TEXT 1024

/* --- whom to ask --- */

/* A number that nobody outside can foresee; it need not be secret. */
static unsigned draw(const struct exchange *x, size_t row)
{
    uint64_t n = (x->gate->boot ^ x->id) + row * 0x9E3779B97F4A7C15u;
    n ^= n >> 30;
    n *= 0xBF58476D1CE4E5B9u;
    n ^= n >> 27;
    n *= 0x94D049BB133111EBu;
    return (unsigned)((n ^ n >> 31) % 100);
}

static struct opinions *opinions_new(struct exchange *x)
{
    const struct config_policy *p = &x->who.app->policy;
    struct opinions *o = calloc(1, sizeof(*o));
    if (o)
        o->inquiries = calloc(2 * p->asking_count, sizeof(*o->inquiries));
    if (!o || !o->inquiries) {
        free(o);
        return NULL;
    }
    list_init(&o->questions);
    list_init(&o->stretches);
    o->prompt.max = SIZE_MAX / 4; /* at most what the body holds */
    for (size_t i = 0; i < p->asking_count; i++)
        if (p->askings[i].when == ASK_SAMPLED && draw(x, i) < p->askings[i].share)
            o->sampled |= UINT32_C(1) << i;
    return o;
}

static struct inquiry *inquiry_of(struct opinions *o, const struct config_opinion *source,
                                  enum direction direction)
{
    for (unsigned i = 0; i < o->count; i++)
        if (o->inquiries[i].source == source && o->inquiries[i].direction == direction)
            return &o->inquiries[i];
    struct inquiry *in = &o->inquiries[o->count++];
    *in = (struct inquiry){
        .source = source, .direction = direction, .timeout_ms = source->timeout_ms};
    return in;
}

/* Which rows have somebody asked now, in that direction; `asks`: those that rules have triggered.
 */
void opinion_activate(struct exchange *x, enum direction direction, uint32_t asks)
{
    struct opinions *o = x->opinions;
    const struct config_policy *p = &x->who.app->policy;
    for (size_t i = 0; i < p->asking_count; i++) {
        const struct config_asking *a = &p->askings[i];
        if (!config_asks(a, direction))
            continue;
        struct inquiry *in = inquiry_of(o, a->source, direction);
        bool now = a->when == ASK_ALWAYS || ((a->when == ASK_SAMPLED ? o->sampled : asks) >> i & 1);
        if (!now || in->rows >> i & 1)
            continue;
        in->rows |= UINT32_C(1) << i;
        in->closed = in->closed || a->closed;
        in->active = true;
        if (a->release > in->release)
            in->release = a->release;
        if (a->timeout_ms && (!in->patient || a->timeout_ms < in->timeout_ms)) {
            in->timeout_ms = a->timeout_ms;
            in->patient = true;
        }
    }
}

/* --- what was said --- */

static void note(struct opinions *o, const struct audit_opinion *said)
{
    for (size_t i = 0; i < o->told_count; i++) {
        struct audit_opinion *t = &o->told[i];
        if (!span_eq(t->by, said->by) || t->direction != said->direction ||
            !span_eq(t->said, said->said) || !span_eq(t->failed, said->failed) ||
            t->cached != said->cached || t->action != said->action)
            continue;
        t->times++;
        t->us = said->us > t->us ? said->us : t->us;
        t->percent = said->percent > t->percent ? said->percent : t->percent;
        return;
    }
    /* So many different answers are not given in earnest; what objects is among the hits. */
    if (o->told_count == OPINION_TOLD_MAX)
        return;
    size_t at = o->told_count++;
    size_t len = said->said.len < OPINION_CATEGORY_MAX ? said->said.len : OPINION_CATEGORY_MAX;
    o->told[at] = *said;
    o->told[at].said = span_from(o->words[at], len);
    if (len)
        memcpy(o->words[at], said->said.data, len);
}

void opinion_tell(struct exchange *x, struct audit_event *e)
{
    struct opinions *o = x->opinions;
    if (!o || (e->kind != AUDIT_ACT && e->kind != AUDIT_CLOSE))
        return;
    e->opinions = o->told;
    e->opinion_count = o->told_count;
    o->told_count = 0; /* the list itself stays as it is until the next answer */
}

static struct judge *judge_of(const struct exchange *x, enum direction d)
{
    return d == DIRECTION_PROMPT ? x->prompt : x->completion;
}

/* That the prompt was refused is remembered, as a refusal by a rule is. */
static int remember(struct exchange *x, const struct inquiry *in, enum action action)
{
    struct opinions *o = x->opinions;
    struct judge *j = x->prompt;
    unsigned char code[AUDIT_OFFENCE_SIZE];
    if (o->first == 0 || !x->gate->audit || j->observe)
        return 0;
    struct span rule = arena_printf(&x->arena, "opinion/%.*s", SPAN_ARG(in->source->name));
    struct audit_offence_key key = {
        .app = x->who.app->name,
        .end_user = record_end_user(x),
        .role = span_str(role_name(ROLE_USER)),
        .rule = rule,
        .text = span_from((const char *)o->digest, sizeof(o->digest)),
    };
    bool coded = rule.data && audit_offence_code(x->gate->audit, &key, code) == 0;
    return history_note_opinion(j, o->first, o->last, action, coded ? code : NULL, AUDIT_UNKNOWN);
}

/* Looks at an answer; 1 when what it says forbids the text. */
static int weigh(struct exchange *x, const struct question *q, const struct inquiry *in,
                 struct audit_opinion *ret_said)
{
    const struct opinion_verdict *v = &q->answer.verdict;
    const struct policy *p = snapshot_policy(x->snapshot, x->who.app);
    const struct risk *worst_risk = NULL;
    const struct opinion_score *worst = NULL;
    enum action action = ACTION_ALLOW;
    for (size_t i = 0; i < v->count; i++) {
        const struct risk *risk;
        struct policy_said said = {.source = in->source,
                                   .rows = in->rows,
                                   .direction = in->direction,
                                   .category = span_str(v->scores[i].category),
                                   .percent = v->scores[i].percent};
        enum action a = policy_opinion(p, &said, &risk);
        if (worst && (a < action || (a == action && said.percent <= worst->percent)))
            continue;
        worst = &v->scores[i];
        worst_risk = risk;
        action = a;
    }
    ret_said->said = worst ? span_str(worst->category) : SPAN_LIT("safe");
    ret_said->percent = worst ? worst->percent : 0;
    ret_said->risk = worst_risk ? worst_risk->id : SPAN_NULL;
    ret_said->action = action;
    if (action == ACTION_ALLOW)
        return 0;
    struct judge *j = judge_of(x, in->direction);
    int offence = 0;
    if (in->direction == DIRECTION_PROMPT && action >= ACTION_ANSWER)
        offence = remember(x, in, action);
    if (offence < 0)
        return offence;
    struct judge_opinion o = {.by = in->source->name,
                              .risk = worst_risk,
                              .action = action,
                              .role = q->role,
                              .path = q->path,
                              .text = q->text,
                              .start = q->from,
                              .end = q->to,
                              .offence = (uint32_t)offence};
    int r = judge_opinion(j, &o);
    if (r > 0 && in->direction == DIRECTION_PROMPT)
        j->history.said = true; /* it is the last question that is asked about */
    ret_said->observed = r == 0 && action >= ACTION_ANSWER;
    return r;
}

/* A copy of it for the list: a stream asks too often for the exchange's arena. NULL: no memory. */
static struct question *question_new(struct exchange *x, unsigned inquiry,
                                     const struct question *about)
{
    size_t len = about->text.len < QUESTION_TEXT ? about->text.len : QUESTION_TEXT;
    len = utf8_floor(about->text, len);
    struct question *q = malloc(sizeof(*q) + len);
    if (!q)
        return NULL;
    *q = *about;
    q->x = x;
    q->inquiry = inquiry;
    q->ask = NULL;
    q->since_us = loop_now_us(x->gate->loop);
    if (len)
        memcpy(q->kept, about->text.data, len);
    q->text = span_from(q->kept, len);
    list_append(&x->opinions->questions, &q->link);
    return q;
}

static void drop(struct question *q)
{
    list_remove(&q->link);
    opinion_withdraw(q->ask);
    free(q);
}

/* The one place where an answer has consequences. */
static void settle(struct exchange *x, struct question *q)
{
    struct opinions *o = x->opinions;
    struct inquiry *in = &o->inquiries[q->inquiry];
    struct audit_opinion said = {.by = in->source->name,
                                 .direction = in->direction,
                                 .cached = q->answer.cached,
                                 .times = 1,
                                 .us = q->answer.us};
    int objects = 0;
    metrics_add(x->purpose.metrics, METRIC_OPINIONS, 1);
    if (q->answer.failure == OPINION_SAID) {
        in->failures = 0;
        objects = weigh(x, q, in, &said);
    }
    if (q->answer.failure != OPINION_SAID || objects < 0) {
        said.failed =
            objects < 0 ? SPAN_LIT("memory") : span_str(opinion_failure_name(q->answer.failure));
        metrics_add(x->purpose.metrics, METRIC_OPINIONS_FAILED, 1);
        if ((in->closed || objects < 0) && !exchange_observes(x)) {
            o->refused = true;
            o->unjudged = o->unjudged || in->direction == DIRECTION_PROMPT;
            exchange_post(x); /* it may have failed at once, within a step that goes on */
        } else if (++in->failures >= OPINION_PATIENCE)
            in->active = false; /* the local rules alone, for the rest of this exchange */
    }
    note(o, &said);
    if (q->stretch && !o->refused) /* else nothing more of it may pass */
        stretch_settled(x, q, objects > 0);
    if (objects > 0 && in->direction == DIRECTION_COMPLETION)
        o->objected = true;
    drop(q);
}

static void answered(void *ctx, const struct opinion_answer *answer)
{
    struct question *q = ctx;
    q->ask = NULL;
    q->answer = *answer;
    exchange_post(q->x);
}

int opinion_inquire(struct exchange *x, unsigned inquiry, const struct opinion_question *q,
                    const struct question *about)
{
    const struct inquiry *in = &x->opinions->inquiries[inquiry];
    struct question *new = question_new(x, inquiry, about);
    if (!new)
        return -ENOMEM;
    int r = opinion_ask(x->gate->desk, in->source, q, in->timeout_ms, answered, new, &new->ask,
                        &new->answer);
    if (r == 1)
        settle(x, new);
    return 0;
}

/* A whole text, in as many pieces as it takes. */
static int put_whole(struct exchange *x, unsigned inquiry, struct span text, struct span path,
                     enum role role)
{
    const struct inquiry *in = &x->opinions->inquiries[inquiry];
    size_t max = in->source->text_bytes;
    int r = 0;
    size_t from = 0;
    for (unsigned i = 0; r == 0 && from < text.len; i++) {
        size_t to = from + max < text.len ? utf8_floor(text, from + max) : text.len;
        struct question about = {
            .from = from, .to = to, .role = role, .path = path, .text = span_slice(text, from, to)};
        struct opinion_question q = {.direction = in->direction, .text = about.text};
        if (in->direction == DIRECTION_COMPLETION)
            q.prompt = opinion_context(x, in);
        if (i < OPINION_PIECES) {
            r = opinion_inquire(x, inquiry, &q, &about);
        } else { /* nobody asks so much: then it is not judged */
            struct question *late = question_new(x, inquiry, &about);
            if (!late)
                return -ENOMEM;
            late->answer = (struct opinion_answer){.failure = OPINION_TOO_LONG};
            settle(x, late);
            break;
        }
        /* What stands across the end of one piece is whole in the next. */
        from = to < text.len ? utf8_floor(text, to - max / 10) : to;
    }
    return r;
}

/* --- the prompt --- */

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
            r = put_whole(x, i, buf_span(&o->prompt), o->path, ROLE_USER);
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

/* --- an answer that is not streamed --- */

struct answer {
    struct buf texts[32]; /* by choice */
};

static int see_answer(void *ctx, const struct text_item *item)
{
    struct answer *a = ctx;
    if (item->field == FIELD_OTHER || item->field == FIELD_LOGPROBS || item->text.len == 0)
        return 0;
    if (item->choice >= sizeof(a->texts) / sizeof(*a->texts))
        return -EPROTO;
    struct buf *text = &a->texts[item->choice];
    text->max = SIZE_MAX / 4; /* the answer has its ceiling */
    int r = text->len ? buf_append_char(text, '\n') : 0;
    return r < 0 ? r : buf_append(text, item->text);
}

int opinion_answer(struct exchange *x)
{
    struct opinions *o = x->opinions;
    struct answer a = {0};
    if (!o)
        return 0;
    opinion_activate(x, DIRECTION_COMPLETION, x->completion->asks);
    bool any = false;
    for (unsigned i = 0; i < o->count; i++)
        any = any || (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_COMPLETION);
    if (!any)
        return 0;
    struct dialect_event again;
    struct dialect_error error;
    struct arena scratch;
    arena_init(&scratch, 64u << 20);
    int r = x->dialect->read_answer(x->gate->walk, buf_span(&x->answer), &scratch, &again, &error,
                                    see_answer, &a);
    arena_deinit(&scratch);
    for (unsigned c = 0; r == 0 && c < sizeof(a.texts) / sizeof(*a.texts); c++) {
        struct span path = arena_printf(&x->arena, "choices[%u]", c);
        for (unsigned i = 0; r == 0 && a.texts[c].len && i < o->count; i++)
            if (o->inquiries[i].active && o->inquiries[i].direction == DIRECTION_COMPLETION)
                r = put_whole(x, i, buf_span(&a.texts[c]), path, ROLE_ASSISTANT);
    }
    for (unsigned c = 0; c < sizeof(a.texts) / sizeof(*a.texts); c++)
        buf_deinit(&a.texts[c]);
    return r;
}

/* --- waiting --- */

static bool waits_for(const struct exchange *x, enum direction directions)
{
    if (!x->opinions)
        return false;
    list_for_each (e, &x->opinions->questions) {
        const struct question *q = list_entry(e, struct question, link);
        if (x->opinions->inquiries[q->inquiry].direction & directions)
            return true;
    }
    return false;
}

bool opinion_holds(const struct exchange *x)
{
    return (x->opinions && x->opinions->unjudged) || waits_for(x, DIRECTION_PROMPT);
}

bool opinion_waits(const struct exchange *x)
{
    return waits_for(x, DIRECTION_BOTH);
}

bool opinion_objected(const struct exchange *x)
{
    return x->opinions && x->opinions->objected;
}

void opinion_await(struct exchange *x, void (*fn)(struct exchange *x))
{
    if (!opinion_waits(x)) {
        fn(x);
        return;
    }
    x->state = EXCHANGE_WEIGHING;
    x->after = fn;
}

bool opinion_step(struct exchange *x)
{
    struct opinions *o = x->opinions;
    bool asking = x->state == EXCHANGE_ASKING || x->state == EXCHANGE_GATHERING ||
                  x->state == EXCHANGE_RELAYING || x->state == EXCHANGE_WEIGHING;
    if (!o || !asking || record_closed(x))
        return false;
    list_for_each_safe (e, next, &o->questions) {
        struct question *q = list_entry(e, struct question, link);
        if (!q->ask)
            settle(x, q);
    }
    if (x->prompt->refused) {
        if (x->state != EXCHANGE_RELAYING || !relay_withhold(x))
            ask_refuse(x);
        return true;
    }
    if (o->refused) {
        o->refused = false;
        if (x->state == EXCHANGE_RELAYING)
            relay_fail(x, CAUSE_JUDGE_FAILED, OUTCOME_REJECTED);
        else
            exchange_fail(x, CAUSE_JUDGE_FAILED, OUTCOME_REJECTED);
        return true;
    }
    return false;
}

void opinion_stop(struct exchange *x)
{
    struct opinions *o = x->opinions;
    if (!o)
        return;
    while (!list_empty(&o->questions)) {
        struct question *q = list_entry(o->questions.next, struct question, link);
        const struct inquiry *in = &o->inquiries[q->inquiry];
        enum opinion_failure f = q->ask ? OPINION_WITHDRAWN : q->answer.failure;
        struct audit_opinion said = {.by = in->source->name,
                                     .direction = in->direction,
                                     .times = 1,
                                     .failed =
                                         span_str(opinion_failure_name(f ? f : OPINION_WITHDRAWN)),
                                     .us = loop_now_us(x->gate->loop) - q->since_us};
        note(o, &said);
        drop(q);
    }
    /* What was said about the prompt while its answer was on the way. */
    if (x->prompt && x->prompt->unrecorded && record_notes(x)->asked_us)
        record_act(x, x->prompt, SPAN_NULL);
}

void opinion_free(struct opinions *o)
{
    if (!o)
        return;
    while (!list_empty(&o->questions))
        drop(list_entry(o->questions.next, struct question, link));
    while (!list_empty(&o->stretches))
        stretch_free(list_entry(o->stretches.next, struct stretch, link));
    buf_deinit(&o->prompt);
    free(o->inquiries);
    free(o);
}
