/*
 * A record as readers see it: parsed from its canonical JSON, strictly. Anything that the writer
 * would not have written that way is refused, so that two readings of one record can't differ.
 * Shares no code with the writer.
 */
#pragma once

#include "base/arena.h"

#include <stdint.h>

#define ENTRY_HITS_MAX 64

enum entry_bool { ENTRY_ABSENT, ENTRY_TRUE, ENTRY_FALSE };

struct entry_hit {
    struct span direction, role, path, risk, rule, action, layers, commit;
    enum entry_bool observed; /* true: what would have been done */
    uint64_t start, end;
    enum entry_bool old;  /* an offence of an earlier exchange, in this one's history */
    enum entry_bool kept; /* no match: a text that is kept whole */
};

#define ENTRY_OPINIONS_MAX  16
#define ENTRY_ORIGINALS_MAX 16

/* A second opinion that was asked for. */
struct entry_opinion {
    struct span by, direction, said, risk, action, failed;
    uint64_t score, times, us;
    enum entry_bool observed, cached;
};

/* Absent fields are 0 or empty. Times and durations are microseconds. */
struct entry {
    uint64_t v, seq, time, mono;
    struct span run, node, kind, request_id;
    struct span app, key_id, end_user, client_ip;
    uint64_t client_port;
    struct span device, session, trace_id, model, upstream, filing_number, route, ruleset, mode,
        purpose, reviewer;
    enum entry_bool stream;
    struct span action, outcome, reason;
    struct span model_answered, upstream_request_id, finish_reason, provider_refusal, label;
    enum entry_bool model_differs, retracted;
    uint64_t status, upstream_status, received;
    uint64_t judge_us, held_us, upstream_us, first_byte_us, total_us;
    uint64_t prompt_bytes, completion_bytes;
    enum entry_bool complete, unjudged_media;
    struct span user_state; /* warn, limit, suspend */
    uint64_t strikes, strikes_today;
    struct span sample;     /* the purpose that these texts are kept for */
    struct entry_hit *hits; /* in the arena */
    size_t hit_count;
    uint64_t hits_left_out;
    struct span *originals; /* likewise: commitments to the texts of L2, 64 digits each */
    size_t original_count;
    struct entry_opinion *opinions; /* likewise */
    size_t opinion_count;
    uint64_t opinions_left_out;
    struct span detail;
    uint64_t lost, from, until; /* of a gap */
};

/*
 * Parses one record. Spans point into `body`, or into the arena where something was escaped.
 * 0; -EBADMSG: not canonical; -EPROTO: of a newer version; -ENOMEM. O(body.len).
 */
int entry_parse(struct span body, struct arena *a, struct entry *ret_entry);
/* Overlays what `later` says over `e`, as records of one exchange complete each other; hits,
 * opinions and the head's fields (seq, time, ...) stay those of `e`. */
void entry_overlay(struct entry *e, const struct entry *later);
/* How much the record matters: 0 for a plain allow, else the number of its action. */
int entry_weight(const struct entry *e);
