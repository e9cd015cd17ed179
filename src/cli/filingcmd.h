/* The verbs of `juyong filing`, one file each. argv[0] is replaced for their messages. */
#pragma once

#include "config/config.h"

/*
 * Puts on record, before it is done, that something of the filing is done: by the running gateway,
 * or else in the log itself. `act` is the end of the record's code ("evaluate": filing_evaluate),
 * `of` names what it is done to, `why` says more and may be empty. 0, or -EIO after a message.
 */
int filing_record(const struct config *c, const char *act, struct span of, struct span why);

int filing_annex(int argc, char **argv);
int filing_evaluate(int argc, char **argv);
int filing_coverage(int argc, char **argv);
int filing_disclosure(int argc, char **argv);
int filing_route(int argc, char **argv);
int filing_status(int argc, char **argv);
int filing_questions(int argc, char **argv);
int filing_pack(int argc, char **argv);
