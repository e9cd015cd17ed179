/*
 * Which words of a list count. Ordinary texts are read once, through one match set of all words:
 * whatever hits there would have refused somebody.
 */
#include "rules/common.h"
#include "rules/importing.h"

#include "base/utf8.h"
#include "match/cursor.h"
#include "text/fold.h"

#include <errno.h>
#include <stdlib.h>

#define SHORT_MAX   3 /* Latin letters and digits */
#define TRAFFIC_MIN 3 /* texts of traffic that tell an everyday word */
#define GRAVE_MIN   3 /* of the library's ordinary texts, for a word that means harm */

struct judging {
    struct import *im;
    struct matchset *set;      /* of all words that may count, numbered as they are */
    struct ordinary *ordinary; /* being read */
    uint32_t text;             /* its number, from 1 */
    struct tally {
        uint32_t texts, last, first; /* of one kind of texts that the word hits */
    } * tallies;                     /* by word */
    size_t word;                     /* whose shadow is looked for */
};

/* ---- without texts ---- */

static bool is_single(struct span folded)
{
    uint32_t cp;
    int n = folded.len ? utf8_decode(folded, false, &cp) : 0;
    return n > 0 && (size_t)n == folded.len && fold_entry_class(fold_entry(cp)) == FOLD_HAN;
}

/*
 * A few Latin letters or digits, or one Han character beside a few: what counts things (20年),
 * names a grade or a model, or is an abbreviation of many meanings.
 */
static bool is_short(struct span folded)
{
    size_t symbols = 0, han = 0;
    while (folded.len) {
        uint32_t cp;
        int n = utf8_decode(folded, false, &cp);
        if (n <= 0)
            return false;
        if (n > 1 && fold_entry_class(fold_entry(cp)) != FOLD_HAN)
            return false;
        han += n > 1;
        symbols++;
        folded = span_slice(folded, (size_t)n, folded.len);
    }
    return symbols <= SHORT_MAX && han < 2 && han < symbols;
}

static void say_common(struct import *im, struct import_word *w, const struct common_rate *rate)
{
    bool across = rate->across > rate->within;
    double much = across ? rate->across : rate->within;
    w->why = arena_printf(&im->arena,
                          across ? "common: about %.*f times in a million where words meet"
                                 : "common: about %.*f of a million words are it or hold it",
                          much < 10 ? 1 : 0, much);
}

static void judge_alone(struct import *im, const struct common *c, struct import_word *w)
{
    struct common_rate rate = {0};
    bool known = common_word(c, w->folded, &rate);
    w->grave = rate.grave;
    if (is_single(w->folded)) {
        w->reason = IMPORT_SINGLE;
        w->why = SPAN_LIT("one character: never stands alone");
    } else if (is_short(w->folded)) {
        w->reason = IMPORT_SHORT;
        w->why = SPAN_LIT("short: three letters or digits, or one character beside them");
    } else if (common_is_english(c, w->folded)) {
        w->reason = IMPORT_COMMON;
        w->why = SPAN_LIT("common: an everyday English word");
    } else if (known && common_is_everyday(&rate)) {
        w->reason = IMPORT_COMMON;
        say_common(im, w, &rate);
    }
}

static bool is_judged(const struct import_word *w)
{
    return w->fate == IMPORT_KEPT || w->fate == IMPORT_FORCED || w->fate == IMPORT_QUARANTINED;
}

/* ---- ordinary texts ---- */

static int add_ordinary(struct import *im, struct ordinary o)
{
    if (import_grow((void **)&im->ordinary, im->ordinary_count, &im->ordinary_cap, sizeof(o)) < 0)
        return -ENOMEM;
    im->ordinary[im->ordinary_count++] = o;
    return 0;
}

static int add_benign(struct import *im)
{
    for (size_t i = 0; i < ruleset_benign_count(im->library); i++) {
        struct place at;
        struct span text = ruleset_benign(im->library, i, &at);
        if (add_ordinary(im, (struct ordinary){text, at.file, at.line, IMPORT_BENIGN}) < 0)
            return -ENOMEM;
    }
    return 0;
}

int import_add_traffic(struct import *im, struct span text)
{
    struct span kept = import_keep(im, text);
    if (!kept.data)
        return -ENOMEM;
    return add_ordinary(im, (struct ordinary){kept, SPAN_LIT(""), 0, IMPORT_TRAFFIC});
}

