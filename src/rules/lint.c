/* Do the rules do what their authors meant? Every sample is judged by the set itself. */
#include "match/cursor.h"
#include "rules/loader.h"

#include <errno.h>

struct lint {
    const struct ruleset *set;
    struct buf *messages;
    size_t samples;
    int disappointed;
};

struct wanted {
    uint32_t rule;
    bool seen;
};

static int note_hit(void *ctx, const struct hit *hit)
{
    struct wanted *w = ctx;
    w->seen = w->seen || hit->rule == w->rule;
    return 0;
}

static int judge(struct lint *l, const struct sample *sample)
{
    const struct rule *rule = &l->set->rules[sample->rule];
    struct wanted w = {.rule = sample->rule};
    enum direction direction =
        rule->direction == DIRECTION_COMPLETION ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
    struct cursor *c = cursor_new(l->set->matchset, direction);
    if (!c)
        return -ENOMEM;
    int r = cursor_feed(c, sample->text, note_hit, &w);
    if (r == 0)
        r = cursor_finish(c, note_hit, &w);
    cursor_free(c);
    if (r == -ENOMEM)
        return r;
    l->samples++;
    if (r == 0 && w.seen == sample->hit)
        return 0;
    place_printf(l->messages, (struct place){rule->file, sample->line, sample->column},
                 "%.*s %s its sample '%.*s'", SPAN_ARG(rule->id),
                 r < 0         ? "can't judge"
                 : sample->hit ? "misses"
                               : "hits, but should not hit,",
                 SPAN_ARG(sample->text));
    l->disappointed++;
    return 0;
}

/* A keyword without a sample to hit is its own. */
static int judge_itself(struct lint *l, uint32_t index)
{
    const struct rule *rule = &l->set->rules[index];
    struct sample itself = {index, true, rule->line, rule->column, rule->source};
    return rule->kind == RULE_KEYWORD ? judge(l, &itself) : 0;
}

int ruleset_lint(const struct ruleset *s, struct buf *messages, size_t *ret_samples)
{
    struct lint l = {.set = s, .messages = messages};
    const struct sample *sample = s->samples, *end = sample + s->sample_count, *next;
    int r = 0;
    for (uint32_t i = 0; i < s->rule_count && r == 0; i++) {
        bool hit = false;
        for (next = sample; next < end && next->rule == i; next++)
            hit = hit || next->hit;
        if (!hit)
            r = judge_itself(&l, i);
        for (; sample < next && r == 0; sample++)
            r = judge(&l, sample);
    }
    *ret_samples = l.samples;
    return r < 0 ? r : l.disappointed;
}
