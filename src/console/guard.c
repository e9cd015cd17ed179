#include "console/guard.h"

#include "base/clock.h"
#include "base/codec.h"
#include "base/log.h"
#include "config/value.h"
#include "console/routes.h"
#include "crypto/hmac.h"
#include "crypto/secret.h"

#include <errno.h>

int guard_init(struct guard *g, struct span state_dir)
{
    struct buf messages = BUF_INIT(4096);
    *g = (struct guard){.sessions = sessions_new(), .throttle = throttle_new()};
    int r = g->sessions && g->throttle ? secret_random(g->secret, sizeof(g->secret)) : -ENOMEM;
    if (r == 0 && state_dir.len) {
        int read = accounts_open(state_dir, &messages, &g->accounts);
        g->damaged = read < 0;
        if (read < 0)
            log_error("the console serves health and metrics only: %.*s",
                      (int)(messages.len ? messages.len - 1 : 0), messages.data);
    }
    buf_deinit(&messages);
    if (r < 0)
        guard_deinit(g);
    return r;
}

void guard_deinit(struct guard *g)
{
    accounts_close(g->accounts);
    sessions_free(g->sessions);
    throttle_free(g->throttle);
    secret_cleanse(g, sizeof(*g));
}

struct span guard_cookie_name(const struct config_console *s)
{
    /* With that prefix a browser takes it over TLS only, from this host alone, for all paths. */
    return guard_is_secure(s) ? SPAN_LIT("__Host-juyong") : SPAN_LIT("juyong");
}

/* "" or ":" and digits: what may stand behind a name, RFC 9110, 7.2. */
static bool is_port(struct span s)
{
    for (size_t i = 1; i < s.len; i++)
        if (s.data[i] < '0' || s.data[i] > '9')
            return false;
    return s.len == 0 || s.data[0] == ':';
}

/* Cuts "name:port", "[v6]:port" into its name, without brackets; "" when it is neither. */
static struct span name_of(struct span host)
{
    bool v6 = host.len && host.data[0] == '[';
    size_t end = span_find(host, v6 ? SPAN_LIT("]") : SPAN_LIT(":")), behind = end + (v6 ? 1 : 0);
    if ((v6 && end == host.len) || !is_port(span_slice(host, behind, host.len)))
        return SPAN_LIT("");
    return span_slice(host, v6 ? 1 : 0, end);
}

static bool is_configured(const struct config_console *s, struct span host)
{
    for (size_t i = 0; i < s->host_count; i++) {
        struct span name = name_of(s->hosts[i]);
        bool any_port = span_find(s->hosts[i], SPAN_LIT(":")) == s->hosts[i].len ||
                        (s->hosts[i].len && s->hosts[i].data[s->hosts[i].len - 1] == ']');
        any_port = any_port && name.len;
        if (span_eq_nocase(s->hosts[i], host) || (any_port && span_eq_nocase(name, name_of(host))))
            return true;
    }
    return false;
}

bool guard_is_host(const struct config_console *s, struct span host)
{
    unsigned char asked[16], ours[16];
    static const unsigned char any_v4[16] = {[10] = 0xff, [11] = 0xff}, any_v6[16] = {0};
    struct span name = name_of(host);
    if (name.len == 0)
        return false;
    if (is_configured(s, host))
        return true;
    /* Addresses are nobody's to point elsewhere, whatever the port (a tunnel may have its own). */
    if (value_is_loopback(s->host))
        return span_eq_nocase(name, SPAN_LIT("localhost")) || value_is_loopback(name);
    if (!network_read_address(name, asked) || !network_read_address(s->host, ours))
        return false;
    return memcmp(asked, ours, sizeof(asked)) == 0 || memcmp(ours, any_v4, sizeof(ours)) == 0 ||
           memcmp(ours, any_v6, sizeof(ours)) == 0;
}

bool guard_is_origin(const struct config_console *s, struct span host, struct span origin)
{
    struct span rest = origin;
    if (span_starts(origin, SPAN_LIT("https://")))
        rest = span_slice(origin, 8, origin.len);
    else if (span_starts(origin, SPAN_LIT("http://")) && !guard_is_secure(s))
        rest = span_slice(origin, 7, origin.len);
    else
        return false;
    return span_eq_nocase(rest, host) || is_configured(s, rest);
}

/* --- who --- */

static bool by_front(const struct config_console *s, struct http_request *r)
{
    unsigned char address[16];
    if (s->front_count == 0 || !network_read_address(http_request_peer(r, NULL), address))
        return false;
    for (size_t i = 0; i < s->front_count; i++)
        if (network_contains(&s->fronts[i], address))
            return true;
    return false;
}

static void come(struct api_request *q, struct arena *arena, const struct account *a)
{
    struct span name = arena_copy(arena, span_str(a->name));
    if (!name.data)
        return; /* out of memory: nobody */
    q->user = name;
    q->role = a->role;
    q->may = staff_may(a->role);
}

