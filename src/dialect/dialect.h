/*
 * One file per API behind one table: where text is in a request, an answer, an event, and how a
 * refusal, a mask, a cut is written. Changes are splices of raw ranges: what is allowed is
 * forwarded byte for byte.
 */
#pragma once

#include "base/arena.h"
#include "base/buf.h"
#include "terms/terms.h"
#include "json/walk.h"

/* Replaces bytes from..to of the original by `with`. Lists are sorted and do not overlap. */
struct splice {
    size_t from, to;
    struct span with; /* borrowed */
};
/* Writes body with the splices applied. 0, -EMSGSIZE, -ENOMEM, -EINVAL when not sorted. */
int splice_apply(struct span body, const struct splice *splices, size_t count, struct buf *out);

/* What the gateway must know of a request besides its texts. Spans: decoded, lent by the arena. */
struct dialect_request {
    struct span model, end_user;
    bool stream, include_usage;
    unsigned choices; /* n */
    bool json_mode;   /* response_format asks for JSON */
    bool tools;       /* offers tools that the answer may call */
    bool infill;      /* a gap in a text is to be filled: code, mostly */
    bool media;       /* holds images, audio or files that can't be judged */
    struct span media_path;
};

/* Why a body or event was refused: a JSON error or a dialect one, with its place. */
struct dialect_error {
    enum json_error json; /* JSON_OK when the fault is the dialect's */
    const char *code;     /* duplicate_key, bad_request, unjudgeable, … ; static */
    const char *message;  /* English, static */
    struct span path;     /* lent by the arena */
    size_t offset;        /* bytes into the body */
};

/* One message of a request's conversation. */
struct dialect_turn {
    enum role role;  /* ROLE_TOOL also of a function's result */
    size_t from, to; /* its bytes within the body, braces included */
};

/* Called for every judged string in the order of the body. Nonzero stops the walk and is returned.
 */
typedef int (*text_item_fn)(void *ctx, const struct text_item *item);

/* One stream event, taken apart. */
enum event_kind {
    EVENT_TEXT,  /* may hold texts (also: nothing to judge but to be forwarded) */
    EVENT_DONE,  /* the dialect's end mark */
    EVENT_ERROR, /* the upstream reports a failure */
};
/* What the upstream says that it counted. */
struct dialect_tokens {
    bool known;
    uint64_t prompt, completion;
};
struct dialect_event {
    enum event_kind kind;
    struct dialect_tokens tokens;
    uint32_t finished;         /* bit per choice index (< 32) that this event finishes */
    bool usage;                /* carries the usage that was asked for */
    bool upstream_filter;      /* finish reason, flags or an error: the provider itself refused */
    const char *filter_where;  /* in which field it says so; static */
    struct span filter_word;   /* the word or number there, borrowed; empty: unlike one */
    bool labelled;             /* carries a machine's label of AI-generated content already */
    bool media;                /* holds images or sound that can't be judged */
    struct span finish_reason; /* borrowed from the payload */
    struct span model;         /* model named in the event, borrowed; empty if none */
    struct span id;
};

/* What a stream has shown so far that later events must repeat: id, model, created. */
struct dialect_stream;

/* What is written to the client in place of the model's text. */
struct dialect_refusal {
    struct span text; /* sentence to show */
    struct span request_id;
    struct span model;
    struct span code;  /* error code: content_filter, … */
    struct span type;  /* error type */
    struct span param; /* path of the offending field, or empty */
    unsigned choices;
    bool include_usage;
    uint64_t created;        /* seconds since 1970 */
    struct span replacement; /* in write_cut(): what was shown is to be taken back, and this shown
                                instead; empty: it may stay */
    bool answer;             /* a prepared answer: finish_reason stop instead of content_filter */
};

#define DIALECT_IDENTITY_MAX 2

