/*
 * An evaluation on disk: which questions were asked, what came back over each route, what was made
 * of it, and what people judged. state_dir/filing/runs/RUN/ holds it; README.md lists the files.
 * One process writes answers; any number may read meanwhile, and append judgements.
 */
#pragma once

#include "base/buf.h"
#include "question/bank.h"

#include <stdint.h>

#define RUN_CONCURRENCY_MAX 16   /* questions under way at one time */
#define RUN_RATE_MIN        0.01 /* and a second */
#define RUN_RATE_MAX        1000.0

#define RUN_NAME_SIZE 40 /* run-YYYYMMDD-HHMMSS, perhaps with -2 behind it; with NUL */

enum run_route {
    RUN_GATEWAY, /* 附加审核策略: through the gateway */
    RUN_BARE,    /* 不附加审核策略: the model itself */
    RUN_ROUTES,
};
/* "gateway", "bare"; and as reviewers call them. */
const char *run_route_name(enum run_route r);
const char *run_route_title(enum run_route r);
/* RUN_ROUTES for any other name. */
enum run_route run_route_from(struct span name);

enum run_verdict {
    RUN_NONE, /* not judged */
    RUN_PASS, /* 合格 */
    RUN_FAIL, /* 不合格 */
};
/* "none", "pass", "fail". */
const char *run_verdict_name(enum run_verdict v);
/* RUN_NONE for any other name. */
enum run_verdict run_verdict_from(struct span name);

/* What a run was made with, written once. Texts may be empty where nothing is known. */
struct run_settings {
    struct span name;        /* given by run_create() */
    uint64_t started;        /* wall clock, us */
    struct span by;          /* who started it */
    struct span agreed;      /* who confirmed, when, that the provider agrees; as typed */
    struct span app;         /* whose policy judges, and whose key asks the gateway */
    struct span model;       /* asked for */
    struct span upstream;    /* its name */
    struct span version;     /* of the rule library that judged by keywords */
    struct span digest;      /* 64 hex digits of its SHA-256 */
    struct span bank_digest; /* bank_digest() */
    struct span opinion;     /* who gave the second opinions; empty: nobody */
    struct span software;    /* of this gateway */
    uint64_t seed;           /* of the sample */
    bool all;                /* every question; else `sample` of each kind, as asked for */
    unsigned sample[BANK_KINDS];
    bool banks[BANK_KINDS]; /* asked at all */
    bool derived;           /* derived questions were eligible, too */
    bool routes[RUN_ROUTES];
    double rate;          /* questions a second, at most; 0: not known */
    unsigned concurrency; /* at one time; 0: not known */
};

/* A question as it stood in the bank when the run began. */
struct run_question {
    struct span id;
    enum bank_kind kind;
    struct span type;   /* id of a risk type (A1-d), or an aspect's Chinese name (制度) */
    unsigned technique; /* as in struct question */
    struct span text, note, seed;
    struct span messages; /* JSON array of the turns sent instead of `text`; empty: none */
};

/* What came of a question over a route. */
struct run_answer {
    size_t question; /* index of it in the run */
    enum run_route route;
    uint64_t time;          /* wall clock, us, when it was complete */
    unsigned ms;            /* it took so long */
    struct span error;      /* why there is no answer (all below but http is empty); else empty */
    int status;             /* of HTTP; 0: none came */
    struct span text;       /* what the model said, as the user would see it; may be empty */
    struct span finish;     /* finish_reason */
    struct span model;      /* that the answer names */
    struct span id;         /* x-request-id: finds the gateway's record; empty over RUN_BARE */
    struct span action;     /* x-juyong-action: allow, block, mask, … ; empty over RUN_BARE */
    bool refused;           /* refusal_recognise() said so */
    struct span refused_by; /* what it was recognised by, a word or a phrase */
    /* What our rules make of the answer, as a completion by the app's policy. */
    enum run_verdict keywords; /* content: nothing intercepts; refuse, answer: by `refused` */
    struct span rule;     /* that intercepts the answer as it came, whatever the bank; or empty */
    struct span acted_by; /* rule by which the gateway acted, as its record says; or empty */
    enum run_verdict opinion; /* of the second opinion; RUN_NONE: not asked, or it failed */
    struct span opinion_note; /* category and score, or how it failed */
};

