/*
 * What end users' strikes do to an exchange: whether the user may ask at all, that an intercepted
 * prompt counts, and what the refusal says besides. Nothing counts without an end user's id, in a
 * weaker mode than enforce, for reviewers, or for what stands in a conversation's history. Private
 * to the room.
 */
#pragma once

#include "gate/exchange.h"

/*
 * May the end user's prompt go on, once it is judged? CAUSE_NONE, CAUSE_USER_SUSPENDED, or
 * CAUSE_USER_LIMITED where the prompt is innocent and came too soon. O(1).
 */
enum cause strike_hold(struct exchange *x);
/*
 * Queues the act of a refused prompt, and with it the strike. A prompt that is refused for
 * something else than a rule's hit counts if the caller sets history.said. The cause of the
 * refusal: that of the content, or CAUSE_USER_SUSPENDED, with nothing queued, when another prompt
 * of this user was quicker and was the last one.
 */
enum cause strike_act(struct exchange *x, struct span reason);
/* Queues the open event of a prompt that goes on, and with it that a row of strikes is over. As
 * record_open(). */
int strike_open(struct exchange *x);
/* Queues the act and the close of a prompt that the cause keeps from going on. */
void strike_refuse(struct exchange *x, enum cause cause);
/* What decides about a refused prompt: CAUSE_CONTENT_FILTER unless the user is held. */
enum cause strike_cause(const struct exchange *x);
/*
 * Seconds until a held user may come back: a limited one's turn, a suspended one's end. 0 where
 * nobody is held, or for good.
 */
uint64_t strike_wait_s(const struct exchange *x);
/* Says so in the refusal: a sentence of its own, or one more. */
void strike_describe(struct exchange *x, struct dialect_refusal *d);
