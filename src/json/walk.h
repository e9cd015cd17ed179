/*
 * The one reader of judged JSON: strict (RFC 8259 and then some), non-recursive, in place, linear
 * in the length of the text, with memory bounded by the limits. It refuses what two parsers might
 * read differently: duplicate keys, invalid UTF-8, a BOM, NUL, lone surrogates, trailing data.
 *
 * Use: json_walk_init(), then json_walk_next() until JSON_END or an error.
 */
#pragma once

#include "base/buf.h"

#define JSON_DEPTH_MAX 64

enum json_token {
    JSON_END, /* the one value was read whole and nothing follows */
    JSON_OBJECT,
    JSON_OBJECT_END,
    JSON_ARRAY,
    JSON_ARRAY_END,
    JSON_KEY,
    JSON_STRING,
    JSON_NUMBER,
    JSON_TRUE,
    JSON_FALSE,
    JSON_NULL,
};

/* Why a text was refused; json_error_code() gives the name that answers and records carry. */
enum json_error {
    JSON_OK,
    JSON_SYNTAX,
    JSON_TRAILING_DATA,
    JSON_DUPLICATE_KEY,
    JSON_SUSPICIOUS_KEY, /* differs from a known key only by case, look-alikes or blanks */
    JSON_INVALID_UTF8,
    JSON_LONE_SURROGATE,
    JSON_NUL,
    JSON_BOM,
    JSON_TOO_DEEP,
    JSON_TOO_MANY_NODES,
    JSON_NUMBER_RANGE, /* absurdly long number */
    JSON_MEMORY,
};
const char *json_error_code(enum json_error e);

struct json_limits {
    size_t nodes;         /* values and keys in all; 100,000 unless told */
    bool lone_surrogates; /* stream deltas: halves of pairs are given on as WTF-8 */
};
#define JSON_LIMITS_DEFAULT ((struct json_limits){.nodes = 100000})

struct json_item {
    enum json_token token;
    struct span raw;  /* strings and keys: between the quotes; else the token's own bytes */
    struct span text; /* strings and keys: decoded; equal to raw where nothing is escaped, else lent
                         by the walker until the next call */
    unsigned depth;   /* containers around this item; the outermost value has 0 */
};

struct json_walk;

/*
 * Begins over `body`, which must stay unchanged. `known_keys` (NULL-terminated, may be NULL) are
 * the keys that no case-twin may imitate, in lower-case ASCII. NULL when memory is out. A walker
 * may be used again with json_walk_reset(), which keeps its memory: no allocation per stream event.
 * NULL limits are JSON_LIMITS_DEFAULT.
 */
struct json_walk *json_walk_new(const struct json_limits *limits, const char *const *known_keys);
void json_walk_reset(struct json_walk *w, struct span body);
void json_walk_free(struct json_walk *w);
/*
 * What a dialect asks of the text it is about to read, in place of what json_walk_new() was told.
 * The keys are borrowed for good. 0, -ENOMEM. O(1) when they are the same as before.
 */
int json_walk_tune(struct json_walk *w, const char *const *known_keys, bool lone_surrogates);

/*
 * Gives the next item. Returns 0, or a positive enum json_error, after which only its place counts,
 * not *ret_item, and every further call returns the same. Memory in use is bounded by the nodes and
 * the longest string; time is linear in the bytes read, whatever they are.
 */
int json_walk_next(struct json_walk *w, struct json_item *ret_item);
/*
 * Steps over the value that the last item began or was, after a key over its value; no-op for
 * scalars. Still checks all of it.
 */
int json_walk_skip(struct json_walk *w);
/*
 * The object or array that the last item began has keys of its author's choosing (a schema, an
 * unknown field): within it, no key is taken for the twin of a known one.
 */
void json_walk_opaque(struct json_walk *w);
/*
 * Looks ahead in the object that the last item began for the scalar member `key` (plain ASCII),
 * without moving: its raw bytes with the quotes of a string, or an empty span when there is none.
 * What it passes is not checked; the walk itself still does. O(the object's length).
 */
struct span json_walk_peek(const struct json_walk *w, struct span key);
/*
 * Decodes a quoted string, as json_walk_peek() gives it, into the caller's room. An empty span when
 * it is not a right string, is empty, or its raw form is longer than the room.
 */
struct span json_unquote(struct span quoted, char *room, size_t size);
/* Byte offset of the last item or of the error. */
size_t json_walk_offset(const struct json_walk *w);
/*
 * Appends the path of the last item, such as messages[3].content[0].text; unusual characters in
 * keys are escaped, long keys and paths clipped (at most 256 bytes).
 */
int json_walk_path(const struct json_walk *w, struct buf *out);
/* The same path, lent by the walker until its next call. */
struct span json_walk_where(struct json_walk *w);

/*
 * The raw offset (within a string's raw inside) of the decoded offset `at`. Where `at` lies within
 * one escape, its beginning. O(raw.len).
 */
size_t json_raw_offset(struct span raw, size_t at);
/* Appends text as the inside of a JSON string, escaped as shortly as RFC 8259 allows. */
int json_escape(struct buf *out, struct span text);
/* "key":"text" of an object that is written by hand, with a comma before it unless it is first. */
void json_member(struct buf *out, const char *key, struct span text);
