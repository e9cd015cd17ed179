/*
 * What the OpenAI dialects share: a reader that walks a body by tables of known members and gives
 * every other string and key as text of its own, and the writers of refusals, cuts and errors.
 * Private to the room.
 */
#pragma once

#include "dialect/dialect.h"

#define OPENAI_CHOICES_MAX 32  /* a bit each in struct dialect_event */
#define OPENAI_PARTS_MAX   128 /* tool calls of a streamed choice: each has a scanner of its own */

/*
 * Parts that keep apart what would else be one channel: within one event no channel has two texts.
 * In bodies, all texts of one field are one channel, joined. FIELD_ARGUMENTS: a tool call's index,
 * plus these for the rarer kinds.
 */
enum {
    PART_CUSTOM = 0x10000,        /* tool_calls[].custom.input */
    PART_FUNCTION_CALL = 0x20000, /* function_call.arguments (before tools) */
    /* FIELD_REASONING; reasoning_content is 0 */
    PART_REASONING = 1,
    PART_REASONING_DETAILS = 0x100, /* plus the index of the detail */
    /* FIELD_CONTENT: `text` of a chat choice */
    PART_TEXT = 1,
    /* FIELD_LOGPROBS */
    PART_LOGPROBS_REFUSAL = 1,
    PART_LOGPROBS_TOKENS = 2,
    /* any field: in `message` of an event, beside its `delta` */
    PART_MESSAGE = 0x1000000,
};

/* What a stream has shown so far. Longer ids and names are not remembered. */
struct dialect_stream {
    char id[256], model[256];
    size_t id_len, model_len;
    uint64_t created;
    bool seen;      /* an event with choices came */
    char path[256]; /* of the last error */
};

struct openai_reader {
    struct json_walk *w;
    struct span body;
    struct json_item item;         /* the last one read */
    struct arena *arena;           /* NULL in events */
    struct dialect_stream *stream; /* NULL but in events */
    struct dialect_error *error;
    struct dialect_request *request; /* NULL in answers and events */
    struct dialect_event *event;     /* NULL in requests */
    text_item_fn fn;
    void *ctx;

    enum role role;
    uint32_t turn, turns; /* of a request: the message at hand (0: none), messages so far */
    uint32_t choice;
    uint32_t part;            /* of the tool call or detail at hand */
    uint32_t part_base;       /* added to every part */
    bool maskable;            /* of other texts */
    bool moderation;          /* within a provider's own results: their categories are words */
    bool text_choice;         /* completions: `text` is the content */
    bool joined[FIELD_COUNT]; /* a text of the field was given, the next one continues it */

    /* Of the body as a whole. */
    bool has_model, has_texts, has_usage;
    bool word_code;         /* a status that is a word other than success */
    struct json_item model; /* events: to be given last, see read_model() */
    uint32_t choices_seen;  /* bits */
    uint32_t place;         /* of the next choice in its list */
    unsigned prompts;       /* completions: texts to complete */
    uint32_t calls;         /* requests: tool calls so far */
    uint32_t elements;      /* the lowest index that the next element may have */

    struct buf second;        /* a text that stands nowhere as it is */
    struct buf tokens, spelt; /* logprobs: what the tokens say, what their bytes spell */
    struct buf token, bytes;  /* the same of one alternative */
};

/*
 * A member that a table knows; `read` is called with its value as the last item, and steps over
 * what it reads of an object or array.
 */
struct openai_member {
    struct span key;
    int (*read)(struct openai_reader *r);
};

/* Frees the reader's buffers. */
void openai_reader_deinit(struct openai_reader *r);
/*
 * Reads the one object of a body through a table. 0; fn's answer; -EINVAL or -ENOMEM with
 * *r->error.
 */
int openai_read_root(struct openai_reader *r, const struct openai_member *members, size_t count);

/* The next item into r->item. As openai_read_root(). */
int openai_next(struct openai_reader *r);
/* Records why the body is refused, at the last item. Gives -EINVAL. The texts are static. */
int openai_fail(struct openai_reader *r, const char *code, const char *message);
/* The same with bad_request, or bad_response where an answer or event is read. */
int openai_bad(struct openai_reader *r, const char *message);
/*
 * Reads the members of the object that the last item began. Unknown keys are texts, and so is all
 * within their values.
 */
int openai_object(struct openai_reader *r, const struct openai_member *members, size_t count);
/* Calls `read` with each element of the array that the last item began. */
int openai_array(struct openai_reader *r, int (*read)(struct openai_reader *r));

