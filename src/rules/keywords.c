/*
 * keywords/<any>.txt and allow/<any>.txt: one word or phrase a line; behind it, after tabs,
 * key=value. "#!key=value" lines before the first word set the file's defaults; other # lines are
 * comments. A file that is called as a risk holds words of that risk; any other says `risk=`.
 *
 * A million words are read in seconds: the file's text is kept as it is and every span of a rule
 * points into it, a word is folded and hashed once, and one sort over the hashes finds both
 * repetitions and ids that would clash.
 */
#include "base/codec.h"
#include "rules/attribute.h"
#include "rules/lines.h"

#include <errno.h>
#include <stdlib.h>

/* What a line may say; each kind of line takes the first so many. */
enum attribute {
    WHY,
    SOURCE,
    RISK,
    DIRECTION,
    ACTION,
    SEE,
    APPS,
    EXPIRES,
    MISS,
    HIT,
    QUARANTINE,
    FORCED
};
static const char *const names[] = {
    [WHY] = "why",
    [SOURCE] = "source",
    [RISK] = "risk",
    [DIRECTION] = "direction",
    [ACTION] = "action",
    [SEE] = "see",
    [APPS] = "apps",
    [EXPIRES] = "expires",
    [MISS] = "miss",
    [HIT] = "hit",
    [QUARANTINE] = "quarantine",
    [FORCED] = "forced",
};
enum taken { TAKES_SOURCE = SOURCE + 1, TAKES_DEFAULTS = MISS + 1, TAKES_ALL = FORCED + 1 };

/* A line before it is kept; its samples stand beside the rule. */
struct word {
    struct rule rule;
    struct span hit, miss;
    bool named; /* its risk is the file's name */
};

/* The parts of a list with commas; false behind the last. */
static bool next_part(struct span *rest, struct span *part)
{
    if (!span_split(rest, ',', part))
        return false;
    *part = span_trim(*part);
    return true;
}

static void set_see(struct line_reader *r, struct span value, uint32_t *asked)
{
    struct span part;
    *asked = 0;
    /* How a word goes back behind its file's default. */
    if (span_eq(value, SPAN_LIT("none")))
        return;
    while (next_part(&value, &part))
        attribute_layer(r->loader, lines_place(r, part.data), part, asked);
}

static void set_apps(struct line_reader *r, struct span value, struct rule *rule)
{
    struct span rest = value, part;
    size_t count = 0;
    while (next_part(&rest, &part))
        count++;
    struct span *apps = reader_alloc(&r->loader->reader, count, sizeof(*apps));
    if (!apps)
        return;
    rule->apps = apps;
    rule->app_count = count;
    while (next_part(&value, apps)) {
        attribute_app(r->loader, lines_place(r, apps->data), *apps);
        apps++;
    }
}

static void set_risk(struct line_reader *r, struct place at, struct span value, struct word *w)
{
    const struct risk *risk = ruleset_find_risk(r->loader->set, value);
    if (!risk)
        loader_error(r->loader, at, "no risk is called '%.*s'", SPAN_ARG(value));
    else if (w->named && risk != w->rule.risk)
        loader_error(r->loader, at, "this file's words are of %.*s, as its name says",
                     SPAN_ARG(w->rule.risk->id));
    else
        w->rule.risk = risk;
}

