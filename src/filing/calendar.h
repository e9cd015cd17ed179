/*
 * What is due when: the library's and the banks' rhythm, numbers to display, how long the log is
 * kept, the deadlines of filings. Facts are gathered once (calendar_gather.c) and judged by a pure
 * function, at any time that is asked for. China's days throughout.
 */
#pragma once

#include "config/config.h"
#include "filing/progress.h"
#include "rules/ruleset.h"

enum calendar_item_id {
    CALENDAR_LIBRARY,    /* keywords brought up to date, 7 days */
    CALENDAR_BANKS,      /* question banks, 31 days */
    CALENDAR_DISPLAY,    /* numbers that users must be shown */
    CALENDAR_RETENTION,  /* the log's 6 months: configured, and how far it reaches back */
    CALENDAR_ALGORITHM,  /* algorithm filing, 10 working days from the start */
    CALENDAR_CHANGES,    /* noted changes, 10 working days */
    CALENDAR_EVALUATION, /* the newest run, 31 days */
    CALENDAR_CONTRACTS,  /* with the models' vendors */
    CALENDAR_COMPLAINTS, /* past their time */
    CALENDAR_INCIDENTS,  /* not closed */
    CALENDAR_ITEMS,
};

enum calendar_state {
    CALENDAR_GOOD,
    CALENDAR_SOON,    /* due before long, or worth a look */
    CALENDAR_OVERDUE, /* past, or missing now */
    CALENDAR_UNKNOWN, /* nothing is on record that tells */
    CALENDAR_OFF,     /* does not apply */
    CALENDAR_STATES,
};
/* good, soon, overdue, unknown, off. */
const char *calendar_state_name(enum calendar_state s);
const char *calendar_state_zh(enum calendar_state s);

struct calendar_item {
    enum calendar_state state;
    int64_t due;           /* the second at whose beginning it is overdue; 0: no time */
    int64_t since;         /* what it is counted from; 0: unknown */
    int64_t count;         /* of what is missing, overdue, open */
    char zh[512], en[512]; /* what there is to say about it */
};
struct calendar {
    int64_t now;
    struct calendar_item items[CALENDAR_ITEMS];
};
/* library, banks, display, retention, algorithm, changes, evaluation, contracts, complaints,
 * incidents. */
const char *calendar_item_name(enum calendar_item_id id);
const char *calendar_item_zh(enum calendar_item_id id);
const char *calendar_item_en(enum calendar_item_id id);
/* Where the time comes from, with 待核实 where that is so. */
const char *calendar_item_source(enum calendar_item_id id);

#define CALENDAR_DAY_SECONDS  86400
#define CALENDAR_LOG_DAYS     183 /* days of the log */
#define CALENDAR_WORKING_DAYS 10  /* of the algorithm filing and of changes to it */

/* What is judged. Times are Unix seconds, days their ends; 0: unknown. */
struct calendar_facts {
    int64_t library_changed; /* the last update in force */
    unsigned library_days, bank_days;
    int64_t bank_changed; /* since when they ask what they ask (question/bankdate.h) */
    unsigned display_missing;
    char display_first[256]; /* the first thing that is missing */
    bool display_due;        /* the service is online, or the number was given */
    unsigned retention_days; /* configured */
    int64_t log_since;       /* the oldest record */
    int64_t launched;
    bool algorithm_numbered;     /* the configuration has its number */
    bool algorithm_off;          /* by the answers there is none */
    int64_t algorithm_submitted; /* as noted */
    unsigned changes_open;       /* noted and not reported */
    int64_t change_from;         /* the oldest of them */
    int64_t evaluated;           /* the newest run that ended */
    int64_t contract_until;      /* of the first contract to end */
    char contract_model[128];
    unsigned contracts_untold; /* models without one */
    bool book_known;           /* the three below hold */
    unsigned complaints_overdue, complaints_open, incidents_open;
    int64_t complaint_due; /* of the next one that is not overdue */
    /* Days on which nobody works although they are no weekend, and the other way round. Not known
     * to the program: the operator's own list, may be empty. */
    int64_t holidays[CONFIG_HOLIDAYS_MAX], workdays[CONFIG_HOLIDAYS_MAX];
    size_t holiday_count, workday_count;
};

/* The end of the n-th working day after the day that ends at `day_end`. O(n + lists). */
int64_t calendar_working_days(const struct calendar_facts *f, int64_t day_end, unsigned n);
/* Pure. */
void calendar_judge(const struct calendar_facts *f, int64_t now, struct calendar *ret_calendar);
unsigned calendar_overdue(const struct calendar *c);

/*
 * Reads what there is: journal, banks, runs, log, casebook; `p` is what was noted. What can't be
 * read is unknown, with a line in *messages. Reads no version of the library: cheap enough for now
 * and then, but it waits for files.
 */
void calendar_gather(const struct config *c, const struct ruleset *rules, int64_t now,
                     const struct progress *p, struct buf *messages,
                     struct calendar_facts *ret_facts);

/* A table for people. 0, -ENOMEM, -EMSGSIZE. */
int calendar_text(const struct calendar *c, const struct progress *p, struct buf *out);
/* {"now":…,"overdue":n,"items":[{"item","zh","en","state","state_zh","due","days","since","count",
 * "note_zh","note_en","source"}],"steps":[…],"changes":[…]}; times as days (YYYY-MM-DD). */
int calendar_json(const struct calendar *c, const struct progress *p, struct buf *out);
/* juyong_filing_due_seconds{item}, juyong_filing_overdue{item}, juyong_filing_step{step,name}. */
int calendar_metrics(const struct calendar *c, const struct progress *p, struct buf *out);
