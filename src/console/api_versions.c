/* The versions of the rules: who, when, why, and what changed. */
#include "console/areas.h"
#include "console/difference.h"
#include "console/rulework.h"

#include "rules/versions.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>

#define LIMIT     100
#define LIMIT_MAX 500

/* Who had the idea, and who else said yes. */
static void put_people(const struct versions *v, const struct journal_entry *e, struct buf *out)
{
    const struct journal_entry *first = e->act == JOURNAL_APPROVE || e->act == JOURNAL_CONFIRM
                                            ? journal_find(&v->journal, e->of)
                                            : NULL;
    json_member(out, "who", first ? first->author : e->author);
    if (first)
        json_member(out, "approved_by", e->author);
    if (e->login.len)
        json_member(out, "login", e->login);
}

static int put_entry(const struct versions *v, const struct journal_entry *e, struct buf *out)
{
    char name[RULE_VERSION_SIZE];
    buf_append_char(out, '{');
    if (e->version.len) {
        versions_name(e, name);
        json_member(out, "version", span_str(name));
        json_member(out, "sha256", e->version);
    }
    json_member(out, "act", span_str(journal_act_name(e->act)));
    json_member(out, "state", span_str(versions_state(v, e)));
    put_people(v, e, out);
    if (e->reason.len)
        json_member(out, "reason", e->reason);
    if (e->word.len) {
        json_member(out, "word", e->word);
        json_member(out, "risk", e->risk);
    }
    if (e->expires)
        buf_printf(out, ",\"expires_us\":%" PRId64, e->expires * 1000000);
    if (e->compared)
        buf_printf(out, ",\"added\":%u,\"removed\":%u,\"changed\":%u,\"files\":%u", e->added,
                   e->removed, e->changed, e->files);
    bool filed = e->version.len && e->act != JOURNAL_FILED && span_eq(e->version, v->filed);
    return buf_printf(out,
                      ",\"at_us\":%" PRId64 ",\"current\":%s,\"was_in_force\":%s,\"filed\":%s,"
                      "\"entry\":%u}",
                      e->time_us, e == v->in_force ? "true" : "false",
                      journal_was_in_force(e) ? "true" : "false", filed ? "true" : "false",
                      e->number);
}

static int put_entries(const struct versions *v, uint64_t before, uint64_t limit, struct buf *out)
{
    size_t count = 0;
    unsigned older = 0;
    int r = buf_append(out, SPAN_LIT("{\"rows\":["));
    for (size_t i = v->journal.count; r == 0 && i > 0; i--) {
        const struct journal_entry *e = &v->journal.entries[i - 1];
        if (e->act == JOURNAL_INTERRUPTED || (before && e->number >= before))
            continue;
        if (count == limit) {
            older = e->number + 1;
            break;
        }
        if (count++)
            buf_append_char(out, ',');
        r = put_entry(v, e, out);
    }
    if (r == 0)
        r = older ? buf_printf(out, "],\"older\":\"%u\"", older)
                  : buf_append(out, SPAN_LIT("],\"older\":null"));
    return r < 0 ? r : buf_printf(out, ",\"damaged\":%s}", v->damage ? "true" : "false");
}

static int get_versions(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct buf messages = BUF_INIT(65536);
    struct versions v;
    uint64_t before = 0, limit = LIMIT;
    if (!rulework_there(api, a) || !api_query_u64(q, "before", 1, UINT32_MAX, &before, a) ||
        !api_query_u64(q, "limit", 1, LIMIT_MAX, &limit, a))
        return 0;
    int r = versions_open(api->state_dir, &messages, &v);
    if (r == 0) {
        r = put_entries(&v, before, limit, &a->body);
        versions_close(&v);
    } else if (r == -ENOENT) {
        r = buf_append(&a->body, SPAN_LIT("{\"rows\":[],\"older\":null,\"damaged\":false}"));
    } else {
        r = rulework_failed(a, r, false, buf_span(&messages));
    }
    buf_deinit(&messages);
    return r;
}

/* ---- what one changed ---- */

struct pair {
    struct ruleset *old, *new;
    char old_name[RULE_VERSION_SIZE];
};

static int read_pair(const struct api *api, const struct versions *v, struct span name,
                     struct span against, struct rule_report *report, struct pair *p)
{
    char digest[RULE_DIGEST_SIZE], old[RULE_DIGEST_SIZE] = "";
    int r = vault_find(v->vault, name, digest);
    if (r == 0 && against.len)
        r = vault_find(v->vault, against, old);
    else if (r == 0)
        snprintf(old, sizeof(old), "%.*s", SPAN_ARG(versions_before(v, span_str(digest))));
    if (r == -ENOENT || r == -ENOTUNIQ)
        buf_append(&report->text, r == -ENOENT ? SPAN_LIT("There is no such version.\n")
                                               : SPAN_LIT("Several versions begin like that.\n"));
    if (r == 0)
        r = versions_read(v->vault, api->config->rules_dir, digest, report, &p->new);
    if (r == 0 && old[0]) {
        vault_name(span_str(old), p->old_name);
        r = versions_read(v->vault, api->config->rules_dir, old, report, &p->old);
    }
    return r;
}

static int get_diff(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct rule_report report = RULE_REPORT_INIT;
    struct versions v;
    struct pair p = {0};
    if (!rulework_there(api, a))
        return 0;
    int r = versions_open(api->state_dir, &report.text, &v);
    if (r == 0) {
        r = read_pair(api, &v, q->parts[0], api_query(q, "against"), &report, &p);
        versions_close(&v);
    }
    if (r == -ENOENT || r == -ENOTUNIQ) {
        r = rulework_refuse(a, 404, "not_found", buf_span(&report.text));
    } else if (r < 0) {
        r = rulework_failed(a, r, false, buf_span(&report.text));
    } else {
        buf_append_char(&a->body, '{');
        json_member(&a->body, "version", ruleset_version(p.new));
        if (p.old)
            json_member(&a->body, "against", span_str(p.old_name));
        buf_append(&a->body, p.old ? SPAN_LIT(",") : SPAN_LIT(",\"against\":null,"));
        r = difference_write(p.old, p.new, false, &a->body, NULL);
        if (r == 0)
            r = buf_append_char(&a->body, '}');
    }
    ruleset_unref(p.old);
    ruleset_unref(p.new);
    buf_deinit(&report.text);
    return r;
}

const struct api_route api_versions_routes[] = {
    {"GET", "/api/rules/versions", MAY_SEE, get_versions},
    {"GET", "/api/rules/versions/{v}/diff", MAY_SEE, get_diff},
    {NULL},
};
