/*
 * The stand-in model server: plays plans over the HTTP room. Beside the API it serves, for tests
 * that reach it directly and never through a gateway:
 *
 *   PUT    /demo/scripts/NAME   stores a script
 *   DELETE /demo/scripts        forgets the stored ones
 *   GET    /demo/stats          counters and the last request, as one JSON object
 *   POST   /demo/reset          sets the counters to 0
 */
#pragma once

#include "base/loop.h"
#include "demo/plan.h"

struct model_options {
    struct span host; /* numeric address */
    uint16_t port;    /* 0: any free one */
    struct plan_pace pace;
};

struct model;

/* Starts to listen. 0 or -errno. */
int model_new(struct loop *l, const struct model_options *o, struct model **ret_model);
/* Ends what is running and frees; the loop must not be within one of its callbacks. */
void model_free(struct model *m);
uint16_t model_port(const struct model *m);
