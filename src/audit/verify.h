/*
 * Checks a whole log: every record's form, number and hash, every commitment whose text is still
 * there, the links between files, the signed checkpoints. Stands alone: of the writer's code it
 * uses nothing but SHA-256 and the database. Works while the gateway runs.
 */
#pragma once

#include "base/span.h"

#include <stdint.h>

struct verify_options {
    struct span dir;
    struct span checkpoints; /* a file that was exported; empty: the one in dir */
    struct span public_key;  /* file with the key's 64 hex digits; empty: the one in dir/keys */
    /* Asked every few thousand records, with their number so far; true ends it. May be NULL. */
    bool (*is_over)(void *ctx, uint64_t records);
    void *ctx;
};

struct verify_report {
    uint64_t files, records, first_seq, last_seq;
    uint64_t texts;            /* commitments checked against their text */
    uint64_t texts_absent;     /* whose text was removed, by retention or on request */
    uint64_t originals;        /* likewise, of L2 */
    uint64_t originals_absent; /* that expired or were deleted */
    uint64_t originals_closed; /* not looked into: their key is not there */
    uint64_t checkpoints;      /* signatures checked that fit the chain */
    uint64_t checkpoint_size;  /* records that the last of them speaks for */
    uint64_t gaps, lost;       /* records that the log says it lost */
    /* The first thing found wrong, when verify_run() gave 1. */
    char file[64]; /* name within dir */
    uint64_t seq;  /* record; 0 when it concerns the file */
    char what[160];
};

/* 0: whole; 1: something is wrong, see the report; -ECANCELED: is_over() said so; -errno: could not
 * be read. */
int verify_run(const struct verify_options *o, struct verify_report *ret_report);
