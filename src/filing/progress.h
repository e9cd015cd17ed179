/*
 * state_dir/filing/desk.json: the answers to the questionnaire, where the seven steps of a filing
 * stand, and changes that must be reported. Written whole under a lock (filing/desk.lock); nothing
 * that was noted is ever dropped.
 */
#pragma once

#include "filing/route.h"

#define PROGRESS_STEPS     7
#define PROGRESS_ALGORITHM 7 /* beside the seven: was the algorithm filing handed in? */
#define PROGRESS_TRACKS    8
#define PROGRESS_NOTE_MAX  2000    /* bytes of a note */
#define PROGRESS_NAME_MAX  128     /* of who noted it */
#define PROGRESS_FILE_MAX  4194304 /* bytes of the file */

enum progress_state { STEP_OPEN, STEP_DOING, STEP_DONE, STEP_RETURNED, STEP_STATES };
/* open, doing, done, returned; STEP_STATES for any other name. */
const char *progress_state_name(enum progress_state s);
const char *progress_state_zh(enum progress_state s);
enum progress_state progress_state_from(struct span name);
/* form, write, assess, submit, local, central, number, and algorithm; index from 0. */
const char *progress_step_name(unsigned step);
const char *progress_step_zh(unsigned step);
const char *progress_step_en(unsigned step);

/* One thing that was noted about a step. */
struct progress_note {
    unsigned step; /* from 0 */
    enum progress_state state;
    struct span date; /* YYYY-MM-DD: when it was so */
    struct span note; /* may be empty */
    struct span author;
    int64_t at; /* when it was noted, Unix seconds */
};
/* A change to the service that the authority is to be told of. */
struct progress_change {
    int64_t number; /* from 1 */
    struct span date, what, author;
    int64_t at;
    struct span reported, reported_by; /* the day; empty: not yet */
};

struct progress {
    bool answered;
    struct route_answers answers;
    int64_t answered_at;
    struct span answered_by;
    struct progress_note *notes; /* in the order they were noted: the history */
    size_t note_count;
    struct progress_change *changes;
    size_t change_count;
    struct json_value *held; /* whose texts the spans are */
};

/*
 * Without a file: nothing noted. 0; -EBADMSG with the reason when the file is damaged (it is left
 * as it is); -errno with a message; -ENOMEM.
 */
int progress_read(struct span state_dir, struct buf *messages, struct progress *ret_progress);
/* The same from the file's text, with the reason in *why; -EPROTO: of another version. */
int progress_parse(struct span text, struct buf *why, struct progress *ret_progress);
void progress_free(struct progress *p);
/* The last note of that step, or NULL: open. */
const struct progress_note *progress_step(const struct progress *p, unsigned step);

/* Has that day begun in China? Nothing is over before: of a day to come it would silence a
 * deadline. False for what is no day. */
bool progress_has_begun(struct span day, int64_t now);
/* Is that change open, and the day none before the one it was made on? */
bool progress_may_report(const struct progress_change *c, struct span day);

/*
 * Each reads the file anew under the lock, adds, and replaces it; on failure the old one stands.
 * 0; -EINVAL: no such day, text or number, or a day before the change; -EALREADY: that change was
 * reported; the rest as progress_read(). Callers have it put on record first (cli/filingcmd.h).
 */
int progress_note(struct span state_dir, const struct progress_note *note, struct buf *messages);
int progress_answer(struct span state_dir, const struct route_answers *a, struct span author,
                    int64_t at, struct buf *messages);
/* number, reported: not looked at. */
int progress_add_change(struct span state_dir, const struct progress_change *change,
                        struct buf *messages, int64_t *ret_number);
int progress_report_change(struct span state_dir, int64_t number, struct span day,
                           struct span author, struct buf *messages);
