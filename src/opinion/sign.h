/*
 * The signature of what is sent to an operator's own services: hex HMAC-SHA-256 under their shared
 * secret over the time, a full stop and the body, so that an old message can't be sent again.
 */
#pragma once

#include "base/span.h"

struct sign {
    char timestamp[24]; /* Unix seconds */
    char text[70];      /* v1= and 64 hex digits */
};
/* 0, -EIO, -ENOMEM. O(body). */
int sign_body(struct span secret, struct span body, struct sign *ret_sign);
