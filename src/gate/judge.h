/*
 * What was found in one direction of an exchange, and what follows from it. Wraps a scanner, the
 * policy and the findings that go on record.
 */
#pragma once

#include "audit/audit.h"
#include "base/arena.h"
#include "dialect/splice.h"
#include "gate/history.h"
#include "policy/policy.h"
#include "scan/scanner.h"

/* Findings kept for one record; further ones are counted. */
#define JUDGE_FINDINGS_MAX 64

struct finding {
    struct channel *channel; /* NULL: no text of ours, somebody's opinion */
    struct hit hit;
    const struct risk *risk;
    struct audit_hit record; /* spans in the arena */
    bool described;          /* the record's texts are made */
    bool recorded;
    uint32_t offence;     /* number in the history from 1; 0: forbids nothing */
    struct span original; /* an opinion's text as it was judged, in the arena; or empty */
};

struct judge {
    struct scanner *scanner; /* NULL once closed */
    uint64_t bytes;          /* judged until then */
    struct arena *arena;
    const struct ruleset *rules;
    const struct policy *policy;
    enum direction direction;
    bool observe;
    bool stop;          /* stop at a decisive hit; else go on to the end */
    enum action mild;   /* heaviest of those that forbid nothing */
    enum action action; /* heaviest effective action so far */
    uint32_t decisive;  /* index into findings of the first decisive one */
    bool refused;       /* there is a decisive one */
    bool masked;        /* there are masks */
    uint32_t asks;      /* rows of `opinions` that hits have asked for, see policy_asks() */
    bool unrecorded;    /* there are findings that are not yet on record */
    struct finding *findings;
    size_t finding_count;
    size_t finding_left; /* that had no room since the last record */
    uint64_t judge_us;
    size_t originals; /* bytes of judged text that an event may hand over; 0: none */
    /* whole bodies: where each judged text stands */
    struct piece *pieces;
    size_t piece_count, piece_cap;
    bool whole;
    struct history history;          /* prompts */
    uint32_t item;                   /* number of the next item */
    const struct text_item *current; /* while it is being judged */
    const struct config *labels;     /* prompts: whose labels are left out of what comes back */
};

/* `whole` as in scanner_new(). NULL when memory is out. */
struct judge *judge_new(struct arena *arena, const struct ruleset *rules,
                        const struct policy *policy, bool observe, enum direction direction,
                        bool whole, bool stop);
void judge_free(struct judge *j);

/* A text_item_fn with the judge as context. 0, 1 decisive (when `stop`), negative errors. */
int judge_item(void *ctx, const struct text_item *item);
/* As judge_item(), telling where the text stands. */
int judge_piece(struct judge *j, const struct text_item *item, struct piece *ret_piece);
/* Puts an offence among the findings that has no place there, as the one that decides. */
void judge_put_decisive(struct judge *j, const struct offence *o);
/* What follows from somebody's opinion of a text. Spans are copied. */
struct judge_opinion {
    struct span by;
    const struct risk *risk;
    enum action action; /* more than allow */
    enum role role;
    struct span path, text;
    uint64_t start, end;
    uint32_t offence; /* number in the history, or 0 */
    bool old;
};
/*
 * Puts it among the findings, under the rule `opinion/` and the name of who said it. 0; 1 when it
 * decides, which in observe mode it doesn't; -ENOMEM.
 */
int judge_opinion(struct judge *j, const struct judge_opinion *o);
/* Makes the texts of new findings' records, without the personal data found beside them. */
void judge_describe(struct judge *j);
/* The text with one '*' for each code point of personal data, in the arena; empty when memory is
 * out. O(text). */
struct span judge_clean(struct judge *j, struct span text);
/* Nothing more is to be judged: frees texts and cursors, keeps what was found. */
void judge_close(struct judge *j);
/* Bytes of text judged. */
uint64_t judge_bytes(const struct judge *j);
/* No more text (of that choice, -1: at all). */
int judge_finish(struct judge *j, int64_t choice);

/* --- whole bodies, after judge_finish(): a second walk over the same body with this callback ---
 */

struct judge_walk {
    struct judge *judge;
    struct span body;
    struct splice *splices; /* masks; room for `max` */
    size_t count, max;
    uint32_t item;
    size_t piece;
};
/*
 * The item as it is judged, and its piece: where it stands in its channel, which masks it; NULL: in
 * none. To be called for every item; only counts in the walk.
 */
const struct piece *judge_follow(struct judge_walk *w, const struct text_item *item,
                                 struct text_item *ret_text);
/* Gives findings and offences their places and masks their splices. A text_item_fn. */
int judge_revisit(void *ctx, const struct text_item *item);
/* How many splices the masks need at most. */
size_t judge_splices(const struct judge *j);
