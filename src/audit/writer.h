/*
 * The writer thread and its queue. What a worker touches is under one mutex that is held for a few
 * instructions, or atomic; the rest belongs to the thread.
 */
#pragma once

#include "audit/checkpoint.h"
#include "audit/indexer.h"
#include "audit/item.h"
#include "audit/offences.h"
#include "audit/store.h"
#include "audit/strikes.h"
#include "audit/textkey.h"

#include <pthread.h>

enum writer_state {
    WRITER_READY,
    WRITER_STALLED, /* no room or no memory: tried again every second */
    WRITER_FAILED,  /* until restart: the disk or the files can't be trusted */
};

/* Events that never got into the log, for the gap record. */
struct writer_loss {
    uint64_t count, from_us, until_us;
    int why; /* errno */
};

struct audit {
    enum audit_mode mode;
    size_t queue_records, queue_bytes, text_max;
    struct audit_retention retention;
    size_t originals;     /* bytes of an event's original texts; 0: none are kept */
    struct textkeys keys; /* then: theirs. Only read once the thread runs */

    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t wake;
    struct item *first, **last; /* submitted, under the lock */
    bool sleeping, stopping;
    struct writer_loss loss;

    atomic_int state;             /* enum writer_state */
    atomic_size_t records, bytes; /* from submission until written or given up */
    atomic_uint disk_percent;
    atomic_uint_fast64_t written, lost, last_seq;

    pthread_mutex_t upkeep; /* of who removes texts, or says what must stay */

    struct offences *offences; /* NULL: none are remembered. Read by all, written by the thread */
    struct strikes *strikes;   /* likewise */
    struct indexer *indexer;   /* NULL: none is kept */

    /* The thread's own. */
    struct store *store;
    struct checkpoint *checkpoint;
    struct item *pending, **pending_last; /* taken from the queue, not yet written */
    struct audit_port *signals[64];
    size_t signal_count;
    uint64_t tick_us, busy_us; /* monotonic: last housekeeping, since when the files are locked */
    uint64_t checkpoint_us, checkpoint_seq;
    int64_t clock_offset_us; /* wall minus monotonic, when last looked */
    unsigned disk_alarm;     /* 0, 80, 90 */
};

static inline struct item_limits writer_limits(const struct audit *a)
{
    return (struct item_limits){a->text_max, a->originals ? &a->keys : NULL};
}

/* Starts and stops the thread; the rest of struct audit has been filled. */
int writer_start(struct audit *a);
void writer_stop(struct audit *a);
/*
 * Hands one item over. 0, -EAGAIN, -EIO; on failure the item stays the caller's. The log's `own`
 * events are few and pass the queue's ceilings.
 */
int writer_queue(struct audit *a, struct item *i, bool own);
/* An event of the log itself. */
int writer_note(struct audit *a, struct span reason, struct span detail);