/* Gives the last item, a string, as a text. Empty ones are passed over. */
int openai_give(struct openai_reader *r, enum field field, uint32_t part, bool join, bool maskable);
/* Gives every string and unknown key of the last item's value as FIELD_OTHER. */
int openai_opaque(struct openai_reader *r);
/* The same for a provider's moderation results, whose categories are not texts. */
int openai_moderation(struct openai_reader *r);
/* The same, not to be masked: schemas, names, addresses. */
int openai_fixed(struct openai_reader *r);
/* A string as text of the field, joined to the one before; anything but a string as other text. */
int openai_text(struct openai_reader *r, enum field field, uint32_t part);
/* Identifiers, which are not judged while they look like one. */
int openai_ident(struct openai_reader *r);
/* Random or encrypted bytes, not judged while they are of the Base64 alphabet. */
int openai_noise(struct openai_reader *r);
/* Words of the protocol (types, roles), which are not judged while they are one. */
int openai_constant(struct openai_reader *r);
/*
 * An address: marks the body as holding what can't be judged. A data: address with Base64 is passed
 * over, any other is a text.
 */
int openai_media(struct openai_reader *r);
/* The same for Base64 that stands alone. */
int openai_base64(struct openai_reader *r);
/* A plain decimal number, at most `max`. */
bool openai_number(struct span raw, uint64_t max, uint64_t *ret_value);
/* The number of the object's member `index` if there is one ahead, else `otherwise`. */
bool openai_index(struct openai_reader *r, uint64_t max, uint64_t otherwise, uint64_t *ret_index);

/* Values that requests and answers share. */
int openai_content(struct openai_reader *r); /* a string, or parts */
int openai_tool_calls(struct openai_reader *r);
/* In requests: tools or functions that the answer may call. */
int openai_request_tools(struct openai_reader *r);
int openai_function_call(struct openai_reader *r);
int openai_reasoning_content(struct openai_reader *r);
int openai_reasoning(struct openai_reader *r);
int openai_reasoning_details(struct openai_reader *r);
int openai_refusal(struct openai_reader *r);
int openai_audio(struct openai_reader *r);

/* Of any OpenAI request. */
int openai_request_model(struct openai_reader *r);
int openai_request_stream(struct openai_reader *r);
int openai_request_stream_options(struct openai_reader *r);
int openai_request_n(struct openai_reader *r);
int openai_request_user(struct openai_reader *r);
int openai_request_safety_identifier(struct openai_reader *r);
int openai_request_response_format(struct openai_reader *r);
int openai_read_request(const struct openai_member *members, size_t count, struct json_walk *w,
                        struct span body, struct arena *arena, struct dialect_request *ret,
                        struct dialect_error *ret_error, text_item_fn fn, void *ctx);

/* The role of the message that the walker's last item began; ROLE_NONE: not one that we know. */
enum role openai_role(const struct json_walk *w);
int openai_read_turns(struct json_walk *w, struct span body, struct buf *ret_turns);
int openai_write_turn(enum role role, struct span text, struct buf *out);
int openai_strip_identity(struct json_walk *w, struct span body, struct splice *list, size_t max,
                          size_t *count);
/* The raw bytes of the value that follows the key just read, quotes and braces included. 0 or a
 * JSON error. */
int openai_value_range(struct json_walk *w, struct span payload, struct span *ret_raw,
                       enum json_token *ret_token);

/* Answers and events; `completions`: of the text API. */
int openai_read_answer(bool completions, struct json_walk *w, struct span body, struct arena *arena,
                       struct dialect_event *ret_event, struct dialect_error *ret_error,
                       text_item_fn fn, void *ctx);
int openai_read_event(bool completions, struct dialect_stream *s, struct json_walk *w,
                      struct span payload, struct dialect_event *ret_event,
                      struct dialect_error *ret_error, text_item_fn fn, void *ctx);
int openai_logprobs(struct openai_reader *r);

/* openai_refused.c: the provider itself refused, and this field says so. The first one counts. */
void openai_refused(struct openai_reader *r, const char *where, struct span word);
/* Is that a finish reason of a provider's filter? */
bool openai_refusing_reason(struct span word);
/* The same, if the value at hand says so: of `error`; of a flat error's code; of a status number.
 */
void openai_refused_error(struct openai_reader *r);
void openai_refused_code(struct openai_reader *r);
void openai_refused_status(struct openai_reader *r, struct span status);

struct dialect_stream *openai_stream_new(void);
void openai_stream_free(struct dialect_stream *s);
int openai_strip_event(struct json_walk *w, struct span payload, bool finish, struct splice *list,
                       size_t max, size_t *count);

int openai_write_error(const struct dialect_refusal *r, struct buf *out);
int openai_write_refusal(bool completions, const struct dialect_refusal *r, struct buf *out);
int openai_write_refusal_stream(bool completions, const struct dialect_refusal *r, struct buf *out);
int openai_write_cut(bool completions, struct dialect_stream *s, const struct dialect_refusal *r,
                     uint32_t open_choices, struct buf *out);
int openai_write_text(bool completions, struct dialect_stream *s, const struct dialect_refusal *r,
                      unsigned choice, struct buf *out);
int openai_write_stream_error(struct dialect_stream *s, const struct dialect_refusal *r,
                              struct buf *out);
