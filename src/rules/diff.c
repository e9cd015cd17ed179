#include "rules/diff.h"

#include <errno.h>
#include <stdlib.h>

struct side {
    const struct rule **rules;
    size_t count;
};

static int compare_ids(const void *a, const void *b)
{
    return span_compare((*(const struct rule *const *)a)->id, (*(const struct rule *const *)b)->id);
}

/* By id. What is built in is nobody's change. */
static int sort_rules(const struct ruleset *set, struct side *ret_side)
{
    size_t count = set ? ruleset_count(set) : 0;
    *ret_side = (struct side){.rules = calloc(count + 1, sizeof(struct rule *))};
    if (!ret_side->rules)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++) {
        const struct rule *r = ruleset_rule(set, (uint32_t)i);
        if (r->kind != RULE_PAYLOAD && r->kind != RULE_CANARY)
            ret_side->rules[ret_side->count++] = r;
    }
    qsort(ret_side->rules, ret_side->count, sizeof(struct rule *), compare_ids);
    return 0;
}

static bool same_rule(const struct rule *a, const struct rule *b)
{
    bool same = a->kind == b->kind && a->written == b->written && span_eq(a->source, b->source) &&
                span_eq(a->why, b->why) && span_eq(a->from, b->from) && a->origin == b->origin &&
                span_eq(a->quarantine, b->quarantine) && span_eq(a->forced, b->forced) &&
                a->direction == b->direction && a->action == b->action && a->asked == b->asked &&
                a->expires == b->expires && a->app_count == b->app_count;
    for (size_t i = 0; same && i < a->app_count; i++)
        same = span_eq(a->apps[i], b->apps[i]);
    return same;
}

static void tell(rule_diff_fn fn, void *ctx, char kind, const struct rule *old,
                 const struct rule *new)
{
    if (fn)
        fn(ctx, kind, old, new, SPAN_LIT(""));
}

static void compare_rules(const struct side *a, const struct side *b, rule_diff_fn fn, void *ctx,
                          struct rule_diff *d)
{
    size_t i = 0, j = 0;
    while (i < a->count || j < b->count) {
        int c = i == a->count   ? 1
                : j == b->count ? -1
                                : span_compare(a->rules[i]->id, b->rules[j]->id);
        if (c < 0) {
            d->removed++;
            tell(fn, ctx, '-', a->rules[i++], NULL);
        } else if (c > 0) {
            d->added++;
            tell(fn, ctx, '+', NULL, b->rules[j++]);
        } else {
            if (!same_rule(a->rules[i], b->rules[j])) {
                d->changed++;
                tell(fn, ctx, '~', a->rules[i], b->rules[j]);
            }
            i++;
            j++;
        }
    }
}

/* ---- files ---- */

/* One line of a manifest. */
struct line {
    struct span digest, path;
};

static bool next_line(struct span *rest, struct line *ret_line)
{
    struct span line;
    if (!span_split(rest, '\n', &line) || line.len < RULE_DIGEST_SIZE + 1)
        return false;
    ret_line->digest = span_slice(line, 0, RULE_DIGEST_SIZE - 1);
    ret_line->path = span_slice(line, RULE_DIGEST_SIZE + 1, line.len);
    return true;
}

/* Its rules are told one by one. */
static bool holds_rules(struct span path)
{
    return span_starts(path, SPAN_LIT("keywords/")) || span_starts(path, SPAN_LIT("near/")) ||
           span_starts(path, SPAN_LIT("patterns/"));
}

typedef void (*file_fn)(void *ctx, char kind, struct span path);

/* Both manifests are sorted by path. */
static void compare_files(const struct ruleset *old, const struct ruleset *new, file_fn fn,
                          void *ctx)
{
    struct span a = old ? ruleset_manifest(old) : SPAN_LIT(""), b = ruleset_manifest(new);
    struct line x = {0}, y = {0};
    bool more_a = next_line(&a, &x), more_b = next_line(&b, &y);
    while (more_a || more_b) {
        int c = !more_a ? 1 : !more_b ? -1 : span_compare(x.path, y.path);
        if (c < 0)
            fn(ctx, '-', x.path);
        else if (c > 0)
            fn(ctx, '+', y.path);
        else if (!span_eq(x.digest, y.digest))
            fn(ctx, '~', x.path);
        if (c <= 0)
            more_a = next_line(&a, &x);
        if (c >= 0)
            more_b = next_line(&b, &y);
    }
}

