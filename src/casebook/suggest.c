#include "casebook/suggest.h"

#include "base/utf8.h"
#include "rules/common.h"
#include "rules/ruleset.h"
#include "scan/scanner.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>

#define AROUND    12 /* code points looked at on either side */
#define POINTS    (2 * AROUND + 64)
#define LONGER    2 /* than the match, in code points */
#define TRIED_MAX 3
#define UNKNOWN   14.0 /* what a single character costs that stands alone */

/* The match with what stands around it, as code points. */
struct view {
    struct span text; /* the context */
    size_t at[POINTS + 1];
    bool word[POINTS];     /* a letter or Han character */
    bool edge[POINTS + 1]; /* a word may begin or end before this point */
    size_t count, start, end;
};

struct phrase {
    size_t from, to; /* points */
};

static bool is_han(uint32_t cp)
{
    return (cp >= 0x3400 && cp <= 0x9fff) || (cp >= 0xf900 && cp <= 0xfaff) ||
           (cp >= 0x20000 && cp <= 0x3ffff);
}

/* No digits: what is left of a masked number makes no phrase. */
static bool is_latin(uint32_t cp)
{
    return (cp >= 'a' && cp <= 'z') || (cp >= 'A' && cp <= 'Z') || (cp >= 0xc0 && cp <= 0x24f);
}

/* Fills v from at most AROUND points before the match to as many behind it. */
static bool look(struct view *v, const struct suggest_hit *hit)
{
    size_t begin = hit->start, n = 0;
    for (; begin > 0 && n < AROUND; n++)
        begin = utf8_floor(hit->context, begin - 1);
    size_t behind = 0;
    v->text = hit->context;
    for (size_t at = begin; at < hit->context.len && v->count < POINTS && behind < AROUND;) {
        uint32_t cp;
        int len = utf8_decode(span_slice(hit->context, at, hit->context.len), false, &cp);
        if (len <= 0)
            return false;
        if (at == hit->start)
            v->start = v->count;
        behind += at >= hit->end;
        v->word[v->count] = is_han(cp) || is_latin(cp);
        v->at[v->count++] = at;
        at += (size_t)len;
        v->at[v->count] = at;
        if (at == hit->end)
            v->end = v->count;
    }
    return v->end > v->start;
}

static uint32_t point(const struct view *v, size_t i)
{
    uint32_t cp = 0;
    utf8_decode(span_slice(v->text, v->at[i], v->at[i + 1]), false, &cp);
    return cp;
}

static struct span slice(const struct view *v, size_t from, size_t to)
{
    return span_slice(v->text, v->at[from], v->at[to]);
}

/* The cheapest way to read a run of Han characters as words says where words end. */
static void cut_han(struct view *v, const struct common *words, size_t from, size_t to)
{
    double cost[POINTS + 1];
    size_t back[POINTS + 1];
    cost[from] = 0;
    for (size_t i = from + 1; i <= to; i++) {
        cost[i] = cost[i - 1] + UNKNOWN;
        back[i] = i - 1;
        for (size_t k = 2; k <= 4 && i >= from + k; k++) {
            struct common_rate rate;
            if (!common_word(words, slice(v, i - k, i), &rate) || rate.within <= 0)
                continue;
            double c = cost[i - k] + log(1e6 / rate.within + 1);
            if (c < cost[i]) {
                cost[i] = c;
                back[i] = i - k;
            }
        }
    }
    for (size_t i = to; i > from; i = back[i])
        v->edge[i] = true;
    v->edge[from] = true;
}

static void cut(struct view *v, const struct common *words)
{
    for (size_t i = 0; i < v->count;) {
        bool han = is_han(point(v, i));
        size_t end = i + 1;
        while (end < v->count && v->word[end] == v->word[i] && is_han(point(v, end)) == han)
            end++;
        v->edge[i] = v->edge[end] = true;
        if (han)
            cut_han(v, words, i, end);
        i = end;
    }
}