/* One key=value. */
static void set_attribute(struct line_reader *r, struct span part, enum taken taken, struct word *w)
{
    struct loader *l = r->loader;
    size_t equals = span_find(part, SPAN_LIT("="));
    struct place at = lines_place(r, part.data);
    if (equals == part.len) {
        loader_error(l, at, "expected key=value, found '%.*s'", SPAN_ARG(part));
        return;
    }
    struct span key = span_trim(span_slice(part, 0, equals));
    struct span value = span_trim(span_slice(part, equals + 1, part.len));
    struct place value_at = lines_place(r, value.len ? value.data : part.data);
    size_t i = 0;
    while (i < (size_t)taken && !span_eq(key, span_str(names[i])))
        i++;
    if (i == (size_t)taken) {
        const char *meant = schema_suggest(names, taken, key);
        if (meant)
            loader_error(l, at, "unknown key '%.*s'; did you mean '%s'?", SPAN_ARG(key), meant);
        else
            loader_error(l, at, "unknown key '%.*s'", SPAN_ARG(key));
        return;
    }
    if (value.len == 0) {
        loader_error(l, at, "'%.*s' has no value", SPAN_ARG(key));
        return;
    }
    switch ((enum attribute)i) {
    case WHY:
        w->rule.why = value;
        break;
    case SOURCE:
        w->rule.from = value;
        attribute_source(l, value_at, value, &w->rule.origin);
        break;
    case RISK:
        set_risk(r, value_at, value, w);
        break;
    case QUARANTINE:
        w->rule.quarantine = value;
        break;
    case FORCED:
        w->rule.forced = value;
        break;
    case DIRECTION:
        attribute_direction(l, value_at, value, &w->rule.direction);
        break;
    case ACTION:
        attribute_action(l, value_at, value, &w->rule.action);
        break;
    case SEE:
        set_see(r, value, &w->rule.asked);
        break;
    case APPS:
        set_apps(r, value, &w->rule);
        break;
    case EXPIRES:
        attribute_expires(l, value_at, value, &w->rule.expires);
        break;
    case HIT:
        w->hit = value;
        break;
    case MISS:
        w->miss = value;
    }
}

/* The digest of the folded form: what the word means to the automaton, however it is spelled. */
static bool identify(struct loader *l, const struct rule *rule, struct keyword *ret_keyword)
{
    unsigned char digest[SHA256_SIZE];
    struct place at = {rule->file, rule->line, rule->column};
    buf_clear(&l->folded);
    int e = match_fold(rule->source, &l->folded);
    if (e == -EMSGSIZE)
        loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
    else if (e < 0 || sha256_begin(l->hash) < 0 || sha256_add(l->hash, buf_span(&l->folded)) < 0 ||
             sha256_end(l->hash, digest) < 0)
        l->reader.memory_out = true;
    else
        memcpy(ret_keyword->digest, digest, sizeof(ret_keyword->digest));
    return e == 0;
}

/* An attribute behind a blank is part of the word, which then matches nothing anyone writes. */
static void warn_of_blank(struct line_reader *r, struct span word)
{
    struct span part;
    if (span_find(word, SPAN_LIT("=")) == word.len || !span_split(&word, ' ', &part))
        return;
    while (span_split(&word, ' ', &part)) {
        struct span key = span_slice(part, 0, span_find(part, SPAN_LIT("=")));
        for (size_t i = 0; key.len < part.len && i < TAKES_ALL; i++)
            if (span_eq(key, span_str(names[i])))
                loader_warn(r->loader, lines_place(r, key.data),
                            "'%.*s=' is read as part of the word: put a tab before an attribute",
                            SPAN_ARG(key));
    }
}

static void keep_word(struct line_reader *r, struct word *w, struct span word)
{
    struct loader *l = r->loader;
    struct place at = lines_place(r, word.data);
    struct keyword k;
    warn_of_blank(r, word);
    w->rule.source = word;
    w->rule.file = r->file;
    w->rule.line = at.line;
    w->rule.column = at.column;
    if (!identify(l, &w->rule, &k) ||
        !loader_grow(l, (void **)&l->keywords, l->keyword_count, &l->keyword_cap, sizeof(k)))
        return;
    uint32_t rule = loader_add_rule(l, &w->rule);
    if (rule == UINT32_MAX)
        return;
    l->keywords[l->keyword_count++] = k;
    if (w->hit.len)
        loader_add_sample(l, rule, true, w->hit, at);
    if (w->miss.len)
        loader_add_sample(l, rule, false, w->miss, at);
}

/* False when the file doesn't say what risk its words are of: one message is enough. */
static bool read_word(struct line_reader *r, struct span line, const struct word *defaults)
{
    struct word w = *defaults;
    struct span part, word = SPAN_NULL;
    unsigned errors = r->loader->report->errors;
    bool first = true;
    while (span_split(&line, '\t', &part)) {
        part = span_trim(part);
        if (first)
            word = part;
        else if (part.len)
            set_attribute(r, part, TAKES_ALL, &w);
        first = false;
    }
    if (w.rule.quarantine.len && w.rule.forced.len)
        loader_error(r->loader, lines_place(r, word.data), "either quarantined or forced");
    if (r->loader->report->errors != errors)
        return true;
    if (w.rule.risk)
        keep_word(r, &w, word);
    else
        loader_error(r->loader, lines_place(r, word.data),
                     "of which risk? The file is called as none, and the line has no 'risk='");
    return w.rule.risk != NULL;
}

