#include "gate/enduser.h"

#include <errno.h>

#define HEADER_KEPT 256 /* bytes */

/* A header that only a trusted front may set. */
static struct span front_header(const struct http_request *r, bool trusted, const char *name)
{
    return trusted ? http_request_header(r, name) : SPAN_NULL;
}

/*
 * By the peer that wrote the headers: behind a PROXY header that is the client which it names, for
 * such a proxy passes on bytes that it never looked at.
 */
static bool is_trusted(const struct config *c, const struct http_request *r)
{
    return access_trusts(c, http_request_peer(r, NULL));
}

struct span enduser_address(const struct config *c, const struct http_request *r,
                            uint16_t *ret_port)
{
    bool trusted = is_trusted(c, r);
    unsigned char bytes[16];
    struct span ip = front_header(r, trusted, "X-Juyong-Client-IP");
    if (!network_read_address(ip, bytes))
        return http_request_peer(r, ret_port);
    unsigned long long port = 0;
    span_to_u64(front_header(r, trusted, "X-Juyong-Client-Port"), &port);
    *ret_port = port < 65536 ? (uint16_t)port : 0;
    return ip;
}

struct span enduser_named(const struct config *c, const struct http_request *r)
{
    return front_header(r, is_trusted(c, r), "X-Juyong-End-User");
}

static struct span keep(struct exchange *x, struct span text)
{
    if (text.len > HEADER_KEPT)
        text.len = HEADER_KEPT;
    return text.len ? arena_copy(&x->arena, text) : SPAN_NULL;
}

static bool believes_body(const struct config *c, bool trusted)
{
    switch (c->end_users.field) {
    case USER_FIELD_ANYONE:
        return true;
    case USER_FIELD_TRUSTED:
        return trusted;
    case USER_FIELD_IGNORE:
        return false;
    default:
        return trusted || c->trusted_proxy_count == 0;
    }
}

int enduser_describe(struct exchange *x, struct audit_subject *s)
{
    const struct config *c = exchange_config(x);
    const struct http_request *r = x->client;
    bool trusted = is_trusted(c, r);
    s->client_ip = keep(x, enduser_address(c, r, &s->client_port));
    s->device = keep(x, front_header(r, trusted, "X-Juyong-Device"));
    s->session = keep(x, front_header(r, trusted, "X-Juyong-Session"));
    struct span user = front_header(r, trusted, "X-Juyong-End-User");
    if (user.len == 0 && believes_body(c, trusted))
        user = x->asked.end_user;
    if (user.len == 0)
        return 0;
    char *hash = arena_alloc(&x->arena, 65);
    if (!hash)
        return -ENOMEM;
    access_hash_end_user(snapshot_access(x->snapshot), x->gate->hasher, user, hash);
    s->end_user = span_str(hash);
    return s->end_user.len ? 0 : -ENOMEM;
}
