#include "trial/fitness.h"

#include "match/cursor.h"
#include "policy/policy.h"

/* Does the library do what its authors meant, and leave ordinary texts alone? */
static int test_library(const struct fitness *f, const struct ruleset *set, struct buf *messages)
{
    struct lint_report report;
    if (ruleset_test(set, messages, &report) < 0)
        return 1;
    if (report.disappoint == 0 || f->force)
        return 0;
    buf_printf(messages,
               "%zu of %zu samples and ordinary texts are not judged as they should be; mend that, "
               "or --force it\n",
               report.disappoint, report.samples);
    return 1;
}

struct looking {
    const struct ruleset *set;
    struct span word;
    bool seen;
};

static int on_hit(void *ctx, const struct hit *hit)
{
    struct looking *l = ctx;
    l->seen = l->seen || span_eq(ruleset_rule(l->set, hit->rule)->source, l->word);
    return 0;
}

/* One word that can't wait: would it stop everybody's talk? */
static int test_word(const struct fitness *f, const struct ruleset *set, struct buf *messages)
{
    struct looking l = {.set = set, .word = f->alone};
    struct span example = SPAN_NULL;
    size_t hits = 0, count = ruleset_benign_count(set);
    for (size_t i = 0; i < count; i++) {
        struct place at;
        struct span text = ruleset_benign(set, i, &at);
        struct cursor *c = cursor_new_keywords(ruleset_matchset(set), DIRECTION_BOTH);
        l.seen = false;
        if (!c || cursor_feed(c, text, on_hit, &l) < 0 || cursor_finish(c, on_hit, &l) < 0) {
            cursor_free(c);
            return 1;
        }
        cursor_free(c);
        example = l.seen && !hits ? text : example;
        hits += l.seen;
    }
    if (hits == 0)
        return 0;
    buf_printf(messages, "%s'%.*s' hits %zu of %zu ordinary texts, such as '%.*s'%s\n",
               f->force ? "warning: " : "", SPAN_ARG(f->alone), hits, count, SPAN_ARG(example),
               f->force ? "" : "; --force puts it in force all the same");
    return !f->force;
}

/* Also what the policy names must be there: else no gateway would take it. */
int fitness_check(void *fitness, const struct ruleset *set, struct buf *messages)
{
    const struct fitness *f = fitness;
    int errors = (int)policy_check(f->config, set, messages);
    if (errors == 0 && f->alone.len)
        errors = test_word(f, set, messages);
    else if (errors == 0 && !f->untested)
        errors = test_library(f, set, messages);
    return errors;
}