/* A file's misses are many, and no rule's: they are kept beside the rules. */
static void read_default(struct line_reader *r, struct span part, struct word *defaults)
{
    set_attribute(r, part, TAKES_DEFAULTS, defaults);
    if (defaults->miss.len)
        loader_add_innocent(r->loader, defaults->miss, lines_place(r, defaults->miss.data), false);
    defaults->miss = SPAN_NULL;
}

void keywords_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    const struct risk *risk = ruleset_find_risk(l->set, stem);
    struct line_reader r;
    if (!lines_begin(&r, l, reader_keep(&l->reader, text), file))
        return;
    struct word defaults = {
        .rule = {.risk = risk, .direction = DIRECTION_BOTH, .action = ACTION_DEFAULT},
        .named = risk != NULL};
    bool words = false;
    while (lines_next(&r)) {
        struct span line = span_trim(r.line);
        if (line.len == 0)
            continue;
        if (span_starts(line, SPAN_LIT("#!"))) {
            if (words)
                loader_error(l, lines_place(&r, line.data),
                             "defaults must stand before the first word");
            else
                read_default(&r, span_trim(span_slice(line, 2, line.len)), &defaults);
            continue;
        }
        if (line.data[0] == '#')
            continue;
        words = true;
        if (!read_word(&r, line, &defaults))
            return;
    }
}

/* `for=imports`: against words that imported lists have; what else may be said of a phrase. */
static void set_allow(struct line_reader *r, struct span part, bool *imports)
{
    struct span key = span_trim(span_slice(part, 0, span_find(part, SPAN_LIT("="))));
    struct word ignored = {0};
    if (!span_eq(key, SPAN_LIT("for"))) {
        set_attribute(r, part, TAKES_SOURCE, &ignored);
        return;
    }
    struct span value = span_trim(span_slice(part, span_find(part, SPAN_LIT("=")) + 1, part.len));
    if (!span_eq(value, SPAN_LIT("imports")))
        loader_error(r->loader, lines_place(r, part.data), "'for' can only be: imports");
    *imports = true;
}

static void keep_allow(struct line_reader *r, struct span phrase, bool imports)
{
    struct loader *l = r->loader;
    struct place at = lines_place(r, phrase.data);
    warn_of_blank(r, phrase);
    int e = matchset_add_allow(l->builder, phrase);
    if (e == -ENOMEM)
        l->reader.memory_out = true;
    else if (e == MATCH_TOO_LONG)
        loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
    else if (e)
        loader_error(l, at, "nothing of '%.*s' is left to match", SPAN_ARG(phrase));
    else if (loader_grow(l, (void **)&l->set->allows, l->set->allow_count, &l->set->allow_cap,
                         sizeof(*l->set->allows)))
        l->set->allows[l->set->allow_count++] = (struct allow){phrase, at, imports};
}

void allow_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    struct line_reader r;
    bool file_imports = false;
    if (!lines_begin(&r, l, reader_keep(&l->reader, text), file))
        return;
    while (lines_next(&r)) {
        struct span line = span_trim(r.line), word, part;
        bool imports = file_imports;
        if (span_starts(line, SPAN_LIT("#!"))) {
            set_allow(&r, span_trim(span_slice(line, 2, line.len)), &file_imports);
            continue;
        }
        if (line.len == 0 || line.data[0] == '#' || !span_split(&line, '\t', &word))
            continue;
        while (span_split(&line, '\t', &part))
            set_allow(&r, span_trim(part), &imports);
        keep_allow(&r, span_trim(word), imports);
    }
}

void benign_read(struct loader *l, struct span text, struct span file, struct span stem)
{
    struct line_reader r;
    if (!lines_begin(&r, l, reader_keep(&l->reader, text), file))
        return;
    while (lines_next(&r)) {
        struct span line = span_trim(r.line);
        if (line.len && line.data[0] != '#')
            loader_add_innocent(l, line, lines_place(&r, line.data), true);
    }
}

