/*
 * Somebody who is asked for a second opinion: one file per API behind one table. An adapter writes
 * the question and reads the answer; it knows nothing of connections, policies or exchanges. What
 * it can't read with certainty is an error, never "safe".
 */
#pragma once

#include "config/config.h"

/* What one side said. */
struct opinion_turn {
    bool assistant; /* else the user, or the app for him */
    struct span text;
};
#define OPINION_TURNS_MAX 64

/* A text, and what it is. Spans are borrowed; UTF-8. */
struct opinion_question {
    enum direction direction;
    enum role role; /* whose text it is */
    struct span text;
    struct span prompt; /* of an answer: what was asked, as context; may be empty */
    /*
     * What was said before, oldest first, for those who converse: the sides take turns, the first
     * is the user's and the last the side's that does not speak now. `prompt` is not used then.
     */
    const struct opinion_turn *turns;
    size_t turn_count;
};

#define OPINION_CATEGORY_MAX 48 /* bytes of a category's name */
#define OPINION_SCORES_MAX   32

struct opinion_score {
    char category[OPINION_CATEGORY_MAX]; /* as its author names it; NUL-terminated */
    unsigned percent;                    /* 1 to 100: how sure, or how bad */
};

/* What was said. Nothing of it: safe. */
struct opinion_verdict {
    size_t count;
    struct opinion_score scores[OPINION_SCORES_MAX];
};

struct opinion_adapter {
    bool converses; /* takes what was said before as turns */
    /* Appends the body of the question. 0, -EMSGSIZE, -ENOMEM. */
    int (*write)(const struct config_opinion *source, const struct opinion_question *q,
                 struct buf *out);
    /*
     * Reads the body of an answer with status 200. 0; -EBADMSG when it is not what was expected, in
     * whatever way; -ENOMEM.
     */
    int (*read)(struct span body, struct opinion_verdict *ret_verdict);
};

extern const struct opinion_adapter opinion_moderations;
extern const struct opinion_adapter opinion_qwen3guard;
extern const struct opinion_adapter opinion_llamaguard;
extern const struct opinion_adapter opinion_webhook;

/* By enum opinion_kind. */
const struct opinion_adapter *opinion_adapter(const struct config_opinion *source);

/*
 * For adapters: adds a score, of 0 to 1, to a verdict; one that rounds to nothing is left out, more
 * than half a percent is at least 1. 0; -EBADMSG for a score or name out of bounds, and when the
 * verdict is full.
 */
int opinion_add(struct opinion_verdict *v, struct span category, double score);
/* Appends `lead`, then the text as a JSON string. */
int opinion_text(struct buf *out, struct span lead, struct span text);
