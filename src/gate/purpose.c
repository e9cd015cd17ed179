#include "gate/exchange.h"

#include "crypto/secret.h"

bool purpose_identify_probe(const struct gate *g, const struct http_request *r,
                            struct access_identity *ret_who)
{
    const struct config *c = snapshot_config(g->snapshot);
    struct span text = http_request_header(r, GATE_PROBE_HEADER), token;
    unsigned long long app;
    if (!span_split(&text, ':', &token) || !secret_equal(token, g->options.stand_in->token) ||
        !span_to_u64(text, &app) || app >= c->app_count)
        return false;
    *ret_who = (struct access_identity){.app = &c->apps[app]};
    return true;
}
