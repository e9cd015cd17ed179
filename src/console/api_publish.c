/* What people decide about versions: publish, approve, go back. */
#include "console/areas.h"
#include "console/rulework.h"

static int post_publish(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"reason", "force", NULL};
    struct rulework w;
    struct publish_done done;
    struct span reason;
    bool force;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) ||
        !rulework_line(q->body, "reason", 1, RULE_LINE_MAX, &reason, a) ||
        !rulework_flag(q, "force", &force, a))
        return 0;
    rulework_begin(&w, api, q, reason);
    w.fitness.force = force;
    bool propose = api->config->rules.two_person;
    int r = publish_library(&w.publish, propose, &done);
    r = rulework_tell(&w, r, &done, propose && r != PUBLISH_SAME, a);
    rulework_end(&w);
    return r;
}

static int post_approve(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"proposal", "reason", "force", NULL};
    struct rulework w;
    struct publish_done done;
    struct span proposal, reason;
    bool force;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) ||
        !rulework_line(q->body, "proposal", 1, RULE_DIGEST_SIZE, &proposal, a) ||
        !rulework_line(q->body, "reason", 0, RULE_LINE_MAX, &reason, a) ||
        !rulework_flag(q, "force", &force, a))
        return 0;
    rulework_begin(&w, api, q, reason);
    w.fitness.force = force;
    int r = publish_approve(&w.publish, proposal, &done);
    r = rulework_tell(&w, r, &done, false, a);
    rulework_end(&w);
    return r;
}

static int post_rollback(const struct api *api, const struct api_request *q, struct api_answer *a)
{
    static const char *const names[] = {"version", "reason", NULL};
    struct rulework w;
    struct publish_done done;
    struct span version, reason;
    if (!rulework_there(api, a) || !rulework_only(q, names, a) ||
        !rulework_line(q->body, "version", 0, RULE_DIGEST_SIZE, &version, a) ||
        !rulework_line(q->body, "reason", 1, RULE_LINE_MAX, &reason, a))
        return 0;
    rulework_begin(&w, api, q, reason);
    w.fitness.untested = true; /* out of trouble first */
    int r = publish_rollback(&w.publish, version, &done);
    r = rulework_tell(&w, r, &done, false, a);
    rulework_end(&w);
    return r;
}

const struct api_route api_publish_routes[] = {
    {"POST", "/api/rules/publish", MAY_PUBLISH, post_publish},
    {"POST", "/api/rules/approve", MAY_PUBLISH, post_approve},
    {"POST", "/api/rules/rollback", MAY_PUBLISH, post_rollback},
    {NULL},
};
