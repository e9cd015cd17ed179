/*
 * Second opinions about one exchange: whom the policy has asked about what, what he said, and what
 * follows. The answer to a prompt is held until the prompt's verdicts are there; an answer is held
 * as its rows say. Private to the room.
 */
#pragma once

#include "gate/exchange.h"
#include "opinion/desk.h"

/* Failures in a row after which a source is asked no more in this exchange. */
#define OPINION_PATIENCE 3
/* Different answers that wait to be recorded. */
#define OPINION_TOLD_MAX 16
/* Pieces that one text may be asked in. */
#define OPINION_PIECES 16

/* One source in one direction. */
struct inquiry {
    const struct config_opinion *source;
    enum direction direction;
    uint32_t rows; /* of the policy, that have it asked; bits */
    enum release release;
    bool closed; /* a failure refuses */
    unsigned timeout_ms;
    bool patient;      /* a row has said how long; of several the shortest counts */
    unsigned failures; /* in a row */
    bool active;
};

/* A question that is not yet settled. */
struct question {
    struct list link;
    struct exchange *x;
    unsigned inquiry;
    struct opinion_ask *ask; /* NULL: answered */
    struct opinion_answer answer;
    struct stretch *stretch; /* of a stream; NULL: of a whole text */
    uint64_t from, to;       /* of the text, for records */
    uint64_t since_us;
    enum role role;
    struct span path; /* in the arena */
    struct span text; /* its beginning, in `kept` */
    char kept[];
};

/* How far one inquiry is in a stretch. */
struct progress {
    uint64_t begun;         /* where his part begins */
    uint64_t asked, passed; /* up to where, in order */
    unsigned busy;          /* questions under way */
};

/* One text of a stream, as it is asked about. */
struct stretch {
    struct list link;
    struct channel *channel;
    struct span path; /* in the arena */
    struct buf text;  /* judged, masks applied byte by byte; from `base` to `read` */
    uint64_t base, read;
    uint64_t objected; /* somebody objects to what stands from here on; UINT64_MAX: nobody */
    struct progress progress[]; /* by inquiry */
};

struct opinions {
    struct inquiry *inquiries;
    unsigned count;
    uint32_t sampled; /* rows that this exchange was drawn for */
    struct list questions;
    struct list stretches;
    struct buf prompt;    /* the last question of the conversation: the user's, results of tools */
    struct span path;     /* where it begins; in the arena */
    uint32_t first, last; /* its user turns; 0: no conversation */
    unsigned char digest[SHA256_SIZE]; /* of it as the client sent it */
    struct audit_opinion told[OPINION_TOLD_MAX];
    char words[OPINION_TOLD_MAX][OPINION_CATEGORY_MAX]; /* what they say */
    size_t told_count;                                  /* not yet on record */
    bool refused;                                       /* a source that must answer did not */
    bool unjudged; /* the prompt: for good. Nothing of its answer may go out */
    bool objected; /* an answer is ended by an opinion, not by a rule */
};

/* Whether the policy has anybody asked at all. Of the canary nobody else hears. */
static inline bool opinion_wanted(const struct exchange *x)
{
    return !exchange_probes(x) && x->who.app->policy.asking_count > 0;
}

/* --- opinion.c --- */
/* Nobody is asked yet; the policy's samples are drawn. NULL: no memory. */
struct opinions *opinions_new(struct exchange *x);
/* Has the rows ask that now have reason to; `asks`: those that rules have triggered. */
void opinion_activate(struct exchange *x, enum direction direction, uint32_t asks);
/* Asks about a text; settles at once what is known at once. 0 or -ENOMEM. */
int opinion_inquire(struct exchange *x, unsigned inquiry, const struct opinion_question *q,
                    const struct question *about);
/*
 * A copy of it for the list: a stream asks too often for the exchange's arena. NULL: no memory.
 */
struct question *question_new(struct exchange *x, unsigned inquiry, const struct question *about);
/* Takes it off the list; if it is still being asked nobody wants to know any more. */
void question_drop(struct question *q);

/* --- verdict.c --- */
/* The one place where an answer has consequences; the question is gone then. */
void opinion_settle(struct exchange *x, struct question *q);
/* Notes for the record who said what; alike ones are counted. */
void opinion_note(struct opinions *o, const struct audit_opinion *said);

/* --- pieces.c --- */
/* Asks about a whole text, in as many pieces as it takes. 0 or -ENOMEM. */
int pieces_put(struct exchange *x, unsigned inquiry, struct span text, struct span path,
               enum role role);

/* --- conversation.c --- */
/* What of the prompt goes with a question about its answer. */
struct span opinion_context(const struct exchange *x, const struct inquiry *in);

/* --- stretch.c --- */
/* A question about it was settled: it may go on, or (`objects`) must end where it begins. */
void stretch_settled(struct exchange *x, const struct question *q, bool objects);
void stretch_free(struct stretch *s);