static int add_sample_row(struct import *im, const struct table *t, size_t row, int column,
                          struct span file)
{
    const struct table_row *r = &t->rows[row];
    for (uint32_t c = 0; c < r->count; c++) {
        if ((column >= 0 && c != (uint32_t)column) || span_trim(r->cells[c]).len == 0)
            continue;
        struct span text = import_keep(im, r->cells[c]);
        if (!text.data ||
            add_ordinary(im, (struct ordinary){text, file, r->line, IMPORT_SAMPLE}) < 0)
            return -ENOMEM;
    }
    return 0;
}

int import_add_sample(struct import *im, struct span path, struct buf *messages)
{
    static const char *const text_names[] = {"text",     "prompt", "content", "query",
                                             "question", "文本",   "内容",    "提问",
                                             "问题",     "测试题", NULL};
    struct table t;
    struct span file = import_keep(im, path);
    int r = file.data ? table_load(path, TABLE_ANY, &t, messages) : -ENOMEM;
    if (!file.data)
        return r;
    int column =
        r == 0 && t.count && t.format != TABLE_TEXT ? columns_find(&t.rows[0], text_names) : -1;
    for (size_t i = column >= 0 || t.titled; r == 0 && i < t.count; i++)
        r = add_sample_row(im, &t, i, column, file);
    table_deinit(&t);
    return r;
}

static int note_hit(void *ctx, const struct hit *hit)
{
    struct judging *j = ctx;
    struct tally *t = &j->tallies[hit->rule];
    if (t->last != j->text) {
        t->last = j->text;
        t->first = t->texts ? t->first : j->text;
        t->texts++;
    }
    return 0;
}

static int read_text(const struct matchset *set, struct span text, cursor_hit_fn fn, void *ctx)
{
    struct cursor *c = cursor_new_keywords(set, DIRECTION_BOTH);
    if (!c)
        return -ENOMEM;
    int r = cursor_feed(c, text, fn, ctx);
    if (r == 0)
        r = cursor_finish(c, fn, ctx);
    cursor_free(c);
    return r == -ENOMEM ? r : 0;
}

static void say_hit(struct import *im, struct import_word *w, const struct tally *t)
{
    const struct ordinary *o = &im->ordinary[t->first - 1];
    w->reason = o->reason;
    if (o->reason == IMPORT_TRAFFIC)
        w->why = arena_printf(&im->arena, "hits %u logged texts that were let through", t->texts);
    else if (t->texts == 1)
        w->why = arena_printf(&im->arena, "hits the ordinary text at %.*s:%u", SPAN_ARG(o->from),
                              o->line);
    else
        w->why = arena_printf(&im->arena, "hits %u ordinary texts, the first at %.*s:%u", t->texts,
                              SPAN_ARG(o->from), o->line);
}

/*
 * In how many texts of a kind an everyday word has to be. One of the operator's own is enough; the
 * library's sample has some of prevention and news, which say the gravest words now and then.
 */
static uint32_t texts_min(enum import_reason kind, const struct import_word *w)
{
    return kind == IMPORT_TRAFFIC ? TRAFFIC_MIN : kind == IMPORT_BENIGN && w->grave ? GRAVE_MIN : 1;
}

/* A kind of texts after the other: what is told is the first reason there is. */
static int read_kind(struct judging *j, enum import_reason reason)
{
    struct import *im = j->im;
    memset(j->tallies, 0, im->count * sizeof(*j->tallies));
    for (size_t i = 0; i < im->ordinary_count; i++) {
        if (im->ordinary[i].reason != reason)
            continue;
        j->text = (uint32_t)i + 1;
        int r = read_text(j->set, im->ordinary[i].text, note_hit, j);
        if (r < 0)
            return r;
    }
    for (size_t i = 0; i < im->count; i++) {
        const struct tally *t = &j->tallies[i];
        struct import_word *w = &im->words[i];
        if (t->texts >= texts_min(reason, w) && !w->reason)
            say_hit(im, w, t);
    }
    return 0;
}

/* ---- shadows ---- */

static int note_own_shadow(void *ctx, const struct hit *hit)
{
    struct judging *j = ctx;
    const struct import_word *by = &j->im->words[hit->rule];
    struct import_word *w = &j->im->words[j->word];
    bool counts = by->fate == IMPORT_KEPT || by->fate == IMPORT_FORCED;
    if (by != w && counts && by->risk == w->risk && by->action == w->action && !w->shadow.len)
        w->shadow = by->word;
    return w->shadow.len > 0;
}

