/*
 * What a function of the API gets and gives. It runs on a clerk's thread (clerk.h) after route,
 * session, role and token were checked, and may wait for files. See README.md of this room.
 */
#pragma once

#include "audit/audit.h"
#include "base/buf.h"
#include "console/console.h"
#include "console/roles.h"
#include "gate/snapshot.h"
#include "json/value.h"

#include <stdatomic.h>

struct verifier;
struct memo;
struct lookups;
struct guard; /* guard.h: accounts and sessions, for api_session.c and api_accounts.c */

struct api {
    struct snapshot *snapshot; /* in force when the request came; held while the call runs */
    const struct config *config;
    const struct ruleset *rules;
    struct audit *audit;
    struct audit_port *port;   /* of this clerk; api_record() uses it */
    struct casebook *casebook; /* NULL: it can't be opened */
    struct span log_dir, state_dir;
    const struct console_ops *ops; /* called on the loop's thread: api_on_loop() */
    void *ops_ctx;
    struct console *console; /* for api_on_loop() */
    struct guard *guard;
    struct verifier *verifier;             /* verifier.h */
    const struct config_console *settings; /* of the listener */
    struct memo *coverage;                 /* kept between calls */
    struct lookups *lookups;               /* lookups.h */
    unsigned reloads; /* how often another snapshot came into force before this one */
};

#define API_PARTS_MAX 4  /* {segments} of a route */
#define API_QUERY_MAX 32 /* parameters of one request */

struct api_param {
    struct span name, value; /* decoded: UTF-8 without control characters but tab and line feed */
};

/* Spans live as long as the call. */
struct api_request {
    struct span method, path;         /* as sent, without the query */
    struct span parts[API_PARTS_MAX]; /* what stands for the route's {segments}, decoded */
    struct api_param query[API_QUERY_MAX];
    size_t query_count;
    const struct json_value *body; /* of a POST: an object; else NULL */
    struct span user;              /* the account's name; empty: nobody */
    enum staff role;
    unsigned may; /* bits of enum permission */
    struct span client_ip;
    uint16_t client_port;
    struct span session;     /* the cookie's id; empty: none */
    const atomic_bool *gone; /* the client left: see api_gone() */
};

/* What the client gets. Zeroed before the call but for the ceiling of `body`. */
struct api_answer {
    int status;       /* 200 unless told */
    struct buf body;  /* JSON unless `type` says otherwise; ceiling API_BODY_MAX */
    struct span type; /* Content-Type of something else; static text */
    /*
     * Instead of `body`: what can be read from this descriptor, from its beginning to its end, of
     * a file that has no name any more (api_temporary()). The frame closes it.
     */
    int file;            /* 0: none */
    char file_name[128]; /* offered for saving, ASCII letters, digits, '.', '-', '_'; or empty */
    /* Headers of api_session.c. */
    char cookie[256];
    unsigned retry_after_s; /* of a 429 or 503 */
};
#define API_BODY_MAX ((size_t)16 << 20)

/* Fills *a; 0, or negative: 500 without a reason (the error is logged with the route). */
typedef int (*api_fn)(const struct api *api, const struct api_request *q, struct api_answer *a);

struct api_route {
    const char *method, *path; /* "/api/log/{id}"; {id} is one segment */
    unsigned may;              /* bits of enum permission, one suffices; 0: anybody at all */
    api_fn fn;
};

/* --- for functions of the API --- */

/* The value of a parameter, or the empty span. */
struct span api_query(const struct api_request *q, const char *name);
/* Is it given at all? */
bool api_has(const struct api_request *q, const char *name);
/*
 * A number. True and *ret_value unchanged when it isn't given; false when it isn't a number of that
 * range, after api_error() has filled the answer: return 0 then.
 */
bool api_query_u64(const struct api_request *q, const char *name, uint64_t min, uint64_t max,
                   uint64_t *ret_value, struct api_answer *a);
/*
 * A text of the body, of min to max bytes; not given is the empty one. False as above.
 */
bool api_body_text(const struct api_request *q, const char *name, size_t min, size_t max,
                   struct span *ret_text, struct api_answer *a);
/* {"error":{code,message}} in place of what was written. 0 or -ENOMEM, to be returned. */
int api_error(struct api_answer *a, int status, const char *code, const char *fmt, ...)
    __attribute__((format(printf, 4, 5)));
/* Writes the value (NULL: -ENOMEM) as the body and frees it. 0 or negative, to be returned. */
int api_json(struct api_answer *a, struct json_value *value);
/* "key":"text" of an object that is written by hand, with a comma before it unless it is first. */
void api_member(struct buf *out, const char *key, struct span text);
/*
 * An unnamed file in state_dir, for exports: written by the function, then given as a->file. Its
 * descriptor or -errno.
 */
int api_temporary(const struct api *api);
/* Has the client left? A long search may as well end then. */
static inline bool api_gone(const struct api_request *q)
{
    return q->gone && atomic_load_explicit(q->gone, memory_order_relaxed);
}
/*
 * Puts an act on record and waits until it is durable: an admin record of that reason whose detail
 * is {"by":user,"role":…,"ip":…, and `more`}: members such as "request":"…", without a comma at
 * either end, or empty. 0; negative: it is not on record, and must not be done either.
 */
int api_record(const struct api *api, const struct api_request *q, struct span reason,
               struct span more);
/* The same for the record of an app or of an end user (HMAC), either may be empty. */
int api_record_of(const struct api *api, const struct api_request *q, struct span reason,
                  struct span app, struct span end_user, struct span more);
/*
 * Runs fn on the loop's thread and waits for it: what serve.c hands over in console_ops, above all.
 * Short, for the loop waits too. 0; -ECANCELED: the gateway is ending, fn was not called.
 */
int api_on_loop(const struct api *api, void (*fn)(void *arg), void *arg);
