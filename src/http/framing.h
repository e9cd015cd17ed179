/*
 * What a request's head must be beyond what libmicrohttpd 0.9.75 asks (RFC 9112, RFC 9110 section
 * 5; the library's leniencies were measured one by one, see tests/e2e/framing). Private to the
 * room.
 */
#pragma once

#include "base/span.h"

struct MHD_Connection;

struct framing {
    const char *fault; /* static name of the first fault, NULL when sound */
    bool too_many;     /* headers */
    bool has_body;     /* a length or chunked */
    bool expect_continue;
    bool bad_expectation;      /* Expect other than 100-continue */
    unsigned long long length; /* announced, 0 when chunked */
};

/* Checks the head of the connection's current request. `uri_len`: bytes of the raw request target.
 */
struct framing framing_check(struct MHD_Connection *c, struct span method, size_t uri_len,
                             struct span version);
