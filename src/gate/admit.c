#include "gate/admit.h"

#include "base/clock.h"

#define POLICY_HEADER "x-juyong-policy"

bool admit_identify(struct gate *g, struct http_request *r, struct access_identity *ret_identity)
{
    const struct config *c = snapshot_config(g->snapshot);
    struct access_credentials credentials = {
        .authorization = http_request_header(r, "Authorization"),
        .x_api_key = http_request_header(r, "x-api-key"),
        .api_key = http_request_header(r, "api-key"),
        .x_goog_api_key = http_request_header(r, "x-goog-api-key"),
    };
    if (!access_identify(snapshot_access(g->snapshot), c, &credentials, clock_wall_us(),
                         ret_identity))
        return false;
    if (http_request_header(r, POLICY_HEADER).len)
        ret_identity->app = config_strict(c, ret_identity->app);
    return true;
}

/* What the header says other than strict would be ignored, by a client that relies on it. */
static bool is_policy_known(const struct exchange *x)
{
    struct span asked = http_request_header(x->client, POLICY_HEADER);
    return asked.len == 0 || span_eq_nocase(span_trim(asked), SPAN_LIT("strict"));
}

enum cause admit_check(struct exchange *x, struct span *ret_path)
{
    uint16_t port;
    struct span peer = http_request_peer(x->client, &port);
    struct span client = http_request_header(x->client, "X-Juyong-Client-IP");
    if (!access_admits(exchange_config(x), x->who.app, peer, client))
        return CAUSE_ADDRESS;
    if (!is_policy_known(x)) {
        *ret_path = SPAN_LIT(POLICY_HEADER);
        return CAUSE_BAD_REQUEST;
    }
    return CAUSE_NONE;
}

size_t admit_body_max(const struct config *c, const struct config_app *app)
{
    return app->limits.body_bytes ? app->limits.body_bytes : c->limits.body_bytes;
}
