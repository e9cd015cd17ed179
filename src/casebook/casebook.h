/*
 * What people decide about the log: verdicts on interceptions, who is to look at what, the day's
 * signature, complaints, incidents. A database of its own (state_dir/casebook.db); but each act
 * is a record of the decision log first, so that the chain proves who decided what.
 *
 * A struct casebook may be used by several threads; calls wait for files. Acts need the log's own
 * process (`audit` of the options); reading works beside it.
 */
#pragma once

#include "audit/audit.h"
#include "base/arena.h"
#include "base/buf.h"

struct casebook;

#define CASEBOOK_REQUESTS_MAX 500   /* of one verdict or assignment */
#define CASEBOOK_SAMPLE_MAX   10000 /* of one sample */
#define CASEBOOK_TEXT_MAX     8192  /* bytes of a note, a complaint, a field of an incident */
#define CASEBOOK_NAME_MAX     128   /* of a person's name, a title */
#define CASEBOOK_ACT_MAX      (1024 * 1024) /* an act as text */

struct casebook_options {
    struct span state_dir, log_dir;
    struct audit *audit;    /* NULL: nothing can be decided */
    unsigned share, second; /* percent of the interceptions that are reviewed, and twice */
    uint64_t due_us;        /* how long a complaint may wait for its answer */
    unsigned wait_ms;       /* how long an act waits for the log; 30 s unless told */
    /* How long a sample may be looked for, in which nobody else decides anything; 10 s unless told.
     */
    uint64_t sample_us;
};

/*
 * Opens or makes it. With `audit`, acts that a crash left between record and database are settled
 * first: those on record are done, the others never were. 0; -ENOENT: a reader found none;
 * -EPROTO: of a newer version; -EBADMSG: damaged; -errno. Messages are logged.
 */
int casebook_open(const struct casebook_options *o, struct casebook **ret_casebook);
/* Accepts NULL. */
void casebook_close(struct casebook *c);

/* ---- acts ---- */

enum casebook_verb {
    CASEBOOK_REVIEW,    /* requests verdict note second */
    CASEBOOK_ASSIGN,    /* requests to */
    CASEBOOK_SAMPLE,    /* since_us until_us percent actions */
    CASEBOOK_SIGNOFF,   /* day note */
    CASEBOOK_COMPLAINT, /* kind text contact requests (one or none) */
    CASEBOOK_TICKET,    /* number, and any of: state note to */
    CASEBOOK_OPENING,   /* of an incident: title at_us what requests, and fields as below */
    CASEBOOK_INCIDENT,  /* number, and any of: state title what impact measures remedy
                           responsible note requests (more of them) */
    CASEBOOK_EXPORT,    /* what: what leaves, in which form */
    CASEBOOK_VERBS,
};

enum casebook_verdict {
    VERDICT_NONE,
    VERDICT_CORRECT,
    VERDICT_FALSE_POSITIVE,
    VERDICT_UNSURE,
    VERDICT_COUNT,
};
/* correct, false_positive, unsure; empty for none. */
const char *casebook_verdict_name(enum casebook_verdict v);

/* Unused fields are empty or 0. Spans are borrowed. */
struct casebook_act {
    enum casebook_verb verb;
    struct span author, login; /* who; login: of the machine, empty from the console */
    struct span client_ip;     /* of a complaint */
    const struct span *requests;
    size_t request_count;
    enum casebook_verdict verdict;
    bool second; /* a second reviewer's */
    int64_t number;
    uint64_t since_us, until_us, at_us;
    unsigned percent, actions; /* actions: bits 1 << enum action; 0: interceptions */
    struct span day;           /* 2026-11-26, China's */
    struct span note, to, kind, text, contact, state;
    struct span title, what, impact, measures, remedy, responsible;
};

struct casebook_answer {
    size_t done, skipped; /* requests; skipped: somebody else's, or not in the log */
    int64_t number;       /* of the ticket or incident */
    uint64_t due_us;      /* of a complaint: when it is to be answered */
    char error[160];      /* why not; empty when it is done */
};

/* As JSON, which is how acts travel and stay. Spans of what is read are in the arena. */
int casebook_write_act(const struct casebook_act *act, struct buf *out);
/* 0, -EBADMSG, -ENOMEM. */
int casebook_read_act(struct span text, struct arena *arena, struct casebook_act *ret_act);

/*
 * Checks the act, puts it on record, carries it out. 0; with a reason in ret_answer->error:
 * -EINVAL (makes no sense), -ENOENT (no such request, ticket or incident), -EEXIST (somebody was
 * faster), -EROFS (this process does not hold the log), -EIO (the log can't be written: nothing
 * was done; or the casebook can't, until restart), -EINPROGRESS (it may be on record; the next act
 * or start settles it), -EAGAIN (the one before is still waiting for the log), -ENOMEM.
 */
