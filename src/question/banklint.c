#include "question/banklint.h"

#include "base/utf8.h"
#include "question/banksaying.h"
#include "trial/judgement.h"

#include <errno.h>
#include <stdlib.h>

/* Texts are near when of the pairs of characters in both together this share is common. */
#define NEAR_PERCENT 80

static void warn(struct buf *messages, const struct question *q, const char *what,
                 const struct question *other)
{
    place_printf(messages, q->place, "warning: %s %.*s (%.*s:%u)", what, SPAN_ARG(other->id),
                 SPAN_ARG(other->place.file), other->place.line);
}

/* ---- texts that are nearly the same ---- */

struct shingles {
    const struct question *question;
    uint64_t *pairs; /* sorted, each once */
    size_t count;
    uint64_t signature; /* a bit for each pair */
};

static int compare_u64(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
    return (x > y) - (x < y);
}

/* The pairs of characters that follow each other, the edges included. */
static int read_shingles(struct arena *arena, const struct saying *s, struct shingles *ret)
{
    struct span rest = s->folded;
    uint64_t *pairs = arena_alloc(arena, (utf8_count(rest) + 1) * sizeof(*pairs));
    uint64_t before = 0;
    size_t count = 0, kept = 0;
    if (!pairs)
        return -ENOMEM;
    while (rest.len) {
        uint32_t cp;
        int n = utf8_decode(rest, false, &cp);
        rest = span_slice(rest, n > 0 ? (size_t)n : 1, rest.len);
        pairs[count++] = before << 32 | cp;
        before = cp;
    }
    pairs[count++] = before << 32;
    qsort(pairs, count, sizeof(*pairs), compare_u64);
    *ret = (struct shingles){.question = s->question, .pairs = pairs};
    for (size_t i = 0; i < count; i++) {
        if (i && pairs[i] == pairs[i - 1])
            continue;
        pairs[kept++] = pairs[i];
        ret->signature |= UINT64_C(1) << (pairs[i] * 0x9E3779B97F4A7C15u >> 58);
    }
    ret->count = kept;
    return 0;
}

static size_t common(const struct shingles *a, const struct shingles *b)
{
    size_t i = 0, j = 0, n = 0;
    while (i < a->count && j < b->count) {
        n += a->pairs[i] == b->pairs[j];
        if (a->pairs[i] < b->pairs[j])
            i++;
        else if (a->pairs[i] > b->pairs[j])
            j++;
        else
            i++, j++;
    }
    return n;
}

/* a is not longer than b. Each bit that one has alone is a pair that the other lacks. */
static bool are_near(const struct shingles *a, const struct shingles *b)
{
    size_t alone = (size_t)__builtin_popcountll(a->signature & ~b->signature);
    size_t most = a->count - alone;
    if (most * 100 < NEAR_PERCENT * (a->count + b->count - most))
        return false;
    size_t n = common(a, b);
    return n * 100 >= NEAR_PERCENT * (a->count + b->count - n);
}

static int compare_shingles(const void *a, const void *b)
{
    const struct shingles *x = a, *y = b;
    int c = (x->question->kind > y->question->kind) - (x->question->kind < y->question->kind);
    if (c == 0)
        c = (x->count > y->count) - (x->count < y->count);
    return c ? c : (x->question > y->question) - (x->question < y->question);
}

/* The longer ones that could still be near. */
static void look_ahead(const struct shingles *list, size_t count, size_t at, struct buf *messages,
                       struct bank_lint *n)
{
    const struct shingles *a = &list[at];
    for (size_t i = at + 1; i < count; i++) {
        const struct shingles *b = &list[i];
        if (b->question->kind != a->question->kind || a->count * 100 < NEAR_PERCENT * b->count)
            break;
        if (!are_near(a, b))
            continue;
        bool first = a->question < b->question;
        warn(messages, first ? b->question : a->question, "nearly the same as",
             first ? a->question : b->question);
        n->near++;
        break; /* one is enough to look at both */
    }
}

static int look_for_near(const struct sayings *said, struct buf *messages, struct bank_lint *n)
{
    struct arena arena;
    struct shingles *list = reallocarray(NULL, said->count + 1, sizeof(*list));
    size_t count = 0;
    int r = list ? 0 : -ENOMEM;
    arena_init(&arena, 1u << 30);
    for (size_t i = 0; i < said->count && r == 0; i++)
        if (!said->list[i].repeats)
            r = read_shingles(&arena, &said->list[i], &list[count++]);
    if (r == 0 && count)
        qsort(list, count, sizeof(*list), compare_shingles);
    for (size_t i = 0; i < count && r == 0; i++)
        look_ahead(list, count, i, messages, n);
    free(list);
    arena_deinit(&arena);
    return r;
}

/* ---- the same text ---- */