/* ---- all keyword files are read ---- */

/* A keyword in the order of its risk and digest: what is equal stands side by side. */
struct entry {
    uint64_t high, low; /* of the digest */
    uint32_t risk;
    uint32_t keyword; /* by order of reading */
    bool quarantined;
};

static uint64_t read_u64(const unsigned char *bytes)
{
    uint64_t n = 0;
    for (size_t i = 0; i < 8; i++)
        n = n << 8 | bytes[i];
    return n;
}

/* Of words that are the same, one that counts stands before those that are quarantined. */
static int compare_entries(const void *a, const void *b)
{
    const struct entry *x = a, *y = b;
    if (x->risk != y->risk)
        return x->risk < y->risk ? -1 : 1;
    if (x->high != y->high)
        return x->high < y->high ? -1 : 1;
    if (x->low != y->low)
        return x->low < y->low ? -1 : 1;
    if (x->quarantined != y->quarantined)
        return x->quarantined ? 1 : -1;
    return x->keyword < y->keyword ? -1 : 1;
}

static bool same_word(const struct entry *a, const struct entry *b)
{
    return a->risk == b->risk && a->high == b->high && a->low == b->low;
}

/* The first eight digits agree, of two words once in some ten thousand. */
static bool same_name(const struct entry *a, const struct entry *b)
{
    return a->risk == b->risk && a->high >> 32 == b->high >> 32 && !same_word(a, b);
}

/* <risk>/<hex digits of the digest> */
static void name_rule(struct loader *l, struct rule *rule, const struct keyword *k, size_t digits)
{
    char hex[2 * sizeof(k->digest) + 1];
    struct span risk = rule->risk->id;
    char *id = arena_alloc(l->reader.arena, risk.len + 1 + digits);
    if (!id) {
        l->reader.memory_out = true;
        return;
    }
    codec_hex(span_from((const char *)k->digest, digits / 2), hex);
    memcpy(id, risk.data, risk.len);
    id[risk.len] = '/';
    memcpy(id + risk.len + 1, hex, digits);
    rule->id = span_from(id, risk.len + 1 + digits);
}

/* Names each word, and gives each that repeats another the number of the first in `same`. */
static void name_words(struct loader *l, struct entry *sorted, uint32_t *same)
{
    size_t count = l->keyword_count;
    struct rule *rules = l->set->rules + l->keyword_first;
    for (size_t i = 0; i < count; i++) {
        uint64_t high = read_u64(l->keywords[i].digest), low = read_u64(l->keywords[i].digest + 8);
        uint32_t risk = (uint32_t)(rules[i].risk - l->set->risks);
        bool quarantined = rules[i].quarantine.len > 0;
        sorted[i] = (struct entry){high, low, risk, (uint32_t)i, quarantined};
    }
    qsort(sorted, count, sizeof(*sorted), compare_entries);
    for (size_t i = 0, next; i < count; i = next) {
        for (next = i + 1; next < count && same_word(&sorted[next], &sorted[i]); next++)
            same[sorted[next].keyword] = sorted[i].keyword;
        uint32_t first = same[sorted[i].keyword] = sorted[i].keyword;
        bool clash = (i > 0 && same_name(&sorted[i - 1], &sorted[i])) ||
                     (next < count && same_name(&sorted[next], &sorted[i]));
        name_rule(l, &rules[first], &l->keywords[first], clash ? 16 : 8);
    }
}

static bool same_attributes(const struct rule *a, const struct rule *b)
{
    bool same = a->direction == b->direction && a->action == b->action && a->asked == b->asked &&
                a->expires == b->expires && a->app_count == b->app_count &&
                (a->quarantine.len > 0) == (b->quarantine.len > 0);
    for (size_t i = 0; same && i < a->app_count; i++)
        same = span_eq(a->apps[i], b->apps[i]);
    return same;
}

static void warn_repeated(struct loader *l, const struct rule *rule, const struct rule *first)
{
    bool elsewhere = rule->file.data != first->file.data;
    loader_warn(l, (struct place){rule->file, rule->line, rule->column},
                "'%.*s' is the same as '%.*s' on line %u%s%.*s%s", SPAN_ARG(rule->source),
                SPAN_ARG(first->source), first->line, elsewhere ? " of " : "",
                SPAN_ARG(elsewhere ? first->file : SPAN_LIT("")),
                same_attributes(rule, first) ? "" : ", whose attributes hold");
}

