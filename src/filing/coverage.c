#include "filing/coverage.h"

#include "base/clock.h"
#include "base/day.h"
#include "base/utf8.h"
#include "filing/changes.h"
#include "json/walk.h"

#include <stdio.h>

#define DAY 86400

static int64_t changed_at(const struct coverage *c, const struct risk *risk)
{
    return c->changed ? c->changed(c->ctx, risk) : 0;
}

/* Whole days since then; -1: unknown. */
static int64_t days_since(const struct coverage *c, const struct risk *risk)
{
    int64_t at = changed_at(c, risk);
    return at ? at > c->now ? 0 : (c->now - at) / DAY : -1;
}

/* A clock that was wrong proves nothing. */
#define FUTURE DAY

static bool is_late(const struct coverage *c, const struct risk *risk)
{
    int64_t at = changed_at(c, risk);
    int64_t allowed = (int64_t)ruleset_standard(c->library->rules)->keyword_days * DAY;
    return risk->keyword_min && at && (c->now - at > allowed || at - c->now > FUTURE);
}

/* Whether the library is brought up to date is known once it is published. */
static bool is_unknown(const struct coverage *c, const struct risk *risk)
{
    return risk->keyword_min && c->changed && changed_at(c, risk) == 0;
}

static bool is_short(const struct library_type *t)
{
    return t->counts[LIBRARY_COUNTED] < t->risk->keyword_min;
}

static bool is_wanted(const struct coverage *c, const struct library_type *t)
{
    return !c->wanted || c->wanted(c->wanted_ctx, t->risk);
}

/* Keywords that intercept: of the standard's types those that count, else those of the axis. */
static unsigned keywords_of(const struct library_type *t)
{
    return t->counts[LIBRARY_COUNTED] + t->counts[LIBRARY_AXIS];
}

static unsigned idle_of(const struct library_type *t)
{
    return t->counts[LIBRARY_OBSERVED] + t->counts[LIBRARY_SCOPED] + t->counts[LIBRARY_EXPIRED];
}

bool coverage_is_met(const struct coverage *c)
{
    bool met = library_is_sufficient(c->library);
    for (size_t i = 0; i < c->library->type_count; i++)
        met = met && !is_late(c, c->library->types[i].risk) &&
              !is_unknown(c, c->library->types[i].risk);
    return met;
}

/* ---- the table ---- */

static void print_type(const struct coverage *c, const struct library_type *t, struct buf *out)
{
    char minimum[16] = "-", when[32] = "-";
    int64_t days = days_since(c, t->risk);
    bool low = is_short(t), late = is_late(c, t->risk) || is_unknown(c, t->risk);
    if (t->risk->keyword_min)
        snprintf(minimum, sizeof(minimum), "%u", t->risk->keyword_min);
    if (days >= 0)
        snprintf(when, sizeof(when), "%lld d ago", (long long)days);
    const char *state = !t->risk->keyword_min    ? ""
                        : low                    ? "short"
                        : is_unknown(c, t->risk) ? "when?"
                        : late                   ? "late"
                                                 : "met";
    const char *colour = !t->risk->keyword_min ? "" : low || late ? c->bad : c->good;
    buf_printf(out, "%-16.*s %8u %7s %s%-6s%s %8u %8u %8u %8u %8u %6u %6u  %-10s %.*s\n",
               SPAN_ARG(t->risk->id), keywords_of(t), minimum, colour, state, *colour ? c->off : "",
               t->counts[LIBRARY_FLAGGED], t->counts[LIBRARY_QUARANTINED],
               t->counts[LIBRARY_DERIVED], idle_of(t), t->repeated, t->counts[LIBRARY_NEAR],
               t->counts[LIBRARY_PATTERN], when, SPAN_ARG(t->risk->name_zh));
}

static void print_total(const struct coverage *c, struct buf *out)
{
    const struct library *l = c->library;
    const struct standard *st = ruleset_standard(l->rules);
    bool enough = l->total >= st->keyword_min;
    buf_printf(out, "\n%.*s asks for %u keywords in all: %s%u%s", SPAN_ARG(st->name),
               st->keyword_min, enough ? c->good : c->bad, l->total, c->off);
    if (l->repeated)
        buf_printf(out, " (%u more are of several types, and counted once)", l->repeated);
    buf_printf(out, "\nand for the minimum of each of %u types: %s%u met%s\n", l->asked,
               l->met == l->asked ? c->good : c->bad, l->met, c->off);
}