struct dialect {
    const char *name;          /* as in configuration */
    const char *route;         /* exact path, such as /v1/chat/completions */
    const char *upstream_path; /* appended to base_url, such as /chat/completions */

    /* Walks a request body: fills *ret, gives every judged string to fn. 0; fn's answer; -EINVAL
     * with *ret_error. */
    int (*read_request)(struct json_walk *w, struct span body, struct arena *arena,
                        struct dialect_request *ret, struct dialect_error *ret_error,
                        text_item_fn fn, void *ctx);
    /*
     * Appends the messages (struct dialect_turn) of a body that read_request() has accepted, in
     * order: text_item.turn is the place in this list, from 1. 0, -ENOMEM, -EMSGSIZE, -EINVAL.
     * NULL, as write_turn: requests of this API are no conversations.
     */
    int (*read_turns)(struct json_walk *w, struct span body, struct buf *ret_turns);
    /* Appends a message that says only that text, as it stands in a request. */
    int (*write_turn)(enum role role, struct span text, struct buf *out);
    /*
     * Splices that take the members out which name the end user (dialect_request.end_user) of a
     * body that read_request() has accepted; at most DIALECT_IDENTITY_MAX. 0, -ENOSPC, -EINVAL,
     * -ENOMEM.
     */
    int (*strip_identity)(struct json_walk *w, struct span body, struct splice *list, size_t max,
                          size_t *count);
    /* As read_request() for an answer that is not streamed; *ret_event collects model, id, finish
     * reasons.
     */
    int (*read_answer)(struct json_walk *w, struct span body, struct arena *arena,
                       struct dialect_event *ret_event, struct dialect_error *ret_error,
                       text_item_fn fn, void *ctx);

    struct dialect_stream *(*stream_new)(void);
    void (*stream_free)(struct dialect_stream *s);
    /*
     * One event's payload (SSE data). As read_answer; remembers id, model and created. Reading an
     * event again gives its texts in the same order; only a model's name, which is judged once and
     * given last, may then be left out.
     */
    int (*read_event)(struct dialect_stream *s, struct json_walk *w, struct span payload,
                      struct dialect_event *ret_event, struct dialect_error *ret_error,
                      text_item_fn fn, void *ctx);
    /*
     * Splices that take an event's logprobs (and other repetitions of its text) away, because its
     * text was changed. Appends to the list. With `finish` the finish reasons go too: the
     * event's text was cut, and write_cut() writes the end.
     */
    int (*strip_event)(struct json_walk *w, struct span payload, bool finish, struct splice *list,
                       size_t max, size_t *count);

    /* Whole bodies. `error_body` is the nested error object; `refusal_body` a 200 answer. */
    int (*write_error)(const struct dialect_refusal *r, struct buf *out);
    int (*write_refusal)(const struct dialect_refusal *r, struct buf *out);
    /* Complete, well-formed short stream that carries the refusal (framed SSE). */
    int (*write_refusal_stream)(const struct dialect_refusal *r, struct buf *out);
    /*
     * The end of a stream that was cut: optional notice for every open choice (bits), then its
     * finish event with content_filter, usage if asked, end mark (framed SSE). Repeats the stream's
     * id.
     */
    int (*write_cut)(struct dialect_stream *s, const struct dialect_refusal *r,
                     uint32_t open_choices, struct buf *out);
    /* An event that adds r->text to what a choice says (framed SSE). Repeats the stream's id. */
    int (*write_text)(struct dialect_stream *s, const struct dialect_refusal *r, unsigned choice,
                      struct buf *out);
    /* A failure within a stream that has begun: never looks like completion (framed SSE). */
    int (*write_stream_error)(struct dialect_stream *s, const struct dialect_refusal *r,
                              struct buf *out);
};

extern const struct dialect dialect_openai_chat;
extern const struct dialect dialect_openai_completions;
/* The dialect whose route is exactly `path`, or NULL. */
const struct dialect *dialect_find(struct span path);