int casebook_do(struct casebook *c, const struct casebook_act *act,
                struct casebook_answer *ret_answer);

/* ---- reading ---- */

/* Takes up what the log has since the last time. Reading works without it, on what was known. */
int casebook_refresh(struct casebook *c);

enum casebook_why {
    WHY_POLICY = 1,   /* the share that is always reviewed */
    WHY_SAMPLE = 2,   /* a sample that somebody drew */
    WHY_ASSIGNED = 4, /* given to somebody */
    WHY_SECOND = 8,   /* once more, by somebody else */
};
struct casebook_due {
    struct span request_id, action, risk, rule, app, direction, assigned;
    uint64_t seq, time_us;
    unsigned why;
    struct span first_reviewer; /* with WHY_SECOND */
};
struct casebook_queue {
    struct span who; /* who asks; his own reviews are no second ones */
    bool mine;       /* only what is assigned to him */
    struct span day; /* only of that day; empty: any */
    uint64_t before; /* a seq: older ones than that; 0: from the newest */
    size_t limit;
};
struct casebook_counts {
    uint64_t open, mine;
};
typedef int (*casebook_due_fn)(void *ctx, const struct casebook_due *due);
/* Newest first; a nonzero answer of fn stops and is returned. O(limit) but for the counts. */
int casebook_each_due(struct casebook *c, const struct casebook_queue *q, casebook_due_fn fn,
                      void *ctx, struct casebook_counts *ret_counts);

/* The verdict that counts, with who gave it and what a second one said; all NONE: not reviewed. */
struct casebook_review {
    enum casebook_verdict verdict, second;
    char reviewer[CASEBOOK_NAME_MAX + 1], second_reviewer[CASEBOOK_NAME_MAX + 1];
    uint64_t at_us;
};
int casebook_find_review(struct casebook *c, struct span request_id,
                         struct casebook_review *ret_review);

/* Which rows of the log are wanted by what was said of them. */
struct casebook_wish {
    struct casebook *casebook;     /* NULL: nothing was reviewed yet */
    enum casebook_verdict verdict; /* NONE: those that nobody has reviewed */
};
/* open, correct, false_positive or unsure; false: none of these. */
bool casebook_read_wish(struct span name, enum casebook_verdict *ret_verdict);
/* For query_filter.keep; its context is a struct casebook_wish. 1 or 0, or negative. */
int casebook_is_wanted(void *wish, struct span request_id);

/* What follows appends JSON; 0, -ENOENT (no such one), -EINVAL (no such day), or an error. */

/* [{reviewer,verdict,note,at_us,second,replaced}] of one request, the newest first. */
int casebook_reviews(struct casebook *c, struct span request_id, struct buf *out);
/* The same without the notes, for who may not read texts: they may quote them. */
int casebook_verdicts(struct casebook *c, struct span request_id, struct buf *out);
/* The object of /api/reviews/summary. */
int casebook_summary(struct casebook *c, struct span day, struct buf *out);
/* {done,correct,false_positive,unsure,open} of what came in that time. */
int casebook_totals(struct casebook *c, uint64_t since_us, uint64_t until_us, struct buf *out);
/* [{rule,count,false_positive}] of what came since then. */
int casebook_by_rule(struct casebook *c, uint64_t since_us, struct buf *out);

struct casebook_page {
    struct span state; /* empty: any */
    int64_t before;    /* a number: older ones; 0: from the newest */
    size_t limit;
    bool oldest_first;
};
/* [{id,at_us,due_us,state,kind,text,contact,request_id,to,overdue}] */
int casebook_tickets(struct casebook *c, const struct casebook_page *p, struct buf *out);
/* One of them, with notes:[{at_us,who,state,text}]. */
int casebook_ticket(struct casebook *c, int64_t number, struct buf *out);
/* [{id,at_us,opened_us,title,state,requests:COUNT}] */
int casebook_incidents(struct casebook *c, const struct casebook_page *p, struct buf *out);
/* One of them, with all its fields, requests:[id], notes and clock. */
int casebook_incident(struct casebook *c, int64_t number, struct buf *out);
/* The draft of its report, as text in Chinese. */
int casebook_report(struct casebook *c, int64_t number, struct buf *out);

/* "2026-11-26" of China's calendar as microseconds of its begin and end; the empty span: the day
 * before today. False when it is none. */
bool casebook_day(struct span day, uint64_t *ret_begin_us, uint64_t *ret_end_us);
void casebook_day_text(uint64_t at_us, char ret_text[16]);
