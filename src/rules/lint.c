/* Do the rules do what their authors meant? The set itself judges its samples. */
#include "base/clock.h"
#include "match/cursor.h"
#include "rules/loader.h"

#include <errno.h>

#define DOUBTS_TOLD 200 /* of each kind; more are counted */

struct lint {
    const struct ruleset *set;
    struct buf *messages;
    struct lint_report *report;
};

/* Reads a text to its end. 0, negative as cursor_feed() when it can't be judged, -ENOMEM. */
static int read_text(const struct lint *l, struct span text, enum direction direction,
                     cursor_hit_fn fn, cursor_saved_fn saved, void *ctx)
{
    struct cursor *c = cursor_new(l->set->matchset, direction);
    if (!c)
        return -ENOMEM;
    int r = saved ? cursor_tell_saved(c, saved, ctx) : 0;
    if (r == 0)
        r = cursor_feed(c, text, fn, ctx);
    if (r == 0)
        r = cursor_finish(c, fn, ctx);
    cursor_free(c);
    return r;
}

static void disappoint(struct lint *l, struct place at, const char *what, struct span id,
                       struct span text)
{
    place_printf(l->messages, at, "%.*s %s '%.*s'", SPAN_ARG(id), what, SPAN_ARG(text));
    l->report->disappoint++;
}

static void doubt(struct lint *l, size_t *told, struct place at, const char *what,
                  struct span subject, struct span other)
{
    l->report->doubts++;
    if ((*told)++ < DOUBTS_TOLD)
        place_printf(l->messages, at, "warning: '%.*s' %s%.*s", SPAN_ARG(subject), what,
                     SPAN_ARG(other));
}

static void tell_rest(struct lint *l, size_t told, const char *what)
{
    if (told > DOUBTS_TOLD)
        buf_printf(l->messages, "warning: %zu more %s\n", told - DOUBTS_TOLD, what);
}

/* ---- the samples of one rule ---- */

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
    int r = read_text(l, sample->text, direction, note_hit, NULL, &w);
    if (r == -ENOMEM)
        return r;
    l->report->samples++;
    if (r == 0 && w.seen == sample->hit)
        return 0;
    disappoint(l, (struct place){rule->file, sample->line, sample->column},
               r < 0         ? "can't judge its sample"
               : sample->hit ? "misses its sample"
                             : "hits, but should not hit, its sample",
               rule->id, sample->text);
    return 0;
}

/* A keyword without a sample to hit is its own. */
static int judge_itself(struct lint *l, uint32_t index)
{
    const struct rule *rule = &l->set->rules[index];
    struct sample itself = {index, true, rule->line, rule->column, rule->source};
    return rule->kind == RULE_KEYWORD ? judge(l, &itself) : 0;
}

static int judge_samples(struct lint *l)
{
    const struct ruleset *s = l->set;
    const struct sample *sample = s->samples, *end = sample + s->sample_count, *next;
    int r = 0;
    for (uint32_t i = 0; i < s->rule_count && r == 0; i++) {
        bool hit = false;
        for (next = sample; next < end && next->rule == i; next++)
            hit = hit || next->hit;
        if (s->rules[i].quarantine.len) {
            sample = next;
            continue;
        }
        if (!hit)
            r = judge_itself(l, i);
        for (; sample < next && r == 0; sample++)
            r = judge(l, sample);
    }
    return r;
}

/* ---- what no rule may hit ---- */

struct harmed {
    const struct ruleset *set;
    const struct innocent *text;
    const struct rule *by;       /* the first that should not have; NULL: none */
    const struct rule *imported; /* likewise, of a list that somebody else wrote */
};

/* Does a hit of it more than list an ordinary text for review? Whatever a policy says. */
static bool is_grave(const struct rule *rule)
{
    return rule->action != ACTION_FLAG && rule->action != ACTION_ASK &&
           !span_starts(rule->risk->id, SPAN_LIT("pii-"));
}

static int note_harm(void *ctx, const struct hit *hit)
{
    struct harmed *h = ctx;
    const struct rule *rule = &h->set->rules[hit->rule];
    bool harms = h->text->ordinary ? is_grave(rule) : rule->file.data == h->text->at.file.data;
    const struct rule **by =
        h->text->ordinary && rule->origin == RULE_IMPORTED ? &h->imported : &h->by;
    if (harms && !*by)
        *by = rule;
    return 0;
}

static int judge_innocents(struct lint *l)
{
    size_t told = 0;
    for (size_t i = 0; i < l->set->innocent_count; i++) {
        struct harmed h = {.set = l->set, .text = &l->set->innocents[i]};
        int r = read_text(l, h.text->text, DIRECTION_BOTH, note_harm, NULL, &h);
        if (r == -ENOMEM)
            return r;
        l->report->samples++;
        if (r < 0 || h.by)
            disappoint(l, h.text->at, r < 0 ? "can't judge" : "hits, but should not hit,",
                       h.by ? h.by->id : SPAN_LIT("the library"), h.text->text);
        else if (h.imported)
            doubt(l, &told, h.text->at,
                  "is an ordinary text, and an imported word hits it: ", h.text->text,
                  h.imported->source);
    }
    tell_rest(l, told, "ordinary texts are hit by imported words");
    return 0;
}

/* ---- what does nothing ---- */

static int doubt_rules(struct lint *l)
{
    const struct ruleset *set = l->set;
    int64_t now = clock_wall_s();
    size_t expired = 0, shadowed = 0;
    for (uint32_t i = 0; i < set->rule_count; i++) {
        const struct rule *rule = &set->rules[i];
        struct place at = {rule->file, rule->line, rule->column};
        if (rule->expires && rule->expires <= now) {
            doubt(l, &expired, at, "can never hit: it has expired", rule->id, SPAN_LIT(""));
            continue;
        }
        if (rule->kind != RULE_KEYWORD || rule->quarantine.len)
            continue;
        uint32_t by;
        int r = ruleset_shadow(set, i, &by);
        if (r < 0)
            return r;
        if (r)
            doubt(l, &shadowed, at, "adds nothing: within it already hits ", rule->source,
                  set->rules[by].source);
    }
    tell_rest(l, expired, "rules have expired");
    tell_rest(l, shadowed, "keywords add nothing to others");
    return 0;
}

static int ignore_hit(void *ctx, const struct hit *hit)
{
    return 0;
}

static void note_saved(void *ctx, const struct saved *saved)
{
    *(bool *)ctx = true;
}

static int doubt_allows(struct lint *l)
{
    size_t told = 0;
    for (size_t i = 0; i < l->set->allow_count; i++) {
        const struct allow *a = &l->set->allows[i];
        bool saves = a->imports;
        if (read_text(l, a->phrase, DIRECTION_BOTH, ignore_hit, note_saved, &saves) == -ENOMEM)
            return -ENOMEM;
        if (!saves)
            doubt(l, &told, a->at, "saves nothing: no rule hits within it", a->phrase,
                  SPAN_LIT(""));
    }
    tell_rest(l, told, "allow phrases save nothing");
    return 0;
}

int ruleset_test(const struct ruleset *s, struct buf *messages, struct lint_report *ret_report)
{
    *ret_report = (struct lint_report){0};
    struct lint l = {s, messages, ret_report};
    int r = judge_samples(&l);
    return r == 0 ? judge_innocents(&l) : r;
}

int ruleset_lint(const struct ruleset *s, struct buf *messages, struct lint_report *ret_report)
{
    int r = ruleset_test(s, messages, ret_report);
    struct lint l = {s, messages, ret_report};
    if (r == 0)
        r = doubt_rules(&l);
    return r == 0 ? doubt_allows(&l) : r;
}