static void compile_word(struct loader *l, uint32_t index)
{
    const struct rule *rule = &l->set->rules[index];
    if (rule->quarantine.len)
        return;
    struct place at = {rule->file, rule->line, rule->column};
    int e = matchset_add_keyword(l->builder, rule->source, index, rule->direction, rule->asked);
    if (e < 0)
        l->reader.memory_out = true;
    else if (e)
        loader_refuse_word(l, at, rule->source, e);
}

void loader_refuse_word(struct loader *l, struct place at, struct span word, int reason)
{
    if (reason == MATCH_EMPTY)
        loader_error(l, at, "nothing of '%.*s' is left to match", SPAN_ARG(word));
    else if (reason == MATCH_SINGLE_HAN)
        loader_error(l, at, "'%.*s' is a single character, which never stands alone",
                     SPAN_ARG(word));
    else
        loader_error(l, at, "longer than %d characters", MATCH_KEYWORD_MAX);
}

/* Compiles what is kept and closes the gaps of what is not, in the order of the files. */
static void close_ranks(struct loader *l, const uint32_t *same)
{
    struct ruleset *s = l->set;
    uint32_t kept = l->keyword_first;
    size_t samples = 0, sample = 0;
    while (samples < s->sample_count && s->samples[samples].rule < l->keyword_first)
        samples++;
    sample = samples;
    for (uint32_t i = 0; i < l->keyword_count; i++) {
        uint32_t from = l->keyword_first + i;
        bool dropped = same[i] != i;
        for (; sample < s->sample_count && s->samples[sample].rule == from; sample++) {
            if (dropped)
                continue;
            s->samples[samples] = s->samples[sample];
            s->samples[samples++].rule = kept;
        }
        if (dropped) {
            s->repeated[s->rules[from].risk - s->risks]++;
            /* The one that stays comes later where this one is quarantined. */
            uint32_t stays = same[i] < i ? l->keywords[same[i]].kept : l->keyword_first + same[i];
            warn_repeated(l, &s->rules[from], &s->rules[stays]);
            continue;
        }
        s->rules[kept] = s->rules[from];
        l->keywords[i].kept = kept;
        compile_word(l, kept++);
    }
    s->rule_count = kept;
    s->sample_count = samples;
}

void keywords_finish(struct loader *l)
{
    size_t count = l->keyword_count;
    if (count == 0 || l->reader.memory_out)
        return;
    struct entry *sorted = calloc(count, sizeof(*sorted));
    uint32_t *same = calloc(count, sizeof(*same));
    l->set->repeated = calloc(l->set->risk_count, sizeof(*l->set->repeated));
    l->keyword_first = (uint32_t)(l->set->rule_count - count);
    if (sorted && same && l->set->repeated) {
        name_words(l, sorted, same);
        free(sorted);
        close_ranks(l, same);
    } else {
        l->reader.memory_out = true;
        free(sorted);
    }
    free(same);
    free(l->keywords);
    l->keywords = NULL;
    l->keyword_count = l->keyword_cap = 0;
}

const struct rule *ruleset_find_word(const struct ruleset *s, const struct risk *risk,
                                     struct span word)
{
    unsigned char digest[SHA256_SIZE];
    char hex[2 * SHA256_SIZE + 1];
    struct buf folded = BUF_INIT(4096);
    bool good = match_fold(word, &folded) == 0 && sha256_once(buf_span(&folded), digest) == 0;
    buf_deinit(&folded);
    if (!good)
        return NULL;
    codec_hex(span_from((const char *)digest, sizeof(digest)), hex);
    for (size_t i = 0; i < s->rule_count; i++) {
        const struct rule *r = &s->rules[i];
        /* 8 digits, or 16 where two words share these. */
        if (r->kind == RULE_KEYWORD && r->risk == risk &&
            span_starts(span_str(hex), span_slice(r->id, risk->id.len + 1, r->id.len)))
            return r;
    }
    return NULL;
}
