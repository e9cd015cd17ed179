/*
 * What stands before the page and the API: is it our own page that asks, who is it, and may he?
 * Runs on the loop's thread, before a body is read, and waits for nothing but a look at a file's
 * date.
 */
#pragma once

#include "base/arena.h"
#include "config/console.h"
#include "console/accounts.h"
#include "console/api.h"
#include "console/sessions.h"
#include "console/throttle.h"
#include "http/server.h"

struct guard {
    struct accounts *accounts;
    struct sessions *sessions;
    struct throttle *throttle;
    unsigned char secret[32]; /* of this process: tokens of those whom a front names */
    bool damaged;             /* the accounts can't be read: nobody may come */
};

/* What a request is refused with; status 0: it isn't. */
struct guard_refusal {
    int status;
    const char *code, *message;
};

/* The accounts of state_dir; empty: there are none. 0, -ENOMEM, -EIO. */
int guard_init(struct guard *g, struct span state_dir);
void guard_deinit(struct guard *g);

/* Do browsers speak TLS with us, or with the front before us? Cookies are Secure then. */
static inline bool guard_is_secure(const struct config_console *s)
{
    return s->certificate.len || s->behind_tls;
}
/* The cookie's name. */
struct span guard_cookie_name(const struct config_console *s);
/* Is that Host (as sent) one of ours? No foreign name that was made to lead here is. */
bool guard_is_host(const struct config_console *s, struct span host);
/* Is that Origin (as sent) the page of that Host? */
bool guard_is_origin(const struct config_console *s, struct span host, struct span origin);
/*
 * Fills in who asks (user, role, may, session) and says whether that route (NULL: a file of the
 * page) may be used so: host, origin, content type, session, role, token. Texts are put into the
 * arena.
 */
struct guard_refusal guard_check(struct guard *g, const struct config_console *s,
                                 struct http_request *r, const struct api_route *route,
                                 struct arena *arena, struct api_request *q);
/* The token that belongs to a request's session. */
int guard_token(struct guard *g, const struct api_request *q, char ret_token[SESSION_TOKEN_SIZE]);
