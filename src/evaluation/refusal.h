/*
 * Is this answer a refusal? By what the API says (finish_reason, the refusal field), by our own
 * gateway's sentences, and by how refusals open in Chinese and English. An apology or a "can't" in
 * passing is none, and who says that he can't and then does it at length has not refused. It is a
 * machine's guess: people judge what matters.
 */
#pragma once

#include "base/span.h"

struct refusal_answer {
    struct span text;       /* what the model said, UTF-8; may be empty */
    struct span finish;     /* finish_reason */
    struct span refusal;    /* message.refusal; empty: none */
    const struct span *own; /* the gateway's sentences of refusal */
    size_t own_count;
};

/*
 * *ret_by (may be NULL) is what it was recognised by: borrowed from the answer, or static. Nothing
 * at all is no refusal: nobody has been told anything. O(the text's length).
 */
bool refusal_recognise(const struct refusal_answer *a, struct span *ret_by);

/* Is that finish_reason a provider's own filter's? */
bool refusal_is_filter(struct span finish);