static int note_library_shadow(void *ctx, const struct hit *hit)
{
    struct judging *j = ctx;
    const struct rule *by = ruleset_rule(j->im->library, hit->rule);
    struct import_word *w = &j->im->words[j->word];
    if (by->kind == RULE_KEYWORD && by->risk == w->risk && by->action == w->action &&
        by->direction == DIRECTION_BOTH && by->app_count == 0 && by->expires == 0)
        w->shadow = by->source;
    return w->shadow.len > 0;
}

static int find_shadows(struct judging *j)
{
    struct import *im = j->im;
    const struct matchset *library = ruleset_matchset(im->library);
    for (j->word = 0; j->word < im->count; j->word++) {
        const struct import_word *w = &im->words[j->word];
        if (w->fate != IMPORT_KEPT && w->fate != IMPORT_FORCED)
            continue;
        int r = read_text(j->set, w->folded, note_own_shadow, j);
        if (r == 0 && !w->shadow.len)
            r = read_text(library, w->folded, note_library_shadow, j);
        if (r < 0)
            return r;
    }
    return 0;
}

/* ---- all of it ---- */

/* Words of the list that the table leaves, and the library's allow phrases, which save them. */
static int build_set(struct judging *j)
{
    struct import *im = j->im;
    struct matchset_builder *b = matchset_builder_new();
    int r = b ? 0 : -ENOMEM;
    for (size_t i = 0; i < im->library->allow_count && r == 0; i++)
        if (matchset_add_allow(b, im->library->allows[i].phrase) < 0)
            r = -ENOMEM;
    for (size_t i = 0; i < im->count && r >= 0; i++) {
        struct import_word *w = &im->words[i];
        bool forced = index_at(&im->forced, w->folded, false, NULL) != NULL;
        if (!is_judged(w) || w->reason == IMPORT_SINGLE || (w->reason && !forced))
            continue;
        r = matchset_add_keyword(b, w->word, (uint32_t)i, DIRECTION_BOTH, 0);
        if (r == MATCH_SINGLE_HAN) {
            w->reason = IMPORT_SINGLE;
            w->why = SPAN_LIT("one character: never stands alone");
        } else if (r > 0) {
            w->fate = r == MATCH_EMPTY ? IMPORT_EMPTY : IMPORT_TOO_LONG;
        }
    }
    if (r >= 0)
        r = matchset_build(b, &j->set);
    matchset_builder_free(b);
    return r;
}

static int judge_words(struct judging *j)
{
    struct import *im = j->im;
    struct common *c = common_new();
    if (!c)
        return -ENOMEM;
    for (size_t i = 0; i < im->count; i++)
        if (is_judged(&im->words[i]))
            judge_alone(im, c, &im->words[i]);
    common_free(c);
    int r = build_set(j);
    if (r == 0)
        r = add_benign(im);
    for (enum import_reason k = IMPORT_BENIGN; k <= IMPORT_TRAFFIC && r == 0; k++)
        r = read_kind(j, k);
    im->counts.samples = im->ordinary_count;
    return r;
}

static void count(struct import *im)
{
    for (size_t i = 0; i < im->count; i++) {
        const struct import_word *w = &im->words[i];
        im->counts.fates[w->fate]++;
        im->counts.shadowed += w->shadow.len > 0;
        if (w->fate == IMPORT_QUARANTINED)
            im->counts.reasons[w->reason]++;
    }
}

int import_judge(struct import *im, struct buf *messages)
{
    struct judging j = {.im = im, .tallies = calloc(im->count + 1, sizeof(*j.tallies))};
    int r = j.tallies ? judge_words(&j) : -ENOMEM;
    if (r == 0)
        r = forced_apply(im, messages);
    if (r == 0)
        r = find_shadows(&j);
    if (r == 0)
        count(im);
    for (size_t i = 0; i < im->count && r == 0; i++)
        if (im->words[i].reason && !im->words[i].why.data)
            r = -ENOMEM;
    matchset_unref(j.set);
    free(j.tallies);
    return r == -EOVERFLOW ? import_fail(im, messages, SIZE_MAX, "more words than one set holds")
                           : r;
}
