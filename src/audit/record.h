/*
 * The canonical L0 record as the writer writes it: one JSON object, fields in a fixed order, empty
 * fields left out, no white space. README.md has the list. Text of prompts and answers never gets
 * in here, only commitments to it.
 */
#pragma once

#include "audit/audit.h"

#define RECORD_VERSION      1
#define RECORD_FIELD_MAX    256 /* bytes kept of one field that came from outside */
#define RECORD_HITS_MAX     64  /* hits told in one record; more are only counted */
#define RECORD_OPINIONS_MAX 16
#define RECORD_RUN_SIZE     16 /* hex digits that name one life of the process */
#define RECORD_HASH_SIZE    32

const char *record_kind_name(enum audit_kind k);

/* What the log itself knows of a record; it comes first. */
struct record_head {
    uint64_t seq;
    uint64_t wall_us, mono_us; /* when the event was submitted */
    struct span run, node;
    enum audit_kind kind;
};
int record_write_head(struct buf *out, const struct record_head *h);

/* The commitments to an event's original texts. */
struct record_originals {
    unsigned char commits[AUDIT_ORIGINALS_MAX][RECORD_HASH_SIZE];
    size_t count;
};
/*
 * Appends what follows the head, to the closing brace. For each of the first RECORD_HITS_MAX hits
 * *ret_commits gets the place in `out` of 64 characters that the commitment will take. 0, -ENOMEM,
 * -EMSGSIZE.
 */
int record_write_event(struct buf *out, const struct audit_event *e,
                       const struct record_originals *originals,
                       size_t ret_commits[RECORD_HITS_MAX]);
/* The rest of a gap record: how many were lost, from when to when (wall clock), and why. */
int record_write_gap(struct buf *out, uint64_t lost, uint64_t from_us, uint64_t until_us,
                     struct span reason);

/* How much a record matters to `log list`: an action's number, at least 1 for any interception
 * but an old offence that was told before. */
int record_weight(const struct audit_event *e);

/*
 * A path without what a user may have put into its keys: a segment stays when it looks like a word
 * of an API, and becomes * otherwise. The whole path is kept in L1.
 */
int record_write_path(struct buf *out, struct span path);

/* The part of s that is kept of a field of at most `max` bytes, not cutting a code point. */
struct span record_clip(struct span s, size_t max);
