/*
 * Mode shadow: the exchange is judged beside its traffic. Requests and answers go on as they came
 * and wait neither for the judgement nor for its record; what would have been done is recorded.
 *
 * What has no route is refused all the same: ambiguous HTTP, a body that is no JSON of the API, a
 * model that is not listed. Framing is normalised as everywhere. What can't be judged goes on, and
 * its record says `unjudged`.
 */
#pragma once

#include "gate/exchange.h"

static inline bool exchange_shadows(const struct exchange *x)
{
    return x->purpose.mode == MODE_SHADOW;
}

/* The request is on its way: judges what it says. */
void shadow_judge_request(struct exchange *x);
/* Passes what the upstream has streamed, and ends the client's stream where that ends. */
void shadow_step(struct exchange *x, unsigned events);
/* An answer that is not streamed was judged (r: 0 or why it could not be): passes it. */
void shadow_answer(struct exchange *x, int r, bool media);
/*
 * Takes what was said of the exchange, asks on, and closes the record when it was only waiting for
 * that. True while it is: the exchange must stay, although its client may be gone. In other modes,
 * where nobody is asked, and while the traffic goes on, false.
 */
bool shadow_listen(struct exchange *x);
