/*
 * What stands in for every upstream while the canary is on its way: a listener on a free port of
 * 127.0.0.1 that answers whoever bears the token with the text that it was given. One request at a
 * time.
 */
#pragma once

#include "base/buf.h"
#include "base/loop.h"

struct standin;

/* 0 or -errno. The token is borrowed. */
int standin_new(struct loop *l, struct span token, struct standin **ret_standin);
/* No request may be left, see standin_busy(). Accepts NULL. */
void standin_free(struct standin *s);
uint16_t standin_port(const struct standin *s);
/* Forgets what it was asked, and from now on answers with that; borrowed. */
void standin_expect(struct standin *s, struct span answer, bool stream);
/* Was it asked since then? *ret_body: what; lent until standin_expect(). */
bool standin_asked(const struct standin *s, struct span *ret_body);
bool standin_busy(const struct standin *s);
