/* Do the rules do what their authors meant? Every sample is judged by the set itself. */
#include "match/cursor.h"
#include "rules/loader.h"

#include <errno.h>

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

int ruleset_lint(const struct ruleset *s, struct buf *messages, size_t *ret_samples)
{
    int disappointed = 0;
    for (size_t i = 0; i < s->sample_count; i++) {
        const struct sample *sample = &s->samples[i];
        const struct rule *rule = &s->rules[sample->rule];
        struct wanted w = {.rule = sample->rule};
        enum direction direction =
            rule->direction == DIRECTION_COMPLETION ? DIRECTION_COMPLETION : DIRECTION_PROMPT;
        struct cursor *c = cursor_new(s->matchset, direction);
        if (!c)
            return -ENOMEM;
        int r = cursor_feed(c, sample->text, note_hit, &w);
        if (r == 0)
            r = cursor_finish(c, note_hit, &w);
        cursor_free(c);
        if (r == -ENOMEM)
            return r;
        if (r == 0 && w.seen == sample->hit)
            continue;
        place_printf(messages, sample->at, "%.*s %s its sample '%.*s'", SPAN_ARG(rule->id),
                     r < 0         ? "can't judge"
                     : sample->hit ? "misses"
                                   : "hits, but should not hit,",
                     SPAN_ARG(sample->text));
        disappointed++;
    }
    *ret_samples = s->sample_count;
    return disappointed;
}
