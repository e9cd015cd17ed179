/*
 * keywords/<risk>.txt and allow/<any>.txt: one word or phrase a line; behind it, after tabs,
 * key=value. "#!key=value" lines before the first word set the file's defaults; other # lines are
 * comments.
 */
#include "base/codec.h"
#include "base/utf8.h"
#include "rules/loader.h"

#include <errno.h>
#include <stdlib.h>

struct line_reader {
    struct loader *loader;
    struct span file;
    struct span line;
    unsigned number;
};

/* Where a part of the current line stands, in characters. */
static struct place place_at(const struct line_reader *r, const char *part)
{
    struct span before = span_from(r->line.data, (size_t)(part - r->line.data));
    return (struct place){r->file, r->number, (unsigned)utf8_count(before) + 1};
}

static bool set_action(struct loader *l, struct place at, struct span value, enum action *ret)
{
    *ret = action_from(value);
    if (*ret == ACTION_DEFAULT || *ret == ACTION_ALLOW)
        loader_error(l, at, "'%.*s' is no action of a rule: flag, mask, answer or block",
                     SPAN_ARG(value));
    return *ret != ACTION_DEFAULT;
}

static bool set_direction(struct loader *l, struct place at, struct span value, enum direction *ret)
{
    static const enum direction all[] = {DIRECTION_PROMPT, DIRECTION_COMPLETION, DIRECTION_BOTH};
    for (size_t i = 0; i < 3; i++) {
        if (!span_eq(value, span_str(direction_name(all[i]))))
            continue;
        *ret = all[i];
        return true;
    }
    loader_error(l, at, "'%.*s' is no direction: prompt, completion or both", SPAN_ARG(value));
    return false;
}

/* One key=value; `line` says that it stands behind a word, where samples make sense. */
static void set_attribute(struct line_reader *r, struct span part, bool line, struct keyword *k)
{
    static const char *const names[] = {"why", "source", "direction", "action", "hit", "miss"};
    struct loader *l = r->loader;
    size_t equals = span_find(part, SPAN_LIT("="));
    struct place at = place_at(r, part.data);
    if (equals == part.len) {
        loader_error(l, at, "expected key=value, found '%.*s'", SPAN_ARG(part));
        return;
    }
    struct span key = span_trim(span_slice(part, 0, equals));
    struct span value = span_trim(span_slice(part, equals + 1, part.len));
    struct place value_at = place_at(r, value.len ? value.data : part.data);
    if (value.len == 0)
        loader_error(l, at, "'%.*s' has no value", SPAN_ARG(key));
    else if (span_eq(key, SPAN_LIT("why")))
        k->rule.why = reader_keep(&l->reader, value);
    else if (span_eq(key, SPAN_LIT("source")))
        k->rule.from = reader_keep(&l->reader, value);
    else if (span_eq(key, SPAN_LIT("direction")))
        set_direction(l, value_at, value, &k->rule.direction);
    else if (span_eq(key, SPAN_LIT("action")))
        set_action(l, value_at, value, &k->rule.action);
    else if (line && span_eq(key, SPAN_LIT("hit")))
        k->hit = reader_keep(&l->reader, value);
    else if (line && span_eq(key, SPAN_LIT("miss")))
        k->miss = reader_keep(&l->reader, value);
    else {
        const char *meant = schema_suggest(names, line ? 6 : 4, key);
        if (meant)
            loader_error(l, at, "unknown key '%.*s'; did you mean '%s'?", SPAN_ARG(key), meant);
        else
            loader_error(l, at, "unknown key '%.*s'", SPAN_ARG(key));
    }
}

static bool next_line(struct line_reader *r, struct span *rest)
{
    if (!span_split(rest, '\n', &r->line))
        return false;
    r->number++;
    if (r->line.len && r->line.data[r->line.len - 1] == '\r')
        r->line.len--;
    return true;
}

