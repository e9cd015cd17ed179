/*
 * What the papers of a filing speak of, gathered once, so that all of them say the same: the
 * configuration, the library's and the banks' statistics, the last complete evaluation, what the
 * log counted over a time, what people decided about it. What can't be read is unknown, and a paper
 * says 待补充 there; nothing is guessed. Reads only, beside a running gateway.
 */
#pragma once

#include "access/reviewers.h"
#include "casebook/casebook.h"
#include "config/config.h"
#include "evaluation/result.h"
#include "filing/filed.h"
#include "filing/library.h"
#include "question/bank.h"
#include "rules/ruleset.h"

struct dossier_options {
    const struct config *config;
    const struct ruleset *rules;  /* in force */
    const struct config_app *app; /* whose policy counts */
    int64_t now;                  /* Unix seconds */
    uint64_t since_us, until_us;  /* what the log is asked about; wall clock, half open */
    struct span software;         /* this gateway's version */
    struct span run;              /* the evaluation; empty: the newest complete one */
    unsigned verify_ms;           /* how long the log may be verified; 0: it is not */
};

struct dossier_risk {
    char risk[40];
    uint64_t actions[ACTION_COUNT]; /* hits; ACTION_ALLOW stays 0 */
};

/* Production's exchanges, from the roll-ups: as GET /api/overview has it. */
struct dossier_traffic {
    bool known;
    bool complete; /* the index speaks of all of that time */
    uint64_t requests;
    uint64_t actions[ACTION_COUNT];
    uint64_t held_p50_us, held_p95_us;
    struct dossier_risk *risks; /* by hits */
    size_t risk_count;
};

enum dossier_verify {
    DOSSIER_UNVERIFIED, /* not looked, or not to its end in the time given */
    DOSSIER_WHOLE,
    DOSSIER_DAMAGED,
};
struct dossier_log {
    bool known;
    uint64_t records;        /* number of the newest */
    uint64_t first_us;       /* when the oldest that is kept was written; 0: unknown */
    uint64_t checkpoint_us;  /* the last signed one; 0: none */
    uint64_t checkpoint_seq; /* records that it speaks for */
    enum dossier_verify verify;
    uint64_t verified; /* records looked at */
};

/* -1: unknown. */
struct dossier_people {
    int64_t interceptions, reviewed, correct, false_positive, unsure; /* of that time */
    int64_t complaints, complaints_open, complaints_overdue;          /* of all time */
    int64_t incidents, incidents_open;
};

/* The models that the app may ask for. */
struct dossier_model {
    const struct config_upstream *upstream;
    const struct config_model *model;
};

struct dossier {
    struct dossier_options o;
    const struct config *config; /* as in o */
    const struct ruleset *rules;
    const struct config_app *app;
    const struct config_policy *policy; /* the app's */
    char config_digest[13]; /* of its file's SHA-256, 12 hex digits; empty: it can't be read */
    struct dossier_model *models;
    size_t model_count;
    struct library library;
    int64_t library_since; /* Unix seconds since when this version is in force; 0: unknown */
    struct filed filed;    /* list.version is empty when none was filed */
    bool filed_known;
    struct bank *bank; /* NULL: can't be read */
    struct bank_counts banks;
    int64_t bank_since; /* Unix seconds of its last change; 0: unknown */
    struct run *run;    /* NULL: none is complete */
    struct result result;
    struct dossier_traffic traffic;
    struct dossier_log log;
    struct dossier_people people;
    struct reviewers_summary reviewers;
    bool reviewers_known;
    struct buf weak;     /* a line for each setting that weakens protection */
    struct buf messages; /* why what is unknown is */
};

/*
 * 0; -ENOMEM; -ENOENT or -EINVAL when the run that was asked for can't be had, with messages in
 * ret->messages. To be freed in any case. The configuration and rules must outlive it.
 */
int dossier_read(const struct dossier_options *o, struct dossier *ret_dossier);
void dossier_free(struct dossier *d);

/* "2026-11-26" of China's calendar; "待补充" for 0. */
#define DOSSIER_DAY_SIZE 16
const char *dossier_day(int64_t unix_seconds, char ret_text[DOSSIER_DAY_SIZE]);
/* A model's name as users read it. */
struct span dossier_model_name(const struct config_model *m);
