/*
 * A gateway on a test bed: one gate, a stand-in upstream and raw clients in one loop, so that a
 * test decides byte by byte what is sent and when. The upstream speaks plain bytes over a socket of
 * its own, because most of what it says here no HTTP library would.
 */
#pragma once

#include "../unit.h"

#include "audit/query.h"
#include "gate/gate.h"

#include <stdio.h>
#include <stdlib.h>

/* Words of tests/e2e/rules; a phone number is masked by the shipped patterns. */
#define BED_BLOCK  "琥珀炸弹配方"
#define BED_ALLOW  "琥珀炸弹配方糖"
#define BED_MASK   "银杏代号"
#define BED_ANSWER "沉入灰湖"
#define BED_FLAG   "地瓜城的人"
#define BED_PHONE  "13812345678"

enum bed_end {
    BED_CLOSE, /* closed in order when all is sent */
    BED_RESET,
    BED_STAY, /* stays open and silent */
};

struct bed_script {
    struct span bytes;  /* head and body as they go on the wire */
    const size_t *cuts; /* ends of the writes, ascending; the rest is one write */
    size_t cut_count;
    size_t hold_at; /* waits there until bed_go_on(); 0: never */
    enum bed_end end;
};

struct bed_side { /* one connection, of the upstream or of a client */
    struct loop_watch watch;
    struct bed *bed;
    struct buf in;
    size_t sent;
    size_t cut;
    bool connected, asked, skipped, ended, gone;
};

#define BED_PEERS 8

struct bed {
    char dir[64];
    struct loop *loop;
    struct audit *audit;
    struct snapshot *snapshot;
    struct limiter *limiter;
    struct gate *gate;
    struct metrics metrics;
    /* the upstream */
    struct loop_watch listener;
    uint16_t port, upstream_port;
    struct bed_side peers[BED_PEERS];
    size_t peer_count;
    struct bed_script script;
    bool held_back; /* stands at hold_at */
    /* running the loop */
    struct loop_hook hook;
    struct loop_timer limit;
    bool (*until)(struct bed *b);
    void *until_ctx;
    bool late, drained;
};

/* More than 0 while the bed itself is at work, whose memory is not what is tested. */
extern int bed_busy;
/* Who takes complaints of the beds that are opened from now on; NULL: nobody. */
extern const struct complaint_taker *bed_complaints;

struct bed_client {
    struct bed_side side;
    struct buf out;
    bool deaf; /* reads nothing */
};

/* `yaml`: further lines of configuration. */
void bed_open(struct bed *b, const char *yaml, bool with_log);
/* Drains the gate and takes all down. */
void bed_close(struct bed *b);
/* Loads the configuration again, with these lines instead. */
struct snapshot *bed_load(struct bed *b, const char *yaml);
/* Runs until `until` is true: true, or false after `ms`. */
bool bed_run(struct bed *b, bool (*until)(struct bed *b), void *ctx, unsigned ms);
/* Runs that long, whatever happens. */
void bed_wait(struct bed *b, unsigned ms);
/* Lets the upstream go on behind hold_at. */
void bed_go_on(struct bed *b);
/* The newest record's row as "action outcome reason status complete"; waits until it is closed. */
const char *bed_record(struct bed *b);
/* The same, without waiting: "" when there is none, "running …" while it is not closed. */
const char *bed_peek(struct bed *b);
/* How many records the newest exchange has, and how many hits its first act left out. */
size_t bed_records(struct bed *b, uint64_t *ret_left_out);

/* Another program holds the log's file: nothing gets on record until it lets go. */
void bed_lock_log(struct bed *b);
void bed_unlock_log(void);

void bed_connect(struct bed *b, struct bed_client *c);
void bed_send(struct bed_client *c, struct span bytes);
void bed_leave(struct bed_client *c);
/* POST /v1/chat/completions with that body. */
void bed_ask(struct bed *b, struct bed_client *c, const char *body);
/* A body that asks: `more` are members such as "\"stream\":true". */
const char *bed_question(const char *text, const char *more);
/* Runs until the response is whole or the connection is over; 10 s. */
void bed_answer(struct bed *b, struct bed_client *c);
/* Is a whole response there? */
bool bed_whole(const struct bed_client *c);
int bed_status(const struct bed_client *c);
struct span bed_header(const struct bed_client *c, const char *name);
/* The body without its chunks, as far as it came. Owned by the caller. */
struct buf bed_body(const struct bed_client *c);

/* --- answers --- */

/* Appends an event of that payload. */
void bed_event(struct buf *out, const char *payload);
/* Appends a text delta. */
void bed_delta(struct buf *out, unsigned choice, const char *field, struct span text);
void bed_finish(struct buf *out, unsigned choice, const char *reason);
/* Head and body of a stream, not chunked: it ends with the connection. */
void bed_stream(struct buf *out, struct span events);
/* Head and body of a JSON answer. */
void bed_json(struct buf *out, int status, struct span body);

/* A stream as a client reads it. */
struct bed_reading {
    struct buf text[4]; /* content of each choice */
    struct buf other;   /* reasoning, refusal, tool arguments, everything else, in order */
    char finish[4][24];
    unsigned finishes[4];
    unsigned events, done, after_done, errors;
};
void bed_read(struct span body, struct bed_reading *ret_reading);
void bed_reading_deinit(struct bed_reading *r);
