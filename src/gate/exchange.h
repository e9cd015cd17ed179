/*
 * One exchange, from the first byte of its request to its sealed record. Private to the room.
 *
 *   READING ─▶ RECORDING ─▶ ASKING ─▶ GATHERING ─▶ RECORDING ─▶ ENDING ─▶ (freed)
 *                 │            └────▶ RELAYING ──────────────────▲
 *                 └──────────────────────────────────────────────┘  refused, answered, failed
 *
 * From GATHERING an answer may pass through WEIGHING, where second opinions are waited for.
 *
 * Callbacks of libraries store event bits and post the task; exchange_step() alone changes state,
 * cancels and frees. It runs from the loop.
 */
#pragma once

#include "base/arena.h"
#include "dialect/dialect.h"
#include "gate/gate.h"
#include "gate/judge.h"
#include "gate/purpose.h"
#include "http/client.h"
#include "http/server.h"
#include "http/tracecontext.h"

enum exchange_state {
    EXCHANGE_READING,   /* the request's body is being read */
    EXCHANGE_RECORDING, /* `after` runs when every act and close submitted is durable */
    EXCHANGE_ASKING,    /* the upstream has the request, nothing came back yet */
    EXCHANGE_GATHERING, /* an answer that is not streamed is being read */
    EXCHANGE_RELAYING,  /* a stream goes through the hold */
    EXCHANGE_WEIGHING,  /* `after` runs when no second opinion is waited for */
    EXCHANGE_ENDING,    /* the response is on its way to the client */
    EXCHANGE_STATES,
};
const char *exchange_state_name(enum exchange_state s);

/* How an exchange of mode shadow ended, which is recorded when all opinions are there. */
struct shadow_close {
    bool pending;
    enum outcome outcome;
    struct span reason;
};

struct exchange {
    struct list link;
    struct gate *gate;
    uint64_t id; /* slot and generation, for the way back from the log */
    enum exchange_state state;
    unsigned client_events, fetch_events; /* not yet looked at */
    bool timed_out, draining;
    struct loop_task task;
    struct loop_timer deadline;
    struct arena arena;
    struct snapshot *snapshot;
    struct access_identity who;
    struct allowance *allowance; /* admit.c */
    struct purpose purpose;
    struct kept *kept;             /* a reviewer's; else NULL */
    struct sample *sample;         /* it may become one; else NULL */
    const struct dialect *dialect; /* NULL: the list of models */
    const struct config_upstream *upstream;
    const struct config_model *model;
    struct http_request *client;
    struct http_fetch *fetch;
    struct dialect_request asked;
    struct tracecontext *trace; /* trace.c; NULL: of no trace */
    struct buf body;            /* the request as forwarded, when it was masked */
    struct judge *prompt, *completion;
    struct opinions *opinions; /* opinion.c; NULL: nobody is asked */
    struct relay *relay;       /* relay.c */
    struct buf answer;         /* gathered */
    struct record *record;     /* record.c */
    struct strike *strike;     /* strike.c; NULL: the end user's strikes were not asked for */
    struct label *label;       /* label.c; NULL until the model is asked */
    void (*after)(struct exchange *x);
    struct shadow_close late; /* shadow.c */
    bool left;                /* the client's side is over; the exchange may go on listening */
};

/* How long an answer waits for its record. */
#define EXCHANGE_RECORD_MS 30000

/* exchange.c */
void exchange_step(struct loop_task *t);
/* Something happened that the step must look at. */
void exchange_post(struct exchange *x);
/* Runs fn when everything submitted so far is durable or has failed; at once when it is. */
void exchange_await(struct exchange *x, void (*fn)(struct exchange *x));
/* Arms the deadline `ms` from now. */
void exchange_deadline(struct exchange *x, unsigned ms);
/* Ends the upstream's side: cancels a running transfer. */
void exchange_drop_fetch(struct exchange *x);
/* Seals with this outcome and answers the cause's error; before anything was sent only. */
void exchange_fail(struct exchange *x, enum cause cause, enum outcome outcome);
/* Is everything only judged and recorded? */
static inline bool exchange_observes(const struct exchange *x)
{
    return x->purpose.mode != MODE_ENFORCE;
}
static inline const struct config *exchange_config(const struct exchange *x)
{
    return snapshot_config(x->snapshot);
}

/* May that app use that model? */
bool exchange_allows(const struct config_app *app, struct span model);

