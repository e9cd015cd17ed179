/* What `juyong filing evaluate` was told, and the things it can do. */
#pragma once

#include "cli/setup.h"
#include "evaluation/run.h"

struct evaluate_options {
    const char *file;
    /* what to do; all NULL and false: a new run */
    const char *resume, *results, *compare, *with, *judge;
    bool list, json;
    /* of a new run */
    const char *routes, *banks, *sample, *seed, *app, *model;
    bool all, derived;
    /* of any that asks */
    const char *rate, *concurrency, *key_file, *gateway_key_file, *gateway_url, *agrees, *by;
    bool no_key;
    /* of a judgement */
    const char *question, *route, *verdict, *note;
};

/* Asks, for a new run or one that goes on. An exit code. */
int evaluate_ask(const struct evaluate_options *o);
/* Says what there is, or what a run says; compares two. An exit code. */
int evaluate_list(const struct setup *s, bool json);
int evaluate_results(const struct setup *s, const char *name, bool json);
int evaluate_compare(const struct setup *s, const char *before, const char *after, bool json);
/* Takes a person's judgement, or one after the other from the terminal. An exit code. */
int evaluate_judge(const struct setup *s, const struct evaluate_options *o);

/* A run for reading, or writing; NULL after a message. */
struct run *evaluate_open(const struct setup *s, const char *name, bool write);
