/*
 * Complaints of the public, on the listener of the apps: POST /v1/complaints (JSON, or the form's
 * encoding) and the form itself, GET /complaints. Off unless the configuration turns it on. What
 * is complained about goes to whoever keeps tickets; this file only reads and answers.
 */
#pragma once

#include "base/loop.h"
#include "http/server.h"

struct config;
struct complaint_desk;
struct gate;

#define COMPLAINT_BODY_MAX 16384

/* One complaint on its way. Spans are borrowed; all stays in place until `done` is called, also
 * when the desk is freed before. */
struct complaint {
    struct span kind, text, contact, request_id, client_ip;
    /* The answer, written by who takes it. */
    int result; /* 0: noted; -EINVAL: `why` tells; -EFBIG; -EDQUOT: too many; else:
                   it can't be noted */
    int64_t number;
    uint64_t due_us;
    char why[160];
    void (*done)(struct complaint *c); /* called once, from any thread */
};

/* Handed over from above. Thread-safe. */
struct complaint_taker {
    /* 0: `done` will be called; negative: it will not, and is the result. Never waits. */
    int (*take)(void *ctx, struct complaint *c);
    void *ctx;
};

/* 0, -ENOMEM, -errno. */
int complaint_desk_new(struct gate *g, const struct complaint_taker *taker,
                       struct complaint_desk **ret_desk);
/* What is under way may come back later, to nobody. Accepts NULL. */
void complaint_desk_free(struct complaint_desk *d);
/*
 * In admit(): is the request one of these? Then it is taken, answered or read on, and *ret_max is
 * the ceiling of its body.
 */
bool complaint_admit(struct complaint_desk *d, struct http_request *r, const struct config *c,
                     size_t *ret_max);
/* In refused(): was it one of these? Then it is answered with that result (-EFBIG, -ENOMEM). */
bool complaint_refuse(struct complaint_desk *d, struct http_request *r, int result);
/* In event(): was it one of these? Then it is seen to. */
bool complaint_event(struct complaint_desk *d, struct http_request *r, unsigned events);

/*
 * Reads a body of either type into *ret, whose spans point into `room` (body.len bytes), or into
 * the body. 0; -EINVAL: `why` (160 bytes) tells; -ENOMEM.
 */
int complaint_read(struct span type, struct span body, char *room, struct complaint *ret);
