/* The library in force: its rules, one of them, and what the standard asks for. */
#include "console/areas.h"
#include "console/hits.h"
#include "console/memo.h"
#include "console/rulework.h"

#include "base/clock.h"
#include "filing/coverage.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LIMIT        50
#define LIMIT_MAX    500
#define COVERAGE_MAX ((size_t)4 << 20)
#define COVERAGE_MS  600000 /* expiry and lateness come with time, too */
#define FOLDED_MAX   4096

static const char *const states[] = {"active", "observed", "quarantined", "expired"};
#define STATES (sizeof(states) / sizeof(*states))

/* A rule as the list knows it: rules of the set first, then its allow phrases. */
struct item {
    const struct rule *rule; /* NULL: a phrase */
    uint32_t index;
    struct span phrase;
    struct place at;
    char id[RULE_ID_SIZE];
};

struct wish {
    const struct api *api;
    const struct policy *policy; /* of the first app */
    struct span risk, kind, state;
    struct buf wanted, folded; /* as matching reads it */
    struct span words;
    int64_t now;
};

static size_t item_count(const struct ruleset *rules)
{
    return ruleset_count(rules) + ruleset_phrase_count(rules);
}

static bool get_item(const struct ruleset *rules, size_t i, struct item *ret)
{
    size_t count = ruleset_count(rules);
    *ret = (struct item){0};
    if (i >= count) {
        ret->phrase = ruleset_phrase(rules, i - count, &ret->at);
        return true;
    }
    ret->rule = ruleset_rule(rules, (uint32_t)i);
    ret->index = (uint32_t)i;
    ret->at = (struct place){ret->rule->file, ret->rule->line, ret->rule->column};
    return ret->rule->kind != RULE_CANARY; /* nobody wrote it, and nobody is to know it */
}

static struct span id_of(struct item *it)
{
    if (it->rule)
        return it->rule->id;
    ruleset_phrase_id(it->phrase, it->id);
    return span_str(it->id);
}

static struct span text_of(const struct item *it)
{
    return it->rule ? it->rule->source : it->phrase;
}

static const char *state_of(const struct wish *w, const struct item *it)
{
    const struct rule *r = it->rule;
    return !r                                              ? "active"
           : r->quarantine.len                             ? "quarantined"
           : r->expires && r->expires <= w->now            ? "expired"
           : policy_observes(w->policy, it->index, w->now) ? "observed"
                                                           : "active";
}

static bool holds(struct wish *w, struct span text)
{
    buf_clear(&w->folded);
    if (span_find(text, w->words) < text.len)
        return true;
    if (w->wanted.len == 0 || match_fold(text, &w->folded) < 0)
        return false;
    return span_find(buf_span(&w->folded), buf_span(&w->wanted)) < w->folded.len;
}

static bool is_wanted(struct wish *w, struct item *it)
{
    const struct rule *r = it->rule;
    struct span kind = r ? span_str(rule_kind_name(r->kind)) : SPAN_LIT("allow");
    if (w->kind.len && !span_eq(w->kind, kind))
        return false;
    if (w->risk.len &&
        (!r || (!span_eq(w->risk, r->risk->id) && !span_eq(w->risk, r->risk->group))))
        return false;
    if (w->state.len && !span_eq(w->state, span_str(state_of(w, it))))
        return false;
    return w->words.len == 0 || holds(w, text_of(it)) || (r && holds(w, r->why)) ||
           span_eq(id_of(it), w->words);
}

/* ---- writing ---- */

static void put_layers(struct buf *out, uint32_t asked)
{
    const char *before = "\"";
    buf_append(out, SPAN_LIT(",\"layers\":["));
    for (unsigned i = 0; i < LAYER_COUNT; i++) {
        if (!(asked >> i & 1))
            continue;
        buf_printf(out, "%s%s\"", before, layer_name(i));
        before = ",\"";
    }
    buf_append_char(out, ']');
}

static void put_apps(struct buf *out, const struct rule *r)
{
    for (size_t i = 0; i < r->app_count; i++) {
        buf_append(out, i ? SPAN_LIT("\",\"") : SPAN_LIT(",\"apps\":[\""));
        json_escape(out, r->apps[i]);
    }
    if (r->app_count)
        buf_append(out, SPAN_LIT("\"]"));
}