/* A single blank that parts words of which one is Latin: there they belong together. */
static bool is_join(const struct view *v, size_t i)
{
    return i > 0 && i + 1 < v->count && point(v, i) == ' ' && v->word[i - 1] && v->word[i + 1] &&
           (is_latin(point(v, i - 1)) || is_latin(point(v, i + 1)));
}

/* No sentence marks, nor what was masked. */
static bool is_whole(const struct view *v, size_t from, size_t to)
{
    bool begins = from == v->start || v->word[from], ends = to == v->end || v->word[to - 1];
    if (!v->edge[from] || !v->edge[to] || !begins || !ends)
        return false;
    for (size_t i = from; i < to; i++)
        if (!v->word[i] && (i < v->start || i >= v->end) && !is_join(v, i))
            return false;
    return true;
}

static int shorter(const void *a, const void *b)
{
    const struct phrase *x = a, *y = b;
    size_t m = x->to - x->from, n = y->to - y->from;
    return m != n ? (m > n) - (m < n) : (x->from > y->from) - (x->from < y->from);
}

static size_t list(const struct view *v, struct phrase *ret, size_t max)
{
    size_t n = 0;
    for (size_t from = 0; from <= v->start; from++)
        for (size_t to = v->end; to <= v->count && n < max; to++)
            if (to - from >= v->end - v->start + LONGER && is_whole(v, from, to))
                ret[n++] = (struct phrase){from, to};
    qsort(ret, n, sizeof(*ret), shorter);
    return n;
}

/* ---- would it save? ---- */

struct judging {
    const struct ruleset *rules;
    const struct suggest_hit *hit;
    bool hits;
};

static int on_hit(void *ctx, struct channel *channel, const struct hit *hit)
{
    struct judging *j = ctx;
    const struct rule *rule = ruleset_rule(j->rules, hit->rule);
    bool there = hit->start < j->hit->end && hit->end > j->hit->start;
    j->hits |= there && span_eq(rule->id, j->hit->rule);
    return 0;
}

/* 1: the library with that phrase (none: as it is) lets the match be. */
static int saves(struct span rules_dir, const struct suggest_hit *hit, struct span phrase)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct ruleset *rules = NULL;
    struct buf text = BUF_INIT(4096);
    int r = buf_printf(&text, "#!why=being tried\n%.*s\n", SPAN_ARG(phrase));
    struct ruleset_source source = {.dir = rules_dir,
                                    .replaced = SPAN_LIT(SUGGEST_FILE),
                                    .replacement = phrase.len ? buf_span(&text) : SPAN_NULL};
    if (r == 0)
        r = ruleset_read(&source, &report, &rules);
    struct judging j = {rules, hit, false};
    if (r == 0)
        r = scanner_judge(ruleset_matchset(rules), hit->direction, hit->context, on_hit, &j);
    ruleset_unref(rules);
    buf_deinit(&report.text);
    buf_deinit(&text);
    return r < 0 ? r : !j.hits;
}

int casebook_suggest(struct span rules_dir, const struct suggest_hit *hit, struct buf *ret_phrase)
{
    struct view v = {0};
    struct phrase phrases[256];
    if (hit->start >= hit->end || hit->end > hit->context.len || !look(&v, hit))
        return -ENOENT;
    struct common *words = common_new();
    if (!words)
        return -ENOMEM;
    cut(&v, words);
    common_free(words);
    size_t n = list(&v, phrases, sizeof(phrases) / sizeof(*phrases));
    /* What the library does not hit any more needs no phrase. */
    int r = n ? saves(rules_dir, hit, SPAN_NULL) : 1;
    if (r != 0)
        return r < 0 ? r : -ENOENT;
    for (size_t i = 0, tried = 0; i < n && tried < TRIED_MAX; i++) {
        r = saves(rules_dir, hit, slice(&v, phrases[i].from, phrases[i].to));
        /* What can't be a phrase is refused by the library, and another may be one. */
        if (r == 1)
            return buf_append(ret_phrase, slice(&v, phrases[i].from, phrases[i].to));
        if (r < 0 && r != -EINVAL)
            return r;
        tried++;
    }
    return -ENOENT;
}