/* gate.c */
struct gate {
    struct gate_options options;
    struct loop *loop;
    struct metrics *metrics;
    struct metrics aside; /* of reviewers: no statistics of the service */
    struct snapshot *snapshot;
    struct http_server *server, *reviewers_server; /* the latter or NULL */
    struct door front, reviewers_door;
    struct http_client *client;
    struct opinion_desk *desk;
    struct courier *courier;
    struct audit *audit;
    struct access_hasher *hasher;  /* for the snapshot's keys; NULL: slower */
    struct limit_app **limit_apps; /* by the app's place in the snapshot's configuration */
    struct audit_port *port;
    struct loop_watch port_watch;
    struct json_walk *walk; /* lent to one step at a time */
    struct list exchanges;
    struct label_consents *consents;
    struct complaint_desk *complaints; /* NULL: none are taken */
    struct exchange **slots;
    uint32_t *generations;
    size_t slot_count, free_slot, active;
    struct loop_timer drain_timer;
    void (*drained)(void *ctx);
    void *drained_ctx;
    bool draining;
    bool cutting;  /* the time to drain is up */
    uint64_t boot; /* part of request ids, so that they differ over restarts */
    uint64_t next_request;
};
/* Is it a probe of the canary's? No production: neither limited, counted nor asked elsewhere. */
static inline bool exchange_probes(const struct exchange *x)
{
    return x->gate->options.stand_in != NULL;
}
/* Is that the media type of a Content-Type header, and its charset, if named, UTF-8? */
bool gate_is_type(struct span header, struct span type);
/*
 * A new request id: req_, then in hex the time (11 digits, milliseconds), so that the log's index
 * of them grows at one end, the worker's number (2), a random number of this run (4), which tells
 * machines and runs apart, and a count (5). Never chosen by a client: records are folded by it.
 */
enum { GATE_ID_SIZE = 32 };
struct span gate_request_id(struct gate *g, char ret_text[GATE_ID_SIZE]);
struct exchange *exchange_new(struct gate *g, struct http_request *r, const struct purpose *p);
/* Takes it out of the gate and frees it; its request must have been released. */
void exchange_free(struct exchange *x);
int gate_add(struct gate *g, struct exchange *x);
void gate_remove(struct gate *g, struct exchange *x);

/* trace.c */
/* To which trace the request belongs, once; where memory is out it belongs to none. */
void trace_read(struct exchange *x);
/* The headers by which the upstream is told, at most two; their number. */
size_t trace_headers(const struct exchange *x, struct http_header *h);

/* ask.c */
/* Judges the request and goes on to refuse or to ask. */
void ask_begin(struct exchange *x);
/* Records and answers a request that can't be judged or must not be served. */
void ask_reject(struct exchange *x, enum cause cause, struct span code, struct span path);

/* Refuses for what the judge of the prompt found, also when the upstream is already at work. */
void ask_refuse(struct exchange *x);

/* opinion.c: see opinion.h */
/*
 * Before a prompt is settled, and before its judge is closed: what it says, and which of it was
 * refused for an opinion before. 0, -ENOMEM, -EINVAL. O(body) when anybody is asked, else O(1).
 */
int opinion_recall(struct exchange *x, struct span body);
/* Once it is settled: what is kept from the model nobody is asked about. As opinion_recall(). */
int opinion_omit(struct exchange *x, struct span body);
/*
 * Asks about the prompt, as the model will read it. 0; 1 when it must be refused or can't be judged
 * (see opinion_step()); -ENOMEM.
 */
int opinion_begin(struct exchange *x);
/* Takes what was answered and asks on. 0 or -ENOMEM. */
int opinion_hear(struct exchange *x);
/* Takes what was answered, with its consequences. True when that ended the exchange's business: its
 * state has changed. */
bool opinion_step(struct exchange *x);
/* Is a verdict about the prompt missing, so that nothing of the answer may be shown? */
bool opinion_holds(const struct exchange *x);
/* Is any verdict missing? */
bool opinion_waits(const struct exchange *x);
/* Asks about an answer that is not streamed. 0, -ENOMEM, -EINVAL. */
int opinion_answer(struct exchange *x);
/* Runs fn when no verdict is missing; at once when none is. */
void opinion_await(struct exchange *x, void (*fn)(struct exchange *x));
/* What was said and is not yet on record; it counts as recorded then. */
void opinion_tell(struct exchange *x, struct audit_event *e);
/* Nobody wants to know any more what is still being asked. */
void opinion_stop(struct exchange *x);
/* Is the answer ended by an opinion? */
bool opinion_objected(const struct exchange *x);
void opinion_free(struct opinions *o);

