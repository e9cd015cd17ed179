/*
 * What is watched, how it is, and who has been told: the state behind alerts. It reads no clock and
 * knows no network; what it is given decides, so that all of it can be tested. Belongs to one
 * thread.
 *
 * A condition begins when its reading is past the threshold, and is over when it stayed away for
 * `calm`. Each target has a state of its own: what it was told last of each condition. So a message
 * that was not taken, or had to wait for the end of a quiet time, is no special case: the target
 * simply has not been told yet.
 */
#pragma once

#include "config/config.h"

#include <stdint.h>

enum board_kind {
    BOARD_RATE, /* interceptions in a minute */
    BOARD_LOG_FAILED,
    BOARD_LOG_DEGRADED,
    BOARD_DISK,
    BOARD_CANARY,
    BOARD_LIBRARY,
    BOARD_VERIFY,
    BOARD_WEAKENED,
    BOARD_FILING, /* something of the filing is overdue */
    BOARD_KINDS,
};
/* As in JSON and metrics: interceptions, log_failed, … */
const char *board_kind_name(enum board_kind k);

/* How things are. Texts are lent for the call. */
struct board_reading {
    /* Interceptions since the start of a risk, group or prefix* (board_covers()). */
    uint64_t (*intercepted)(void *ctx, struct span risk);
    void *ctx;
    bool log_failed, log_degraded;
    unsigned disk_percent;  /* of the log's file system */
    unsigned canary_missed; /* probes of the last run */
    int64_t library_s;      /* when the rules in force changed, Unix seconds; 0: unknown */
    struct span finding;    /* of the last verification of the log; empty: none */
    struct span weakened;   /* a line for each thing that weakens */
    struct span overdue;    /* a line for each thing of the filing that is overdue */
};

enum board_event {
    BOARD_BEGUN,
    BOARD_CHANGED,  /* it lasts, and is another than was told */
    BOARD_LASTS,    /* a reminder */
    BOARD_OVER,     /* what was told is over */
    BOARD_HAPPENED, /* it began and ended untold: in a quiet time, or while nobody took messages */
    BOARD_TEST,
    BOARD_EVENTS,
};
/* As in JSON: firing, changed, reminder, resolved, past, test. */
const char *board_event_name(enum board_event e);

#define BOARD_RISK_SIZE   65
#define BOARD_DETAIL_SIZE 256

/* One thing to tell, or that was told. */
struct board_item {
    enum board_event event;
    enum board_kind kind;
    char risk[BOARD_RISK_SIZE]; /* of BOARD_RATE */
    bool critical;
    uint64_t value, threshold;   /* value: now, or the worst of it when it is over */
    uint64_t since_us, ended_us; /* wall clock; ended_us 0: it lasts */
    unsigned times;              /* BOARD_HAPPENED: how often */
    char detail[BOARD_DETAIL_SIZE];
    /* what the target knows once it took this */
    bool active;
    unsigned turn, change;
    uint64_t recent;
};

#define BOARD_SAMPLES    64
#define BOARD_CONDITIONS (CONFIG_ALERT_RATES_MAX + BOARD_KINDS)
#define BOARD_TARGETS    8
#define BOARD_RECENT     100
#define BOARD_ITEMS      8 /* of one message */

/* Counts of the last minute. */
struct board_window {
    struct {
        uint64_t at_us, total;
    } samples[BOARD_SAMPLES];
    unsigned next, count;
};

struct board_condition {
    enum board_kind kind;
    char risk[BOARD_RISK_SIZE];
    bool critical;
    uint64_t threshold;
    bool active;
    uint64_t since_us, ended_us;
    uint64_t calm_us;      /* since when it stays away; 0: it doesn't */
    uint64_t value, worst; /* now; since it began */
    unsigned turn, change; /* how often it began; changed */
    uint64_t recent;       /* number of its newest entry in `recent` */
    char detail[BOARD_DETAIL_SIZE];
    uint64_t detail_hash; /* of all of it */
    struct board_window window;
};

/* What a target knows of a condition. */
struct board_known {
    bool active;
    unsigned turn, change;
    uint64_t told_us;
};

struct board_target {
    const struct config_alert_target *config;
    struct board_known known[BOARD_CONDITIONS];
    bool busy;             /* a message is under way */
    uint64_t retry_us;     /* not before */
    uint64_t sent, failed; /* messages */
};

struct board_recent {
    uint64_t number; /* from 1 */
    uint64_t at_us;
    struct board_item item;
    unsigned sent, failed; /* targets that were told, messages that were given up */
};

struct board {
    struct config *config;
    struct board_condition conditions[BOARD_CONDITIONS];
    size_t condition_count;
    struct board_target targets[BOARD_TARGETS];
    size_t target_count;
    struct board_recent recent[BOARD_RECENT]; /* entry n is at n % BOARD_RECENT */
    uint64_t recent_count;
};

/* An empty board. Some 200 KiB; NULL when memory is out. */
struct board *board_new(struct config *c);
void board_free(struct board *b);
/*
 * Another configuration: conditions and targets that have a namesake go on as they were. One that
 * is no longer watched is forgotten without a word. Takes a reference.
 */
void board_configure(struct board *b, struct config *c);

/*
 * Looks at a reading. Whatever begins, changes or ends is appended to `recent`; returns how many.
 * O(conditions).
 */
unsigned board_look(struct board *b, const struct board_reading *r, uint64_t now_us);
/*
 * What that target is to be told now: at most BOARD_ITEMS; the rest another time. 0 while a message
 * to it is under way, in its quiet time, or before its next try.
 */
size_t board_plan(const struct board *b, size_t target, uint64_t now_us,
                  struct board_item ret_items[BOARD_ITEMS]);
/* The target of that name took these items, or didn't. */
void board_told(struct board *b, struct span target, const struct board_item *items, size_t count,
                bool taken, uint64_t now_us);

/* Does a row (an id, a group, a prefix*, or *) cover that risk? */
bool board_covers(struct span row, struct span risk);
/* Is that second (Unix) in the target's quiet time? */
bool board_quiet(const struct config_alert_target *t, int64_t now_s);