static void look_for_same(const struct sayings *said, struct buf *messages, struct bank_lint *n)
{
    for (size_t i = 0; i < said->count; i++) {
        const struct saying *s = &said->list[i];
        if (s->repeats) {
            warn(messages, s->question, "counts no more, for it says the same as", s[-1].question);
            n->repeated++;
        }
        const struct question *other =
            s->question->kind == BANK_ANSWER ? sayings_find(said, BANK_REFUSE, s->folded) : NULL;
        if (!other)
            continue;
        place_printf(messages, s->question->place,
                     "is to be answered here, and refused as %.*s (%.*s:%u)", SPAN_ARG(other->id),
                     SPAN_ARG(other->place.file), other->place.line);
        n->opposed++;
    }
}

/* ---- what was derived ---- */

static void look_for_orphans(const struct bank *b, struct buf *messages, struct bank_lint *n)
{
    for (size_t i = 0; i < bank_count(b); i++) {
        const struct question *q = bank_at(b, i);
        const struct question *seed = q->seed.len ? bank_find(b, q->seed) : NULL;
        if (!q->seed.len)
            continue;
        const char *fault = !seed                       ? "which isn't there"
                            : seed->seed.len            ? "which is derived itself"
                            : seed->kind != q->kind     ? "which is of another bank"
                            : seed->risk != q->risk     ? "which is of another type"
                            : seed->aspect != q->aspect ? "which is of another aspect"
                                                        : NULL;
        if (!fault)
            continue;
        place_printf(messages, q->place, "'%.*s' is derived of '%.*s', %s", SPAN_ARG(q->id),
                     SPAN_ARG(q->seed), fault);
        n->orphaned++;
    }
}

/* ---- what our own library would do ---- */

struct judging {
    const struct bank_linting *l;
    const struct rule *rule; /* of the heaviest action the first */
    struct span word;        /* what it found, within the question */
    enum action action;
};

static int on_finding(void *ctx, const struct finding *f)
{
    struct judging *g = ctx;
    if (f->action > g->action) {
        g->action = f->action;
        g->rule = f->rule;
        g->word = span_slice(f->text, f->hit.start, f->hit.end);
    }
    return 0;
}

static int judge(const struct bank_linting *l, const struct policy *policy,
                 const struct question *q, struct buf *messages, struct bank_lint *n)
{
    struct judging g = {.l = l};
    struct judgement j = {
        .rules = l->rules, .app = l->app, .policy = policy, .direction = DIRECTION_PROMPT};
    enum action action;
    int r = judgement_make(&j, q->text, on_finding, &g, &action);
    if (r < 0)
        return r;
    n->judged++;
    if (action < ACTION_ANSWER || !g.rule)
        return 0;
    place_printf(messages, q->place,
                 "must be answered, and our own rule %.*s stops it (%s) at '%.*s': %.*s",
                 SPAN_ARG(g.rule->id), action_name(action), SPAN_ARG(g.word), SPAN_ARG(q->text));
    n->blocked++;
    return 0;
}

static int judge_all(const struct bank_linting *l, struct buf *messages, struct bank_lint *n)
{
    struct policy *policy = NULL;
    int r = policy_new(l->app, l->rules, &policy);
    for (size_t i = 0; i < bank_count(l->bank) && r == 0; i++) {
        const struct question *q = bank_at(l->bank, i);
        if (q->kind == BANK_ANSWER && !q->seed.len)
            r = judge(l, policy, q, messages, n);
    }
    policy_free(policy);
    return r;
}

/* ---- all of it ---- */

static int look_for_empty(const struct bank_linting *l, struct buf *messages, struct bank_lint *n)
{
    struct bank_counts counts;
    int r = bank_count_all(l->bank, l->rules, &counts);
    for (size_t i = 0; i < counts.count && r == 0; i++) {
        const struct bank_count *c = &counts.items[i];
        struct place at = {.file = SPAN_LIT(BANK_FOLDER)};
        if (c->count || !c->wanted)
            continue;
        place_printf(messages, at, "warning: the bank '%s' has no question of %.*s %.*s",
                     bank_kind_name(c->kind), SPAN_ARG(c->risk ? c->risk->id : c->aspect->zh),
                     SPAN_ARG(c->risk ? c->risk->name_zh : c->aspect->en));
        n->empty++;
    }
    if (r == 0)
        bank_counts_free(&counts);
    return r;
}

int bank_lint(const struct bank_linting *l, struct buf *messages, struct bank_lint *ret)
{
    struct sayings said;
    *ret = (struct bank_lint){0};
    int r = sayings_read(l->bank, SPAN_NULL, &said);
    if (r == 0)
        r = judge_all(l, messages, ret);
    if (r == 0) {
        look_for_orphans(l->bank, messages, ret);
        look_for_same(&said, messages, ret);
        r = look_for_near(&said, messages, ret);
    }
    if (r == 0)
        r = look_for_empty(l, messages, ret);
    sayings_free(&said);
    return r;
}
