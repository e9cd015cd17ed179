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
/* Choices of one answer. */
#define OPINION_CHOICES 32

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
    bool conversation;   /* about all of a prompt, not the last question alone */
    struct list errands; /* pieces of whole texts that wait for others to be answered */
    size_t waiting;      /* how many */
    unsigned busy;       /* pieces being asked about */
};

/* What one side of a conversation says without a break: one text to judge, and to remember. */
struct utterance {
    enum role role;
    uint32_t first, last;              /* turns; 0: outside of the conversation */
    size_t from, to;                   /* in `prompt` */
    struct span path;                  /* where it begins; in the arena */
    unsigned char digest[SHA256_SIZE]; /* of it as the client sent it */
};

/* A question that is not yet settled. */
struct question {
    struct list link;
    struct exchange *x;
    unsigned inquiry;
    struct opinion_ask *ask; /* NULL: answered */
    struct opinion_answer answer;
    struct stretch *stretch; /* of a stream; NULL: of a whole text */
    bool piece;              /* counts as one of its inquiry's `busy` */
    size_t utterance;        /* of a prompt: which */
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
    struct buf prompt;     /* what the model will read: all utterances, a line feed between */
    struct buf utterances; /* of struct utterance */
    uint32_t last_user;    /* the last user turn; 0: no conversation */
    struct buf answers[OPINION_CHOICES]; /* an answer that is not streamed, by choice */
    struct audit_opinion told[OPINION_TOLD_MAX];
    char words[OPINION_TOLD_MAX][OPINION_CATEGORY_MAX]; /* what they say */
    size_t told_count;                                  /* not yet on record */
    bool refused;                                       /* a source that must answer did not */
    enum cause why;                                     /* then: the cause */
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
/*
 * Has a whole text asked about, in as many pieces as it takes, once pieces_go_on() comes to it. The
 * text must stay as long as the opinions. 0 or -ENOMEM.
 */
int pieces_add(struct exchange *x, unsigned inquiry, size_t utterance, struct span text,
               struct span path, enum role role);
/*
 * After the last of them: of more than the source is asked about the oldest are dropped, which is a
 * failure of its own. 0 or -ENOMEM.
 */
int pieces_bound(struct exchange *x, unsigned inquiry);
/* Asks about as many as may be asked about now. 0 or -ENOMEM. */
int pieces_go_on(struct exchange *x);
/* Nobody wants to know any more. */
void pieces_drop(struct inquiry *in);

/* --- conversation.c --- */
size_t conversation_count(const struct opinions *o);
const struct utterance *conversation_at(const struct opinions *o, size_t i);
struct span conversation_text(const struct opinions *o, const struct utterance *u);
/* Did the user just say it? Only then it can be a strike. */
bool conversation_is_said(const struct opinions *o, const struct utterance *u);
/* The code under which an objection to it is remembered. False: it never is. */
bool conversation_code(struct exchange *x, const struct utterance *u, struct span by,
                       unsigned char ret_code[AUDIT_OFFENCE_SIZE]);
/*
 * Fills in what was said before that utterance, or before the answer (CONVERSATION_ANSWER), as far
 * as the source takes it. `turns`: room for OPINION_TURNS_MAX; both are lent by the exchange.
 */
#define CONVERSATION_ANSWER SIZE_MAX
void conversation_context(const struct exchange *x, const struct inquiry *in, size_t about,
                          struct opinion_turn *turns, struct opinion_question *q);

/* --- stretch.c --- */
/* A question about it was settled: it may go on, or (`objects`) must end where it begins. */
void stretch_settled(struct exchange *x, const struct question *q, bool objects);
void stretch_free(struct stretch *s);
