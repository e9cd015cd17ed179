/*
 * The decision log as the rest of the house sees it: submit an event, learn later that it is
 * durable. One writer thread owns the files; workers only queue. See audit/README.md for what is
 * written.
 */
#pragma once

#include "base/buf.h"
#include "terms/terms.h"

struct audit;
struct audit_port;
struct strike_entry;
struct strikes;

struct audit_options {
    struct span dir;  /* where the month files live; created with mode 0700 */
    struct span node; /* name of this machine in the records */
    enum audit_mode mode;
    size_t queue_records;  /* ceiling of the queue; 8,192 unless told */
    size_t queue_bytes;    /* likewise; 64 MiB */
    size_t text_max;       /* bytes of context kept around a match; 512 */
    struct span state_dir; /* where offences are remembered; empty: nowhere, each is a new one */
    size_t offences;       /* how many; 65,536 unless told */
    size_t strikes;        /* end users whose strikes are remembered there; 65,536 unless told */
    struct audit_retention {
        unsigned records, texts, originals, samples; /* days; see audit/prune.h */
    } retention;
    size_t originals; /* bytes of original text kept of one event, sealed; 0: none */
    bool index;       /* keep index files up beside the log (audit/indexer.h) */
};

/* Starts the writer thread and opens or creates the current files. 0 or -errno, message logged. */
int audit_open(const struct audit_options *o, struct audit **ret_audit);
/* Writes what is queued, then stops the writer. Accepts NULL. */
void audit_close(struct audit *a);

enum audit_kind {
    AUDIT_OPEN,  /* the upstream is being asked */
    AUDIT_ACT,   /* an interception: flag, mask, answer, block, or a rejection */
    AUDIT_CLOSE, /* the exchange is over */
    AUDIT_ADMIN, /* an operator's act: start, stop, reload, key creation */
    AUDIT_GAP,   /* written by the log itself: records were lost, and how many */
};

/* What all events of one exchange share. Spans are borrowed until audit_submit() returns. */
struct audit_subject {
    struct span request_id, app, key_id;
    struct span end_user; /* already an HMAC in hex; empty when unknown */
    struct span client_ip, device, session;
    struct span trace_id; /* of the client's trace context: 32 hex digits; empty: none */
    uint16_t client_port;
    struct span model, upstream, filing_number, route;
    struct span ruleset; /* version in force for this exchange */
    struct span mode;    /* enforce, observe, shadow */
    /* Of a reviewer's test account; empty: production. */
    struct span purpose;  /* regulator-enforce, regulator-observe */
    struct span reviewer; /* the account */
    bool stream;
};

/* One match as it is recorded. */
struct audit_hit {
    enum direction direction;
    enum role role;
    enum action action;
    bool observed; /* it would have been done: observe mode, for all or for this rule */
    struct span path, risk, rule;
    struct span text;     /* the matched text, as written */
    struct span context;  /* with its surroundings, personal data masked, capped; goes to L1 */
    size_t context_start; /* where in `context` the match begins, bytes */
    size_t context_end;
    struct span folded;  /* what the matcher read */
    uint32_t layers;     /* enum layer bits */
    uint64_t start, end; /* bytes in the judged text */
    bool kept;           /* no match: a text of the exchange that is kept whole, in `text` */
    bool old;            /* a remembered offence in an earlier turn: told, not counted again */
};

/*
 * A judged text that holds hits, as it was said: for L2, where it is sealed. Spans are borrowed.
 */
struct audit_original {
    enum direction direction;
    enum role role;
    struct span path, text;
    uint64_t from;              /* where `text` begins in what the hits' start and end count in */
    uint64_t hits;              /* bit n: audit_event.hits[n] is in it */
    bool cut_before, cut_after; /* more of it was judged than is kept */
};
#define AUDIT_ORIGINALS_MAX 16 /* of one event */

/* Bytes kept of one text that is kept whole, whatever audit_options.text_max says. */
#define AUDIT_KEPT_MAX (256u << 10)

/*
 * An offence as it is remembered: a keyed code of who said it to which app and what it was, never
 * the text itself.
 */
#define AUDIT_OFFENCE_SIZE 20
struct audit_offence {
    unsigned char code[AUDIT_OFFENCE_SIZE];
    bool told; /* that it stands in a conversation's history is on record, too */
};
/* What makes two offences the same one. Spans are borrowed. */
struct audit_offence_key {
    struct span app, end_user; /* as in struct audit_subject */
    struct span role, rule;
    struct span text; /* or what stands for it */
};

/* What somebody else said, or did not say, when he was asked; alike answers are told once. */
struct audit_opinion {
    struct span by; /* the name of the source */
    enum direction direction;
    struct span said; /* the category that weighs most; safe; empty when it failed */
    unsigned percent; /* its score */
    struct span risk; /* what the category means here */
    enum action action;
    bool observed;      /* it would have been done */
    struct span failed; /* why there is no answer; empty: there is */
    bool cached;        /* remembered, not asked */
    unsigned times;     /* how many answers like this */
    uint64_t us;        /* how long the longest of them took */
};