struct files {
    rule_diff_fn fn;
    void *ctx;
    unsigned count;
};

static void on_file(void *ctx, char kind, struct span path)
{
    struct files *f = ctx;
    if (holds_rules(path))
        return;
    f->count++;
    if (f->fn)
        f->fn(f->ctx, kind, NULL, NULL, path);
}

int rule_diff(const struct ruleset *old, const struct ruleset *new, rule_diff_fn fn, void *ctx,
              struct rule_diff *ret_diff)
{
    struct side a, b = {0};
    struct files files = {.fn = fn, .ctx = ctx};
    *ret_diff = (struct rule_diff){0};
    int r = sort_rules(old, &a);
    if (r == 0)
        r = sort_rules(new, &b);
    if (r == 0) {
        compare_rules(&a, &b, fn, ctx, ret_diff);
        compare_files(old, new, on_file, &files);
        ret_diff->files = files.count;
    }
    free(a.rules);
    free(b.rules);
    return r;
}

static void on_any(void *ctx, char kind, struct span path)
{
    if (!span_eq(path, SPAN_LIT(URGENT_FILE)))
        *(bool *)ctx = true;
}

bool rule_diff_files(const struct ruleset *old, const struct ruleset *new)
{
    bool differs = false;
    compare_files(old, new, on_any, &differs);
    return differs;
}

/* ---- allow phrases ---- */

struct phrases {
    const struct ruleset *set;
    size_t *order, count;
};

static int compare_phrases(const void *a, const void *b, void *ctx)
{
    const struct ruleset *set = ctx;
    struct place unused;
    return span_compare(ruleset_phrase(set, *(const size_t *)a, &unused),
                        ruleset_phrase(set, *(const size_t *)b, &unused));
}

static int sort_phrases(const struct ruleset *set, struct phrases *ret)
{
    size_t count = set ? ruleset_phrase_count(set) : 0;
    *ret = (struct phrases){.set = set, .order = calloc(count + 1, sizeof(size_t)), .count = count};
    if (!ret->order)
        return -ENOMEM;
    for (size_t i = 0; i < count; i++)
        ret->order[i] = i;
    qsort_r(ret->order, count, sizeof(size_t), compare_phrases, (void *)set);
    return 0;
}

/* Moves on behind all that are the same, for a phrase may stand in two files. */
static struct span skip_phrase(const struct phrases *p, size_t *i)
{
    struct place unused;
    struct span phrase = ruleset_phrase(p->set, p->order[*i], &unused);
    while (*i < p->count && span_eq(ruleset_phrase(p->set, p->order[*i], &unused), phrase))
        ++*i;
    return phrase;
}

static void tell_phrase(const struct phrases *p, size_t *i, char kind, rule_phrase_fn fn, void *ctx)
{
    struct place at;
    ruleset_phrase(p->set, p->order[*i], &at);
    fn(ctx, kind, skip_phrase(p, i), at);
}

int rule_diff_phrases(const struct ruleset *old, const struct ruleset *new, rule_phrase_fn fn,
                      void *ctx)
{
    struct phrases a, b = {0};
    size_t i = 0, j = 0;
    int r = sort_phrases(old, &a);
    if (r == 0)
        r = sort_phrases(new, &b);
    while (r == 0 && (i < a.count || j < b.count)) {
        struct place unused;
        int c = i == a.count   ? 1
                : j == b.count ? -1
                               : span_compare(ruleset_phrase(a.set, a.order[i], &unused),
                                              ruleset_phrase(b.set, b.order[j], &unused));
        if (c < 0) {
            tell_phrase(&a, &i, '-', fn, ctx);
        } else if (c > 0) {
            tell_phrase(&b, &j, '+', fn, ctx);
        } else {
            skip_phrase(&a, &i);
            skip_phrase(&b, &j);
        }
    }
    free(a.order);
    free(b.order);
    return r;
}
