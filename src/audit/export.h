/*
 * Carries signed checkpoints to a second place: whatever stands in <dir>/checkpoints.jsonl goes to
 * each sink in its order, from where it stopped, however long that was unreachable. How far each
 * has got is kept in <dir>/exported.tsv (offset ⇥ sink ⇥ id). A crash may send a line twice, never
 * none.
 *
 * Belongs to one thread, but for export_get_health().
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct export;

struct export_sink {
    struct span file; /* appended to; or */
    bool syslog;      /* a datagram a line to the system's log; or */
    struct span url;  /* handed to `post` */
};
struct export_options {
    struct span dir; /* the log's */
    const struct export_sink *sinks;
    size_t sink_count;
    struct span syslog_path; /* empty: /dev/log */
    /* Begins to post whole lines to the sink's URL; export_posted() tells. The lines are borrowed
     * until then. 0 or -errno. */
    int (*post)(void *ctx, size_t sink, struct span lines);
    void *ctx;
};

#define EXPORT_LATE_US 180000000u /* from then on a waiting checkpoint is late: three are due */

struct export_health {
    char name[64];     /* file:…, syslog, url:… (of URLs the host alone) */
    uint64_t waiting;  /* checkpoints that are not there yet */
    uint64_t since_us; /* wall clock since when one waits; 0: none does */
    char why[64];      /* what the last try failed of; empty: it did not */
};

/* 0, -ENOMEM, -errno. */
int export_open(const struct export_options *o, struct export **ret_export);
void export_close(struct export *e);
/* Carries what can be carried now; call it once a second or so. */
void export_step(struct export *e, uint64_t mono_ms, uint64_t wall_us);
/* What became of the lines that were handed to post(): 0 or -errno, a status in `status` or 0. */
void export_posted(struct export *e, size_t sink, int result, int status);
/* Of that sink; any thread. */
void export_get_health(struct export *e, size_t sink, struct export_health *ret_health);
