/*
 * What somebody who was asked has said: what follows from it, and how it comes on record.
 */
#include "gate/opinion.h"

void opinion_note(struct opinions *o, const struct audit_opinion *said)
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
static int remember(struct exchange *x, const struct inquiry *in, const struct utterance *u,
                    enum action action)
{
    unsigned char code[AUDIT_OFFENCE_SIZE];
    if (u->first == 0 || !x->gate->audit || x->prompt->observe)
        return 0;
    bool coded = conversation_code(x, u, in->source->name, code);
    struct history_opinion h = {.role = u->role,
                                .first = u->first,
                                .last = u->last,
                                .action = action,
                                .code = coded ? code : NULL,
                                .memory = AUDIT_UNKNOWN};
    return history_note_opinion(x->prompt, &h);
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
    const struct utterance *u =
        in->direction == DIRECTION_PROMPT ? conversation_at(x->opinions, q->utterance) : NULL;
    if (u && action >= ACTION_ANSWER)
        offence = remember(x, in, u, action);
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
    if (r > 0 && u && conversation_is_said(x->opinions, u))
        j->history.said = true;
    ret_said->observed = r == 0 && action >= ACTION_ANSWER;
    return r;
}

void opinion_settle(struct exchange *x, struct question *q)
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
        bool too_long = q->answer.failure == OPINION_TOO_LONG;
        metrics_add(x->purpose.metrics,
                    too_long ? METRIC_OPINIONS_TOO_LONG : METRIC_OPINIONS_FAILED, 1);
        if ((in->closed || objects < 0) && !exchange_observes(x)) {
            o->refused = true;
            o->why = too_long ? CAUSE_TOO_LONG_TO_JUDGE : CAUSE_JUDGE_FAILED;
            o->unjudged = o->unjudged || in->direction == DIRECTION_PROMPT;
            exchange_post(x); /* it may have failed at once, within a step that goes on */
        } else if (!too_long && ++in->failures >= OPINION_PATIENCE)
            in->active = false; /* the local rules alone, for the rest of this exchange */
    }
    opinion_note(o, &said);
    if (q->stretch && !o->refused) /* else nothing more of it may pass */
        stretch_settled(x, q, objects > 0);
    if (objects > 0 && in->direction == DIRECTION_COMPLETION)
        o->objected = true;
    question_drop(q);
}