/* How often the front's header is there; its name when it is there once. */
static unsigned named(const struct config_console *s, struct http_request *r, struct span *ret_name)
{
    char header[65];
    memcpy(header, s->user_header.data, s->user_header.len);
    header[s->user_header.len] = '\0';
    *ret_name = span_trim(http_request_header(r, header));
    return http_request_header_count(r, header);
}

static void who(struct guard *g, const struct config_console *s, struct http_request *r,
                struct arena *arena, struct api_request *q)
{
    struct account a;
    struct session session;
    struct span name, cookie;
    if (!g->accounts)
        return;
    unsigned times = by_front(s, r) ? named(s, r, &name) : 0;
    if (times == 1 && accounts_find(g->accounts, name, &a) && !a.disabled)
        come(q, arena, &a);
    /* Twice: somebody has put in one of his own, so that neither counts. */
    if (times)
        return;
    /* What a page asks by itself, with nobody before it, keeps no session alive. */
    bool use = http_request_header(r, "X-Juyong-Idle").len == 0;
    cookie = route_cookie(http_request_header(r, "Cookie"), guard_cookie_name(s));
    if (cookie.len == 0 || http_request_header_count(r, "Cookie") != 1 ||
        !sessions_find(g->sessions, cookie, clock_mono_ms(), use, &session))
        return;
    if (accounts_find(g->accounts, span_str(session.name), &a) && !a.disabled &&
        a.epoch == session.epoch) {
        come(q, arena, &a);
        q->session = arena_copy(arena, cookie);
    } else {
        sessions_end(g->sessions, cookie);
    }
    secret_cleanse(&a, sizeof(a));
    secret_cleanse(&session, sizeof(session));
}

int guard_token(struct guard *g, const struct api_request *q, char ret_token[SESSION_TOKEN_SIZE])
{
    unsigned char mac[HMAC_SIZE];
    struct session session;
    ret_token[0] = '\0';
    if (q->user.len == 0)
        return 0;
    if (q->session.len) {
        if (sessions_find(g->sessions, q->session, clock_mono_ms(), false, &session))
            memcpy(ret_token, session.token, SESSION_TOKEN_SIZE);
        return 0;
    }
    int r = hmac_once(span_from((const char *)g->secret, sizeof(g->secret)), q->user, mac);
    if (r == 0)
        codec_hex(span_from((const char *)mac, SESSION_TOKEN_SIZE / 2), ret_token);
    return r;
}

/* --- may he --- */

#define REFUSE(status, code, message)                                                              \
    return (struct guard_refusal)                                                                  \
    {                                                                                              \
        status, code, message                                                                      \
    }

static bool is_json(struct span type)
{
    struct span media = span_trim(span_slice(type, 0, span_find(type, SPAN_LIT(";"))));
    return span_eq_nocase(media, SPAN_LIT("application/json"));
}

static bool is_own_page(struct http_request *r)
{
    struct span site = http_request_header(r, "Sec-Fetch-Site");
    return site.len == 0 || span_eq(site, SPAN_LIT("same-origin")) ||
           span_eq(site, SPAN_LIT("none"));
}

static bool has_token(struct guard *g, struct http_request *r, const struct api_request *q)
{
    char token[SESSION_TOKEN_SIZE];
    return guard_token(g, q, token) == 0 && token[0] &&
           secret_equal(span_str(token), http_request_header(r, "X-Juyong-Token"));
}

struct guard_refusal guard_check(struct guard *g, const struct config_console *s,
                                 struct http_request *r, const struct api_route *route,
                                 struct arena *arena, struct api_request *q)
{
    struct span host = http_request_header(r, "Host"), origin = http_request_header(r, "Origin");
    if (!guard_is_host(s, host))
        REFUSE(421, "wrong_host", "This is not a name of this console; see console.hosts.");
    if (!route)
        REFUSE(0, NULL, NULL);
    bool post = span_eq(q->method, SPAN_LIT("POST"));
    if (!is_own_page(r) || (origin.len && !guard_is_origin(s, host, origin)))
        REFUSE(403, "wrong_origin", "Only the console's own page and scripts may ask.");
    if (post && !is_json(http_request_header(r, "Content-Type")))
        REFUSE(415, "not_json", "Content-Type must be application/json.");
    who(g, s, r, arena, q);
    if (g->damaged && post)
        REFUSE(503, "accounts_damaged",
               "The accounts can't be read; the gateway's messages say why.");
    if (route->may == 0)
        REFUSE(0, NULL, NULL);
    if (q->user.len == 0)
        REFUSE(401, "no_session", "Log in first.");
    if (!(q->may & route->may))
        REFUSE(403, "wrong_role", "Your role does not allow this.");
    if (post && !has_token(g, r, q))
        REFUSE(403, "no_token", "The session's token is missing (X-Juyong-Token).");
    REFUSE(0, NULL, NULL);
}