/* stretch.c: of streams */
/* Before the first event: closes the gate in the hold. */
void stretch_begin(struct exchange *x);
/* Asks about what has been judged since. 0, -ENOMEM. */
int stretch_read(struct exchange *x);

/* retract.c */
/* Tells the app that what it has shown of the answer is to be taken back. Never waits. */
void retract_tell(struct exchange *x, struct span replacement);

/* gather.c: an answer that is not streamed */
void gather_step(struct exchange *x, unsigned events);

/* relay.c: a streamed answer */
int relay_new(struct exchange *x);
void relay_free(struct relay *r);
void relay_step(struct exchange *x, unsigned events, unsigned client_events);
/* The deadline fired. */
void relay_expired(struct exchange *x);

/* reply.c */
/* The dialect's error for a cause, in the client's form; `code` and `path` may be empty. */
int reply_error(struct exchange *x, enum cause cause, struct span code, struct span path);
/* The refusal or prepared answer for what a judge found, in the app's style. */
int reply_refusal(struct exchange *x, const struct judge *j);
/* Says in the app's style that the provider refused; for errors that clients would try again. */
int reply_provider_refusal(struct exchange *x);
/* The status that the style gives it. */
int reply_provider_status(const struct exchange *x);
/* A whole JSON response. */
int reply_json(struct exchange *x, int status, enum action action, struct span body);
int reply_models(struct exchange *x);
/* Fills what dialects need to speak in our name; spans live in the exchange. */
void reply_describe(struct exchange *x, const struct judge *j, struct dialect_refusal *ret);
/* Begins the client's event stream. */
int reply_stream(struct exchange *x, enum action action);
/* For requests that never become an exchange; `detail` goes where the error names a field. */
void reply_rejection(struct gate *g, struct http_request *r, enum cause cause, struct span detail);
enum { REPLY_HEADERS = 40 };

/* provider.c: what the provider says of itself */
/* Notes an answer's or event's model, finish reason and refusal for the record; counts them. */
void provider_note(struct exchange *x, const struct dialect_event *e);
/* Is that a failure by which the provider's own filter refused? */
bool provider_refused(const struct dialect_event *e);

/* measure.c: metrics with labels */
void measure_findings(struct exchange *x, const struct audit_hit *hits, size_t count);
void measure_close(struct exchange *x, const struct audit_event *e);

/* record.c */
int record_new(struct exchange *x);
void record_free(struct record *r);
/* The request is understood: names for every later record. 0; -ENOMEM: whose it is, is not
 * among them. */
int record_subject(struct exchange *x);
/* Queues the open event; not waited for. 0, -EAGAIN, -EIO. */
int record_open(struct exchange *x);
/* Queues the judge's findings that are not yet on record, if any. */
int record_act(struct exchange *x, struct judge *j, struct span reason);
/* Queues texts of what was allowed, see sample.h. */
int record_sample(struct exchange *x, const struct audit_hit *hits, size_t count);
/* Queues an act without findings: the request could not be judged, or must not be served. */
int record_rejection(struct exchange *x, struct span reason);
/* The next act or open event carries what is known of the end user from now on. */
void record_strike(struct exchange *x, const struct strike_entry *e);
/* Queues the close, once; later calls change nothing. */
int record_close(struct exchange *x, enum outcome outcome, struct span reason);
/* One submitted event is durable (0) or never will be. */
void record_done(struct exchange *x, enum audit_kind kind, int status);
/* Acts and close submitted and not yet durable. */
unsigned record_waiting(const struct exchange *x);
bool record_failed(const struct exchange *x);
/* The log took too long: what was submitted counts as failed. */
void record_give_up(struct exchange *x);
bool record_closed(const struct exchange *x);
struct span record_request_id(const struct exchange *x);
/* Who asks, as records name him; empty when unknown. */
struct span record_end_user(const struct exchange *x);
enum action record_action(const struct exchange *x);
/* Notes for the close. */
struct record_notes {
    int status, upstream_status;
    uint64_t received_us, start_us, asked_us, upstream_end_us, first_byte_us, held_us;
    struct span model_answered, upstream_request_id, finish_reason; /* in the arena */
    struct span provider_refusal; /* FIELD:WORD by which the provider's own filter refused */
    bool model_differs;           /* from the one that was asked for */
    struct dialect_tokens tokens;
    bool retracted; /* what was shown is taken back */
    bool unjudged_media;
    bool unjudged; /* mode shadow: something could not be judged and went on */
};
struct record_notes *record_notes(struct exchange *x);