int coverage_table(const struct coverage *c, struct buf *out)
{
    buf_printf(out, "rules %.*s\n\n", SPAN_ARG(c->version));
    buf_printf(out, "%-16s %8s %7s %-6s %8s %8s %8s %8s %8s %6s %6s  %-10s %s\n", "type",
               "keywords", "minimum", "", "flagged", "quarant.", "derived", "idle", "repeated",
               "near", "regex", "changed", "");
    for (size_t i = 0; i < c->library->type_count; i++)
        if (is_wanted(c, &c->library->types[i]))
            print_type(c, &c->library->types[i], out);
    if (!c->wanted)
        print_total(c, out);
    return buf_append(
        out,
        SPAN_LIT("\nkeywords: distinct, active, and they intercept · flagged: only listed for "
                 "review · quarant.: everyday\nwords of imported lists, without effect · derived: "
                 "contain a shorter one · idle: observed, expired, or for\nsome apps only · "
                 "repeated: lines that say the same once more · changed: when the type's rules "
                 "last did\n"));
}

/* ---- JSON ---- */

static void json_text(struct buf *out, const char *key, struct span text)
{
    buf_printf(out, ",\"%s\":\"", key);
    json_escape(out, text);
    buf_append_char(out, '"');
}

static void json_type(const struct coverage *c, const struct library_type *t, struct buf *out)
{
    int64_t at = changed_at(c, t->risk);
    buf_append(out, SPAN_LIT("{\"risk\":\""));
    json_escape(out, t->risk->id);
    buf_append_char(out, '"');
    json_text(out, "group", t->risk->group);
    json_text(out, "name", t->risk->name_zh);
    json_text(out, "name_en", t->risk->name_en);
    buf_printf(out,
               ",\"keywords\":%u,\"keyword_min\":%u,\"met\":%s,\"flagged\":%u,\"quarantined\":%u,"
               "\"derived\":%u,\"observed\":%u,\"scoped\":%u,\"expired\":%u,\"repeated\":%u,"
               "\"near\":%u,\"patterns\":%u",
               keywords_of(t), t->risk->keyword_min, is_short(t) ? "false" : "true",
               t->counts[LIBRARY_FLAGGED], t->counts[LIBRARY_QUARANTINED],
               t->counts[LIBRARY_DERIVED], t->counts[LIBRARY_OBSERVED], t->counts[LIBRARY_SCOPED],
               t->counts[LIBRARY_EXPIRED], t->repeated, t->counts[LIBRARY_NEAR],
               t->counts[LIBRARY_PATTERN]);
    if (at)
        buf_printf(out, ",\"changed\":%lld,\"late\":%s", (long long)at,
                   is_late(c, t->risk) ? "true" : "false");
    buf_append(out, SPAN_LIT("}\n"));
}

int coverage_json(const struct coverage *c, struct buf *out)
{
    const struct library *l = c->library;
    for (size_t i = 0; i < l->type_count; i++)
        if (is_wanted(c, &l->types[i]))
            json_type(c, &l->types[i], out);
    if (c->wanted)
        return 0;
    buf_append(out, SPAN_LIT("{\"risk\":\"*\""));
    json_text(out, "version", c->version);
    json_text(out, "standard", ruleset_standard(l->rules)->name);
    return buf_printf(out,
                      ",\"keywords\":%u,\"keyword_min\":%u,\"types\":%u,\"types_met\":%u,"
                      "\"met\":%s}\n",
                      l->total, ruleset_standard(l->rules)->keyword_min, l->asked, l->met,
                      coverage_is_met(c) ? "true" : "false");
}

int coverage_tell(const struct coverage_question *q, struct buf *messages, struct buf *out,
                  bool *ret_met)
{
    struct library library;
    struct changes changes;
    int64_t now = clock_wall_s();
    int r = library_read(q->rules, q->app, now, &library);
    if (r < 0)
        return r;
    bool known = changes_read(q->config->state_dir, q->rules, now, messages, &changes) == 0;
    struct coverage c = {
        .library = &library,
        .version = ruleset_version(q->rules),
        .now = now,
        .changed = known ? changes_at : NULL,
        .ctx = &changes,
        .wanted = q->wanted,
        .wanted_ctx = q->ctx,
        .good = q->good,
        .bad = q->bad,
        .off = q->off,
    };
    r = q->json ? coverage_json(&c, out) : coverage_table(&c, out);
    *ret_met = coverage_is_met(&c);
    if (known)
        changes_free(&changes);
    library_free(&library);
    return r;
}