/* What it does, by itself and by the policy of the first app. */
static void put_effect(struct buf *out, const struct wish *w, const struct item *it)
{
    const struct rule *r = it->rule;
    if (r->action == ACTION_DEFAULT)
        buf_append(out, SPAN_LIT(",\"action\":null"));
    else
        json_member(out, "action", span_str(action_name(r->action)));
    if (r->direction == DIRECTION_BOTH)
        buf_append(out, SPAN_LIT(",\"direction\":null"));
    else
        json_member(out, "direction", span_str(direction_name(r->direction)));
    buf_append(out, SPAN_LIT(",\"effect\":{"));
    for (enum direction d = DIRECTION_PROMPT; d <= DIRECTION_COMPLETION; d++)
        if (r->direction & d && !r->quarantine.len)
            json_member(out, direction_name(d),
                        span_str(action_name(policy_decide(w->policy, it->index, d, w->now))));
    buf_append_char(out, '}');
}

static int put_rule(struct buf *out, const struct wish *w, const struct item *it)
{
    const struct rule *r = it->rule;
    json_member(out, "kind", span_str(rule_kind_name(r->kind)));
    json_member(out, "risk", r->risk->id);
    json_member(out, "why", r->why);
    json_member(out, "source", r->from.len ? r->from : span_str(rule_origin_name(r->origin)));
    put_effect(out, w, it);
    put_layers(out, r->asked);
    put_apps(out, r);
    if (r->quarantine.len)
        json_member(out, "quarantine", r->quarantine);
    if (r->forced.len)
        json_member(out, "forced", r->forced);
    if (r->expires)
        buf_printf(out, ",\"expires_us\":%" PRId64, r->expires * 1000000);
    return 0;
}

static int put_item(struct buf *out, const struct wish *w, struct item *it, const struct hits *h)
{
    struct hit_count n = hits_of(h, id_of(it));
    buf_append_char(out, '{');
    json_member(out, "id", id_of(it));
    json_member(out, "text", text_of(it));
    if (it->rule)
        put_rule(out, w, it);
    else
        buf_append(out, SPAN_LIT(",\"kind\":\"allow\",\"risk\":null,\"action\":\"allow\","
                                 "\"direction\":null,\"layers\":[]"));
    const char *state = state_of(w, it);
    json_member(out, "state", span_str(state));
    json_member(out, "file", it->at.file);
    return buf_printf(
        out,
        ",\"line\":%u,\"observe\":%s,\"count_7d\":%" PRIu64 ",\"false_positive_7d\":%" PRIu64 "}",
        it->at.line, strcmp(state, "observed") == 0 ? "true" : "false", n.count, n.false_positive);
}

/* ---- the list ---- */

static bool is_one_of(struct span text, const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (span_eq(text, span_str(names[i])))
            return true;
    return text.len == 0;
}

static bool read_wish(const struct api *api, const struct api_request *q, struct wish *w,
                      struct api_answer *a)
{
    static const char *const kinds[] = {"keyword", "pattern", "near", "payload", "allow"};
    *w = (struct wish){.api = api,
                       .policy = snapshot_policy(api->snapshot, &api->config->apps[0]),
                       .risk = api_query(q, "risk"),
                       .kind = api_query(q, "kind"),
                       .state = api_query(q, "state"),
                       .words = span_trim(api_query(q, "q")),
                       .wanted = BUF_INIT(FOLDED_MAX),
                       .folded = BUF_INIT(FOLDED_MAX),
                       .now = clock_wall_s()};
    const char *bad = !is_one_of(w->kind, kinds, sizeof(kinds) / sizeof(*kinds)) ? "kind"
                      : !is_one_of(w->state, states, STATES)                     ? "state"
                                                                                 : NULL;
    if (bad)
        api_error(a, 400, "bad_parameter", "'%s' says what there is not", bad);
    else if (w->words.len)
        match_fold(w->words, &w->wanted);
    return !bad;
}

static void end_wish(struct wish *w)
{
    buf_deinit(&w->wanted);
    buf_deinit(&w->folded);
}

/* A page goes on in the same library, or not at all: another one has its rules elsewhere. */
static bool read_position(const struct api *api, const struct api_request *q, size_t *ret_from,
                          struct api_answer *a)
{
    struct span text = api_query(q, "before"), index;
    unsigned long long from = 0;
    *ret_from = 0;
    if (text.len == 0)
        return true;
    if (!span_split(&text, '.', &index) || !span_to_u64(index, &from)) {
        api_error(a, 400, "bad_parameter", "'before' is not what 'older' said");
        return false;
    }
    if (!span_eq(text, ruleset_version(api->rules))) {
        api_error(a, 409, "changed", "The rules changed meanwhile. Begin the list anew.");
        return false;
    }
    *ret_from = (size_t)from;
    return true;
}