/* NUL and broken UTF-8 are told once, for they may be in every line of a file that is no text. */
static bool check_text(struct loader *l, struct span text, struct span file)
{
    size_t bad = utf8_check(text);
    const char *nul = memchr(text.data, '\0', bad);
    if (nul)
        bad = (size_t)(nul - text.data);
    if (bad == text.len)
        return true;
    struct line_reader r = {.file = file};
    struct span rest = text;
    while (next_line(&r, &rest) && (size_t)(r.line.data + r.line.len - text.data) < bad)
        ;
    loader_error(l, place_at(&r, text.data + bad), nul ? "a NUL byte" : "not UTF-8");
    return false;
}

static struct span without_bom(struct span text)
{
    return span_starts(text, SPAN_LIT("\xef\xbb\xbf")) ? span_slice(text, 3, text.len) : text;
}

static void keep_keyword(struct line_reader *r, struct keyword *k, struct span word)
{
    struct loader *l = r->loader;
    if (!loader_grow(l, (void **)&l->keywords, l->keyword_count, &l->keyword_cap,
                     sizeof(*l->keywords)))
        return;
    struct place at = place_at(r, word.data);
    k->rule.source = reader_keep(&l->reader, word);
    k->rule.file = r->file;
    k->rule.line = at.line;
    k->column = at.column;
    l->keywords[l->keyword_count++] = *k;
}

void keywords_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    struct place whole = {.file = file};
    const struct risk *risk = ruleset_find_risk(l->set, stem);
    if (!risk) {
        loader_error(l, whole, "no risk is called '%.*s'", SPAN_ARG(stem));
        return;
    }
    text = without_bom(text);
    if (!check_text(l, text, file))
        return;
    struct keyword defaults = {
        .rule = {.risk = risk, .direction = DIRECTION_BOTH, .action = ACTION_DEFAULT}};
    struct line_reader r = {.loader = l, .file = file};
    bool words = false;
    while (next_line(&r, &text)) {
        struct span line = span_trim(r.line);
        if (line.len == 0)
            continue;
        if (span_starts(line, SPAN_LIT("#!"))) {
            if (words)
                loader_error(l, place_at(&r, line.data),
                             "defaults must stand before the first word");
            else
                set_attribute(&r, span_trim(span_slice(line, 2, line.len)), false, &defaults);
            continue;
        }
        if (line.data[0] == '#')
            continue;
        words = true;
        struct keyword k = defaults;
        struct span part, word = SPAN_NULL;
        unsigned errors = l->report->errors;
        bool first = true;
        while (span_split(&line, '\t', &part)) {
            part = span_trim(part);
            if (first)
                word = part;
            else if (part.len)
                set_attribute(&r, part, true, &k);
            first = false;
        }
        if (l->report->errors == errors)
            keep_keyword(&r, &k, word);
    }
}

void allow_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    text = without_bom(text);
    if (!check_text(l, text, file))
        return;
    struct line_reader r = {.loader = l, .file = file};
    while (next_line(&r, &text)) {
        struct span line = span_trim(r.line), word;
        if (line.len == 0 || line.data[0] == '#' || !span_split(&line, '\t', &word))
            continue;
        word = span_trim(word);
        struct place at = place_at(&r, word.data);
        int e = matchset_add_allow(l->builder, word);
        if (e == -ENOMEM)
            l->reader.memory_out = true;
        else if (e == MATCH_TOO_LONG)
            loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
        else if (e)
            loader_error(l, at, "nothing of '%.*s' is left to match", SPAN_ARG(word));
        struct span part;
        while (span_split(&line, '\t', &part)) {
            struct keyword ignored = {0};
            set_attribute(&r, part, false, &ignored);
        }
    }
}

static void fold_keyword(struct loader *l, struct keyword *k)
{
    struct buf folded = BUF_INIT(4096);
    int e = match_fold(k->rule.source, &folded);
    struct place at = {k->rule.file, k->rule.line, k->column};
    if (e == -ENOMEM)
        l->reader.memory_out = true;
    else if (e < 0)
        loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
    else
        k->folded = reader_keep(&l->reader, buf_span(&folded));
    buf_deinit(&folded);
}

/* By risk, folded form, then order of reading. */
static int compare_keywords(const void *a, const void *b)
{
    const struct keyword *x = *(struct keyword *const *)a, *y = *(struct keyword *const *)b;
    int c = span_compare(x->rule.risk->id, y->rule.risk->id);
    if (c == 0)
        c = span_compare(x->folded, y->folded);
    return c ? c : (x > y) - (x < y);
}

