/* Every answer of the console goes out here, so that no header of its security can be forgotten. */
#pragma once

#include "base/buf.h"
#include "http/server.h"

struct answer {
    int status;
    struct span type; /* Content-Type; empty: JSON */
    struct span body;
    int file; /* in place of body, a descriptor whose owner is answer_send(); 0: none */
    const char *file_name; /* to save it under, or NULL */
    const char *tag;       /* ETag, or NULL */
    const char *cookie;    /* Set-Cookie, or NULL */
    const char *allow;     /* Allow, of a 405 */
    unsigned retry_after_s;
    bool immutable; /* may be kept for ever; else with a tag asked about, without one not kept */
    bool close;     /* the connection ends behind it */
};

/* The headers that all answers carry; static. */
const struct http_header *answer_security(size_t *ret_count);
/* 0, -ENOMEM, -errno of the file. */
int answer_send(struct http_request *r, const struct answer *a);
/* {"error":{"code":…,"message":…}}; the text is ours and free of what JSON escapes. */
int answer_error(struct http_request *r, int status, const char *code, const char *message);
