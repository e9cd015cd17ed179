/* The facts that annexes and packs speak of, gathered for a command. */
#pragma once

#include "cli/setup.h"
#include "filing/dossier.h"

struct filingdossier {
    const char *command;         /* "annex", for messages */
    const char *app, *run;       /* NULL: evaluation.app; the newest complete one */
    uint64_t since_us, until_us; /* 0: 30 days; now */
    bool verify; /* the whole log, as far as 20 s reach; what takes longer stands as pending */
};

/*
 * Prints what can't be read to stderr. 0, or CLI_BAD after a message; *ret is to be freed by
 * dossier_free() in either case. As dossier_read() in cost.
 */
int filingdossier_gather(const struct filingdossier *f, const struct setup *s, struct dossier *ret);