static int write_list(struct wish *w, size_t from, uint64_t limit, const struct hits *h,
                      struct buf *out)
{
    const struct ruleset *rules = w->api->rules;
    size_t total = 0, written = 0, older = 0;
    struct item it;
    int r = buf_append(out, SPAN_LIT("{\"rows\":["));
    for (size_t i = 0; r == 0 && i < item_count(rules); i++) {
        if (!get_item(rules, i, &it) || !is_wanted(w, &it))
            continue;
        total++;
        if (i < from)
            continue;
        if (written == limit) {
            older = older ? older : i;
            continue;
        }
        if (written++)
            buf_append_char(out, ',');
        r = put_item(out, w, &it, h);
    }
    if (r == 0)
        r = older ? buf_printf(out, "],\"older\":\"%zu.%.*s\"", older,
                               SPAN_ARG(ruleset_version(rules)))
                  : buf_append(out, SPAN_LIT("],\"older\":null"));
    json_member(out, "version", ruleset_version(rules));
    return r < 0 ? r : buf_printf(out, ",\"total\":%zu}", total);
}

static int get_rules(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct wish w;
    struct hits h;
    size_t from;
    uint64_t limit = LIMIT;
    if (!rulework_there(api, a) || !api_query_u64(q, "limit", 1, LIMIT_MAX, &limit, a) ||
        !read_position(api, q, &from, a) || !read_wish(api, q, &w, a))
        return 0;
    int r = hits_read(api, &h);
    if (r == 0)
        r = write_list(&w, from, limit, &h, &a->body);
    hits_deinit(&h);
    end_wish(&w);
    return r;
}

/* Ids have slashes in them, and may hold anything: so they come as a parameter. */
static int get_rule(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct span id = api_query(q, "id");
    struct item it, found = {0};
    struct wish w;
    struct hits h;
    bool there = false;
    if (!rulework_there(api, a) || !read_wish(api, q, &w, a))
        return 0;
    for (size_t i = 0; i < item_count(api->rules) && !there; i++)
        if (get_item(api->rules, i, &it) && (there = span_eq(id_of(&it), id)))
            found = it;
    int r = 0;
    if (there) {
        r = hits_read(api, &h);
        if (r == 0)
            r = put_item(&a->body, &w, &found, &h);
        hits_deinit(&h);
    } else {
        r = api_error(a, 404, "not_found", "The library in force has no such rule.");
    }
    end_wish(&w);
    return r;
}

/* ---- the standard ---- */

static int write_coverage(const struct api *api, struct buf *out)
{
    struct buf lines = BUF_INIT(COVERAGE_MAX), unheard = BUF_INIT(65536);
    bool met;
    struct coverage_question ask = {.config = api->config,
                                    .rules = api->rules,
                                    .app = &api->config->apps[0],
                                    .json = true,
                                    .good = "",
                                    .bad = "",
                                    .off = ""};
    int r = coverage_tell(&ask, &unheard, &lines, &met);
    /* A list of what the command prints line by line. */
    for (size_t i = 0; r == 0 && i + 1 < lines.len; i++)
        if (lines.data[i] == '\n')
            lines.data[i] = ',';
    if (r == 0)
        r = buf_append_char(out, '[');
    if (r == 0)
        r = buf_append(out, buf_span(&lines));
    buf_deinit(&lines);
    buf_deinit(&unheard);
    return r < 0 ? r : buf_append_char(out, ']');
}

/* When types last changed takes dozens of versions to be read: seconds. */
static int get_coverage(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    char key[128];
    if (!rulework_there(api, a))
        return 0;
    snprintf(key, sizeof(key), "%u %.*s", api->reloads, SPAN_ARG(ruleset_digest(api->rules)));
    int r = memo_get(api->coverage, key, &a->body);
    if (r != 0)
        return r < 0 ? r : 0;
    r = write_coverage(api, &a->body);
    if (r == 0)
        memo_put(api->coverage, key, buf_span(&a->body), COVERAGE_MS);
    return r;
}

const struct api_route api_rules_routes[] = {
    {"GET", "/api/rules", MAY_SEE, get_rules},
    {"GET", "/api/rules/rule", MAY_SEE, get_rule},
    {"GET", "/api/rules/coverage", MAY_SEE, get_coverage},
    {NULL},
};
