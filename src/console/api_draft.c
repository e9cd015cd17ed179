/* The working copy of the rules: what is in it against what is in force, and a line more or less.
 */
#include "console/areas.h"
#include "console/difference.h"
#include "console/rulework.h"

#include "rules/draft.h"
#include "rules/versions.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>

#define FINDINGS_MAX 200

/* ---- what is in it ---- */

static int put_findings(struct span messages, bool broken, struct buf *out)
{
    struct span line;
    size_t count = 0;
    int r = buf_append(out, SPAN_LIT(",\"findings\":["));
    while (r == 0 && span_split(&messages, '\n', &line)) {
        bool warning = span_find(line, SPAN_LIT("warning: ")) < line.len;
        if (line.len == 0 || count == FINDINGS_MAX)
            continue;
        buf_append(out, count++ ? SPAN_LIT(",{") : SPAN_LIT("{"));
        json_member(out, "severity", warning ? SPAN_LIT("warning") : SPAN_LIT("error"));
        json_member(out, "text", line);
        r = buf_append_char(out, '}');
    }
    return r < 0 ? r : buf_printf(out, "],\"broken\":%s", broken ? "true" : "false");
}

/* The one that waits for its second person. */
static int put_proposal(const struct api *api, struct buf *out)
{
    struct buf unheard = BUF_INIT(65536);
    struct versions v;
    char name[RULE_VERSION_SIZE];
    int r = versions_open(api->state_dir, &unheard, &v);
    const struct journal_entry *e = r == 0 ? versions_proposal(&v) : NULL;
    if (e) {
        versions_name(e, name);
        buf_append(out, SPAN_LIT(",\"proposal\":{"));
        json_member(out, "id", span_str(name));
        json_member(out, "who", e->author);
        json_member(out, "reason", e->reason);
        buf_printf(out, ",\"at_us\":%" PRId64 "}", e->time_us);
    }
    if (r == 0)
        versions_close(&v);
    buf_deinit(&unheard);
    return buf_printf(out, ",\"two_person\":%s", api->config->rules.two_person ? "true" : "false");
}

static int get_draft(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct fitness fitness = {.config = api->config};
    struct ruleset *set = NULL;
    bool differs = true;
    if (!rulework_there(api, a))
        return 0;
    struct ruleset_source how = {.dir = api->config->rules_dir, .shown = api->config->rules_dir};
    int r = ruleset_read(&how, &report, &set);
    if (r == -ENOMEM) {
        buf_deinit(&report.text);
        return r;
    }
    bool broken = r < 0;
    buf_append_char(&a->body, '{');
    if (set) {
        r = difference_write(api->rules, set, true, &a->body, &differs);
        fitness_check(&fitness, set, &report.text);
    } else {
        r = buf_append(&a->body, SPAN_LIT("\"added\":0,\"removed\":0,\"changed\":0,\"files\":0,"
                                          "\"phrases\":0,\"lines\":[],\"untold\":0"));
    }
    if (r == 0)
        r = buf_printf(&a->body, ",\"differs\":%s", differs ? "true" : "false");
    if (r == 0)
        r = put_findings(buf_span(&report.text), broken, &a->body);
    if (r == 0)
        r = put_proposal(api, &a->body);
    ruleset_unref(set);
    buf_deinit(&report.text);
    return r < 0 ? r : buf_append_char(&a->body, '}');
}

/* ---- a line more or less ---- */

struct drafting {
    const struct api *api;
    const struct api_request *q;
    const struct draft_change *change;
    bool unrecorded;
};

/* By its id: what comes out of a prompt does not enter the chain. */
static int record(void *ctx, struct span rule, struct buf *messages)
{
    struct drafting *d = ctx;
    struct buf more = BUF_INIT(4096);
    json_member(&more, "change", d->change->remove ? SPAN_LIT("remove") : SPAN_LIT("add"));
    json_member(&more, "kind", d->change->phrase ? SPAN_LIT("allow") : SPAN_LIT("keyword"));
    if (rule.len)
        json_member(&more, "rule", rule);
    int r = api_record(d->api, d->q, SPAN_LIT("rules_draft"), buf_span(&more));
    buf_deinit(&more);
    d->unrecorded = r < 0;
    return r;
}

static bool read_change(const struct api_request *q, struct draft_change *c, struct api_answer *a)
{
    static const char *const names[] = {"kind", "text", "risk", "why", "remove", NULL};
    struct span kind;
    if (!rulework_only(q, names, a) || !rulework_line(q->body, "kind", 1, 16, &kind, a) ||
        !rulework_flag(q, "remove", &c->remove, a) ||
        !rulework_line(q->body, "text", 1, DRAFT_TEXT_MAX, &c->text, a) ||
        !rulework_line(q->body, "risk", 0, 32, &c->risk, a) ||
        !rulework_line(q->body, "why", c->remove ? 0 : 1, DRAFT_WHY_MAX, &c->why, a))
        return false;
    c->phrase = span_eq(kind, SPAN_LIT("allow"));
    if (!c->phrase && !span_eq(kind, SPAN_LIT("keyword")))
        api_error(a, 400, "bad_kind", "A kind is allow or keyword.");
    else if (!c->phrase && c->risk.len == 0)
        api_error(a, 400, "risk_needed", "A keyword needs its risk, such as A1-h.");
    else if (!draft_is_text(c->text, DRAFT_TEXT_MAX))
        api_error(a, 400, "bad_text",
                  "A word or phrase is one line without tabs that doesn't begin with #.");
    else
        return true;
    return false;
}

static int post_draft(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    char rule[RULE_ID_SIZE];
    struct draft_change c = {.state_dir = api->state_dir,
                             .author = q->user,
                             .before = record,
                             .report = RULE_REPORT_INIT};
    struct drafting d = {.api = api, .q = q, .change = &c};
    if (!rulework_there(api, a) || !read_change(q, &c, a))
        return 0;
    c.rules_dir = api->config->rules_dir;
    c.ctx = &d;
    int r = draft_apply(&c, rule);
    struct span messages = buf_span(&c.report.text);
    if (r == DRAFT_SAME) {
        r = rulework_refuse(a, 409, c.remove ? "not_there" : "there_already", messages);
    } else if (r < 0) {
        r = rulework_failed(a, r, d.unrecorded, messages);
    } else {
        buf_append_char(&a->body, '{');
        json_member(&a->body, "rule", span_str(rule));
        json_member(&a->body, "file",
                    c.phrase ? SPAN_LIT(DRAFT_PHRASES_FILE) : SPAN_LIT(DRAFT_WORDS_FILE));
        r = buf_append_char(&a->body, '}');
    }
    buf_deinit(&c.report.text);
    return r;
}

const struct api_route api_draft_routes[] = {
    {"GET", "/api/rules/draft", MAY_SEE, get_draft},
    {"POST", "/api/rules/draft", MAY_PUBLISH | MAY_REVIEW, post_draft},
    {NULL},
};
