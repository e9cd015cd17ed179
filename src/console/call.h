/* One request of the page or the API, from its head to its answer. Private to this room. */
#pragma once

#include "base/arena.h"
#include "console/api.h"
#include "console/clerk.h"
#include "console/page.h"
#include "http/server.h"

struct call {
    struct clerk_job job;
    struct loop_task task;
    struct list link; /* of the console's calls */
    struct console *console;
    struct http_request *r;       /* NULL: its server has done with it */
    struct arena arena;           /* what the request's spans point to */
    const struct page_file *file; /* a file of the page; else: */
    bool immutable;
    const struct api_route *route;
    struct snapshot *snapshot;
    unsigned reloads; /* of the console, up to this snapshot */
    struct api_request q;
    struct span raw; /* the body */
    struct api_answer a;
    int result;
    unsigned events; /* of the server, not yet looked at */
    bool working;    /* it is a clerk's: nothing here may be touched */
    bool answered;
    atomic_bool gone; /* the client left */
};

/* NULL when memory is out. */
struct call *call_new(struct console *c, struct http_request *r);
void call_free(struct call *call);
/* On a clerk's thread: reads the body and runs the route's function. */
void call_work(struct call *call, const struct api *api);