/*
 * <risk>/<hex digits of the folded form's SHA-256>: stable as long as the word means the same to
 * the automaton, however it is spelled.
 */
static struct span make_id(struct loader *l, const struct keyword *k, unsigned digits)
{
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    if (sha256_once(k->folded, digest) < 0) {
        l->reader.memory_out = true;
        return SPAN_LIT("");
    }
    codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
    struct span id =
        arena_printf(l->reader.arena, "%.*s/%.*s", SPAN_ARG(k->rule.risk->id), (int)digits, hex);
    if (!id.data)
        l->reader.memory_out = true;
    return id;
}

static int compare_ids(const void *a, const void *b)
{
    const struct keyword *x = *(struct keyword *const *)a, *y = *(struct keyword *const *)b;
    int c = span_compare(x->rule.id, y->rule.id);
    return c ? c : (x > y) - (x < y);
}

/* Eight digits of two words may agree, once in some ten thousand words: then they get more. */
static void name_keywords(struct loader *l, struct keyword **sorted, size_t count)
{
    for (size_t i = 0; i < count; i++)
        sorted[i]->rule.id = make_id(l, sorted[i], 8);
    qsort(sorted, count, sizeof(*sorted), compare_ids);
    for (size_t i = 0; i < count;) {
        size_t j = i + 1;
        while (j < count && span_eq(sorted[j]->rule.id, sorted[i]->rule.id))
            j++;
        for (size_t k = i; j - i > 1 && k < j; k++)
            sorted[k]->rule.id = make_id(l, sorted[k], 16);
        i = j;
    }
}

static void add_keyword(struct loader *l, const struct keyword *k)
{
    uint32_t rule = loader_add_rule(l, &k->rule);
    struct place at = {k->rule.file, k->rule.line, k->column};
    if (rule == UINT32_MAX)
        return;
    switch (matchset_add_keyword(l->builder, k->rule.source, rule, k->rule.direction, 0)) {
    case 0:
        break;
    case MATCH_EMPTY:
        loader_error(l, at, "nothing of '%.*s' is left to match", SPAN_ARG(k->rule.source));
        break;
    case MATCH_SINGLE_HAN:
        loader_error(l, at, "'%.*s' is a single character, which never stands alone",
                     SPAN_ARG(k->rule.source));
        break;
    case MATCH_TOO_LONG:
        loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
        break;
    default:
        l->reader.memory_out = true;
    }
    if (k->hit.len)
        loader_add_sample(l, rule, true, k->hit, at);
    else
        loader_add_sample(l, rule, true, k->rule.source, at);
    if (k->miss.len)
        loader_add_sample(l, rule, false, k->miss, at);
}

void keywords_finish(struct loader *l)
{
    size_t count = l->keyword_count;
    if (count == 0)
        return;
    struct keyword **sorted = malloc(count * sizeof(*sorted));
    if (!sorted) {
        l->reader.memory_out = true;
        return;
    }
    for (size_t i = 0; i < count; i++) {
        fold_keyword(l, &l->keywords[i]);
        sorted[i] = &l->keywords[i];
    }
    qsort(sorted, count, sizeof(*sorted), compare_keywords);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        struct keyword *k = sorted[i], *before = kept ? sorted[kept - 1] : NULL;
        if (!before || before->rule.risk != k->rule.risk || !span_eq(before->folded, k->folded) ||
            k->folded.len == 0) {
            sorted[kept++] = k;
            continue;
        }
        loader_warn(l, (struct place){k->rule.file, k->rule.line, k->column},
                    "'%.*s' is the same as '%.*s' on line %u", SPAN_ARG(k->rule.source),
                    SPAN_ARG(before->rule.source), before->rule.line);
        k->rule.risk = NULL; /* dropped */
    }
    name_keywords(l, sorted, kept);
    free(sorted);
    /* In the order of the files, so that messages and rule numbers follow it. */
    for (size_t i = 0; i < count; i++)
        if (l->keywords[i].rule.risk)
            add_keyword(l, &l->keywords[i]);
}
