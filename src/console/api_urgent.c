/* Urgent words: one person's, in force at once, for some time; somebody else's word on them. */
#include "console/areas.h"
#include "console/hits.h"
#include "console/rulework.h"

#include "base/clock.h"
#include "rules/versions.h"
#include "json/walk.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

#define SHORTEST_S 60
#define PAST_S     (30 * 86400) /* how long those that ended are shown */

/* ---- the list ---- */

static const char *state_of(enum urgent_state s)
{
    static const char *const names[] = {"live", "confirmed", "withdrawn", "replaced", "expired"};
    return names[s];
}

static int put_word(const struct api *api, const struct urgent_word *w, const struct hits *h,
                    struct buf *out)
{
    const struct journal_entry *e = w->given;
    const struct risk *risk = ruleset_find_risk(api->rules, e->risk);
    const struct rule *rule = risk ? ruleset_find_word(api->rules, risk, e->word) : NULL;
    buf_append_char(out, '{');
    json_member(out, "word", e->word);
    json_member(out, "risk", e->risk);
    json_member(out, "state", span_str(state_of(w->state)));
    json_member(out, "who", e->author);
    json_member(out, "reason", e->reason);
    if (w->confirmed)
        json_member(out, "confirmed_by", w->confirmed->author);
    if (w->state == URGENT_WITHDRAWN)
        json_member(out, "withdrawn_by", w->ended->author);
    if (rule) {
        json_member(out, "rule", rule->id);
        buf_printf(out, ",\"count_7d\":%" PRIu64, hits_of(h, rule->id).count);
    }
    return buf_printf(
        out, ",\"in_library\":%s,\"id\":%u,\"given_us\":%" PRId64 ",\"expires_us\":%" PRId64 "}",
        rule && !urgent_is_rule(rule) ? "true" : "false", e->number, e->time_us,
        e->expires * 1000000);
}

/* Newest first; what ended long ago is history. */
static int put_words(const struct api *api, const struct versions *v, const struct hits *h,
                     struct buf *out)
{
    struct urgent_word *words = NULL;
    size_t count = 0, written = 0;
    int64_t now = clock_wall_s();
    int r = urgent_list(&v->journal, now, &words, &count);
    for (size_t i = count; r == 0 && i > 0; i--) {
        const struct urgent_word *w = &words[i - 1];
        if (w->state == URGENT_REPLACED ||
            (!urgent_is_live(w->state) && w->given->expires + PAST_S < now))
            continue;
        if (written++)
            buf_append_char(out, ',');
        r = put_word(api, w, h, out);
    }
    free(words);
    return r;
}

static int get_urgent(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct buf messages = BUF_INIT(65536);
    struct versions v;
    struct hits h;
    if (!rulework_there(api, a))
        return 0;
    int r = hits_read(api, &h);
    if (r == 0)
        r = buf_append(&a->body, SPAN_LIT("{\"rows\":["));
    int opened = r == 0 ? versions_open(api->state_dir, &messages, &v) : r;
    if (opened == 0) {
        r = put_words(api, &v, &h, &a->body);
        versions_close(&v);
    }
    if (opened < 0 && opened != -ENOENT)
        r = rulework_failed(a, opened, false, buf_span(&messages));
    else if (r == 0)
        r = buf_append(&a->body, SPAN_LIT("]}"));
    hits_deinit(&h);
    buf_deinit(&messages);
    return r;
}

/* ---- acts ---- */

static int post_urgent(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"word", "risk", "expires_s", "reason", "force", NULL};
    struct span word, risk, reason;
    struct rulework w;
    struct publish_done done;
    int64_t seconds = 0;
    bool force;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) ||
        !rulework_line(q->body, "word", 1, URGENT_WORD_MAX, &word, a) ||
        !rulework_line(q->body, "risk", 1, 32, &risk, a) ||
        !rulework_number(q->body, "expires_s", SHORTEST_S, URGENT_LONGEST_S, &seconds, a) ||
        !rulework_line(q->body, "reason", 1, RULE_LINE_MAX, &reason, a) ||
        !rulework_flag(q, "force", &force, a))
        return 0;
    if (seconds == 0)
        return api_error(a, 400, "bad_parameter", "'expires_s' says for how many seconds");
    if (!urgent_is_word(word))
        return api_error(a, 400, "bad_text",
                         "A word is one line without tabs that doesn't begin with #.");
    rulework_begin(&w, api, q, reason);
    w.fitness.alone = word;
    w.fitness.force = force;
    int r = publish_urgent(&w.publish, word, risk, urgent_end(clock_wall_s(), seconds), &done);
    r = rulework_tell(&w, r, &done, false, a);
    rulework_end(&w);
    return r;
}

/* Which word an act is about. */
static bool read_word(const struct api_request *q, struct span *ret_word, struct span *ret_risk,
                      struct span *ret_reason, struct api_answer *a)
{
    static const char *const names[] = {"id", "word", "risk", "reason", NULL};
    return rulework_only(q, names, a) &&
           rulework_line(q->body, "word", 1, URGENT_WORD_MAX, ret_word, a) &&
           rulework_line(q->body, "risk", 0, 32, ret_risk, a) &&
           rulework_line(q->body, "reason", 0, RULE_LINE_MAX, ret_reason, a);
}

static int post_withdraw(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct span word, risk, reason;
    struct rulework w;
    struct publish_done done;
    if (!rulework_there(api, a) || !read_word(q, &word, &risk, &reason, a))
        return 0;
    rulework_begin(&w, api, q, reason);
    w.fitness.untested = true;
    int r = publish_withdraw(&w.publish, word, risk, &done);
    r = rulework_tell(&w, r, &done, false, a);
    rulework_end(&w);
    return r;
}

static int post_confirm(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    struct span word, risk, reason;
    struct rulework w;
    if (!rulework_there(api, a) || !read_word(q, &word, &risk, &reason, a))
        return 0;
    rulework_begin(&w, api, q, reason);
    int r = publish_confirm(&w.publish, word, risk);
    r = rulework_tell_plain(&w, r, "confirmed", a);
    rulework_end(&w);
    return r;
}

const struct api_route api_urgent_routes[] = {
    {"GET", "/api/rules/urgent", MAY_SEE, get_urgent},
    {"POST", "/api/rules/urgent", MAY_PUBLISH, post_urgent},
    {"POST", "/api/rules/urgent/withdraw", MAY_PUBLISH, post_withdraw},
    {"POST", "/api/rules/urgent/confirm", MAY_PUBLISH, post_confirm},
    {NULL},
};
