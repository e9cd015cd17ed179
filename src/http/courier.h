/*
 * Delivers messages by POST to whoever wants to be told: each is tried a few times, with growing
 * pauses, and then given up. Nobody waits for it. Belongs to one worker and its loop.
 */
#pragma once

#include "http/client.h"

struct courier;

/* A message is delivered, or was given up. Called from the loop, or by courier_free(). */
typedef void (*courier_done_fn)(void *ctx, bool delivered);

/*
 * Who reads what a 2xx answer says, up to 4 KiB of it: false, with a reason, is a failed try. For
 * those that answer 200 to what they refuse.
 */
#define COURIER_WHY_SIZE 128
typedef bool (*courier_judge_fn)(struct span answer, char ret_why[COURIER_WHY_SIZE]);

struct courier_message {
    struct span about; /* what it is, for the log */
    struct span url;
    const struct http_header *headers;
    size_t header_count;
    struct span body;
    unsigned tries;         /* in all */
    unsigned timeout_ms;    /* of each */
    courier_judge_fn judge; /* NULL: any 2xx status is success */
    courier_done_fn done;   /* may be NULL; once, and not where courier_send() fails */
    void *ctx;
};

/* The client is borrowed. 0 or -ENOMEM. */
int courier_new(struct loop *l, struct http_client *c, struct courier **ret_courier);
/* Gives up what is under way, with a line in the log for each, and tells of it. Accepts NULL. */
void courier_free(struct courier *c);
/*
 * Takes a copy of the message and sends it. 0; -EAGAIN when too many are
 * under way, -ENOMEM: then nothing is sent.
 */
int courier_send(struct courier *c, const struct courier_message *m);
/*
 * The host of a URL, with its port: what a log may say of where a message goes, for the rest of the
 * address of a robot is often its password. Borrowed from the URL. O(length).
 */
struct span courier_host(struct span url);
/* Messages under way. */
size_t courier_count(const struct courier *c);