struct audit_event {
    enum audit_kind kind;
    const struct audit_subject *subject;
    const struct audit_hit *hits; /* AUDIT_ACT */
    size_t hit_count;
    size_t hits_left_out; /* further ones that were not kept */
    struct span
        sample; /* why these texts, of an allowed exchange, are kept: of a sample; else empty */
    const struct audit_original *originals; /* AUDIT_ACT, AUDIT_CLOSE; see audit_originals() */
    size_t original_count;
    enum action action;   /* of the whole exchange as known */
    enum outcome outcome; /* AUDIT_CLOSE */
    struct span reason;   /* code such as duplicate_key or audit_unavailable; may be empty */
    struct span model_answered, upstream_request_id, finish_reason;
    struct span provider_refusal; /* FIELD:WORD by which the provider's own filter refused */
    struct span label;            /* how the answer was labelled as AI-generated, or why not */
    bool model_differs;           /* the model that answered is not the one that was asked for */
    bool retracted;               /* AUDIT_CLOSE: shown text is taken back */
    int status;                   /* HTTP status that the client got; 0 when none */
    int upstream_status;
    uint64_t received_us; /* wall clock of the request */
    uint64_t judge_us, held_us, upstream_us, first_byte_us, total_us; /* durations */
    uint64_t prompt_bytes, completion_bytes;                          /* judged text */
    bool complete;       /* every string of the exchange was judged and delivered */
    bool unjudged_media; /* media passed unjudged by policy */
    const struct audit_opinion *opinions; /* AUDIT_ACT, AUDIT_CLOSE */
    size_t opinion_count;
    struct span detail; /* AUDIT_ADMIN: what was done, JSON object text; else empty */
    /* To be remembered once the event is durable, before its completion is told. */
    const struct audit_offence *offences;
    size_t offence_count;
    /* Likewise, what is known of an end user from now on (audit/strikes.h); NULL: nothing new. */
    const struct strike_entry *strike;
    struct span user_state;          /* of the end user: warn, limit, suspend; empty: clear */
    unsigned strikes, strikes_today; /* in a row, and on this day */
};

/* Completion of one event, as the worker collects it. */
struct audit_done {
    uint64_t exchange; /* the number given to audit_submit() */
    enum audit_kind kind;
    int status;   /* 0 durable (or spooled in degraded mode), -errno when it never will be */
    uint64_t seq; /* record number in the log */
};

/* One per worker: its way back from the writer. The descriptor becomes readable on completions. */
int audit_port_open(struct audit *a, struct audit_port **ret_port);
void audit_port_close(struct audit_port *p);
int audit_port_fd(const struct audit_port *p);
/* Takes up to `max` completions; returns their number. Never blocks. */
size_t audit_port_collect(struct audit_port *p, struct audit_done *ret_done, size_t max);

/*
 * Queues one event. With a port, its completion will be collected there; without (NULL), nobody is
 * told. Never blocks. 0; -EAGAIN when the queue is full and -EIO when the log has failed: nothing
 * was queued.
 */
int audit_submit(struct audit *a, struct audit_port *port, uint64_t exchange,
                 const struct audit_event *event);

/* Can new exchanges be recorded? False refuses them (audit_unavailable). Cheap, any thread. */
bool audit_ready(const struct audit *a);

/* The reason of an act that tells of old offences only. */
#define AUDIT_OLD_OFFENCE "old_offence"
/*
 * The code of an offence. 0; -ENOENT when this log remembers none, -EIO, -ENOMEM. Any thread.
 * O(text).
 */
int audit_offence_code(const struct audit *a, const struct audit_offence_key *key,
                       unsigned char ret_code[AUDIT_OFFENCE_SIZE]);
enum audit_memory {
    AUDIT_UNKNOWN, /* never seen, or so long ago that newer ones took its place */
    AUDIT_REMEMBERED,
    AUDIT_TOLD, /* and that it came again as history is on record */
};
/* Any thread; the same answer for all of them. O(1). */
enum audit_memory audit_recall(const struct audit *a, const unsigned char code[AUDIT_OFFENCE_SIZE]);

/*
 * How many bytes of original text an event may carry; 0: none, and what it carries is left out.
 * What is longer is cut by who submits it. Any thread.
 */
size_t audit_originals(const struct audit *a);

/* How long what is kept, as it was opened with, and where. Any thread. */
const struct audit_retention *audit_retention(const struct audit *a);
struct span audit_dir(const struct audit *a);

/* The strikes of end users (audit/strikes.h); NULL when this log remembers none. */
struct strikes *audit_strikes(const struct audit *a);

struct audit_health {
    bool failed, degraded;
    unsigned disk_percent;  /* use of the file system that holds the log */
    uint64_t written, lost; /* records since start */
    size_t queued;
    uint64_t last_seq;
};
void audit_get_health(const struct audit *a, struct audit_health *ret_health);