struct run_judgement {
    size_t question; /* index */
    enum run_route route;
    uint64_t time; /* wall clock, us */
    struct span by;
    enum run_verdict verdict;
    struct span note; /* may be empty */
};

/* A step of a run: begin, resume, stop (with the reason in `note`), end. */
struct run_event {
    uint64_t time; /* wall clock, us */
    struct span name, by, note;
};

/* What people make of one answer, as far as they have judged. */
struct run_people {
    enum run_verdict verdict; /* RUN_NONE: not decided yet */
    unsigned count;           /* people who judged */
    bool differ;              /* the first two differ: a third decides, or decided */
};

struct run;

/*
 * Makes the run's folder and freezes the sample; the run is open for writing, locked against
 * another writer. s->name and s->started are not looked at. 0, -EINVAL for an empty sample,
 * -ENOMEM, -errno.
 */
int run_create(struct span state_dir, const struct run_settings *s,
               const struct question *const *sample, size_t count, struct run **ret_run);
/*
 * Reads what is there; a line being written at this moment is not there yet. With `write` further
 * answers may be added: a torn last line is cut off; -EBUSY when somebody else is writing. 0;
 * -ENOENT for no such run, -EINVAL for a name that can't be one, or with "file:line: message" of a
 * file that can't be read; -ENOMEM, -errno. O(all its bytes).
 */
int run_open(struct span state_dir, struct span name, bool write, struct buf *messages,
             struct run **ret_run);
/* Accepts NULL. */
void run_free(struct run *r);
/* Is some process writing answers just now? */
bool run_is_busy(const struct run *r);

/* All below is borrowed from the run until run_free(), or run_add() to it. */
const struct run_settings *run_settings(const struct run *r);
size_t run_count(const struct run *r);
const struct run_question *run_question(const struct run *r, size_t index);
/* The index of a question; run_count() when it is none of the run's. O(log n). */
size_t run_find(const struct run *r, struct span id);
/* The last answer over that route, which may be an error; NULL: not asked yet. O(1). */
const struct run_answer *run_answer(const struct run *r, size_t question, enum run_route route);
/* Has everything been answered, without an error? */
bool run_is_complete(const struct run *r);
/* Answers without an error over that route. */
size_t run_answered(const struct run *r, enum run_route route);
/* In the order in which they were made. */
size_t run_judgement_count(const struct run *r);
const struct run_judgement *run_judgement(const struct run *r, size_t index);
struct run_people run_people(const struct run *r, size_t question, enum run_route route);
size_t run_event_count(const struct run *r);
const struct run_event *run_event(const struct run *r, size_t index);

/* Appends an answer and syncs it. The texts are copied. 0, -ENOMEM, -ENOSPC, -EFBIG (the file would
 * be larger than what can be read), -errno: then nothing is kept of it. */
int run_add(struct run *r, const struct run_answer *a);
/* Appends an event, likewise; its time is now. */
int run_note(struct run *r, struct span name, struct span by, struct span note);

/* The names of all runs, the newest first. */
struct run_names {
    char (*names)[RUN_NAME_SIZE];
    size_t count;
};
/* 0 (also when there is no folder yet), -ENOMEM, -errno. */
int run_list(struct span state_dir, struct run_names *ret_names);
void run_names_free(struct run_names *n);

/*
 * Appends a person's judgement under a lock; any process may. 0; -ENOENT: no such run or question,
 * or no answer over that route; -EEXIST: that person has judged it already; -EALREADY: it is
 * decided, by two who agree or by a third; -EINVAL: no verdict, a name or note that is no line of
 * text (256 and 2,000 bytes); -ENOMEM, -errno.
 */
int run_judge(struct span state_dir, struct span name, struct span question, enum run_route route,
              struct span by, enum run_verdict verdict, struct span note);

/* An answer that waits for somebody. */
struct run_waiting {
    size_t question;
    enum run_route route;
};
/*
 * What that person (empty: anybody) can still judge, the most pressing first: where two differ,
 * where a second is missing, where machines failed it or disagree, then the rest. *ret_items is
 * freed with free(). 0 or -ENOMEM. O(n log n).
 */
int run_queue(const struct run *r, struct span by, struct run_waiting **ret_items,
              size_t *ret_count);
