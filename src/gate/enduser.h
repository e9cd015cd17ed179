/*
 * The person behind an exchange: who it is, from where, on which device, in which session. Private
 * to the room.
 */
#pragma once

#include "gate/exchange.h"

/*
 * The client's address as numeric text, and its port: what a trusted front says in its headers,
 * else the peer of the connection; empty and 0 when nobody knows. Borrowed from the request.
 */
struct span enduser_address(const struct config *c, const struct http_request *r,
                            uint16_t *ret_port);
/* The end user's id, where a trusted front names one in its header; else empty. Borrowed. */
struct span enduser_named(const struct config *c, const struct http_request *r);
/*
 * Fills end user (as an HMAC), client address and port, device and session; texts are in the
 * exchange's arena. What nobody may say, or nobody said, stays empty. Once the body has been read.
 * 0; -ENOMEM: somebody was named, and nobody may take him for anonymous.
 */
int enduser_describe(struct exchange *x, struct audit_subject *s);
