/*
 * Is a library fit to be put in force? What it names must be there, its samples must be judged as
 * their authors meant, and ordinary texts must be left alone.
 */
#pragma once

#include "config/config.h"
#include "rules/ruleset.h"

struct fitness {
    const struct config *config;
    struct span alone; /* only this word is tested, by ordinary texts; empty: the library is */
    bool untested;     /* a version that was in force before need not pass */
    bool force;        /* although samples fail, or ordinary texts are hit */
};

/*
 * `check` of a struct publish, with a struct fitness as its context. Appends what is wrong; returns
 * the number of errors, 0 when it is fit. O(samples + ordinary texts).
 */
int fitness_check(void *fitness, const struct ruleset *set, struct buf *messages);
